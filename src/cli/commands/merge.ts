/** `merge`: put the shards of an experiment together. */
import { join } from 'node:path';
import { largest } from '../../core/extremes.js';
import { expandCells } from '../../plan/cell.js';
import { digestOf } from '../../plan/digest.js';
import { parseShard } from '../../plan/shard.js';
import { MANIFEST } from '../../results/file-names.js';
import type { Manifest } from '../../results/manifest.js';
import type { Table } from '../../results/table.js';
import { checkTables } from '../../run/machine/fit.js';
import { MergeError, mergeTables } from '../../run/merge.js';
import { fitsOf } from '../../run/optima.js';
import { shown } from '../../store/files.js';
import {
  checkResultsFolder,
  type Outcome,
  type ReadResults,
  ResultsFolder,
  readResults,
} from '../../store/results-folder.js';
import { UserError } from '../../store/user-error.js';
import { type Effects, quietly } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { experimentOf } from '../experiments.js';
import { fitsText } from '../fits-report.js';

export interface MergeCommand {
  readonly out: string;
  readonly takeOver?: boolean | undefined;
  /** Whether another result may be lost that is in the place of the whole. */
  readonly fresh?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

interface Part extends ReadResults {
  readonly name: string;
  readonly inexact: readonly string[] | undefined;
}

/** Writes `<out>/NAME` with the bytes of one run, from folders that together have every cell. */
export async function merge(
  folders: readonly string[],
  { out, fresh, takeOver, quiet }: MergeCommand,
  effects: Effects,
): Promise<number> {
  const { write, tell, terminal } = quietly(effects, quiet);
  checkTables(folders);
  const parts = folders.map((folder): Part => {
    const results = readResults(folder);
    return { name: shown(folder), ...results, inexact: results.manifest.inexact?.map(({ cell }) => cell) };
  });
  const first = parts[0]!;
  const experiment = experimentOf(first.manifest, join(first.name, MANIFEST));
  const vouched = parts.find(({ manifest }) => manifest.sha256);
  const problems = parts.flatMap((part) => problemsOf(part, first, vouched));
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  if (!vouched)
    tell('the manifests vouch for no numbers, as those of before; the tables are taken as they are');
  const table = tableOf();
  const fits = fitsOf(experiment, table);
  checkResultsFolder(out, experiment.name);
  const folder = await ResultsFolder.open(out, experiment.name, { takesOver: takeOver });
  let outcome: Outcome;
  try {
    const cells = expandCells(experiment).length;
    outcome = await folder.write(table, fits, manifestOf(parts, table, cells), fresh === true);
  } finally {
    folder.close();
  }
  write(`${experiment.name}: ${table.rows.length} rows of ${parts.length} parts -> ${shown(folder.path)}\n`);
  if (outcome.line !== null) write(`${experiment.name}: ${outcome.line}\n`);
  write(fitsText(fits, terminal));
  return EXIT.fine;

  function tableOf(): Table {
    const counts = new Set(parts.map(({ manifest }) => parseShard(manifest.shard ?? '')?.count));
    const { weights_choice } = first.manifest;
    try {
      return mergeTables(experiment, weights_choice, parts, counts.size === 1 ? [...counts][0] : undefined);
    } catch (error) {
      throw error instanceof MergeError ? new UserError(error.message) : error;
    }
  }
}

/**
 * Why a part is none that a run has written to its end, or none of the same run as the first.
 *
 * @param vouched one whose manifest vouches for its table, where there is one.
 */
function problemsOf(
  { name, manifest, table, changes }: Part,
  first: Part,
  vouched: Part | undefined,
): string[] {
  const { counts, digest, seed, status, weights_choice } = manifest;
  const problems = changes.map((change) => `${change}; measure it again`);
  if (vouched && !manifest.sha256) {
    problems.push(
      `${name}: its manifest vouches for no numbers, where that of ${vouched.name} does; measure it again`,
    );
  }
  if (status !== 'complete') {
    problems.push(
      `${name}: expected all ${counts.cells} cells of its run, got ${counts.measured}; run it to its end first`,
    );
  }
  if (counts.rows !== table.rows.length) {
    problems.push(`${name}: expected ${counts.rows} rows as its manifest has it, got ${table.rows.length}`);
  }
  const experiment = experimentOf(manifest, join(name, MANIFEST));
  const own = { name: experiment.name, seed: experiment.seed, digest: digestOf(experiment, weights_choice) };
  if (own.name !== manifest.name || own.seed !== seed || own.digest !== digest) {
    problems.push(
      `${name}: its manifest is not of the experiment in it: it was edited, or is of another version of the numerics; ` +
        'measure it again',
    );
  }
  const compared = [
    ['name', 'another experiment'],
    ['digest', 'another config, seed, choice of weights or version of the numerics'],
    ['backend', 'another backend'],
    ['weights_choice', 'another choice of weights'],
  ] as const;
  for (const [key, what] of compared) {
    const [here, there] = [manifest[key], first.manifest[key]];
    if (here === there) continue;
    problems.push(`${name}: expected ${key} ${there} as in ${first.name}, got ${here}: it is of ${what}`);
    break;
  }
  return problems;
}

/** The manifest of the whole: what the parts agree on, and sums. */
function manifestOf(parts: readonly Part[], { rows }: Table, cells: number): Manifest {
  const manifests = parts.map(({ manifest }) => manifest);
  const sum = (count: (manifest: Manifest) => number) =>
    manifests.reduce((total, manifest) => total + count(manifest), 0);
  const [first] = manifests as [Manifest];
  const isOneCommit = manifests.every(({ commit }) => commit === first.commit);
  // A cell that is in two parts has diverged in both.
  const union = <T extends { readonly cell: string }>(of: (manifest: Manifest) => readonly T[]): T[] => [
    ...new Map(manifests.flatMap((each) => of(each).map((cell) => [cell.cell, cell] as const))).values(),
  ];
  const diverged = union((manifest) => manifest.diverged);
  const inexact = union((manifest) => manifest.inexact ?? []);
  return {
    ...first,
    status: 'complete',
    shard: null,
    commit: isOneCommit ? first.commit : null,
    dirty: isOneCommit ? manifests.some(({ dirty }) => dirty) : null,
    commit_problem: isOneCommit ? first.commit_problem : 'the parts are of several commits',
    weights: [...new Set(manifests.flatMap(({ weights }) => weights))].sort(),
    workers: largest(manifests.map(({ workers }) => workers)),
    counts: {
      cells,
      measured: cells,
      rows: rows.length,
      batches: sum(({ counts }) => counts.batches),
      diverged: diverged.length,
      inexact: inexact.length,
      failed: 0,
    },
    diverged,
    inexact,
    failed: [],
    started: manifests.map(({ started }) => started).sort()[0]!,
    elapsed_ms: sum(({ elapsed_ms }) => elapsed_ms),
  };
}
