/** The checkpoint of an experiment: a folder with a file for each batch that is measured, whole or absent. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type CellFile, decodeCells, encodeCells, type Origin, type RecordedCell } from './cell-file.js';
import { removeFile } from './files.js';
import { readRegularFile } from './regular-file.js';
import { readSnapshot, SNAPSHOT, snapshotPath } from './snapshot.js';
import { removeAbandoned, writeFileMeanwhile } from './write-file.js';

const SUFFIX = '.cells';

/** The folder has cells of another experiment, seed, version of the numerics or backend. */
export class ForeignCheckpoint extends Error {
  override readonly name = 'ForeignCheckpoint';
}

/**
 * What a run that did not come to its end has measured, by the keys of the cells: it does not matter into which
 * batches they were cut, nor by how many workers they were measured.
 *
 * One process at a time may have it open.
 */
export class Checkpoint {
  private constructor(
    private readonly folder: string,
    readonly origin: Origin,
    /** Cells that are there, by key. */
    readonly cells: ReadonlyMap<string, RecordedCell>,
    /** Keys of the cells of each batch that was still in training. */
    readonly unfinished: readonly (readonly string[])[],
    /** Time that these took; ms. */
    readonly elapsedMs: number,
    /** Files that are truncated or changed; they count as absent. */
    readonly damaged: number,
    private readonly check: () => void,
  ) {}

  /**
   * Reads what is there; a folder that does not exist is made with the first batch.
   *
   * @param check called before every write: throws where this run may write no more.
   * @throws ForeignCheckpoint
   */
  static open(folder: string, origin: Origin, check: () => void = () => {}): Checkpoint {
    const cells = new Map<string, RecordedCell>();
    let elapsedMs = 0;
    let damaged = 0;
    for (const path of filesOf(folder, SUFFIX)) {
      const bytes = readRegularFile(path);
      if (bytes === undefined) continue; // gone just now
      let file: CellFile;
      try {
        file = decodeCells(bytes);
      } catch {
        damaged += 1;
        continue;
      }
      if (file.origin.backend !== origin.backend) {
        const [theirs, ours] = [file.origin.backend, origin.backend];
        throw new ForeignCheckpoint(
          `${folder}: has cells of the ${theirs} backend, and this run is on ${ours}`,
        );
      }
      if (file.origin.digest !== origin.digest) {
        throw new ForeignCheckpoint(
          `${folder}: has cells of another config, seed, choice of weights or version of the numerics`,
        );
      }
      for (const [key, measured] of file.cells) cells.set(key, measured);
      elapsedMs += file.elapsedMs;
    }
    const unfinished = filesOf(folder, SNAPSHOT).flatMap((path) => {
      const keys = readSnapshot(path, origin)?.keys;
      return keys ? [keys] : [];
    });
    return new Checkpoint(folder, origin, cells, unfinished, elapsedMs, damaged, check);
  }

  /**
   * Adds a batch; when the promise is fulfilled, it is on the disk.
   *
   * @throws Error of the file system, with the path; the batch is not there then.
   */
  async save(cells: CellFile['cells'], elapsedMs: number): Promise<void> {
    const keys = cells.map(([key]) => key);
    const name = createHash('sha256').update(JSON.stringify(keys));
    const path = join(this.folder, `${name.digest('hex').slice(0, 32)}${SUFFIX}`);
    this.check();
    mkdirSync(this.folder, { recursive: true });
    await writeFileMeanwhile(path, encodeCells({ origin: this.origin, elapsedMs, cells }));
    removeFile(this.snapshotPath(keys));
  }

  /** Where the snapshot of a batch in training is, or would be. */
  snapshotPath(keys: readonly string[]): string {
    return snapshotPath(this.folder, keys);
  }
}

/** Removes a checkpoint of whatever origin. */
export function removeCheckpoint(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Paths of the files of batches that end so, in a fixed order; what was not written to its end is removed. */
function filesOf(folder: string, suffix: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  removeAbandoned(folder);
  return names.filter((name) => name.endsWith(suffix)).map((name) => join(folder, name));
}
