/** A model made by a JavaScript module of the user. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Seed } from '../../core/random.js';
import { withSeed } from '../../model/loading/seeded-initialisers.js';
import { nearest } from '../../nearest.js';
import { UserError } from '../../store/user-error.js';
import { isLayersModel, type LoadedModel, told } from './model-json.js';
import { withMethods } from './tensor-methods.js';

export interface ModelRequest {
  readonly depth?: number | undefined;
  readonly width?: number | undefined;
  /** Further arguments of a module, by name. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Names of these that the module need not use. */
  readonly optional?: readonly string[];
  /** Seeds initial weights that no file gives. */
  readonly seed: number | Seed;
  /** Tells a file from what it was before, which a process keeps. */
  readonly version?: string;
}

/**
 * Calls the function that a module exports with `{ tf, depth, width, seed, ... }`, those that are given.
 *
 * @throws UserError
 */
export async function modelFromModule(
  path: string,
  { depth, width, parameters, optional = [], seed, version }: ModelRequest,
): Promise<LoadedModel> {
  const refuse = (what: string) => new UserError(`${path}: ${what}`);
  const advice = 'expected `export default ({ tf, depth, width }) => tf.model(...)`';
  let make: unknown;
  try {
    const { href } = pathToFileURL(resolve(path));
    ({ default: make } = await import(version === undefined ? href : `${href}?${version}`));
  } catch (error) {
    throw refuse(`the module does not load: ${told(error)}`);
  }
  if (typeof make !== 'function') {
    throw refuse(`${advice}, got ${make === undefined ? 'no default export' : typeof make}`);
  }
  const chained = withMethods();
  const sizes = Object.fromEntries(
    Object.entries({ depth, width }).filter(([, value]) => value !== undefined),
  );
  const read = new Set<string>();
  const number = typeof seed === 'number' ? seed : seed[0];
  const all: Record<string, unknown> = { ...parameters, ...sizes, seed: number, tf: chained };
  const argument = new Proxy(all, {
    get: (target, key) => {
      read.add(String(key));
      return target[String(key)];
    },
    // `...rest` takes every name.
    ownKeys: (target) => {
      for (const key of Object.keys(target)) read.add(key);
      return Object.keys(target);
    },
  });
  let model: unknown;
  try {
    model = await withSeed(seed, () => make(argument));
  } catch (error) {
    throw refuse(`the module throws: ${told(error)}`);
  }
  if (!isLayersModel(model)) throw refuse(`${advice}, a LayersModel; its function returns ${kindOf(model)}`);
  const unused = Object.keys({ ...parameters, ...sizes }).filter(
    (name) => !read.has(name) && !optional.includes(name),
  );
  if (unused.length > 0) {
    const known = [...read].filter(
      (name) => !['tf', 'seed', 'then'].includes(name) && !unused.includes(name),
    );
    const meant = nearest(unused[0]!, known);
    const takes = known.length > 0 ? `it takes ${known.join(', ')}` : 'it takes none';
    throw refuse(
      `does not use ${unused.join(', ')}; ${takes}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    );
  }
  return { model, notes: [] };
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  return value.constructor?.name === 'Object' ? 'an object' : `a ${value.constructor?.name ?? 'object'}`;
}
