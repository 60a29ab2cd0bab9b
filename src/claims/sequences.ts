/** Sequences of networks in width, depth, input or output width: scaled NNs, in the words of section 4.1. */

import { mean } from 'simple-statistics';
import type { CellMeasurement, MeasuredQuantity } from '../core/experiment.js';
import type { ExponentPoint } from '../results/exponent.js';
import { type Exponent, exponentIs } from './checks.js';
import type { Check } from './claim.js';
import type { Lab, Setup } from './lab.js';

/** What is measured of a network, in the words of sections 4.1 and 6. */
interface Properties {
  /** (SP): the smallest and the largest |f_v|_rms over v. */
  readonly smallestFeature: number;
  readonly largestFeature: number;
  /** (FL): |fdot_{L-1}|_rms. */
  readonly featureSpeed: number;
  /** (LD): -dloss/dt. */
  readonly lossDecay: number;
  /** (BC): the largest over the smallest of C_1, the means of C_l over the lower and over the upper hidden layers, and C_L. */
  readonly imbalance: number;
  /** C_1, the mean over the hidden layers, and C_L. */
  readonly inputContribution: number;
  readonly hiddenContribution: number;
  readonly outputContribution: number;
  /** (RFL): |fdot_{L-1}| / |f_{L-1}|. */
  readonly relativeSpeed: number;
  /** (FS): the largest |fdot_v| / |f_v| over v. */
  readonly forwardInstability: number;
  /** (BS): the largest |bdot_v| / |b_v| over v; NaN unless it is measured. */
  readonly backwardInstability: number;
  /** cos theta_{L-1}. */
  readonly cosine: number;
  /** S_{L-1}. */
  readonly sensitivity: number;
  /** |b_1|_2, the first of all layers. */
  readonly firstBackward: number;
}

/** Reads the properties off a measurement of all layers, at one of its steps. */
function propertiesOf({ layers, values }: CellMeasurement, width: number, stepNumber = 1): Properties {
  const count = Math.max(...layers); // L - 1
  const at = (name: MeasuredQuantity) =>
    Array.from(values[name].subarray((stepNumber - 1) * count, stepNumber * count));
  const contributions = at('contribution');
  const lossDecay = -at('loss_change')[0]!;
  const hidden = contributions.slice(1);
  const half = Math.floor(hidden.length / 2);
  const output = lossDecay - contributions.reduce((sum, c) => sum + c, 0);
  const balanced = [contributions[0]!, mean(hidden.slice(0, half)), mean(hidden.slice(half)), output];
  const features = at('feature_rms');
  const speeds = at('feature_speed_rms');
  const backward = at('backward_rms');
  const relative = speeds.map((speed, i) => speed / features[i]!);
  return {
    smallestFeature: Math.min(...features),
    largestFeature: Math.max(...features),
    featureSpeed: speeds.at(-1)!,
    lossDecay,
    imbalance: Math.max(...balanced) / Math.min(...balanced),
    inputContribution: balanced[0]!,
    hiddenContribution: mean(hidden),
    outputContribution: output,
    relativeSpeed: relative.at(-1)!,
    forwardInstability: Math.max(...relative),
    backwardInstability: Math.max(...at('backward_speed_rms').map((speed, i) => speed / backward[i]!)),
    cosine: Math.cos(at('bfa_rad').at(-1)!),
    sensitivity: at('sensitivity').at(-1)!,
    firstBackward: Math.sqrt(width) * backward[0]!,
  };
}

/** Properties of several draws of one setup, at the last of its steps. */
function propertiesOfDraws(lab: Lab, setup: Setup, draws: number): Properties[] {
  return lab.measure(setup, draws).map((cell) => propertiesOf(cell, setup.width, setup.steps));
}

/** Measurements along a sequence: at each x, the properties of every draw. */
export type Sequence = readonly { readonly x: number; readonly draws: readonly Properties[] }[];

const sequence = (lab: Lab, values: readonly number[], setupAt: (x: number) => Setup): Sequence =>
  values.map((x) => ({ x, draws: propertiesOfDraws(lab, setupAt(x), DRAWS) }));

/** Depths and widths at which exponents are fitted: L/m stays small, and with it the fluctuations between draws. */
const DEPTHS = [16, 32, 64, 128] as const;
const WIDTH_OF_DEPTHS = 32_768;
const WIDTHS = [4096, 8192, 16_384, 32_768] as const;
const DEPTH_OF_WIDTHS = 12;
const DRAWS = 8;

/** What a sequence leaves open: a network but for its depth and width. */
export type Kind = Omit<Setup, 'depth' | 'width'>;

/** Measures a kind of networks, which may depend on L, at growing depth. */
export function alongDepth(lab: Lab, kindAt: (L: number) => Kind): Sequence {
  return sequence(lab, DEPTHS, (depth) => {
    const kind = kindAt(depth);
    // The norms of a ResNet with a small branch fluctuate less than those of an MLP.
    const isSmall = kind.branchScale !== undefined && kind.branchScale < 1;
    const width = isSmall ? WIDTH_OF_DEPTHS / 4 : WIDTH_OF_DEPTHS;
    return { ...kind, depth, width };
  });
}

/** Measures a kind of networks, which may depend on m, at growing width. */
export function alongWidth(lab: Lab, kindAt: (m: number) => Kind): Sequence {
  return sequence(lab, WIDTHS, (width) => ({ ...kindAt(width), depth: DEPTH_OF_WIDTHS, width }));
}

/** The networks of `along`. */
export const ALONG = { depth: 12, width: 8192 } as const;

/** Measures networks of one depth and width along anything else. */
export function along(lab: Lab, values: readonly number[], kindAt: (x: number) => Kind): Sequence {
  return sequence(lab, values, (x) => ({ ...kindAt(x), ...ALONG }));
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
): Check[] {
  return (Object.entries(exponents) as [keyof Properties, Exponent][]).map(([property, exponent]) => {
    const points = measured.map(
      ({ x, draws }): ExponentPoint => ({ x, y: draws.map((each) => each[property]) }),
    );
    return exponentIs(`${subject}: exponent of ${LABELS[property]} in ${axis}`, points, exponent);
  });
}

/** What differs from FSC with the rates of Eq. 8. */
export interface Change {
  readonly sigma?: (L: number, m: number) => NonNullable<Setup['sigma']>;
  /** eta_l |G_l|^2, the contribution that the rate gives layer l; 1/L by default. */
  readonly rate?: (l: number, L: number) => number;
}

/** Measures ReLU MLPs at growing depth with given scales and contributions. */
export function alongDepthAtRates(lab: Lab, { sigma, rate }: Change, kind: Kind = {}): Sequence {
  return DEPTHS.map((depth) => {
    const width = WIDTH_OF_DEPTHS / 2; // with all states kept a step takes longer
    const setup: Setup = { ...kind, depth, width, ...(sigma && { sigma: sigma(depth, width) }) };
    if (!rate) return { x: depth, draws: propertiesOfDraws(lab, setup, DRAWS) };
    const rates = lab
      .gradientNorms(setup, DRAWS)
      .map((norms) => norms.map((square, l) => (l === 0 ? 0 : rate(l, depth) / square)));
    const cells = lab.measureEach(rates.map((learningRate) => ({ ...setup, learningRate })));
    return { x: depth, draws: cells.map((cell) => propertiesOf(cell, width)) };
  });
}

/** Layers, or distances from the readout, of `alongLayers`. */
const LAYERS = [12, 24, 48, 96] as const;
const DRAWS_OF_LAYERS = 6;

/** ReLU MLPs whose layers `alongLayers` looks at. */
export function measureLayers(lab: Lab, kind: Kind = {}): { depth: number; cells: CellMeasurement[] } {
  const depth = 101;
  return { depth, cells: lab.measure({ ...kind, depth, width: 4096 }, DRAWS_OF_LAYERS * LAYERS.length) };
}

/** A quantity at growing x: of other draws at each, as errors at two layers of one network are not independent. */
export function alongLayers(
  cells: readonly CellMeasurement[],
  quantity: (values: CellMeasurement['values'], x: number) => number,
): ExponentPoint[] {
  return LAYERS.map((x, i) => ({
    x,
    y: cells.slice(i * DRAWS_OF_LAYERS, (i + 1) * DRAWS_OF_LAYERS).map(({ values }) => quantity(values, x)),
  }));
}
