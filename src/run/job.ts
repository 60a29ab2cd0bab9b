/** A job: what an experiment asks for, what of it is there already, and how the rest is cut into batches. */
import type { Experiment } from '../config/resolve.js';
import { type BatchLimits, cutBatches, DEFAULT_LIMITS, type WeightsChoice } from '../plan/batch.js';
import { type Cell, expandCells } from '../plan/cell.js';
import type { Batch } from '../plan/planned-batch.js';
import { cellsOfShard, type Shard } from '../plan/shard.js';
import type { Checkpoint } from '../store/checkpoint.js';

export interface Job {
  readonly experiment: Experiment;
  readonly weights: WeightsChoice;
  readonly limits: BatchLimits;
  /** The cells of the experiment, or of one shard of it, in plan order. */
  readonly cells: readonly Cell[];
  /** Those that are to be measured; the others are in the checkpoint. */
  readonly missing: readonly Cell[];
  /** Batches of the missing cells; their indices are into `missing`. */
  readonly batches: readonly Batch[];
  /** Where measured batches are kept; without one they are in memory only. */
  readonly checkpoint?: Checkpoint;
}

/** The job of an experiment of which nothing is there yet. */
export function jobOf(
  experiment: Experiment,
  weights: WeightsChoice,
  shard?: Shard,
  limits: BatchLimits = DEFAULT_LIMITS,
): Job {
  const cells = cellsOfShard(expandCells(experiment), shard);
  const batches = cutBatches(experiment, cells, weights, limits);
  return { experiment, weights, limits, cells, missing: cells, batches };
}

/**
 * The same job with what its checkpoint has taken away, and kept there from now on. Batches that were in training go on as they
 * were cut, where all of their cells are missing.
 */
export function resumeJob(job: Job, checkpoint: Checkpoint): Job {
  const { cells, unfinished } = checkpoint;
  if (cells.size === 0 && unfinished.length === 0) return { ...job, checkpoint };
  const missing = job.missing.filter(({ key }) => !cells.has(key));
  const rest = new Map(missing.map(({ key }, index) => [key, index]));
  const batchesOf = (indices: readonly number[]): Batch[] => {
    const own = indices.map((index) => missing[index]!);
    const batches = cutBatches(job.experiment, own, job.weights, job.limits);
    return batches.map((batch) => ({ ...batch, cells: batch.cells.map((i) => indices[i]!) }));
  };
  const resumed = unfinished.flatMap((keys) => {
    if (!keys.every((key) => rest.has(key))) return [];
    const indices = keys.map((key) => rest.get(key)!);
    for (const key of keys) rest.delete(key);
    return batchesOf(indices);
  });
  const batches = [...resumed, ...batchesOf([...rest.values()])].sort((a, b) => b.cost - a.cost);
  return { ...job, missing, batches, checkpoint };
}
