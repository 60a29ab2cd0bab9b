/**
 * The library: experiments planned and measured in this process, the theory, the scalings, the sampler;
 * and a network of one's own, layer by layer (`inspectModel`).
 *
 *     import { measure, readExperiment } from 'feature-speed';
 *
 *     const experiment = readExperiment({
 *       network: { width: 200 },
 *       scaling: 'NTK',
 *       sweep: { branchScale: ['1/sqrt(L)', 1], depth: [10, 100] },
 *       record: { layers: 'output', quantities: ['bfa_rad', 'bfa_theory_rad'] },
 *     });
 *     const { columns } = await measure(experiment, { onProgress: ({ done, all }) => console.error(done / all) });
 *     console.log(columns.depth, columns.bfa_rad, columns.bfa_theory_rad);
 */
import { dirname } from 'node:path';
import type { BackendName } from './backends.js';
import type { ExperimentFile } from './config/file/experiment.js';
import { parseExperiment } from './config/file/load.js';
import { formatProblems } from './config/file/problem.js';
import type { Experiment } from './config/resolve.js';
import type { WeightsChoice } from './plan/batch.js';
import { type Estimate, estimate } from './plan/estimate.js';
import { type Table, toCsv, type Value } from './results/table.js';
import { jobOf } from './run/job.js';
import { modelsIn } from './run/models/model-source.js';
import { type FinishedExperiment, runJobs, type Tally } from './run/run.js';
import { findConfig } from './store/config-files.js';
import { dataReader } from './store/data/data-set.js';
import { readText } from './store/files.js';
import { UserError } from './store/user-error.js';

export {
  NetworkError,
  type NetworkScaling,
  type ScaledNetwork,
  scalings,
} from './config/scalings/network-scalings.js';
export { GaussianSampler, ROLE, type Seed, type Stream } from './core/random.js';
export {
  type Advice,
  type Inspection,
  type InspectOptions,
  inspectModel,
  type LayerRow,
  type ModelData,
  ModelError,
} from './model/index.js';
export { QUANTITIES, type Quantity, type QuantityName } from './quantities.js';
export { bfaLimit, conjecturedAngle, type LimitNetwork, sensitivityLimit } from './theory/bfa.js';
export type { BackendName, Estimate, Experiment, ExperimentFile, Table, Value, WeightsChoice };
export { UserError };

export interface ReadOptions {
  /** What an experiment that is given as an object is called; default `experiment`. */
  readonly name?: string;
  /** Values to change, as of `--set`: `draws=20`, `sweep.depth=[10,100]`. */
  readonly set?: readonly string[];
}

/**
 * Reads an experiment and fills in its defaults.
 *
 * @param source the content of an experiment file, or the path of one, or the name of one that comes with the program, as
 * `figure-1a`.
 * @throws UserError with all its problems at once.
 */
export function readExperiment(
  source: string | ExperimentFile,
  { name = 'experiment', set = [] }: ReadOptions = {},
): Experiment {
  const isFile = typeof source === 'string';
  const path = isFile ? findConfig(source) : `${name}.json`;
  const findModel = modelsIn([isFile ? dirname(path) : '.']);
  const parsed = parseExperiment(
    isFile ? readText(path) : JSON.stringify(source),
    path,
    set,
    findModel,
    dataReader(isFile ? path : undefined),
  );
  if (parsed.ok) return parsed.experiment;
  // An object has no lines to point to.
  const places = parsed.problems.map(({ line, column, ...place }) =>
    isFile ? { line, column, ...place } : { ...place, source: place.source === path ? name : place.source },
  );
  throw new UserError(formatProblems(places));
}

export interface PlanOptions {
  /** Whether matrices are formed, or their products drawn; default `auto`. */
  readonly weights?: WeightsChoice;
  /** Threads that measure, or processes on native; default 0: this thread, which does nothing else meanwhile. */
  readonly workers?: number;
}

/** Cells, batches, rows, time and memory of an experiment, of which nothing is measured. */
export function plan(
  experiment: Experiment,
  { weights = 'auto', workers = 0 }: PlanOptions = {},
): Omit<Estimate, 'workers'> & { readonly cells: number; readonly batches: number } {
  const job = jobOf(experiment, weights);
  const { workers: _, ...expected } = estimate([job], Math.max(1, workers));
  return { cells: job.cells.length, batches: job.batches.length, ...expected };
}

export interface MeasureOptions extends PlanOptions {
  /** Default `wasm`. */
  readonly backend?: BackendName;
  /** Ends the measurement between two batches; with workers, within one. */
  readonly signal?: AbortSignal;
  /** Is told of every batch, by estimated work. */
  readonly onProgress?: (progress: { readonly done: number; readonly all: number }) => void;
}

/** An experiment with all that was measured, and what became of the cells that have no rows. */
export interface Measured extends Omit<Tally, 'resumed' | 'batches'> {
  readonly table: Table;
  /** The table by columns, of equal length: numbers, or words; null is a missing value. */
  readonly columns: Readonly<Record<string, readonly Value[]>>;
  /** The table as `table.csv` would have it. */
  toCsv(): string;
}

/**
 * Measures an experiment: the same numbers that `feature-speed run` writes, and no file.
 *
 * Cells that diverge, fail or are no results do not throw: they are in `diverged`, `failed` and `inexact`.
 *
 * @throws the reason of the signal when it is aborted.
 */
export async function measure(
  experiment: Experiment,
  { weights = 'auto', workers = 0, backend = 'wasm', signal, onProgress = () => {} }: MeasureOptions = {},
): Promise<Measured> {
  signal?.throwIfAborted();
  const job = jobOf(experiment, weights);
  const all = job.batches.reduce((sum, { cost }) => sum + cost, 0);
  let done = 0;
  let finished: FinishedExperiment | undefined;
  await runJobs(
    [job],
    { backend, workers, signal },
    {
      progressed: (_, batch) => {
        done += batch.cost;
        onProgress({ done, all });
      },
      finished: (result) => {
        finished = result;
      },
    },
  );
  if (finished === undefined) {
    signal?.throwIfAborted();
    throw new Error('the measurement ended before its last batch');
  }
  const { resumed: _, batches: __, table, ...tally } = finished;
  return { ...tally, table, columns: columnsOf(table), toCsv: () => toCsv(table) };
}

function columnsOf({ columns, rows }: Table): Measured['columns'] {
  return Object.fromEntries(columns.map((name, j) => [name, rows.map((row) => row[j]!)]));
}
