/** `figures`: measure and draw every figure of the paper. */
import { figurePaths, readExperiments } from '../experiments.js';
import { stopSignal } from '../signals.js';
import { plotFolder } from './plot.js';
import { measure, type RunCommand } from './run.js';

export function figures(command: RunCommand): Promise<number> {
  // Progress of the drawing would interrupt the JSON document on stdout.
  const quiet = command.quiet || command.json;
  const experiments = readExperiments(figurePaths(), command.set);
  const stop = stopSignal();
  return measure(experiments, command, async (folder, _name, _outcome, say) => {
    try {
      await plotFolder(folder, { out: command.out, quiet, say }, stop);
    } catch (error) {
      // The same command draws it, and measures what is missing.
      if (!stop.aborted) throw error;
    }
  });
}
