/** The folder of an experiment's results while a run writes there: locked, with the checkpoint of what is not finished. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, readManifest } from '../results/manifest.js';
import { readTable, type Table, toCsv } from '../results/table.js';
import type { Origin } from './cell-file.js';
import { Checkpoint, ForeignCheckpoint, removeCheckpoint } from './checkpoint.js';
import {
  asUserError,
  checkIsNoLink,
  checkStaysInside,
  checkWritableDirectory,
  ensureWritableDirectory,
  readWith,
  writeFile,
} from './files.js';
import { type Lock, type LockOptions, takeLock } from './lock.js';
import { UserError } from './user-error.js';

const TABLE = 'table.csv';
const MANIFEST = 'manifest.json';
const SLOPES = 'slopes.csv';
const PARTIAL = '.partial';
const LOCK = '.lock';

/** What write-file-atomic leaves behind where it is killed. */
const UNFINISHED = /^(table\.csv|slopes\.csv|manifest\.json)\.\d+$/;

/**
 * Makes sure, without writing anything, that results can be written to `<out>/<name>` and go nowhere else.
 *
 * @throws UserError when they cannot, or would.
 */
export function checkResultsFolder(out: string, name: string): void {
  const folder = join(out, name);
  checkWritableDirectory(folder);
  checkStaysInside(out, folder);
  checkStaysInside(out, join(folder, PARTIAL));
  for (const file of [TABLE, SLOPES, MANIFEST, LOCK]) checkIsNoLink(join(folder, file));
}

/**
 * Reads a folder with results.
 *
 * @throws UserError when there are none, or what is there is broken.
 */
export function readResults(folder: string): { readonly manifest: Manifest; readonly table: Table } {
  return {
    manifest: readWith(join(folder, MANIFEST), readManifest),
    table: readWith(join(folder, TABLE), readTable),
  };
}

export class ResultsFolder {
  private constructor(
    readonly path: string,
    private readonly lock: Lock,
    /** Whether it did not exist before. */
    private readonly isNew: boolean,
  ) {}

  /**
   * Takes the folder for this run.
   *
   * @throws UserError when another run has it, or it cannot be written.
   */
  static async open(out: string, name: string, options: LockOptions = {}): Promise<ResultsFolder> {
    const path = join(out, name);
    try {
      const isNew = ensureWritableDirectory(path);
      const lock = await takeLock(join(path, LOCK), options);
      for (const file of readdirSync(path)) if (UNFINISHED.test(file)) rmSync(join(path, file));
      return new ResultsFolder(path, lock, isNew);
    } catch (error) {
      throw asUserError(path, error);
    }
  }

  /**
   * What an earlier run has measured and not finished.
   *
   * @param isFresh whether that is to be discarded.
   * @throws UserError when it is of another experiment, or another backend, or something else than a file is in it.
   */
  checkpoint(origin: Origin, isFresh: boolean): Checkpoint {
    const path = join(this.path, PARTIAL);
    try {
      if (isFresh) removeCheckpoint(path);
      return Checkpoint.open(path, origin, () => this.lock.check());
    } catch (error) {
      if (!(error instanceof ForeignCheckpoint)) throw asUserError(path, error);
      throw new UserError(`${error.message}; discard them with --fresh, or choose another --out`);
    }
  }

  /** Without slopes, those of an earlier table do not stay. */
  write(table: Table, slopes: Table | undefined, manifest: Manifest): void {
    this.lock.check();
    writeFile(join(this.path, TABLE), toCsv(table));
    if (slopes) writeFile(join(this.path, SLOPES), toCsv(slopes));
    else rmSync(join(this.path, SLOPES), { force: true });
    this.writeManifest(manifest);
  }

  /** Writes the results of a run; then nothing is unfinished any more, unless cells are missing. */
  finish(table: Table, slopes: Table | undefined, manifest: Manifest): void {
    this.write(table, slopes, manifest);
    if (manifest.status === 'complete') removeCheckpoint(join(this.path, PARTIAL));
  }

  /** Writes how far a run came; where an earlier one has left a table, its manifest stays with it. */
  stop(manifest: Manifest): void {
    if (!existsSync(join(this.path, TABLE))) this.writeManifest(manifest);
  }

  close(): void {
    this.lock.release();
    if (!this.isNew) return;
    try {
      rmdirSync(this.path);
    } catch {
      // Something has come of it.
    }
  }

  private writeManifest(manifest: Manifest): void {
    this.lock.check();
    writeFile(join(this.path, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  }
}
