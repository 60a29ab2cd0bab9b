/** Config files named on the command line, read and checked together. */
import { basename, join } from 'node:path';
import { parseExperiment } from '../config/load.js';
import { formatProblems } from '../config/problem.js';
import type { Experiment } from '../config/resolve.js';
import { NAMED_SCALINGS } from '../config/scalings.js';
import type { Manifest } from '../results/manifest.js';
import { listFiles, PACKAGE_ROOT, readJson, readText } from '../store/files.js';
import { UserError } from '../store/user-error.js';

/** Names of experiments, which are names of folders: no path, nothing hidden. */
const NAME = /^[A-Za-z0-9][\w.+-]*$/;

/**
 * Reads experiments; all their problems are told at once.
 *
 * @throws UserError when any file has a problem, or two would write to the same folder.
 */
export function readExperiments(paths: readonly string[], overrides: readonly string[]): Experiment[] {
  const problems: string[] = [];
  const experiments: Experiment[] = [];
  for (const path of paths) {
    try {
      const parsed = parseExperiment(readText(path), path, overrides);
      if (parsed.ok) experiments.push(parsed.experiment);
      else problems.push(formatProblems(parsed.problems));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
  }
  for (const [i, { name }] of experiments.entries()) {
    if (!NAME.test(name)) {
      problems.push(
        `${paths[i]}: expected a file name of letters, digits, . _ + -; it names the folder of the results`,
      );
    }
    if (experiments.findIndex((other) => other.name === name) < i) {
      problems.push(`${paths[i]}: another config is named ${name} too; both would write to the same folder`);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return experiments;
}

/**
 * The experiment of a manifest, read as if it were a config, since a manifest may have been changed as well as one.
 *
 * @param path of the manifest, for messages.
 * @throws UserError when it is no experiment of this version.
 */
export function experimentOf(manifest: Manifest, path: string): Experiment {
  const problems = (() => {
    try {
      const { name, axes, nesting, commonRandomNumbers: common, ...rest } = manifest.experiment as Experiment;
      // Scalings of the paper are known by their names, which a config may not give to others.
      const scaling = axes.scaling.map(({ isNormalized, ...each }) =>
        each.name in NAMED_SCALINGS ? each.name : each,
      );
      const sweep = Object.fromEntries(nesting.map((axis) => [axis, { ...axes, scaling }[axis]]));
      const commonRandomNumbers = common.length > 0 ? common : undefined;
      const text = JSON.stringify({ ...rest, commonRandomNumbers, sweep });
      const parsed = parseExperiment(text, `${name}.json`);
      if (!parsed.ok) return formatProblems(parsed.problems);
      if (NAME.test(name) && JSON.stringify(parsed.experiment) === JSON.stringify(manifest.experiment)) {
        return parsed.experiment;
      }
      return 'it does not read back the same';
    } catch (error) {
      return (error as Error).message;
    }
  })();
  if (typeof problems !== 'string') return problems;
  throw new UserError(`${path}: the experiment in it is none that this version runs: ${problems}`);
}

/** Paths of the configs that come with the program and are figures of the paper. */
export function figurePaths(): string[] {
  const directory = join(PACKAGE_ROOT, 'configs');
  return listFiles(directory, '.json')
    .filter((name) => !name.endsWith('.vl.json') && name !== 'schema.json')
    .map((name) => join(directory, name))
    .filter((path) => 'figure' in (readJson(path) as object));
}

/** Name of a chart's Vega-Lite specification. */
export function specName(experiment: string): string {
  return `${basename(experiment)}.vl.json`;
}
