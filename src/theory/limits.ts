/** Where the limits of infinite width apply, and what they are there. */
import { bfaLimit, sensitivityLimit } from './bfa.js';
import { wideStep } from './infinite-width.js';
import { typicalFeatures } from './typical-features.js';

/** A network and its step, as far as the limits depend on them. */
export interface LimitCase {
  readonly architecture: string;
  readonly activation: string;
  /** L, m, n and k. */
  readonly depth: number;
  readonly width: number;
  /** m_1 .. m_{L-1}, where they differ; m is the last then. */
  readonly widths?: readonly number[];
  readonly samples: number;
  readonly outputs: number;
  readonly branchScale: number;
  /** Standard deviations of the entries of W_1, V_l and W_L; of V_2 .. V_{L-1} each, where widths differ. */
  readonly sigma: {
    readonly input: number;
    readonly hidden: number;
    readonly output: number;
    readonly hiddenLayers?: readonly number[];
  };
  /** Whether scales are set by what is measured instead (section 4.2). */
  readonly isNormalized: boolean;
  /** Whether rates are those of Eq. 8; or eta_l at index l = 1 .. L. */
  readonly isScaleInvariant: boolean;
  readonly rates?: readonly number[] | undefined;
  readonly loss: 'squared' | 'linear' | 'cross-entropy';
  /** `hidden` and `all`, or some layers. */
  readonly train: 'hidden' | 'all' | 'some';
  readonly steps: number;
  /** dt of an update; a velocity, which is the limit, has none. */
  readonly stepSize: number | undefined;
}

/** |x|_2 and |y|_2 of the sample. */
export interface DataSize {
  readonly input: number;
  readonly target: number;
}

/** What a limit needs, what there is instead, and advice. */
export type Missing = readonly [need: string, got: unknown, advice: string];

/**
 * Largest |df_v| / |f_v| of a step that counts as small, for data of typical size.
 *
 * Measured on ReLU networks of width 4000, L = 5 .. 200, beta = 1/L .. 1 (medians of 40 draws): the angle of such an update is
 * within 0.015 rad of that of the velocity, and |df|_rms / |dloss| within 14 % of S, 7 % up to L = 40. The figures of the paper reach 0.03
 * (1a, 1b), 0.05 (1c) and 0.15 (2a).
 */
const SMALL = 0.2;

/** Largest standard deviation of f_L, in |y|, at which |f_L - y| has the median |y|: to 1e-8. */
const SMALL_OUTPUT = 1 / 3;

/** What a network lacks for the angle of any layer to have a known limit; undefined where one has. */
export function missingForAngle(c: LimitCase, typical: DataSize): Missing | undefined {
  const missing = missingForAnyStep(c);
  if (missing || angleLimits(c, typical).some(Number.isFinite)) return missing;
  return [
    'a small step',
    c.stepSize,
    `the limit is that of dt -> 0, and features change by more than ${SMALL} of their size`,
  ];
}

/** What is missing whatever the step. */
function missingForAnyStep(c: LimitCase): Missing | undefined {
  const { activation, sigma } = c;
  if (c.samples !== 1) return ['one sample', c.samples, 'the limit for several is not known'];
  if (!isKnownArchitecture(c.architecture)) {
    return ['resnet or mlp', c.architecture, 'the limit for others is not known'];
  }
  if (!isKnown(activation)) return ['relu or linear', activation, 'the limit for others is not known'];
  if (!c.isScaleInvariant && !(c.rates && c.architecture === 'mlp'))
    return ['learning rates "scale-invariant"', 'others', 'the limit is that of Eq. 8'];
  if (!isCritical(c)) return ['sigmaHidden "critical"', sigma.hidden, 'features have to keep their size'];
  if (c.train === 'some')
    return ['step.train "hidden" or "all"', 'a list', 'the limit for some layers is not known'];
  if (c.steps > 1) return ['step.count 1', c.steps, 'the limit is that of the first step'];
  if (c.branchScale === 0 && c.train === 'hidden') return ['branches', 'branch scale 0', 'no feature moves'];
  return undefined;
}

/** The same for the sensitivity; `favourable` data have as small an input and as large a target as the law allows. */
export function missingForSensitivity(
  c: LimitCase,
  typical: DataSize,
  favourable: DataSize,
): Missing | undefined {
  const missing = missingForAngle(c, typical);
  if (missing) return missing;
  if (c.outputs !== 1) return ['one output', c.outputs, 'the limit for several is not known'];
  if (Number.isFinite(sensitivityAt(c, angleLimits(c, typical), favourable))) return undefined;
  return [
    'a target well above f_L and a small step',
    favourable.target,
    'the residual |f_L - y| is not known otherwise',
  ];
}

/**
 * theta_v in rad, at index v = 1 .. L-1; NaN where nothing moves and where the limit is not known.
 *
 * @param typical decides which updates are small: all draws of a network have the same limit, or none.
 */
export function angleLimits(c: LimitCase, typical: DataSize): Float64Array {
  const { depth, stepSize } = c;
  if (missingForAnyStep(c)) return new Float64Array(depth).fill(Number.NaN);
  const { angles, decays } = velocityOf(c, typical);
  if (stepSize === undefined) return angles;
  // |fdot_v|_rms = sum_{l<=v} C_l / (sqrt(m_v) cos(theta_v) |b_v|_2), Eq. 4, with |b_v| = |b_{L-1}|.
  const backward = c.isNormalized
    ? 1 / Math.cos(angles[depth - 1]!)
    : c.width * c.sigma.output * slopeAtZero(c, typical);
  return angles.map((angle, v) => {
    const narrower = Math.sqrt((c.widths?.[v - 1] ?? c.width) / c.width);
    const change = (stepSize * decays[v]!) / (Math.cos(angle) * narrower * backward * featureRms(c, typical));
    return change <= SMALL ? angle : Number.NaN;
  });
}

/** theta_v and sum_{l<=v} C_l of the velocity, at index v; of Eq. 8, where widths are one, the angles know every branch scale. */
function velocityOf(c: LimitCase, typical: DataSize): { angles: Float64Array; decays: Float64Array } {
  const { depth, branchScale } = c;
  const [architecture, activation] = [c.architecture, c.activation] as ['resnet' | 'mlp', 'relu' | 'linear'];
  const trainsInput = c.train === 'all';
  if (!c.widths && c.isScaleInvariant) {
    return {
      angles: bfaLimit({ architecture, activation, depth, branchScale, trainsInput }),
      decays: Float64Array.from({ length: depth }, (_, v) => (trainsInput ? v : v - 1) / depth),
    };
  }
  const { backwardFeatureAngle, contributions } = wideStep({
    ...{ architecture, activation, depth, branchScale, width: c.width, widths: c.widths, sigma: c.sigma },
    inputNorm: typical.input,
    slopeNorm: slopeAtZero(c, typical),
    learningRate: c.rates ?? 'scale-invariant',
    trainsAll: trainsInput,
  });
  let decay = 0;
  const upTo = contributions.slice(0, -1).map((C) => {
    decay += C;
    return decay;
  });
  return {
    angles: Float64Array.from([Number.NaN, ...backwardFeatureAngle]),
    decays: Float64Array.from([0, ...upTo]),
  };
}

/**
 * exp E log |g_v|_rms of a ReLU MLP for the data of a cell, at index v = 1 .. L-1: at its widths, and not in their limit.
 *
 * @param input |x|_2.
 */
export function typicalFeatureRms(c: LimitCase, input: number): Float64Array {
  if (missingForFeatures(c)) return new Float64Array(c.depth).fill(Number.NaN);
  const { input: first, hidden, hiddenLayers } = c.sigma;
  const widths = c.widths ?? new Array<number>(c.depth - 1).fill(c.width);
  const scales = hiddenLayers ?? new Array<number>(c.depth - 2).fill(hidden);
  return typicalFeatures(widths, { input: first, hidden: scales }, input);
}

/** What is missing for the typical size of the features. */
export function missingForFeatures(c: LimitCase): Missing | undefined {
  if (c.samples !== 1) return ['one sample', c.samples, 'the size for several is not known'];
  if (c.architecture !== 'mlp') return ['mlp', c.architecture, 'the size for others is not known'];
  if (c.activation !== 'relu') return ['relu', c.activation, 'the size for others is not known'];
  if (c.isNormalized) return ['a scaling by formula', 'auto', 'it is set by what is measured'];
  if (c.steps > 1) return ['step.count 1', c.steps, 'the size is that before the first step'];
  return undefined;
}

/**
 * S_{L-1} for the data of a cell: 1 where Eq. 7 sets it, else that of `sensitivityLimit` at the residual |y|; NaN where it is
 * not known.
 *
 * |f_L - y| is |y| in the limit if f_L -> 0, and so is k |b_L| for a linear loss. Else, as with sigma_L = 1/sqrt(m), f_L
 * stays random, N(0, tau^2) with tau = sigma_L sqrt(m) |f_{L-1}|_rms, and so does S. While tau is small beside |y|, that is the median of
 * |f_L - y|, and S a median over W_L. (There is no mean: S has no bound near f_L = y.)
 *
 * @param angles what `angleLimits` gives.
 */
export function sensitivityAt(c: LimitCase, angles: Float64Array, { input, target }: DataSize): number {
  const angle = angles[c.depth - 1]!;
  if (c.outputs !== 1 || Number.isNaN(angle)) return Number.NaN;
  const isBent = c.loss !== 'linear';
  // An update changes a residual by dt sum C / |y|^2 of itself, and dloss is that much off; at the rates of Eq. 8 sum C is at most 1.
  const decay = c.rates ? velocityOf(c, { input, target }).decays[c.depth - 1]! : 1;
  if (isBent && !((c.stepSize ?? 0) * decay <= SMALL * target ** 2)) return Number.NaN;
  if (c.isNormalized) return 1;
  const tau = c.sigma.output * Math.sqrt(c.width) * featureRms(c, { input, target });
  if (isBent && !(tau <= SMALL_OUTPUT * target)) return Number.NaN;
  return sensitivityLimit(angle, c.width, c.sigma.output) / target;
}

/** |f_v|_rms, or |g_v|_rms of an MLP: the same for every layer. */
function featureRms(c: LimitCase, { input }: DataSize): number {
  const isHalved = c.architecture === 'mlp' && c.activation === 'relu';
  return (isHalved ? Math.SQRT1_2 : 1) * (c.isNormalized ? 1 : c.sigma.input * input);
}

/** |b_L|_2 at f_L = 0. */
function slopeAtZero({ loss, outputs }: LimitCase, { target }: DataSize): number {
  return loss === 'cross-entropy' ? Math.sqrt(1 - 1 / outputs) : target / outputs;
}

/** Whether features keep their size from layer to layer. */
function isCritical({ activation, isNormalized, sigma, width, widths }: LimitCase): boolean {
  const isAt = (scale: number, taken: number) =>
    Math.abs(scale / Math.sqrt((activation === 'relu' ? 2 : 1) / taken) - 1) < 1e-9;
  if (isNormalized) return true;
  if (!widths) return isAt(sigma.hidden, width);
  return sigma.hiddenLayers?.every((scale, i) => isAt(scale, widths[i]!)) ?? false;
}

function isKnownArchitecture(architecture: string): boolean {
  return architecture === 'resnet' || architecture === 'mlp';
}

function isKnown(activation: string): boolean {
  return activation === 'relu' || activation === 'linear';
}
