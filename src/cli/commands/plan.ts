/** `plan`: what would run, and what it would cost. */
import CliTable from 'cli-table3';
import type { WeightsChoice } from '../../plan/batch.js';
import type { Shard } from '../../plan/shard.js';
import { defaultWorkers } from '../../run/executor.js';
import { jobOf } from '../../run/job.js';
import { EXIT } from '../exit-code.js';
import { readExperiments } from '../experiments.js';

export interface PlanCommand {
  readonly set: readonly string[];
  readonly weights: WeightsChoice;
  readonly workers?: number | undefined;
  readonly shard?: Shard | undefined;
  readonly json?: boolean | undefined;
}

/** Prints cells, batches and estimates; measures nothing. */
export async function plan(paths: readonly string[], command: PlanCommand): Promise<number> {
  const workers = command.workers ?? defaultWorkers();
  const plans = readExperiments(paths, command.set).map((experiment) => {
    const { cells, batches } = jobOf(experiment, command.weights, command.shard);
    const largest = batches.map((batch) => batch.bytes).sort((a, b) => b - a);
    return {
      name: experiment.name,
      cells: cells.length,
      rows: cells.reduce(
        (sum, { setting }) =>
          sum + experiment.step.count * (experiment.record.layers === 'all' ? setting.depth - 1 : 1),
        0,
      ),
      batches: batches.length,
      weights: [...new Set(batches.map((batch) => batch.weights))].sort(),
      estimated_seconds: batches.reduce((sum, batch) => sum + batch.cost, 0) / workers / 1000,
      estimated_bytes: largest.slice(0, workers).reduce((sum, bytes) => sum + bytes, 0),
    };
  });
  if (command.json) {
    process.stdout.write(`${JSON.stringify({ workers, experiments: plans }, null, 2)}\n`);
    return EXIT.fine;
  }
  const table = new CliTable({
    head: ['experiment', 'cells', 'rows', 'batches', 'weights', 'time', 'memory'],
    style: { head: [], border: [] },
  });
  for (const { name, cells, rows, batches, weights, estimated_seconds, estimated_bytes } of plans) {
    const memory = `${(estimated_bytes / 1e6).toFixed(0)} MB`;
    table.push([name, cells, rows, batches, weights.join(', '), `${estimated_seconds.toFixed(1)} s`, memory]);
  }
  process.stdout.write(`${table.toString()}\nestimated for ${workers} workers; nothing was run\n`);
  return EXIT.fine;
}
