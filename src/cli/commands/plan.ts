/** `plan`: what would run, and what it would cost. */
import { estimate } from '../../plan/estimate.js';
import { paceOfMachine } from '../../run/machine/fit.js';
import { type PlacementOptions, place } from '../../run/placement.js';
import { adviceOn } from '../advice.js';
import type { Effects } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { readExperiments } from '../experiments.js';
import { textTable } from '../text-table.js';

export interface PlanCommand extends PlacementOptions {
  readonly set: readonly string[];
  readonly json?: boolean | undefined;
}

/**
 * Prints cells, batches and estimates; measures nothing.
 *
 * @throws UserError for what `run` would refuse to start.
 */
export async function plan(
  words: readonly string[],
  command: PlanCommand,
  { write, tell, terminal }: Effects,
): Promise<number> {
  const read = readExperiments(words, command.set, tell);
  const { jobs, workers } = await place(read, command);
  for (const { experiment } of jobs) adviceOn(experiment).forEach(tell);
  const pace = paceOfMachine();
  const experiments = jobs.map((job) => {
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
    write(`${JSON.stringify({ workers, pace, experiments }, null, 2)}\n`);
    return EXIT.fine;
  }
  const head = ['experiment', 'cells', 'rows', 'batches', 'weights', 'backend', 'work', 'time', 'memory'];
  const lines = experiments.map((each) => {
    const { name, cells, rows, batches, weights, backend, work_seconds, wall_seconds, bytes } = each;
    const seconds = [work_seconds, wall_seconds].map((time) => `${time.toFixed(1)} s`);
    const memory = `${(bytes / 1e6).toFixed(0)} MB`;
    return [name, ...[cells, rows, batches].map(String), weights.join(', '), backend, ...seconds, memory];
  });
  write(
    `${textTable(head, lines, terminal)}\nestimated for ${workers} workers: processor time of all, time where each has a core of its own, ` +
      'memory of all; nothing was run\n',
  );
  return EXIT.fine;
}
