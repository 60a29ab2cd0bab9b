/**
 * Activations and losses as a float64 reference needs them, for tests: right to some twelve digits relative to the result
 * itself, also where a plain formula cancels: in the tails of an activation, where p is nearly 1, and for tiny steps.
 */
import type { ActivationName } from '../../activations.js';
import type { LossName } from '../loss.js';
import type { Shape } from '../step/lane.js';

interface Activation {
  value(f: number): number;
  slope(f: number): number;
  /** phi(f + df) - phi(f). */
  difference(f: number, df: number): number;
  /** Whether the slope jumps at 0. */
  readonly hasKink: boolean;
  /** Whether the slope is no constant anywhere. */
  readonly isSmooth: boolean;
}

/** Slopes below and above 0. */
function kinked(below: number): Activation {
  const slope = (f: number) => (f > 0 ? 1 : below);
  const value = (f: number) => slope(f) * f;
  return {
    value,
    slope,
    // Beyond the kink the two values have opposite signs, and nothing cancels.
    difference: (f, df) => (f > 0 === f + df > 0 ? slope(f) * df : value(f + df) - value(f)),
    hasKink: below !== 1,
    isSmooth: false,
  };
}

/** Nodes and weights of Gauss and Legendre on [0, 1]. */
const NODES = [-0.906179845938664, -0.538469310105683, 0, 0.538469310105683, 0.906179845938664].map(
  (x) => (x + 1) / 2,
);
const WEIGHTS = [
  0.236926885056189, 0.478628670499366, 0.568888888888889, 0.478628670499366, 0.236926885056189,
].map((w) => w / 2);

/** A smooth one, whose difference is the integral of its slope where its values cancel. */
function smooth(value: (f: number) => number, slope: (f: number) => number): Activation {
  const panel = (f: number, df: number) =>
    NODES.reduce((total, node, i) => total + WEIGHTS[i]! * slope(f + node * df), 0) * df;
  const difference = (f: number, df: number) => {
    const [before, after] = [value(f), value(f + df)];
    const isPlain = Math.abs(after - before) > 1e-4 * (Math.abs(before) + Math.abs(after));
    if (isPlain && Math.abs(df) >= 0.25) return after - before;
    const near = f > 0 === f + df > 0 ? Math.min(Math.abs(f), Math.abs(f + df)) : 0;
    if (near > 745) return slope(f) * df; // exp(-745) is the least float64
    // 40 farther out the slope is that at infinity, to 1e-16 of what it lacks of it here.
    const end = near + 40;
    const [from, to] = [f, f + df].map((x) => Math.max(-end, Math.min(end, x))) as [number, number];
    // Over a panel no slope here changes by more than a factor of e.
    const panels = Math.max(1, Math.ceil(Math.abs(to - from) * Math.max(4, 2 * Math.min(near, 20) + 4)));
    const width = (to - from) / panels;
    let total = slope(-end) * (Math.min(f + df, -end) - Math.min(f, -end));
    total += slope(end) * (Math.max(f + df, end) - Math.max(f, end));
    // Where the change is lost in the sum f + df, it is one panel.
    if (panels === 1 && from === f && to === f + df) return panel(f, df);
    for (let i = 0; i < panels; i++) total += panel(from + i * width, width);
    return total;
  };
  return { value, slope, difference, hasKink: false, isSmooth: true };
}

/** erfc(x) relative to itself: 1 - erf by its series, and the continued fraction beyond 2. */
function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) return 1 - erf(x);
  let fraction = x;
  for (let n = 100; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-(x ** 2)) / (Math.sqrt(Math.PI) * fraction);
}

/** exp(-x^2) sum (2 x)^(2 n + 1) n! / (2 n + 1)! 2 / sqrt(pi) / 2: all terms of one sign. */
function erf(x: number): number {
  if (Math.abs(x) >= 2) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x ** 2) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-(x ** 2)) * total;
}

const logistic = (f: number) => 1 / (1 + Math.exp(-f));
const normalCdf = (f: number) => erfc(-f / Math.SQRT2) / 2;

export const ACTIVATIONS: Readonly<Record<ActivationName, Activation>> = {
  relu: kinked(0),
  leaky: kinked(0.1),
  linear: kinked(1),
  tanh: smooth(Math.tanh, (f) => 1 / Math.cosh(f) ** 2),
  erf: smooth(erf, (f) => (2 / Math.sqrt(Math.PI)) * Math.exp(-(f ** 2))),
  gelu: smooth(
    (f) => (f < -40 ? 0 : f * normalCdf(f)),
    (f) => (f < -40 ? 0 : normalCdf(f) + (f * Math.exp(-(f ** 2) / 2)) / Math.sqrt(2 * Math.PI)),
  ),
  silu: smooth(
    (f) => f * logistic(f),
    (f) => logistic(f) * (1 + f * logistic(-f)),
  ),
};

type Numbers = ArrayLike<number>;

interface Loss {
  value(f: Numbers, y: Numbers, shape: Shape): number;
  slope(f: Numbers, y: Numbers, shape: Shape): Float64Array;
  /** The velocity of the slope where f has the velocity df. */
  curvature(f: Numbers, df: Numbers, shape: Shape): Float64Array;
  change(f: Numbers, df: Numbers, y: Numbers, shape: Shape): number;
}

/** A loss whose entries have terms of their own, divided by k n. */
function entrywise(
  value: (f: number, y: number) => number,
  slope: (f: number, y: number) => number,
  second: number,
): Loss {
  const mean = (f: Numbers, of: (i: number) => number) => {
    let total = 0;
    for (let i = 0; i < f.length; i++) total += of(i) / f.length;
    return total;
  };
  return {
    value: (f, y) => mean(f, (i) => value(f[i]!, y[i]!)),
    slope: (f, y) => Float64Array.from(f, (t, i) => slope(t, y[i]!) / f.length),
    curvature: (_f, df) => Float64Array.from(df, (t) => (second * t) / df.length),
    change: (f, df, y) => mean(f, (i) => slope(f[i]!, y[i]!) * df[i]! + (second * df[i]! ** 2) / 2),
  };
}

/** log sum_i w_i e^{f_i}. */
function logSum(f: readonly number[], w: readonly number[] = f.map(() => 1)): number {
  const most = Math.max(...f);
  return most + Math.log(f.reduce((total, t, i) => total + w[i]! * Math.exp(t - most), 0));
}

const rows = (f: Numbers, { samples, outputWidth: k }: Shape) =>
  Array.from({ length: samples }, (_, t) => Array.from({ length: k }, (_, j) => f[t * k + j]!));
const softmax = (f: readonly number[]) => f.map((t) => Math.exp(t - logSum(f)));
const total = (values: readonly number[]) => values.reduce((sum, t) => sum + t, 0);

/** For rows y that are one-hot: with c the class, the loss of a row is log(1 + sum_{j != c} e^{f_j - f_c}). */
const crossEntropy: Loss = {
  value: (f, y, shape) =>
    total(
      rows(f, shape).map((row, t) => {
        const c = classOf(y, t, shape);
        const others = row.filter((_, j) => j !== c).map((value) => value - row[c]!);
        if (others.length === 0) return 0;
        const most = logSum(others);
        return most > 30 ? most : Math.log1p(Math.exp(most));
      }),
    ) / shape.samples,
  slope: (f, y, shape) =>
    Float64Array.from(
      rows(f, shape).flatMap((row, t) => {
        const c = classOf(y, t, shape);
        const p = softmax(row);
        return p.map((value, j) => (j === c ? -total(p.filter((_, i) => i !== c)) : value) / shape.samples);
      }),
    ),
  curvature: (f, df, shape) => {
    const moved = rows(df, shape);
    return Float64Array.from(
      rows(f, shape).flatMap((row, t) => {
        const p = softmax(row);
        // p_j sum_i p_i (df_j - df_i)
        return p.map(
          (q, j) => (q * total(p.map((r, i) => r * (moved[t]![j]! - moved[t]![i]!)))) / shape.samples,
        );
      }),
    );
  },
  change: (f, df, y, shape) => {
    const moved = rows(df, shape);
    return (
      total(
        rows(f, shape).map((row, t) => {
          const c = classOf(y, t, shape);
          const p = softmax(row);
          const rise = moved[t]!.map((value) => value - moved[t]![c]!);
          if (Math.max(...rise.map(Math.abs)) < 1) {
            return Math.log1p(total(rise.map((r, j) => p[j]! * Math.expm1(r))));
          }
          const most = Math.max(...row);
          const logZ = logSum(row.map((value) => value - most));
          return logSum(row.map((value, j) => value - most - logZ + rise[j]!));
        }),
      ) / shape.samples
    );
  },
};

const classOf = (y: Numbers, row: number, { outputWidth: k }: Shape) =>
  Array.from({ length: k }, (_, j) => y[row * k + j]!).indexOf(1);

export const LOSSES: Readonly<Record<LossName, Loss>> = {
  squared: entrywise(
    (f, y) => (f - y) ** 2 / 2,
    (f, y) => f - y,
    1,
  ),
  linear: entrywise(
    (f, y) => f * y,
    (_f, y) => y,
    0,
  ),
  'cross-entropy': crossEntropy,
};
