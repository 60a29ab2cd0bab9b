/**
 * The kinds of checks: an identity, a bound, and estimates that are held to be equal to what a statement says.
 *
 * An estimate is checked by a test of equivalence: its interval lies within a margin around what is expected, so that noise
 * cannot pass for agreement. A number on the edge of the margin is told wrong with 0.99; that a true one is told true, and a
 * mutation wrong, is a matter of the standard error, of which a check gives the `reserve`.
 */
import jStat from 'jstat';
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { type ExponentPoint, exponentOf } from '../results/exponent.js';
import type { Check } from './claim.js';

/** How far from the exponent of a statement the interval of a measured one may reach: exponents of the paper are 1/2 apart. */
const EXPONENT_MARGIN = 0.1;

/** A number of `digits` significant digits. */
const brief = (value: number, digits = 3) => String(Number(value.toPrecision(digits)));

/** An identity: its largest deviation is one of rounding. */
export function identity(what: string, deviations: readonly number[], bound: number): Check {
  const measured = Math.max(...deviations.map(Math.abs));
  return { what, measured, low: null, high: null, expected: `< ${brief(bound)}`, holds: measured < bound };
}

/** A number against bounds. */
export function between(what: string, measured: number, least: number, most: number): Check {
  const expected = most === Infinity ? `>= ${brief(least)}` : `${brief(least)} .. ${brief(most)}`;
  return { what, measured, low: null, high: null, expected, holds: measured >= least && measured <= most };
}

/** A number that was estimated from independent draws. */
interface Estimate {
  readonly value: number;
  readonly standardError: number;
  readonly freedom: number;
}

function meanOf(values: readonly number[]): Estimate {
  const standardError = sampleStandardDeviation([...values]) / Math.sqrt(values.length);
  return { value: mean([...values]), standardError, freedom: values.length - 1 };
}

/** One-sided error of a test: a number on the edge of the margin passes with this probability. */
const ERROR = 0.01;

/** An estimate against an interval: the test of equivalence, with the 95 % interval of the estimate. */
function within(
  what: string,
  { value, standardError, freedom }: Estimate,
  least: number,
  most: number,
  expected: string,
): Check {
  const reach = jStat.studentt.inv(0.975, freedom) * standardError;
  const reserve =
    Math.min(value - least, most - value) / standardError - jStat.studentt.inv(1 - ERROR, freedom);
  return {
    what,
    measured: value,
    low: value - reach,
    high: value + reach,
    expected,
    holds: reserve > 0,
    // Infinite where the draws agree to the last bit.
    ...(Number.isFinite(reserve) && { reserve }),
  };
}

/** A mean: its interval lies within the margin around the value. */
export function meanWithin(what: string, values: readonly number[], expected: number, margin: number): Check {
  const text = `${brief(expected, 4)} +- ${brief(margin)}`;
  return within(what, meanOf(values), expected - margin, expected + margin, text);
}

/** An exponent p: of Theta(x^p) the number itself; of O(x^p) `{ atMost: p }`, which may be smaller. */
export type Exponent = number | { readonly atMost: number };

/** Slope of log y against log x by the draws, of which the i-th at one x may depend on the i-th at another. */
function slopeOf(points: readonly ExponentPoint[]): Estimate {
  const draws = points[0]!.y.length;
  if (draws < 2 || points.some(({ y }) => y.length !== draws)) {
    throw new RangeError(
      `expected two draws or more, as many at every x, got ${points.map(({ y }) => y.length)}`,
    );
  }
  const slopes = Array.from(
    { length: draws },
    (_, i) => exponentOf(points.map(({ x, y }) => ({ x, y: [y[i]!] }))).slope,
  );
  return meanOf(slopes);
}

/** An exponent: its interval lies within the margin around what the statement says, or below its upper end. */
export function exponentIs(
  what: string,
  points: readonly ExponentPoint[],
  expected: Exponent,
  margin = EXPONENT_MARGIN,
): Check {
  const isBound = typeof expected === 'object';
  const exponent = isBound ? expected.atMost : expected;
  const text = isBound ? `<= ${brief(exponent)} + ${margin}` : `${brief(exponent)} +- ${margin}`;
  return within(what, slopeOf(points), isBound ? -Infinity : exponent - margin, exponent + margin, text);
}
