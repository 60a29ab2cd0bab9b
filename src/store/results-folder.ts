/** The folder of an experiment's results while a run writes there: locked, with the checkpoint of what is not finished. */
import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { FITS, MANIFEST, TABLE } from '../results/file-names.js';
import { changeSince, digestOfBytes, type Manifest, readManifest } from '../results/manifest.js';
import { otherResult, type ResultIdentity } from '../results/other-result.js';
import { readTable, type Table, toCsv } from '../results/table.js';
import type { Origin } from './cell-file.js';
import { Checkpoint, ForeignCheckpoint, removeCheckpoint } from './checkpoint.js';
import {
  asUserError,
  checkIsNoLink,
  checkStaysInside,
  checkWritableDirectory,
  ensureWritableDirectory,
  isThere,
  readWith,
  removeFile,
} from './files.js';
import { type Lock, type LockOptions, takeLock } from './lock.js';
import { checkReplacement, readStanding, sayTheSame, whatMoved } from './standing-result.js';
import { UserError } from './user-error.js';
import { removeAbandoned, writeFile, writeFiles } from './write-file.js';

const PARTIAL = '.partial';
const LOCK = '.lock';

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
  for (const file of [TABLE, ...FITS, MANIFEST, LOCK]) checkIsNoLink(join(folder, file));
}

/** Tables that are computed from the table, by the names of their files. */
export type Fits = Readonly<Partial<Record<(typeof FITS)[number], Table>>>;

export interface ReadResults {
  readonly manifest: Manifest;
  readonly table: Table;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
  /** Files that are not as the manifest vouches for them, a sentence each. */
  readonly changes: readonly string[];
}

/**
 * Reads a folder with results.
 *
 * @throws UserError when there are none, or what is there is broken.
 */
export function readResults(folder: string): ReadResults {
  const manifest = readWith(join(folder, MANIFEST), readManifest);
  const path = join(folder, TABLE);
  return readWith(path, (bytes) => {
    const change = changeSince(manifest, TABLE, bytes);
    return {
      manifest,
      table: readTable(bytes),
      sha256: digestOfBytes(bytes),
      changes: change ? [`${path} ${change}`] : [],
    };
  });
}

/** What became of a result that was measured. */
export interface Outcome {
  /** `reproduced`: the table that stood there, byte for byte; `moved`: it has other numbers; `replaced`: it was another. */
  readonly kind: 'new' | 'reproduced' | 'moved' | 'replaced';
  /** The same for people, in one line; null for a new one. */
  readonly line: string | null;
}

/** Whether drawings and pages that are there show the table before. */
export const isChange = ({ kind }: Outcome): boolean => kind === 'moved' || kind === 'replaced';

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
      removeAbandoned(path);
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

  /**
   * Makes sure, before it is measured, that a result may be written here.
   *
   * Where there is no manifest, or a run was killed between the renames, which leaves its checkpoint, only the new table can
   * say what the old one is: `write` looks again.
   *
   * @throws UserError when another result would be lost.
   */
  async checkReplacement(next: ResultIdentity): Promise<void> {
    const standing = readStanding(this.path);
    if (!standing?.manifest) return;
    if (standing.isOneUnit || !isThere(join(this.path, PARTIAL))) await checkReplacement(standing, next);
  }

  /**
   * Writes what differs from the result that stands there: table, fits and manifest are one unit, and the manifest,
   * which vouches for the others, is the last of them. The same result leaves every file as it is.
   *
   * @param isFresh whether another result is replaced that is nowhere else.
   * @throws UserError when it cannot be written, or another result would be lost.
   */
  async write(table: Table, fits: Fits, manifest: Manifest, isFresh: boolean): Promise<Outcome> {
    const standing = readStanding(this.path);
    const csv = toCsv(table);
    const fitted = FITS.filter((name) => fits[name]);
    const content: Record<string, string> = {
      [TABLE]: csv,
      ...Object.fromEntries(fitted.map((name) => [name, toCsv(fits[name]!)])),
    };
    const sha256 = Object.fromEntries(
      Object.entries(content).map(([name, text]) => [name, digestOfBytes(text)]),
    );
    const next: Manifest = { ...manifest, sha256 };
    const isSame = standing?.table.equals(Buffer.from(csv)) === true;
    const other = standing && !isSame && !isFresh ? await checkReplacement(standing, next) : undefined;
    const isVouched = standing?.manifest !== undefined && sayTheSame(standing.manifest, next);
    const files = [
      ...(isSame ? [] : [TABLE]),
      ...fitted.filter((name) => standing?.fits[name]?.toString() !== content[name]),
      ...(isVouched ? [] : [MANIFEST]),
    ];
    const text = `${JSON.stringify(next, null, 2)}\n`;
    this.lock.check();
    writeFiles(files.map((name) => ({ path: join(this.path, name), content: content[name] ?? text })));
    // Last, since the old ones are whole until then; left behind by a kill, they are no part of what is vouched for.
    for (const name of FITS) if (!fits[name]) removeFile(join(this.path, name));
    if (!standing) return { kind: 'new', line: null };
    if (isSame) {
      const anew = files.length > 0 ? `; ${files.join(' and ')} written anew` : '';
      return { kind: 'reproduced', line: `reproduced, byte for byte${anew}` };
    }
    const replaced = other ?? (standing.manifest && otherResult(standing.manifest, next));
    if (replaced !== undefined || !standing.manifest) {
      return {
        kind: 'replaced',
        line: `another result was here (${replaced ?? 'without a manifest'}); replaced`,
      };
    }
    const over = standing.isOneUnit ? '' : ' over a table that was edited after its run';
    return { kind: 'moved', line: `${whatMoved(standing.table, table)}; written${over}` };
  }

  /** Writes the results of a run; then nothing is unfinished any more, unless cells are missing. */
  async finish(...result: Parameters<ResultsFolder['write']>): Promise<Outcome> {
    const outcome = await this.write(...result);
    if (result[2].status === 'complete') removeCheckpoint(join(this.path, PARTIAL));
    return outcome;
  }

  /** Writes how far a run came; where an earlier one has left a table, its manifest stays with it. */
  stop(manifest: Manifest): void {
    if (isThere(join(this.path, TABLE))) return;
    this.lock.check();
    writeFile(join(this.path, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
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
}
