/**
 * Sequences of networks in width, depth, input or output width: scaled NNs, in the words of section 4.1.
 *
 * Where the limit of infinite width is known at every depth, what it has beside a power of L is divided out before an
 * exponent is fitted: loss decay of FSC is (L+2)/(4L), which is Theta(1) and yet falls by a third from L = 5 on.
 */

import type { CellMeasurement } from '../core/experiment.js';
import type { ExponentPoint } from '../results/exponent.js';
import type { WideStep } from '../theory/infinite-width.js';
import { type Exponent, exponentIs } from './checks.js';
import type { Check } from './claim.js';
import { type Lab, limitOf, type Setup } from './lab.js';
import { layersOf, type Properties, propertiesOf } from './properties.js';

/** Measurements at one x of a sequence. */
interface Point {
  readonly x: number;
  readonly draws: readonly Properties[];
  /** C_l at index l - 1 of every draw, and in the limit of infinite width. */
  readonly contributions: readonly (readonly number[])[];
  readonly contributionLimits: readonly number[] | undefined;
  /** What the limit of infinite width has beside a power of x; absent where it is not known. */
  readonly finite: Properties | undefined;
}

/** Measurements along a sequence: at each x, the properties of every draw. */
export type Sequence = readonly Point[];

/** The exact law of a kind of network at x. */
type LimitAt = (x: number) => { readonly step: WideStep | undefined; readonly width: number };

/** The power of x that a property has in its exact law far out, where only the power is left. */
const FAR = [2 ** 15, 2 ** 16] as const;

function pointsOf(
  values: readonly number[],
  measureAt: (x: number) => readonly CellMeasurement[],
  limitAt: LimitAt,
  steps = 1,
): Sequence {
  const propertiesAt = (x: number) => {
    const { step, width } = limitAt(x);
    return step && propertiesOf(step, width);
  };
  const [near, far] = propertiesAt(values[0]!) ? FAR.map(propertiesAt) : [];
  return values.map((x) => {
    const layers = measureAt(x).map((cell) => layersOf(cell, steps));
    const { step, width } = limitAt(x);
    const limit = step && propertiesOf(step, width);
    return {
      x,
      draws: layers.map((each) => propertiesOf(each, width)),
      contributions: layers.map(({ contributions }) => contributions),
      contributionLimits: step?.contributions,
      finite: limit && near && far && mapped(limit, (name, y) => y / x ** Math.log2(far[name] / near[name])),
    };
  });
}

function mapped(
  properties: Properties,
  change: (name: keyof Properties, value: number) => number,
): Properties {
  return Object.fromEntries(
    (Object.keys(properties) as (keyof Properties)[]).map((name) => [name, change(name, properties[name])]),
  ) as unknown as Properties;
}

/** A sequence over another one, draw by draw: on the same draws most of their noise is gone. */
export function relativeTo(reference: Sequence, sequence: Sequence): Sequence {
  return sequence.map((point, i) => {
    const { draws, finite } = reference[i]!;
    return {
      ...point,
      draws: point.draws.map((draw, j) => mapped(draw, (name, y) => y / draws[j]![name])),
      finite: point.finite && finite && mapped(point.finite, (name, y) => y / finite[name]),
    };
  });
}

/** Where a sequence is measured. */
interface Range {
  readonly values?: readonly number[];
  /** Width of a sequence in depth, depth of one in width. */
  readonly at?: number;
  readonly draws?: number;
}

/**
 * Depths and widths at which exponents are fitted. Logarithms of norms have the variance 5 L / (4 m), so that an
 * exponent is known to 0.07 by one draw, and to 0.01 by all.
 */
const DEPTHS = [5, 10, 20, 40] as const;
const WIDTH_OF_DEPTHS = 8192;
const WIDTHS = [2048, 4096, 8192, 16_384] as const;
const DEPTH_OF_WIDTHS = 6;
const DRAWS = 32;

/** What a sequence leaves open: a network but for its depth and width. */
export type Kind = Omit<Setup, 'depth' | 'width'>;

/** Measures a kind of networks, which may depend on L, at growing depth. */
export function alongDepth(lab: Lab, kindAt: (L: number) => Kind, range: Range = {}): Sequence {
  const { values = DEPTHS, at: width = WIDTH_OF_DEPTHS, draws = DRAWS } = range;
  return sequence(lab, values, (depth) => ({ ...kindAt(depth), depth, width }), draws, true);
}

/** Measures a kind of networks, which may depend on m, at growing width. */
export function alongWidth(lab: Lab, kindAt: (m: number) => Kind, range: Range = {}): Sequence {
  const { values = WIDTHS, at: depth = DEPTH_OF_WIDTHS, draws = DRAWS } = range;
  return sequence(lab, values, (width) => ({ ...kindAt(width), depth, width }), draws);
}

/** The networks of `along`. */
export const ALONG = { depth: 6, width: 4096 } as const;

/** Measures networks of one depth and width along anything else. */
export function along(lab: Lab, values: readonly number[], kindAt: (x: number) => Kind): Sequence {
  return sequence(lab, values, (x) => ({ ...kindAt(x), ...ALONG }), DRAWS / 2);
}

/** At finite width, depth is all that an exact law is not a power of. */
function sequence(
  lab: Lab,
  values: readonly number[],
  setupAt: (x: number) => Setup,
  draws: number,
  isInDepth = false,
): Sequence {
  const limitAt: LimitAt = (x) => {
    const setup = setupAt(x);
    return { step: isInDepth ? limitOf(setup) : undefined, width: setup.width };
  };
  return pointsOf(values, (x) => lab.measure(setupAt(x), draws), limitAt, setupAt(values[0]!).steps);
}

/** Exponents of properties. */
export type Exponents = Partial<Record<keyof Properties, Exponent>>;

/** (SP), (FL), (LD) and (BC) of section 4.1, all of them Theta(1). */
export const HOLD = {
  smallestFeature: 0,
  largestFeature: 0,
  featureSpeed: 0,
  lossDecay: 0,
  imbalance: 0,
} as const satisfies Exponents;

/** What a check says that it measured. */
const LABELS: Record<keyof Properties, string> = {
  smallestFeature: '(SP) min_v |f_v|_rms',
  largestFeature: '(SP) max_v |f_v|_rms',
  featureSpeed: '(FL) |fdot_{L-1}|_rms',
  lossDecay: '(LD) -dloss/dt',
  imbalance: '(BC) max C_l / min C_l',
  inputContribution: 'C_1',
  hiddenContribution: 'C_hid',
  outputContribution: 'C_L',
  relativeSpeed: '(RFL) |fdot_{L-1}| / |f_{L-1}|',
  forwardInstability: '(FS) max_v |fdot_v| / |f_v|',
  backwardInstability: '(BS) max_v |bdot_v| / |b_v|',
  cosine: 'cos(theta_{L-1})',
  sensitivity: 'S_{L-1}',
  firstBackward: '|b_1|_2',
};

/** Fits and checks the exponents of a sequence in `axis`; `subject` says what was measured. */
export function exponentChecks(
  subject: string,
  axis: string,
  measured: Sequence,
  exponents: Exponents,
  margin?: number,
): Check[] {
  return (Object.entries(exponents) as [keyof Properties, Exponent][]).map(([property, exponent]) => {
    const points = measured.map(({ x, draws, finite }): ExponentPoint => {
      const factor = finite && Number.isFinite(finite[property]) ? finite[property] : 1;
      return { x, y: draws.map((each) => each[property] / factor) };
    });
    return exponentIs(`${subject}: exponent of ${LABELS[property]} in ${axis}`, points, exponent, margin);
  });
}

/** What differs from FSC with the rates of Eq. 8. */
export interface Change {
  readonly sigma?: (L: number, m: number) => NonNullable<Setup['sigma']>;
  /** eta_l |G_l|^2, the contribution that the rate gives layer l; 1/L by default. */
  readonly rate?: (l: number, L: number) => number;
}

/** Measures ReLU MLPs at growing depth with given scales and contributions. */
export function alongDepthAtRates(
  lab: Lab,
  { sigma, rate }: Change,
  base: Kind = {},
  range: Range = {},
): Sequence {
  const { values = DEPTHS, at: width = WIDTH_OF_DEPTHS, draws = DRAWS } = range;
  const setupAt = (depth: number): Setup => ({
    ...base,
    depth,
    width,
    ...(sigma && { sigma: sigma(depth, width) }),
  });
  const ratesFor = (squares: readonly number[], L: number) =>
    squares.map((square, l) => (l === 0 ? 0 : rate!(l, L) / square));
  const measureAt = (L: number) => {
    const setup = setupAt(L);
    if (!rate) return lab.measure(setup, draws);
    const norms = lab.gradientNorms(setup, draws);
    return lab.measureEach(norms.map((squares) => ({ ...setup, learningRate: ratesFor(squares, L) })));
  };
  const limitAt: LimitAt = (L) => {
    const setup = setupAt(L);
    if (!rate) return { step: limitOf(setup), width };
    const atRateOne = limitOf({ ...setup, learningRate: new Array<number>(L + 1).fill(1) });
    const squares = [0, ...(atRateOne?.contributions ?? [])];
    return { step: atRateOne && limitOf({ ...setup, learningRate: ratesFor(squares, L) }), width };
  };
  return pointsOf(values, measureAt, limitAt);
}

/** Layers, or distances from the readout, of `alongLayers`. */
const LAYERS = [5, 10, 20, 40] as const;

/** ReLU MLPs whose layers `alongLayers` looks at. */
export function measureLayers(lab: Lab, kind: Kind = {}): { depth: number; cells: CellMeasurement[] } {
  const depth = LAYERS.at(-1)! + 1;
  return { depth, cells: lab.measure({ ...kind, depth, width: WIDTH_OF_DEPTHS }, DRAWS) };
}

/** A quantity at growing x, of every draw. */
export function alongLayers(
  cells: readonly CellMeasurement[],
  quantity: (values: CellMeasurement['values'], x: number) => number,
): ExponentPoint[] {
  return LAYERS.map((x) => ({ x, y: cells.map(({ values }) => quantity(values, x)) }));
}
