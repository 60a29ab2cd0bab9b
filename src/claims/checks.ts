/** The kinds of checks: an identity, a bound, an exponent, a mean. */
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

/** Standard errors that a mean may be off: one of a few hundred checks is, by chance, 3 off, and none 4. */
const SIGMAS = 4;

/** A mean against a value, with a tolerance for widths and depths that are finite. */
export function meanIs(what: string, values: readonly number[], expected: number, tolerance = 0): Check {
  const measured = mean([...values]);
  const error = sampleStandardDeviation([...values]) / Math.sqrt(values.length);
  const reach = jStat.studentt.inv(0.975, values.length - 1) * error;
  const margin = tolerance === 0 ? '' : `${brief(tolerance)} + `;
  return {
    what,
    measured,
    low: measured - reach,
    high: measured + reach,
    expected: `${brief(expected, 4)} +- ${margin}${SIGMAS} s.e.`,
    holds: Math.abs(measured - expected) <= tolerance + SIGMAS * error,
  };
}

/** An exponent p: of Theta(x^p) the number itself; of O(x^p) `{ atMost: p }`, which may be smaller. */
export type Exponent = number | { readonly atMost: number };

/** An exponent: its interval lies within the margin around what the statement says, or below its upper end. */
export function exponentIs(
  what: string,
  points: readonly ExponentPoint[],
  expected: Exponent,
  margin = EXPONENT_MARGIN,
): Check {
  const { slope, low, high } = exponentOf(points);
  const isBound = typeof expected === 'object';
  const exponent = isBound ? expected.atMost : expected;
  return {
    what,
    measured: slope,
    low,
    high,
    expected: isBound ? `<= ${brief(exponent)} + ${margin}` : `${brief(exponent)} +- ${margin}`,
    holds: high < exponent + margin && (isBound || low > exponent - margin),
  };
}
