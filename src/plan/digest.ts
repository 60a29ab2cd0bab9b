/** The digest of an experiment: equal for those whose cells may share a checkpoint and a table. */
import { createHash } from 'node:crypto';
import { AXES, AXIS_NAMES, type AxisName } from '../config/axes.js';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import type { WeightsChoice } from './batch.js';

/** The version of the numerics: a change that moves a number raises it. */
const NUMERICS_VERSION = 2;

/** Axes that stand as lists; the others, which came later, as the value that they were before, where they have one. */
const LISTS: readonly AxisName[] = ['branchScale', 'depth', 'width', 'scaling', 'architecture', 'activation'];

/** What stands where a file says nothing: an option that comes later changes no digest of those who do not use it. */
const EMPTY = resolveExperiment({ network: {}, scaling: { name: '' }, record: { quantities: [] } }, '');
const DEFAULTS = decisive(EMPTY);
const [DEFAULT_SCALING] = EMPTY.axes.scaling;

/**
 * SHA-256 of what decides the numbers of an experiment as run with a choice of weights, and of nothing else.
 *
 * What it is called and draws, its title and figure, does not, nor the slopes that are computed from its table, nor in
 * which order values, axes and keys are written, nor whether a default is.
 */
export function digestOf(experiment: Experiment, weights: WeightsChoice): string {
  const own = decisive(experiment);
  const scaling = experiment.axes.scaling.map((each) => unlike(each, DEFAULT_SCALING));
  const others = unlike({ ...own, axes: { ...own.axes, scaling } }, DEFAULTS);
  return createHash('sha256')
    .update(canonical({ numerics: NUMERICS_VERSION, weights, experiment: others }))
    .digest('hex');
}

/** What of an experiment decides numbers, every value in one place whether it is swept or not. */
function decisive(experiment: Experiment) {
  const { name, title, figure, slopes, optima, nesting, file, axes, parameters, model, dataSet, ...rest } =
    experiment;
  const form: Record<string, unknown> & { axes: Record<string, unknown> } = { ...rest, axes: {} };
  for (const axis of AXIS_NAMES) {
    const values: readonly unknown[] = axes[axis];
    // What a network of the user's own is without.
    if (values.length === 1 && values[0] === null) continue;
    const [section, key] = AXES[axis].path;
    if (LISTS.includes(axis) || values.length > 1) form.axes[axis] = values;
    else if (key === undefined) form[section] = values[0];
    else form[section] = { ...(form[section] as object), [key]: values[0] };
  }
  if (model) {
    // Of a module what it says, and not where it lies.
    if (!model.found) throw new Error(`nobody looked for the model ${model.file}`);
    const { found, parameters: fixed, text, batchNorm } = model;
    form.model = {
      digest: found.digest,
      parameters: fixed,
      ...(text && { text: text.found!.digest }),
      ...(batchNorm === 'batch' && { batchNorm }),
    };
  }
  return Object.keys(parameters).length > 0 ? { ...form, parameters } : form;
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
