/** Where along a parameter a quantity is smallest, over draws: the optimum of a curve with its interval. */

/** A curve: log of the quantity at rising x > 0, a value for each draw; NaN where a draw has none, which counts as the worst. */
export interface Curve {
  readonly x: readonly number[];
  /** y[i][draw]. */
  readonly y: readonly (readonly number[])[];
}

export interface Optimum {
  /** Where it is; undefined where no draw has a value anywhere. */
  readonly at: number;
  /** Log of the quantity there. */
  readonly value: number;
  /** Whether it lies at an end of the curve, so that the true one may be beyond. */
  readonly censored: 'no' | 'lower' | 'upper';
}

/** The mean over draws at every x; what is missing is as bad as the worst that is there. */
function means({ x, y }: Curve, draws: readonly number[]): number[] | undefined {
  const there = y.flat().filter(Number.isFinite);
  if (there.length === 0) return undefined;
  const worst = there.reduce((most, value) => Math.max(most, value), -Infinity);
  return x.map((_, i) => {
    const own = draws.map((draw) => {
      const value = y[i]![draw]!;
      return Number.isFinite(value) ? value : worst;
    });
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  });
}

/**
 * The minimum of the mean of log y over the draws: the vertex of the parabola in log x through the lowest point and its two
 * neighbours, or an end of the curve.
 *
 * @param draws by their numbers, each as often as it counts.
 */
export function optimumOf(curve: Curve, draws: readonly number[]): Optimum | undefined {
  const mean = means(curve, draws);
  if (!mean) return undefined;
  const { x } = curve;
  const i = mean.indexOf(mean.reduce((least, value) => Math.min(least, value), Infinity));
  const last = x.length - 1;
  if (i === 0 || i === last) {
    return { at: x[i]!, value: mean[i]!, censored: i === 0 ? 'lower' : 'upper' };
  }
  const [left, right] = [Math.log(x[i - 1]! / x[i]!), Math.log(x[i + 1]! / x[i]!)];
  const [a, b] = [mean[i - 1]! - mean[i]!, mean[i + 1]! - mean[i]!];
  // y = p u^2 + q u through (left, a), (0, 0) and (right, b), all of it where a, b >= 0.
  const scale = left * right * (left - right);
  const p = (a * right - b * left) / scale;
  const q = (b * left * left - a * right * right) / scale;
  const u = p > 0 ? -q / (2 * p) : 0;
  return { at: x[i]! * Math.exp(u), value: mean[i]! + (p > 0 ? -(q * q) / (4 * p) : 0), censored: 'no' };
}

/** How much larger the quantity is at `x` than where it is smallest: its ratio, by the means at the points and straight lines between. */
export function regretAt(curve: Curve, draws: readonly number[], x: number): number | undefined {
  const mean = means(curve, draws);
  if (!mean) return undefined;
  const least = mean.reduce((low, value) => Math.min(low, value), Infinity);
  const logs = curve.x.map(Math.log);
  const u = Math.log(x);
  const after = logs.findIndex((log) => log >= u);
  if (after <= 0) return Math.exp(mean[after === 0 ? 0 : mean.length - 1]! - least);
  const share = (u - logs[after - 1]!) / (logs[after]! - logs[after - 1]!);
  return Math.exp(mean[after - 1]! + share * (mean[after]! - mean[after - 1]!) - least);
}

/** Choices of the bootstrap. */
const RESAMPLES = 400;

/** Draws chosen with replacement, so many times: always the same choices, which decide no more than the ends of an interval. */
export function resamples(draws: number): readonly (readonly number[])[] {
  let state = 2_463_534_242;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
  return Array.from({ length: RESAMPLES }, () =>
    Array.from({ length: draws }, () => Math.floor(next() * draws)),
  );
}

/** The middle 95 % of some numbers; undefined for none. */
export function middle(
  values: readonly number[],
): { readonly low: number; readonly high: number } | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}
