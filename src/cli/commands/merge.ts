/** `merge`: put the shards of an experiment together. */
import { expandCells } from '../../plan/cell.js';
import { parseShard } from '../../plan/shard.js';
import type { Manifest } from '../../results/manifest.js';
import type { Table } from '../../results/table.js';
import { MergeError, mergeTables } from '../../run/merge.js';
import { slopesOf } from '../../run/slopes.js';
import { shown } from '../../store/files.js';
import { checkResultsFolder, ResultsFolder, readResults } from '../../store/results-folder.js';
import { UserError } from '../../store/user-error.js';
import { EXIT } from '../exit-code.js';
import { experimentOf } from '../experiments.js';
import { slopesText } from '../slopes-report.js';

export interface MergeCommand {
  readonly out: string;
  readonly takeOver?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

interface Part {
  readonly name: string;
  readonly manifest: Manifest;
  readonly table: Table;
}

/** Writes `<out>/NAME` with the bytes of one run, from folders that together have every cell. */
export async function merge(
  folders: readonly string[],
  { out, takeOver, quiet }: MergeCommand,
): Promise<number> {
  const parts = folders.map((folder): Part => ({ name: shown(folder), ...readResults(folder) }));
  const first = parts[0]!;
  for (const part of parts) checkKinship(part, first);
  const experiment = experimentOf(first.manifest, first.name);
  const table = tableOf();
  const slopes = experiment.slopes && slopesOf(experiment, table);
  checkResultsFolder(out, experiment.name);
  const folder = await ResultsFolder.open(out, experiment.name, { takesOver: takeOver });
  try {
    folder.write(table, slopes, manifestOf(parts, table, expandCells(experiment).length));
  } finally {
    folder.close();
  }
  if (!quiet) {
    process.stdout.write(
      `${experiment.name}: ${table.rows.length} rows of ${parts.length} parts -> ${shown(folder.path)}\n`,
    );
    if (slopes) process.stdout.write(`${slopesText(slopes)}\n`);
  }
  return EXIT.fine;

  function tableOf(): Table {
    const counts = new Set(parts.map(({ manifest }) => parseShard(manifest.shard ?? '')?.count));
    try {
      return mergeTables(experiment, parts, counts.size === 1 ? [...counts][0] : undefined);
    } catch (error) {
      throw error instanceof MergeError ? new UserError(error.message) : error;
    }
  }
}

/** Refuses what no single run could have written. */
function checkKinship({ name, manifest }: Part, first: Part): void {
  const compared = [
    ['name', 'another experiment'],
    ['digest', 'another config, seed, choice of weights or version of the numerics'],
    ['backend', 'another backend'],
  ] as const;
  for (const [key, what] of compared) {
    const [here, there] = [manifest[key], first.manifest[key]];
    if (here !== there) {
      throw new UserError(
        `${name}: expected ${key} ${there} as in ${first.name}, got ${here}: it is of ${what}`,
      );
    }
  }
}

/** The manifest of the whole: what the parts agree on, and sums. */
function manifestOf(parts: readonly Part[], { rows }: Table, cells: number): Manifest {
  const manifests = parts.map(({ manifest }) => manifest);
  const sum = (count: (manifest: Manifest) => number) =>
    manifests.reduce((total, manifest) => total + count(manifest), 0);
  const [first] = manifests as [Manifest];
  const isOneCommit = manifests.every(({ commit }) => commit === first.commit);
  // A cell that is in two parts has diverged in both.
  const diverged = [
    ...new Map(manifests.flatMap((each) => each.diverged.map((cell) => [cell.cell, cell]))).values(),
  ];
  return {
    ...first,
    status: 'complete',
    shard: null,
    commit: isOneCommit ? first.commit : null,
    dirty: isOneCommit ? manifests.some(({ dirty }) => dirty) : null,
    commit_problem: isOneCommit ? first.commit_problem : 'the parts are of several commits',
    weights: [...new Set(manifests.flatMap(({ weights }) => weights))].sort(),
    workers: Math.max(...manifests.map(({ workers }) => workers)),
    counts: {
      cells,
      measured: cells,
      rows: rows.length,
      batches: sum(({ counts }) => counts.batches),
      diverged: diverged.length,
      failed: 0,
    },
    diverged,
    failed: [],
    started: manifests.map(({ started }) => started).sort()[0]!,
    elapsed_ms: sum(({ elapsed_ms }) => elapsed_ms),
  };
}
