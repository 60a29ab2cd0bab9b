/**
 * Losses of the output f_L, on the host in float64. The outputs of a lane are one flat array, n rows of k; sums over
 * samples are divided by n, and where the targets are dense by k as well.
 */
import type { Shape } from './step/lane.js';

/** n rows of k outputs. */
type Size = Pick<Shape, 'samples' | 'outputWidth'>;

export interface Loss {
  /** Whether b_L is 0 at some f; else a zero is one that the range of float64 has rounded to it. */
  readonly vanishes: boolean;
  /** loss(f). */
  value(f: Outputs, y: Outputs, shape: Size): number;
  /** b_L = d loss / d f_L. */
  slope(f: Outputs, y: Outputs, shape: Size): Float64Array;
  /** (d^2 loss / d f_L^2) df: the velocity of b_L where f_L has the velocity df. */
  curvature(f: Outputs, df: Outputs, shape: Size): Float64Array;
  /** loss(f + df) - loss(f), without cancellation. */
  change(f: Outputs, df: Outputs, y: Outputs, shape: Size): number;
}

/** [n x k], row major. */
type Outputs = ArrayLike<number>;

const sizeOf = ({ samples, outputWidth }: Size) => samples * outputWidth;

/** Sum of a term for each entry. */
function sum(f: Outputs, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < f.length; i++) total += term(i);
  return total;
}

/** A number for each entry; not by `from`, which makes a list of all entries first. */
function entries(f: Outputs, value: (f: number, i: number) => number): Float64Array {
  const values = new Float64Array(f.length);
  for (let i = 0; i < f.length; i++) values[i] = value(f[i]!, i);
  return values;
}

/** |f - y|^2 / (2 k n). */
const squared: Loss = {
  vanishes: true,
  value: (f, y, shape) => sum(f, (i) => (f[i]! - y[i]!) ** 2 / (2 * sizeOf(shape))),
  slope: (f, y, shape) => entries(f, (x, i) => (x - y[i]!) / sizeOf(shape)),
  curvature: (_f, df, shape) => entries(df, (dx) => dx / sizeOf(shape)),
  change: (f, df, y, shape) => sum(f, (i) => ((f[i]! - y[i]!) * df[i]! + df[i]! ** 2 / 2) / sizeOf(shape)),
};

/** <y, f> / (k n): b_L is the same whatever f is, which is what the paper calls a linear loss (H2). */
const linear: Loss = {
  vanishes: true,
  value: (f, y, shape) => sum(f, (i) => (f[i]! * y[i]!) / sizeOf(shape)),
  slope: (_f, y, shape) => entries(y, (target) => target / sizeOf(shape)),
  curvature: (f) => new Float64Array(f.length),
  change: (_f, df, y, shape) => sum(df, (i) => (df[i]! * y[i]!) / sizeOf(shape)),
};

/**
 * One row of the outputs, its softmax, and the class c of the largest y. One object takes row after row: a training asks for
 * thousands of them a step.
 */
class SoftmaxRow {
  readonly p: Float64Array;
  c = 0;
  /** 1 - p_c, as the sum of the others. */
  rest = 0;
  /** -log p_c. */
  surprise = 0;
  /** What f_j exceeds log p_j by, in two parts: the largest f, and what is small beside it. */
  most = 0;
  logTotal = 0;

  constructor(k: number) {
    this.p = new Float64Array(k);
  }

  /** Takes the row that begins at `start`. */
  take(f: Outputs, y: Outputs, start: number): void {
    const { p } = this;
    const k = p.length;
    let c = 0;
    let most = -Infinity;
    for (let j = 0; j < k; j++) {
      if (y[start + j]! > y[start + c]!) c = j;
      most = Math.max(most, f[start + j]!);
    }
    let others = 0;
    for (let j = 0; j < k; j++) {
      p[j] = Math.exp(f[start + j]! - most);
      if (j !== c) others += p[j]!;
    }
    const total = others + p[c]!;
    const own = f[start + c]!;
    this.c = c;
    this.most = most;
    this.logTotal = Math.log(total);
    this.rest = others / total;
    this.surprise = own === most ? Math.log1p(others) : most - own + this.logTotal;
    for (let j = 0; j < k; j++) p[j] = p[j]! / total;
  }
}

/** A larger change is a logarithm of a sum whose largest term is 1, since the exponential of a rise may be infinite. */
const MOST_RISE = 30;
const MOST_FALL = -0.5;

/** log sum_j p_j e^{rise_j}, of logarithms: of outputs of 1e10 that change by 1 as well, whose losses have no digit of their difference. */
function logOfRisen(row: SoftmaxRow, f: Outputs, start: number, rise: (j: number) => number): number {
  const { p, most, logTotal } = row;
  const risen = p.map((_, j) => f[start + j]! - most - logTotal + rise(j));
  const largest = risen.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(risen.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}

/**
 * -sum_j y_j log p_j / n with p = softmax(f) of each row, for rows y that sum to 1: one-hot ones. Written with the outputs
 * less that of the right class c, so that nothing cancels where p_c is near 1, and nothing overflows where it is near 0.
 */
const crossEntropy: Loss = {
  vanishes: false,
  value: (f, y, shape) => {
    const k = shape.outputWidth;
    const row = new SoftmaxRow(k);
    let total = 0;
    for (let start = 0; start < f.length; start += k) {
      row.take(f, y, start);
      const { c, surprise } = row;
      for (let j = 0; j < k; j++) {
        if (y[start + j] !== 0) total += y[start + j]! * (surprise + (f[start + c]! - f[start + j]!));
      }
    }
    return total / shape.samples;
  },
  slope: (f, y, shape) => {
    const k = shape.outputWidth;
    const row = new SoftmaxRow(k);
    const slope = new Float64Array(f.length);
    for (let start = 0; start < f.length; start += k) {
      row.take(f, y, start);
      const { p, c, rest } = row;
      for (let j = 0; j < k; j++) slope[start + j] = (p[j]! - y[start + j]!) / shape.samples;
      slope[start + c] = (1 - y[start + c]! - rest) / shape.samples;
    }
    return slope;
  },
  curvature: (f, df, shape) => {
    const k = shape.outputWidth;
    const row = new SoftmaxRow(k);
    const { p } = row;
    const curvature = new Float64Array(f.length);
    for (let start = 0; start < f.length; start += k) {
      row.take(f, f, start);
      // Against the likeliest class, that of the largest f, whose p is near 1 where the others cancel.
      const likeliest = p.indexOf(p.reduce((most, probability) => Math.max(most, probability), 0));
      const rise = (j: number) => df[start + j]! - df[start + likeliest]!;
      const mean = p.reduce((sum, probability, j) => sum + probability * rise(j), 0);
      for (let j = 0; j < k; j++) curvature[start + j] = (p[j]! * (rise(j) - mean)) / shape.samples;
    }
    return curvature;
  },
  change: (f, df, y, shape) => {
    const k = shape.outputWidth;
    const row = new SoftmaxRow(k);
    let total = 0;
    for (let start = 0; start < f.length; start += k) {
      row.take(f, y, start);
      const { p, c } = row;
      const rise = (j: number) => df[start + j]! - df[start + c]!;
      let sum = 0;
      let most = 0;
      let gain = 0;
      for (let j = 0; j < k; j++) {
        sum += p[j]! * Math.expm1(rise(j));
        most = Math.max(most, rise(j));
        gain += y[start + j]! * rise(j);
      }
      const isSmall = most < MOST_RISE && sum > MOST_FALL;
      total += (isSmall ? Math.log1p(sum) : logOfRisen(row, f, start, rise)) - gain;
    }
    return total / shape.samples;
  },
};

export const LOSSES = { squared, linear, 'cross-entropy': crossEntropy } as const satisfies Record<
  string,
  Loss
>;

export type LossName = keyof typeof LOSSES;
