import { type QuantityName, twelveDigits } from '../quantities.js';
import {
  AXIS_NAMES,
  type AxisName,
  type ExperimentFile,
  type Range,
  rangeLength,
  type ScalingEntry,
} from './experiment.js';
import { power } from './power.js';
import { type ActivationName, NAMED_SCALINGS, type NamedScaling } from './scalings.js';

/** Initial scales and learning rate by formula, in L, m, d, k, n and beta. */
export interface Scaling {
  readonly name: string;
  readonly sigmaInput: number | string;
  /** `critical`: `SIGMA_HIDDEN` of the activation. */
  readonly sigmaHidden: number | string;
  readonly sigmaOutput: number | string;
  readonly learningRate: 'scale-invariant' | Rates;
  /** Whether the scales are set by what is measured, from these on (section 4.2). */
  readonly isNormalized: boolean;
}

/** eta_1, eta_2 .. eta_{L-1} and eta_L, by formula. */
interface Rates {
  readonly input: number | string;
  readonly hidden: number | string;
  readonly output: number | string;
}

type Target =
  | { readonly law: 'normal' | 'cosine' | 'one-hot' }
  | { readonly law: 'constant'; readonly value: number };

/** What a sweep runs over; an axis that is not swept has one value. */
interface Axes {
  /** Of the resnets; an mlp has none. */
  readonly branchScale: readonly (number | string)[];
  readonly depth: readonly number[];
  readonly width: readonly number[];
  readonly scaling: readonly Scaling[];
  readonly architecture: readonly ('resnet' | 'mlp')[];
  readonly activation: readonly ActivationName[];
}

/** An exponent that is to be fitted. */
export interface Slope {
  readonly quantity: QuantityName;
  readonly axis: 'depth' | 'width';
  /** Of the theory: one for all scalings, or by name; a scaling without one gets no verdict. */
  readonly expected: number | Readonly<Record<string, number>> | undefined;
  /** How far from the expected exponent still counts as it. */
  readonly margin: number;
}

/** An experiment with everything filled in: nothing is optional, nothing is implied. */
export interface Experiment {
  /** Base name of its file: `figure-1a`. */
  readonly name: string;
  readonly title: string;
  /** Figure of the paper, if it is one: `1a`. */
  readonly figure: string | undefined;
  readonly network: {
    /** d */
    readonly inputWidth: number;
    /** k */
    readonly outputWidth: number;
  };
  readonly axes: Axes;
  /** The axes from the outermost loop to the innermost. */
  readonly nesting: readonly AxisName[];
  readonly loss: 'squared' | 'linear' | 'cross-entropy';
  readonly data: {
    /** n */
    readonly samples: number;
    readonly input: {
      readonly law: 'normal' | 'one-hot';
      readonly scale: number | string;
      readonly normalize: 'none' | 'unit-norm';
    };
    readonly target: Target;
  };
  readonly step: {
    readonly kind: 'update' | 'velocity';
    /** dt, by formula */
    readonly size: number | string;
    readonly train: 'hidden' | 'all' | readonly ('input' | 'hidden' | 'output' | number)[];
    /** Steps that are taken and measured. */
    readonly count: number;
  };
  /** Axes whose cells draw the same random numbers. */
  readonly commonRandomNumbers: readonly AxisName[];
  readonly draws: number;
  readonly seed: number;
  readonly record: {
    readonly layers: 'all' | 'output';
    readonly quantities: readonly QuantityName[];
  };
  /** Not there, rather than empty, where none is asked for. */
  readonly slopes?: readonly Slope[];
}

/**
 * Fills in every default of an experiment file. All defaults stand here, and here only.
 *
 * @param name what the file is called, without folder and extension
 */
export function resolveExperiment(file: ExperimentFile, name: string): Experiment {
  const { network, data = {}, step = {}, sweep = {}, record } = file;
  const swept = Object.keys(sweep).filter((key): key is AxisName => AXIS_NAMES.includes(key as AxisName));

  function scaling(entry: ScalingEntry): Scaling {
    if (typeof entry === 'string') {
      const { sigmaInput, sigmaOutput, learningRate, isNormalized }: NamedScaling = NAMED_SCALINGS[entry];
      return {
        name: entry,
        sigmaInput,
        sigmaHidden: 'critical',
        sigmaOutput,
        learningRate,
        isNormalized: isNormalized ?? false,
      };
    }
    const { learningRate = 'scale-invariant', ...given } = entry;
    const isOne = typeof learningRate !== 'object' && learningRate !== 'scale-invariant';
    return {
      sigmaInput: '1/sqrt(d)',
      sigmaHidden: 'critical',
      sigmaOutput: '1/m',
      ...given,
      learningRate: isOne
        ? { input: learningRate, hidden: learningRate, output: learningRate }
        : learningRate,
      isNormalized: false,
    };
  }

  return {
    name,
    title: file.title ?? name,
    figure: file.figure,
    network: {
      inputWidth: network.inputWidth ?? 10,
      outputWidth: network.outputWidth ?? 1,
    },
    axes: {
      branchScale: axisValues(sweep.branchScale ?? [network.branchScale ?? 1]),
      depth: integers(axisValues(sweep.depth ?? given(network.depth))),
      width: integers(axisValues(sweep.width ?? given(network.width))),
      scaling: (sweep.scaling ?? given(file.scaling)).map(scaling),
      architecture: sweep.architecture ?? [network.architecture ?? 'resnet'],
      activation: sweep.activation ?? [network.activation ?? 'relu'],
    },
    nesting: [...AXIS_NAMES.filter((axis) => !swept.includes(axis)), ...swept],
    loss: file.loss ?? 'squared',
    data: {
      samples: data.samples ?? 1,
      input: {
        law: data.input?.law ?? 'normal',
        scale: data.input?.scale ?? 1,
        normalize: data.input?.normalize ?? 'none',
      },
      target: data.target ?? { law: 'normal' },
    },
    step: {
      kind: step.kind ?? 'update',
      size: step.size ?? 0.001,
      train: step.train ?? 'hidden',
      count: step.count ?? 1,
    },
    commonRandomNumbers: file.commonRandomNumbers ?? [],
    draws: file.draws ?? 1,
    seed: file.seed ?? 1,
    record: { layers: record.layers ?? 'all', quantities: recorded(record.quantities, step.count ?? 1) },
    ...(file.slopes && {
      slopes: file.slopes.map(({ quantity, axis, expected, margin = 0.1 }) => ({
        quantity,
        axis,
        expected,
        margin,
      })),
    }),
  };
}

/** Of several steps, rows are told apart by the step. */
function recorded(quantities: readonly QuantityName[], steps: number): readonly QuantityName[] {
  return steps === 1 || quantities.includes('step_number') ? quantities : ['step_number', ...quantities];
}

/** A list of one, or of none for what is missing, which the checks report. */
function given<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function integers(values: readonly number[]): readonly number[] {
  return [...new Set(values.map(Math.round))];
}

/** Values of an axis, the ends of a range included; of a range each once. */
function axisValues<T extends number | string>(axis: readonly T[] | Range): readonly (T | number)[] {
  if (!('from' in axis)) return axis;
  const { from, to } = axis;
  const position = (index: number): number => {
    if ('step' in axis) return Math.min(to, from + index * axis.step);
    const share = index / (axis.count - 1);
    return axis.scale === 'log' ? from * power(to / from, share) : from + (to - from) * share;
  };
  const values = Array.from({ length: rangeLength(axis) }, (_, index) => twelveDigits(position(index)));
  return [...new Set(values)];
}
