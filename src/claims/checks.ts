/** The kinds of checks: an identity, a bound, an exponent, a mean. */
import jStat from 'jstat';
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
  const expected =
    least === -Infinity
      ? `<= ${brief(most)}`
      : most === Infinity
        ? `>= ${brief(least)}`
        : `${brief(least)} .. ${brief(most)}`;
  return { what, measured, low: null, high: null, expected, holds: measured >= least && measured <= most };
}

/** Mean and its 95 % interval. */
function meanOf(values: readonly number[]): {
  mean: number;
  low: number;
  high: number;
  error: number;
} {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const error = Math.sqrt(variance / n);
  const reach = jStat.studentt.inv(0.975, n - 1) * error;
  return { mean, low: mean - reach, high: mean + reach, error };
}

/** Standard errors that a mean may be off: one of a few hundred checks is, by chance, 3 off, and none 4. */
const SIGMAS = 4;

/** A mean against a value, with a tolerance for widths and depths that are finite. */
export function meanIs(what: string, values: readonly number[], expected: number, tolerance = 0): Check {
  const { mean, low, high, error } = meanOf(values);
  const margin = tolerance === 0 ? '' : `${brief(tolerance)} + `;
  return {
    what,
    measured: mean,
    low,
    high,
    expected: `${brief(expected, 4)} +- ${margin}${SIGMAS} s.e.`,
    holds: Math.abs(mean - expected) <= tolerance + SIGMAS * error,
  };
}

/** An exponent: its interval lies within the margin around what the statement says. */
export function exponentIs(
  what: string,
  points: readonly ExponentPoint[],
  expected: number,
  margin = EXPONENT_MARGIN,
): Check {
  const { slope, low, high } = exponentOf(points);
  return {
    what,
    measured: slope,
    low,
    high,
    expected: `${brief(expected)} +- ${margin}`,
    holds: low > expected - margin && high < expected + margin,
  };
}

/** An exponent that may be smaller: O(...) instead of Theta(...). */
export function exponentAtMost(
  what: string,
  points: readonly ExponentPoint[],
  expected: number,
  margin = EXPONENT_MARGIN,
): Check {
  const { slope, low, high } = exponentOf(points);
  return {
    what,
    measured: slope,
    low,
    high,
    expected: `<= ${brief(expected)} + ${margin}`,
    holds: high < expected + margin,
  };
}
