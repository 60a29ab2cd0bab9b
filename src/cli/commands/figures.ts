/** `figures`: measure and draw every figure of the paper. */
import { figurePaths, readExperiments } from '../experiments.js';
import { plotFolder } from './plot.js';
import { measure, type RunCommand } from './run.js';

export function figures(command: RunCommand): Promise<number> {
  // Progress of the drawing would interrupt the JSON document on stdout.
  const quiet = command.quiet || command.json;
  const experiments = readExperiments(figurePaths(), command.set);
  return measure(experiments, command, (folder) => plotFolder(folder, { out: command.out, quiet }));
}
