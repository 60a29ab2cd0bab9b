/** `run`: measure experiments and write their tables and manifests. */
import { join } from 'node:path';
import type { Experiment } from '../../config/resolve.js';
import { CHART } from '../../results/file-names.js';
import { runIntoFolders, type WrittenExperiment } from '../../run/into-folders.js';
import { type PlacementOptions, place } from '../../run/placement.js';
import { isThere, shown } from '../../store/files.js';
import { isChange } from '../../store/results-folder.js';
import { adviceOn } from '../advice.js';
import { type Effects, quietly } from '../effects.js';
import { readExperiments } from '../experiments.js';
import { RunReport } from '../run-report.js';

export interface RunCommand extends PlacementOptions {
  readonly out: string;
  readonly set: readonly string[];
  /** Whether the cells that an earlier run has left are discarded, and another result may be lost. */
  readonly fresh?: boolean | undefined;
  /** Whether the folder of a run that cannot be seen from here is taken. */
  readonly takeOver?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Runs the experiments of the command line. */
export async function run(words: readonly string[], command: RunCommand, effects: Effects): Promise<number> {
  const { tell } = quietly(effects, command.quiet);
  const experiments = readExperiments(words, command.set, tell);
  experiments.flatMap(adviceOn).forEach(tell);
  return measure(experiments, command, effects, async ({ folder, result, outcome }) => {
    const chart = join(folder, CHART.svg);
    const { name } = result.experiment;
    if (isChange(outcome) && isThere(chart))
      tell(`${shown(chart)} shows the table before; feature-speed plot ${name} draws it again`);
  });
}

/**
 * Runs experiments; after each `then` is called, while others still run, and what it says is said in their order.
 *
 * @returns the exit code.
 */
export async function measure(
  experiments: readonly Experiment[],
  command: Omit<RunCommand, 'set'>,
  effects: Effects,
  then: (written: WrittenExperiment, say: (text: string) => void) => Promise<void> = async () => {},
): Promise<number> {
  const placement = await place(experiments, command);
  const report = new RunReport(placement, command, effects, then);
  const signal = effects.stopSignal();
  try {
    await runIntoFolders(placement, { ...command, signal, openExecutor: effects.openExecutor }, report);
  } finally {
    report.end();
  }
  return signal.aborted ? (signal.reason as number) : report.conclude();
}
