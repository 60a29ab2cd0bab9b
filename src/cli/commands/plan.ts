/** `plan`: what would run, and what it would cost. */
import type { WeightsChoice } from '../../plan/batch.js';
import { estimate } from '../../plan/estimate.js';
import type { Shard } from '../../plan/shard.js';
import { jobOf } from '../../run/job.js';
import { adviceOn } from '../advice.js';
import { type BackendChoice, chooseBackend } from '../backend-choice.js';
import { EXIT } from '../exit-code.js';
import { readExperiments } from '../experiments.js';
import { fitWorkers, paceOfMachine } from '../fit.js';
import { prepareModels } from '../prepared-models.js';
import { textTable } from '../text-table.js';

export interface PlanCommand {
  readonly set: readonly string[];
  readonly backend: BackendChoice;
  readonly weights: WeightsChoice;
  readonly workers?: number | undefined;
  readonly shard?: Shard | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Prints cells, batches and estimates; measures nothing.
 *
 * @throws UserError for what `run` would refuse to start.
 */
export async function plan(words: readonly string[], command: PlanCommand): Promise<number> {
  const tell = (line: string) => void process.stderr.write(`${line}\n`);
  const plans = [];
  const read = readExperiments(words, command.set, tell);
  for (const experiment of await prepareModels(read, command.weights)) {
    adviceOn(experiment).forEach(tell);
    const job = jobOf(experiment, command.weights, command.shard);
    const { batches } = command.shard ? jobOf(experiment, command.weights) : job;
    const backend = await chooseBackend(command.backend, batches, experiment.model);
    plans.push({ ...job, backend });
  }
  const workers = fitWorkers(plans, command.workers);
  const pace = paceOfMachine();
  const experiments = plans.map((job) => {
    const { rows, workSeconds, wallSeconds, bytes, tableBytes } = estimate([job], workers, pace);
    return {
      name: job.experiment.name,
      cells: job.cells.length,
      rows,
      batches: job.batches.length,
      weights: [...new Set(job.batches.map((batch) => batch.weights))].sort(),
      backend: job.backend,
      work_seconds: workSeconds,
      wall_seconds: wallSeconds,
      bytes,
      table_bytes: tableBytes,
    };
  });
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ workers, pace, experiments }, null, 2)}\n`);
    return EXIT.fine;
  }
  const head = ['experiment', 'cells', 'rows', 'batches', 'weights', 'backend', 'work', 'time', 'memory'];
  const lines = experiments.map((each) => {
    const { name, cells, rows, batches, weights, backend, work_seconds, wall_seconds, bytes } = each;
    const seconds = [work_seconds, wall_seconds].map((time) => `${time.toFixed(1)} s`);
    const memory = `${(bytes / 1e6).toFixed(0)} MB`;
    return [name, ...[cells, rows, batches].map(String), weights.join(', '), backend, ...seconds, memory];
  });
  process.stdout.write(
    `${textTable(head, lines)}\nestimated for ${workers} workers: processor time of all, time where each has a core of its own, ` +
      'memory of all; nothing was run\n',
  );
  return EXIT.fine;
}
