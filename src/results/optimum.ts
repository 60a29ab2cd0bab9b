/** Where along a parameter a quantity is smallest, over draws: the optimum of a curve with its interval. */

import jStat from 'jstat';

/** A curve: log of the quantity at rising x > 0, a value for each draw; NaN where a draw has none, which counts as the worst. */
export interface Curve {
  readonly x: readonly number[];
  /** y[i][draw]. */
  readonly y: readonly (readonly number[])[];
}

export interface Optimum {
  /** Where it is. */
  readonly at: number;
  /** Log of the quantity there. */
  readonly value: number;
  /** Whether it lies at an end of the curve, so that the true one may be beyond. */
  readonly censored: 'no' | 'lower' | 'upper';
}

/**
 * What is fitted to a curve: the mean over draws at every x, in u = log x, and the parabola y + q u' + p u'^2 through the lowest
 * point and its two neighbours, u' counted from there; none at an end. A neighbour counts as no higher than `MOST_RISE`.
 */
interface Fit {
  readonly u: readonly number[];
  readonly mean: readonly number[];
  readonly lowest: number;
  readonly parabola: { readonly p: number; readonly q: number } | undefined;
}

/**
 * A neighbour that is higher by more than a factor e says no more than that: beside one that exploded a parabola would dip far below
 * all points, so that a loss of 0.2 had an optimum of 0.1. So it dips by 1/8 at the most, 12 % of the quantity.
 */
const MOST_RISE = 1;

/** The mean over draws at every x; what is missing is as bad as the worst that is there. */
export function means({ x, y }: Curve, draws: readonly number[]): number[] | undefined {
  let worst = -Infinity;
  for (const own of y) for (const value of own) if (Number.isFinite(value)) worst = Math.max(worst, value);
  if (worst === -Infinity) return undefined;
  return x.map((_, i) => {
    let sum = 0;
    for (const draw of draws) {
      const value = y[i]![draw]!;
      sum += Number.isFinite(value) ? value : worst;
    }
    return sum / draws.length;
  });
}

function fitOf(curve: Curve, draws: readonly number[]): Fit | undefined {
  const mean = means(curve, draws);
  if (!mean) return undefined;
  // Of points that are equally low one that is there, and not the worst in the place of what is missing.
  const isThere = (i: number) => draws.some((draw) => Number.isFinite(curve.y[i]![draw]!));
  let lowest = 0;
  for (let i = 1; i < mean.length; i++) {
    if (mean[i]! < mean[lowest]! || (mean[i] === mean[lowest] && isThere(i) && !isThere(lowest))) lowest = i;
  }
  const u = curve.x.map(Math.log);
  if (lowest === 0 || lowest === u.length - 1) return { u, mean, lowest, parabola: undefined };
  const [left, right] = [u[lowest - 1]! - u[lowest]!, u[lowest + 1]! - u[lowest]!];
  const [a, b] = [lowest - 1, lowest + 1].map((i) => Math.min(mean[i]! - mean[lowest]!, MOST_RISE)) as [
    number,
    number,
  ];
  // Through (left, a), (0, 0) and (right, b), all of it where a, b >= 0.
  const scale = left * right * (left - right);
  const p = (a * right - b * left) / scale;
  const q = (b * left * left - a * right * right) / scale;
  return { u, mean, lowest, parabola: p > 0 ? { p, q } : { p: 0, q: 0 } };
}

/**
 * The minimum of the mean of log y over the draws: the vertex of the parabola in log x through the lowest point and its two
 * neighbours, or an end of the curve.
 *
 * @param draws by their numbers, each as often as it counts.
 * @returns undefined where no draw has a value anywhere.
 */
export function optimumOf(curve: Curve, draws: readonly number[]): Optimum | undefined {
  const fit = fitOf(curve, draws);
  if (!fit) return undefined;
  const { mean, lowest, parabola } = fit;
  const [at, value] = [curve.x[lowest]!, mean[lowest]!];
  if (!parabola) return { at, value, censored: lowest === 0 ? 'lower' : 'upper' };
  const { p, q } = parabola;
  if (p === 0) return { at, value, censored: 'no' };
  return { at: at * Math.exp(-q / (2 * p)), value: value - (q * q) / (4 * p), censored: 'no' };
}

/**
 * How much larger the quantity is at `x` than at the optimum, as a ratio >= 1: by the parabola of the optimum as far as it goes
 * through the neighbours of the lowest point, by straight lines between points elsewhere, and as at the ends beyond them.
 */
export function regretAt(curve: Curve, draws: readonly number[], x: number): number | undefined {
  const fit = fitOf(curve, draws);
  if (!fit) return undefined;
  const { u, mean, lowest, parabola } = fit;
  const least = optimumOf(curve, draws)!.value;
  const own = Math.log(x);
  const after = u.findIndex((each) => each >= own);
  if (after <= 0) return Math.exp(mean[after === 0 ? 0 : mean.length - 1]! - least);
  const neighbour = own < u[lowest]! ? lowest - 1 : lowest + 1;
  const isBeside = after === lowest || after === lowest + 1;
  if (parabola && parabola.p > 0 && isBeside && mean[neighbour]! - mean[lowest]! <= MOST_RISE) {
    const { p, q } = parabola;
    return Math.exp(p * (own - u[lowest]! + q / (2 * p)) ** 2);
  }
  const share = (own - u[after - 1]!) / (u[after]! - u[after - 1]!);
  return Math.exp(mean[after - 1]! + share * (mean[after]! - mean[after - 1]!) - least);
}

/** One choice of draws with replacement, by their numbers. */
export interface Resample {
  readonly draws: readonly number[];
  /** How often it comes up, of all. */
  readonly weight: number;
}

/** Up to so many draws all choices are taken, and of more so many at random. */
const MOST_LISTED = 6;
const RESAMPLES = 400;

/** Draws chosen with replacement: all choices that few draws have, of many always the same. */
export function resamples(draws: number): readonly Resample[] {
  if (draws <= MOST_LISTED) return everyChoice(draws, draws);
  let state = 2_463_534_242;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 0x1_0000_0000;
  };
  return Array.from({ length: RESAMPLES }, () => ({
    draws: Array.from({ length: draws }, () => Math.floor(next() * draws)),
    weight: 1,
  }));
}

/** All choices of `size` of the first `draws` draws, in no order, with the number of orders of each. */
function everyChoice(draws: number, size: number): Resample[] {
  if (size === 0) return [{ draws: [], weight: 1 }];
  if (draws === 0) return [];
  return Array.from({ length: size + 1 }, (_, own) => own).flatMap((own) =>
    everyChoice(draws - 1, size - own).map(({ draws: others, weight }) => ({
      draws: [...others, ...new Array<number>(own).fill(draws - 1)],
      weight: weight * binomial(size, own),
    })),
  );
}

const binomial = (n: number, k: number): number => (k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k);

/**
 * An interval of 95 % by the bootstrap over draws: the percentiles of what its choices give, as far out as Student's t says for so
 * few (Hesterberg 2015, the expanded percentile interval). Of a normal estimate it covers with five draws in 93 % of cases, with
 * three, whose own range is all there is, in 75 %.
 *
 * @param values a number for each choice; undefined where it gives none.
 * @returns undefined where no choice gives one.
 */
export function interval(
  choices: readonly Resample[],
  values: readonly (number | undefined)[],
): { readonly low: number; readonly high: number } | undefined {
  const sorted = choices
    .flatMap(({ weight }, i) => (values[i] === undefined ? [] : [{ value: values[i], weight }]))
    .sort((a, b) => a.value - b.value);
  if (sorted.length === 0) return undefined;
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  const tail = total * tailOf(choices[0]!.draws.length);
  const reached = (from: typeof sorted) => {
    let sum = 0;
    return from.find(({ weight }) => {
      sum += weight;
      return sum > tail;
    })!.value;
  };
  return { low: reached(sorted), high: reached([...sorted].reverse()) };
}

/** The share of choices that is left out on either side. */
function tailOf(draws: number): number {
  const t = jStat.studentt.inv(0.975, draws - 1);
  return jStat.normal.cdf(-t * Math.sqrt(draws / (draws - 1)), 0, 1);
}
