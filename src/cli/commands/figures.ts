/** `figures`: measure and draw every figure of the paper. */
import type { Effects } from '../effects.js';
import { figurePaths, readExperiments } from '../experiments.js';
import { plotFolder } from './plot.js';
import { measure, type RunCommand } from './run.js';

export function figures(command: RunCommand, effects: Effects): Promise<number> {
  // Progress of the drawing would interrupt the JSON document on stdout.
  const { out, quiet = command.json } = command;
  const experiments = readExperiments(figurePaths(), command.set);
  effects.prepareToDraw();
  const stop = effects.stopSignal();
  return measure(experiments, command, effects, async ({ folder }, write) => {
    try {
      await plotFolder(folder, { out, quiet }, { ...effects, write }, stop);
    } catch (error) {
      // The same command draws it, and measures what is missing.
      if (!stop.aborted) throw error;
    }
  });
}
