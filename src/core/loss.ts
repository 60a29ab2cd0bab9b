/**
 * Losses of the output f_L, on the host in float64. The outputs of a lane are one flat array, n rows of k; sums over
 * samples are divided by n, and where the targets are dense by k as well.
 */
import type { Shape } from './lane.js';

export interface Loss {
  /** loss(f). */
  value(f: Outputs, y: Outputs, shape: Shape): number;
  /** b_L = d loss / d f_L. */
  slope(f: Outputs, y: Outputs, shape: Shape): Float64Array;
  /** (d^2 loss / d f_L^2) df: the velocity of b_L where f_L has the velocity df. */
  curvature(f: Outputs, df: Outputs, shape: Shape): Float64Array;
  /** loss(f + df) - loss(f), without cancellation. */
  change(f: Outputs, df: Outputs, y: Outputs, shape: Shape): number;
}

/** [n x k], row major. */
type Outputs = ArrayLike<number>;

const sizeOf = ({ samples, outputWidth }: Shape) => samples * outputWidth;

/** Sum of a term for each entry. */
function sum(f: Outputs, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < f.length; i++) total += term(i);
  return total;
}

const entries = (f: Outputs, value: (f: number, i: number) => number) => Float64Array.from(f, value);

/** |f - y|^2 / (2 k n). */
const squared: Loss = {
  value: (f, y, shape) => sum(f, (i) => (f[i]! - y[i]!) ** 2 / (2 * sizeOf(shape))),
  slope: (f, y, shape) => entries(f, (x, i) => (x - y[i]!) / sizeOf(shape)),
  curvature: (_f, df, shape) => entries(df, (dx) => dx / sizeOf(shape)),
  change: (f, df, y, shape) => sum(f, (i) => ((f[i]! - y[i]!) * df[i]! + df[i]! ** 2 / 2) / sizeOf(shape)),
};

/** <y, f> / (k n): b_L is the same whatever f is, which is what the paper calls a linear loss (H2). */
const linear: Loss = {
  value: (f, y, shape) => sum(f, (i) => (f[i]! * y[i]!) / sizeOf(shape)),
  slope: (_f, y, shape) => entries(y, (target) => target / sizeOf(shape)),
  curvature: (f) => new Float64Array(f.length),
  change: (_f, df, y, shape) => sum(df, (i) => (df[i]! * y[i]!) / sizeOf(shape)),
};

/** The rows of the outputs. */
function* rowsOf(f: Outputs, { outputWidth: k }: Shape): Generator<{ start: number; p: Float64Array }> {
  for (let start = 0; start < f.length; start += k) {
    const row = Float64Array.from({ length: k }, (_, j) => f[start + j]!);
    const most = Math.max(...row);
    const weights = row.map((x) => Math.exp(x - most));
    const total = weights.reduce((a, b) => a + b, 0);
    yield { start, p: weights.map((w) => w / total) };
  }
}

/** -sum_j y_j log p_j / n with p = softmax(f) of each row, for rows y that sum to 1: one-hot ones. */
const crossEntropy: Loss = {
  value: (f, y, shape) => {
    let total = 0;
    for (const { start, p } of rowsOf(f, shape)) {
      p.forEach((probability, j) => {
        if (y[start + j] !== 0) total -= y[start + j]! * Math.log(probability);
      });
    }
    return total / shape.samples;
  },
  slope: (f, y, shape) => {
    const slope = new Float64Array(f.length);
    for (const { start, p } of rowsOf(f, shape)) {
      p.forEach((probability, j) => {
        slope[start + j] = (probability - y[start + j]!) / shape.samples;
      });
    }
    return slope;
  },
  curvature: (f, df, shape) => {
    const curvature = new Float64Array(f.length);
    for (const { start, p } of rowsOf(f, shape)) {
      const mean = p.reduce((total, probability, j) => total + probability * df[start + j]!, 0);
      p.forEach((probability, j) => {
        curvature[start + j] = (probability * (df[start + j]! - mean)) / shape.samples;
      });
    }
    return curvature;
  },
  change: (f, df, y, shape) => {
    let total = 0;
    for (const { start, p } of rowsOf(f, shape)) {
      total += Math.log1p(p.reduce((rise, q, j) => rise + q * Math.expm1(df[start + j]!), 0));
      total -= p.reduce((gain, _, j) => gain + y[start + j]! * df[start + j]!, 0);
    }
    return total / shape.samples;
  },
};

export const LOSSES = { squared, linear, 'cross-entropy': crossEntropy } as const satisfies Record<
  string,
  Loss
>;

export type LossName = keyof typeof LOSSES;
