/** The exponent of a power law, fitted to measurements. */
import jStat from 'jstat';
import { mean } from 'simple-statistics';

/** Values of a quantity at x: one for each draw. */
export interface ExponentPoint {
  readonly x: number;
  readonly y: readonly number[];
}

/** `holds`: the interval lies within expected +- margin; `fails`: it lies outside; `undecided`: neither. */
export type ExponentVerdict = 'holds' | 'fails' | 'undecided';

/** What an interval says of an exponent; without an interval nothing. */
export function verdictOf(
  interval: { readonly low: number; readonly high: number } | undefined,
  expected: number,
  margin: number,
): ExponentVerdict {
  if (!interval) return 'undecided';
  const [low, high] = [expected - margin, expected + margin];
  if (interval.low >= low && interval.high <= high) return 'holds';
  return interval.high < low || interval.low > high ? 'fails' : 'undecided';
}

/**
 * Slope of log y against log x, with its 95 % interval: least squares over all draws at all x, which must be independent.
 *
 * @param points x and all y > 0.
 * @returns an interval without bounds for two numbers, which always lie on a line.
 * @throws RangeError when no slope exists: fewer than two different x, or a number that has no logarithm.
 */
export function exponentOf(points: readonly ExponentPoint[]): { slope: number; low: number; high: number } {
  const pairs = points.flatMap(({ x, y }) => y.map((value) => ({ x, y: value })));
  if (new Set(pairs.map(({ x }) => x)).size < 2) {
    throw new RangeError(`expected two different x, got ${pairs.map(({ x }) => x).join(', ') || 'none'}`);
  }
  const wrong = pairs.find(({ x, y }) => !(x > 0 && y > 0 && x < Infinity && y < Infinity));
  if (wrong) throw new RangeError(`expected x > 0 and y > 0, got x = ${wrong.x} and y = ${wrong.y}`);
  const logs = pairs.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const [mx, my] = [mean(logs.map(({ x }) => x)), mean(logs.map(({ y }) => y))];
  const sxx = logs.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  const slope = logs.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx;
  const freedom = logs.length - 2;
  if (freedom === 0) return { slope, low: -Infinity, high: Infinity };
  const residual = logs.reduce((sum, { x, y }) => sum + (y - my - slope * (x - mx)) ** 2, 0);
  const reach = jStat.studentt.inv(0.975, freedom) * Math.sqrt(residual / freedom / sxx);
  return { slope, low: slope - reach, high: slope + reach };
}
