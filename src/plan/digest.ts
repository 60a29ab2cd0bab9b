/** The digest of an experiment: equal for those whose cells may share a checkpoint and a table. */
import { createHash } from 'node:crypto';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import type { WeightsChoice } from './batch.js';

/** The version of the numerics: a change that moves a number raises it. */
const NUMERICS_VERSION = 2;

/** What stands where a file says nothing: an option that comes later changes no digest of those who do not use it. */
const DEFAULTS = resolveExperiment({ network: {}, scaling: { name: '' }, record: { quantities: [] } }, '');
const [DEFAULT_SCALING] = DEFAULTS.axes.scaling;

/**
 * SHA-256 of what decides the numbers of an experiment as run with a choice of weights, and of nothing else.
 *
 * What it is called and draws, its title and figure, does not, nor the slopes that are computed from its table, nor in
 * which order values, axes and keys are written, nor whether a default is.
 */
export function digestOf(experiment: Experiment, weights: WeightsChoice): string {
  const { name, title, figure, slopes, nesting, axes, ...rest } = experiment;
  const scaling = axes.scaling.map((each) => unlike(each, DEFAULT_SCALING));
  const decisive = unlike({ ...rest, axes: { ...axes, scaling } }, DEFAULTS);
  return createHash('sha256')
    .update(canonical({ numerics: NUMERICS_VERSION, weights, experiment: decisive }))
    .digest('hex');
}

/** What differs from the defaults. */
function unlike(value: object, defaults: object | undefined): object {
  const others = Object.entries(value).flatMap(([key, own]) => {
    const usual = (defaults as Record<string, unknown> | undefined)?.[key];
    if (canonical(own) === canonical(usual)) return [];
    return [[key, isPlain(own) && isPlain(usual) ? unlike(own, usual) : own]];
  });
  return Object.fromEntries(others);
}

/** JSON in which the order of keys and of lists, which are sets all of them, does not matter. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`;
  if (!isPlain(value)) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).map(([key, own]) => `${JSON.stringify(key)}:${canonical(own)}`);
  return `{${entries.sort().join()}}`;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
