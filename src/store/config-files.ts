/** The experiment files that are on disk: those of the user, and those that come with the program. */
import { dirname, join } from 'node:path';
import { nearest } from '../nearest.js';
import { MANIFEST } from '../results/file-names.js';
import { configDirectories, isThere, listFiles, PACKAGE_ROOT, readText, shown, statusOf } from './files.js';
import { UserError } from './user-error.js';

/** Paths of the files of JSON that come with the program: experiments, and a schema. */
export function shippedFiles(): string[] {
  const directory = join(PACKAGE_ROOT, 'configs');
  return listFiles(directory, '.json').map((name) => join(directory, name));
}

/** What a file of JSON is that lies among experiments and is none; undefined for what may be one. */
export function kindOfOther(text: string): string | undefined {
  const [, schema] = /^\s*\{\s*"\$schema"\s*:\s*"([^"]*)"/.exec(text) ?? [];
  if (schema?.includes('vega.github.io')) return 'a Vega-Lite spec';
  return schema?.includes('json-schema.org') ? 'a JSON schema' : undefined;
}

/**
 * The path of an experiment: that of a file, or, for the name of one in `configs/` of the working directory or of the
 * program, where that is.
 *
 * @throws UserError that names the nearest experiment for what is neither.
 */
export function findConfig(word: string): string {
  const status = statusOf(word);
  if (status && !status.isDirectory()) return word;
  const name = word.replace(/^configs[\\/]/, '').replace(/\.json$/, '');
  const found = configDirectories()
    .map((directory) => join(directory, `${name}.json`))
    .find((path) => isThere(path));
  if (found !== undefined) return shown(found);
  if (status) {
    const advice = isThere(join(word, MANIFEST))
      ? `feature-speed run --from ${word} measures again what is in it`
      : `name the files in it, such as ${join(word, '*.json')}`;
    throw new UserError(`${word}: expected an experiment, found a directory; ${advice}`);
  }
  throw new UserError(`${word}: no such file, and no experiment of this name; ${adviceFor(word)}`);
}

/** Names of the experiments in `configs/` of the working directory and of the program. */
export function experimentNames(): string[] {
  return [...new Set(configDirectories().flatMap(experimentsIn).map(nameOf))];
}

function adviceFor(word: string): string {
  const known = experimentNames();
  // Beside the file that is missing there may be others, of which one is meant.
  const folder = dirname(word);
  const beside = isThere(folder) ? experimentsIn(folder) : [];
  const near = nearest(nameOf(word), [...beside, ...known], nameOf);
  return near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
}

const nameOf = (path: string) => path.replace(/^.*[\\/]/s, '').replace(/\.json$/, '');

function experimentsIn(folder: string): string[] {
  if (!statusOf(folder)?.isDirectory()) return [];
  return listFiles(folder, '.json')
    .filter((name) => !name.endsWith('.vl.json'))
    .map((name) => (folder === '.' ? name : join(folder, name)))
    .filter((path) => statusOf(path)?.isFile() && isExperiment(path))
    .sort();
}

function isExperiment(path: string): boolean {
  try {
    const text = readText(path);
    return kindOfOther(text) === undefined && /"(?:network|sweep)"/.test(text);
  } catch {
    return false;
  }
}
