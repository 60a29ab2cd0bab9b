/** Config files named on the command line, read and checked together. */
import { basename, dirname } from 'node:path';
import { parseKeptExperiment } from '../config/file/kept-experiment.js';
import { parseExperiment } from '../config/file/load.js';
import { formatProblems } from '../config/file/problem.js';
import type { Experiment } from '../config/resolve.js';
import type { Manifest } from '../results/manifest.js';
import { modelsIn } from '../run/models/model-source.js';
import { findConfig, kindOfOther, shippedFiles } from '../store/config-files.js';
import { dataReader } from '../store/data/data-set.js';
import { configDirectories, readText } from '../store/files.js';
import { UserError } from '../store/user-error.js';

/** Names of experiments, which are names of folders: no path, nothing hidden. */
const NAME = /^[A-Za-z0-9][\w.+-]*$/;

/**
 * Reads experiments, by path or by name; all their problems are told at once.
 *
 * Specs and schemas, which a pattern such as `configs/*.json` names too, are skipped where experiments are left.
 *
 * @param skip is given a line that says what was skipped.
 * @throws UserError when any file has a problem, or two would write to the same folder.
 */
export function readExperiments(
  words: readonly string[],
  overrides: readonly string[],
  skip: (line: string) => void = () => {},
): Experiment[] {
  const problems: string[] = [];
  const experiments: Experiment[] = [];
  const paths = new Map<Experiment, string>();
  const others: string[] = [];
  for (const word of words) {
    try {
      const path = findConfig(word);
      const text = readText(path);
      const other = kindOfOther(text);
      if (other !== undefined) {
        others.push(`${path}: expected an experiment, got ${other}`);
        continue;
      }
      const parsed = parseExperiment(text, path, overrides, modelsIn([dirname(path)]), dataReader(path));
      if (!parsed.ok) problems.push(formatProblems(parsed.problems));
      else {
        experiments.push(parsed.experiment);
        paths.set(parsed.experiment, path);
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
  }
  if (experiments.length === 0 && problems.length === 0) problems.push(others.join('\n'));
  else if (others.length > 0) {
    skip(`${others.length} of ${words.length} files are skipped: specs and schemas, and no experiments`);
  }
  for (const [i, experiment] of experiments.entries()) {
    const { name } = experiment;
    if (!NAME.test(name)) {
      problems.push(
        `${paths.get(experiment)}: expected a file name of letters, digits, . _ + -; it names the folder of the results`,
      );
    }
    if (experiments.findIndex((other) => other.name === name) < i) {
      problems.push(
        `${paths.get(experiment)}: another config is named ${name} too; both would write to the same folder`,
      );
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return experiments;
}

/**
 * The experiment of a manifest.
 *
 * @param path of the manifest, for messages.
 * @throws UserError when it is no experiment of this version.
 */
export function experimentOf({ experiment, name, model_folder: folder }: Manifest, path: string): Experiment {
  const folders = [...(folder === undefined ? [] : [folder]), ...configDirectories()];
  const parsed = parseKeptExperiment(experiment, name, modelsIn(folders), dataReader(path));
  if (parsed.ok && NAME.test(name)) return parsed.experiment;
  const problems = parsed.ok ? `${name} names no folder` : formatProblems(parsed.problems);
  throw new UserError(`${path}: the experiment in it is none that this version runs: ${problems}`);
}

/** Paths of the configs that come with the program and are figures of the paper. */
export function figurePaths(): string[] {
  return shippedFiles().filter((path) => {
    const text = readText(path);
    return kindOfOther(text) === undefined && 'figure' in (JSON.parse(text) as object);
  });
}

/** Name of a chart's Vega-Lite specification. */
export function specName(experiment: string): string {
  return `${basename(experiment)}.vl.json`;
}
