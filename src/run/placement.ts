/** Where experiments are to be measured: each on its backend, all by the same workers. */
import type { BackendName } from '../backends.js';
import type { Experiment } from '../config/resolve.js';
import type { BackendChoice } from '../plan/backend.js';
import type { WeightsChoice } from '../plan/batch.js';
import type { Shard } from '../plan/shard.js';
import { UserError } from '../store/user-error.js';
import { type Job, jobOf } from './job.js';
import { chooseBackend } from './machine/backends.js';
import { fitWorkers } from './machine/fit.js';

export interface PlacementOptions {
  readonly backend: BackendChoice;
  readonly weights: WeightsChoice;
  /** Default: as many as pay and fit. */
  readonly workers?: number | undefined;
  readonly shard?: Shard | undefined;
}

/** A job with the backend that it runs on. */
export interface PlacedJob extends Job {
  readonly backend: BackendName;
}

export interface Placement extends PlacementOptions {
  readonly jobs: readonly PlacedJob[];
  readonly workers: number;
}

/**
 * Plans experiments, whose models are made so that their sizes are known, and finds them a place on this machine.
 *
 * @throws UserError where a model cannot be made or measured, a backend does not load, or memory does not suffice.
 */
export async function place(read: readonly Experiment[], options: PlacementOptions): Promise<Placement> {
  const { backend: choice, weights, shard, workers } = options;
  const jobs: PlacedJob[] = [];
  for (const experiment of await withModels(read, weights)) {
    const job = jobOf(experiment, weights, shard);
    // All shards of an experiment run on one.
    const { batches } = shard ? jobOf(experiment, weights) : job;
    jobs.push({ ...job, backend: await chooseBackend(choice, batches, experiment.model) });
  }
  return { ...options, jobs, workers: fitWorkers(jobs, workers) };
}

async function withModels(read: readonly Experiment[], weights: WeightsChoice): Promise<Experiment[]> {
  const experiments: Experiment[] = [];
  for (const experiment of read) {
    if (experiment.model && weights === 'matrix-free') {
      throw new UserError(
        `${experiment.name}: the weights of a model are its own, and formed; --weights auto or dense`,
      );
    }
    experiments.push(
      experiment.model
        ? await (await import('./models/model-sizes.js')).withModelSizes(experiment)
        : experiment,
    );
  }
  return experiments;
}
