import type { z } from 'zod';
import { nearest } from '../../nearest.js';
import { experimentJsonSchema } from './experiment.js';
import { type Path, parsePath } from './problem.js';

type Schema = z.core.JSONSchema.BaseSchema;

/** Stands for every key that a user may choose: parameters of the sweep, scalings in an expectation. */
const ANY = '*';

/** Every path that an experiment file may have, `[0]` standing for every index. */
const KNOWN_PATHS: readonly string[] = [...new Set(pathsOf(experimentJsonSchema(), ''))];

function pathsOf(schema: Schema, path: string): readonly string[] {
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])] as Schema[];
  return [
    ...branches.flatMap((branch) => pathsOf(branch, path)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
      const below = path === '' ? key : `${path}.${key}`;
      return [below, ...pathsOf(child as Schema, below)];
    }),
    ...(typeof schema.additionalProperties === 'object'
      ? [`${path}.${ANY}`, ...pathsOf(schema.additionalProperties as Schema, `${path}.${ANY}`)]
      : []),
    ...(schema.items === undefined ? [] : [`${path}[0]`, ...pathsOf(schema.items as Schema, `${path}[0]`)]),
  ];
}

function schemaPath(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? '[0]' : `.${key}`))
    .join('')
    .replace(/^\./, '');
}

/** Keys of the longest path. */
const DEEPEST_PATH = KNOWN_PATHS.reduce((most, path) => Math.max(most, path.split(/[.[]/).length), 0);

/** Whether an experiment file may have something at a path. */
export function isKnownPath(path: Path): boolean {
  if (path.length > DEEPEST_PATH) return false;
  const ways = [path, ...path.map((_, chosen) => path.map((key, i) => (i === chosen ? ANY : key)))];
  return ways.some((way) => KNOWN_PATHS.includes(schemaPath(way)));
}

/** Keys that an object at a path may have. */
export function knownKeys(path: Path): readonly string[] {
  const start = path.length === 0 ? '' : `${schemaPath(path)}.`;
  return KNOWN_PATHS.filter((known) => known.startsWith(start))
    .map((known) => known.slice(start.length))
    .filter((key) => key !== ANY && !/[.[]/.test(key));
}

/** Those that can be misspelt. */
const SPELT_PATHS = KNOWN_PATHS.filter((path) => !path.includes(ANY));

/** Longer ones are no misspellings. */
const LONGEST_PATH = 200;

/** What to say about a path that is not known: the nearest that is, or what may stand where it begins to be wrong. */
export function adviceOnPath(text: string): string {
  if (text.length > LONGEST_PATH) return `known are ${knownKeys([]).join(', ')}`;
  const end = text.lastIndexOf('.');
  const key = text.slice(end + 1);
  const parent = text.slice(0, Math.max(0, end));
  const parentPath = parent === '' ? [] : parsePath(parent);
  const isParentKnown = parentPath !== undefined && (parentPath.length === 0 || isKnownPath(parentPath));
  const siblings = isParentKnown ? knownKeys(parentPath) : [];

  const sibling = nearest(key, siblings);
  const near =
    sibling === undefined
      ? ((isParentKnown ? undefined : nearest(text, SPELT_PATHS)) ?? nearest(key, SPELT_PATHS, lastKey))
      : `${parent === '' ? '' : `${parent}.`}${sibling}`;
  if (near !== undefined) return `did you mean "${near}"?`;
  if (!isParentKnown) return adviceOnPath(parent);
  return `known are ${siblings.join(', ')}`;
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}
