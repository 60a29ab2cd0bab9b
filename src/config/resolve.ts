import { type QuantityName, twelveDigits } from '../quantities.js';
import { AXES, AXIS_NAMES, type Axes, type AxisName, entryOf } from './axes.js';
import type { DataSet } from './data-set.js';
import { type ExperimentFile, MOST_KEPT_STEPS } from './file/experiment.js';
import type { DRIFT_AXES, SLOPE_AXES } from './file/fits.js';
import type { Model, ModelFile } from './model.js';
import { NO_SCALES, USUAL_OF_MODELS, valueOfModel } from './model-keys.js';
import { namesInFormulas } from './parameters.js';
import { type Range, valuesOf } from './range.js';

type Target =
  | { readonly law: 'normal' | 'cosine' | 'one-hot' }
  | { readonly law: 'constant'; readonly value: number };

/** What a sweep runs over, as a setting reads it; an axis that is not swept has one value. */
type AxisValues = { readonly [A in AxisName]: readonly Parameters<Axes[A]['read']>[0][] };

/** An exponent that is to be fitted. */
export interface Slope {
  readonly quantity: QuantityName;
  readonly axis: (typeof SLOPE_AXES)[number];
  /** Of the theory: one for all scalings, or by name; a scaling without one gets no verdict. */
  readonly expected: number | Readonly<Record<string, number>> | undefined;
  /** How far from the expected exponent still counts as it. */
  readonly margin: number;
}

/** An optimum that is to be sought. */
export interface OptimumSearch {
  readonly quantity: QuantityName;
  /** An axis, or a parameter. */
  readonly along: string;
  /** Steps whose mean of log quantity counts, for every length of training. */
  readonly lengths: readonly { readonly from: number; readonly to: number }[];
  /** Exponents with depth, width and the length of training, as expected. */
  readonly drift: Readonly<Partial<Record<(typeof DRIFT_AXES)[number], number>>>;
  readonly margin: number;
}

/** An experiment with everything filled in: nothing is optional, nothing is implied. */
export interface Experiment {
  /** Base name of its file: `figure-1a`. */
  readonly name: string;
  readonly title: string;
  /** Figure of the paper, if it is one: `1a`. */
  readonly figure: string | undefined;
  /** The file as it is run, overrides applied and defaults not: what a manifest keeps. */
  readonly file: ExperimentFile;
  /** The network, where it is the user's own; axes that it is without have one value, null. */
  readonly model?: Model;
  readonly axes: AxisValues;
  /** Values of the parameters of the sweep, by name. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  /** Axes and parameters from the outermost loop to the innermost. */
  readonly nesting: readonly string[];
  readonly data: {
    readonly input: {
      readonly law: 'normal' | 'one-hot';
      readonly scale: number | string;
      readonly normalize: 'none' | 'unit-norm';
    };
    readonly target: Target;
    /** Of a file: what decides its numbers, its content and how it is read. */
    readonly file?: {
      readonly sha256: string;
      readonly target: unknown;
      readonly columns: 'standardized' | 'raw';
    };
    /** Samples of a step; not there where it has all. */
    readonly batch?: number;
    /** Samples that are held out; not there where none are. */
    readonly heldOut?: number;
  };
  /** The rows of the file, once it is read. */
  readonly dataSet?: DataSet;
  readonly step: {
    readonly kind: 'update' | 'velocity';
    /** Steps that are taken. */
    readonly count: number;
  };
  /** Axes and parameters whose cells draw the same random numbers. */
  readonly commonRandomNumbers: readonly string[];
  readonly draws: number;
  readonly seed: number;
  readonly record: {
    readonly layers: 'all' | 'output';
    readonly quantities: readonly QuantityName[];
    /** Numbers of the steps that are measured, rising; not there where all of few are. */
    readonly steps?: readonly number[];
  };
  /** Not there, rather than empty, where none is asked for. */
  readonly slopes?: readonly Slope[];
  readonly optima?: readonly OptimumSearch[];
}

/**
 * Fills in every default of an experiment file: those of axes from their table; all others stand here, and here only.
 *
 * @param name what the file is called, without folder and extension
 * @param model the file of a model, where the network is one; and of the text that it learns
 * @param dataSet what `data.file` names, where it was read
 */
export function resolveExperiment(
  file: ExperimentFile,
  name: string,
  model?: ModelFile,
  text?: ModelFile,
  dataSet?: DataSet,
): Experiment {
  const { data = {}, step = {}, sweep = {}, record } = file;
  const { count = 1 } = step;
  const heldOut = heldOutOf(data.heldOut, dataSet);
  const ofData: Partial<Record<AxisName, number>> = dataSet
    ? {
        inputWidth: dataSet.inputWidth,
        outputWidth: dataSet.outputWidth,
        samples: Math.max(1, dataSet.rows - heldOut),
      }
    : {};
  const steps = recordedStepsOf(record.steps, count);
  const swept = Object.keys(sweep).filter((key) => sweep[key] !== undefined);
  const parameters = swept.filter((key) => !Object.hasOwn(AXES, key));
  return {
    name,
    title: file.title ?? name,
    figure: file.figure,
    file,
    ...(model && {
      model: {
        ...model,
        parameters: file.network.parameters ?? {},
        ...(text && { text }),
        batchNorm:
          file.network.batchNorm ?? (isTraining({ record: { steps }, data }) ? 'batch' : 'inference'),
        ofFormulas: parameters.filter((key) => namesInFormulas(file).has(key)),
      },
    }),
    axes: Object.fromEntries(
      AXIS_NAMES.map((axis) => [axis, valuesOfAxis(axis, file, ofData)]),
    ) as AxisValues,
    parameters: Object.fromEntries(
      parameters.map((name) => [name, numbers(valuesOf(sweep[name] as readonly number[] | Range))]),
    ),
    nesting: [...AXIS_NAMES.filter((axis) => !swept.includes(axis)), ...swept],
    data: {
      input: {
        law: data.input?.law ?? 'normal',
        scale: data.input?.scale ?? 1,
        normalize: data.input?.normalize ?? 'none',
      },
      target: targetOf(data.target, dataSet),
      ...(data.file !== undefined && {
        file: {
          sha256: dataSet?.sha256 ?? '',
          target: data.target,
          columns: data.input?.columns ?? 'standardized',
        },
      }),
      ...(data.batch !== undefined && { batch: data.batch }),
      ...(heldOut > 0 && { heldOut }),
    },
    ...(dataSet && { dataSet }),
    step: {
      kind: step.kind ?? 'update',
      count,
    },
    commonRandomNumbers: file.commonRandomNumbers ?? [],
    draws: file.draws ?? 1,
    seed: file.seed ?? 1,
    record: {
      layers: record.layers ?? 'all',
      quantities: recorded(record.quantities, count),
      ...(steps && { steps }),
    },
    ...(file.slopes && {
      slopes: file.slopes.map(({ quantity, axis, expected, margin = 0.1 }) => ({
        quantity,
        axis,
        expected,
        margin,
      })),
    }),
    ...(file.optima && {
      optima: file.optima.map(({ quantity, along, steps, drift = {}, margin = 0.1 }) => ({
        quantity,
        along,
        lengths: (Array.isArray(steps) ? steps : [steps ?? { from: 1, to: count }]).map((own) =>
          typeof own === 'number' ? { from: own, to: own } : own,
        ),
        drift: Object.fromEntries(Object.entries(drift).filter(([, expected]) => expected !== undefined)),
        margin,
      })),
    }),
  };
}

function targetOf(written: unknown, dataSet: DataSet | undefined): Target {
  const isLaw = typeof written === 'object' && written !== null && 'law' in written;
  if (isLaw) return written as Target;
  return { law: dataSet?.hasClasses ? 'one-hot' : 'normal' };
}

/** Samples that are held out: as many, or a share of the rows. */
function heldOutOf(written: number | undefined, dataSet: DataSet | undefined): number {
  if (written === undefined) return 0;
  return Math.round(written < 1 ? written * (dataSet?.rows ?? 0) : written);
}

/** Steps that are measured, where it is not all of few. */
function recordedStepsOf(written: readonly number[] | Range | undefined, count: number) {
  if (written === undefined) {
    return count > MOST_KEPT_STEPS ? Array.from({ length: count }, (_, i) => i + 1) : undefined;
  }
  return [...new Set(valuesOf(written).map(Math.round))].sort((a, b) => a - b);
}

/** Numbers of the steps that are measured, rising. */
export function recordedSteps({ record, step }: Pick<Experiment, 'record' | 'step'>): readonly number[] {
  return record.steps ?? Array.from({ length: step.count }, (_, i) => i + 1);
}

/** Whether weights learn in place: where steps are many, or some of them are measured, or samples are taken in turn or held out. */
export function isTraining({
  record,
  data,
}: {
  readonly record: { readonly steps?: unknown };
  readonly data: { readonly batch?: unknown; readonly heldOut?: unknown };
}): boolean {
  return record.steps !== undefined || data.batch !== undefined || data.heldOut !== undefined;
}

/** Of several steps, rows are told apart by the step. */
function recorded(quantities: readonly QuantityName[], steps: number): readonly QuantityName[] {
  return steps === 1 || quantities.includes('step_number') ? quantities : ['step_number', ...quantities];
}

/** Values of an axis: those of the sweep, else the one of its key, else the default; none where all are missing. */
function valuesOfAxis(
  axis: AxisName,
  file: ExperimentFile,
  ofData: Partial<Record<AxisName, number>>,
): readonly unknown[] {
  const { isInteger } = entryOf(axis);
  const { resolve } = AXES[axis] as { readonly resolve?: (written: unknown) => unknown };
  const { model } = file.network;
  const isOfModel = model !== undefined && axis in USUAL_OF_MODELS;
  const usual = isOfModel ? USUAL_OF_MODELS[axis] : (ofData[axis] ?? entryOf(axis).default);
  const own = model === undefined ? undefined : valueOfModel(axis, model);
  const written = own ?? writtenValues(axis, file, usual);
  if (written.length === 1 && written[0] === null) return written;
  if (isInteger) {
    const values = [
      ...new Set(written.map((value) => (typeof value === 'number' ? Math.round(value) : value))),
    ];
    // One column holds the formulas, where there are any.
    return values.some((value) => typeof value === 'string') ? values.map(String) : values;
  }
  const resolved = resolve ? written.map(resolve) : written;
  return axis === 'scaling' && model !== undefined
    ? resolved.map((scaling) => ({ ...(scaling as object), ...NO_SCALES }))
    : resolved;
}

/** Values as the file writes them. */
function writtenValues(
  axis: AxisName,
  file: ExperimentFile,
  usual: unknown = entryOf(axis).default,
): readonly unknown[] {
  const { path } = entryOf(axis);
  const swept = file.sweep?.[axis];
  if (swept !== undefined) return valuesOf(swept as readonly unknown[] | Range);
  const given = path.reduce<unknown>(
    (at, key) => (at as Readonly<Record<string, unknown>> | undefined)?.[key],
    file,
  );
  const value = given ?? usual;
  return value === undefined ? [] : [value];
}

/** Values of a parameter, which identify cells: to twelve digits, each once, and 0 for -0. */
function numbers(values: readonly number[]): readonly number[] {
  return [...new Set(values.map((value) => twelveDigits(value) + 0))];
}
