/** The exponent of a power law, fitted to measurements. */
import jStat from 'jstat';

/** Values of a quantity at x: one for each draw. */
export interface ExponentPoint {
  readonly x: number;
  readonly y: readonly number[];
}

/**
 * Slope of log y against log x, with its 95 % interval: least squares on the logarithms of the means over the draws, so
 * that what the interval takes in is how far the means are from a power law, bends included.
 *
 * @param points x and all y > 0.
 * @returns an interval without bounds for two points, which always lie on a line.
 * @throws RangeError when no slope exists: fewer than two different x, or a mean that has no logarithm.
 */
export function exponentOf(points: readonly ExponentPoint[]): { slope: number; low: number; high: number } {
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(mean(y)) }));
  if (new Set(points.map(({ x }) => x)).size < 2) {
    throw new RangeError(`expected two different x, got ${points.map(({ x }) => x).join(', ') || 'none'}`);
  }
  const none = logs.findIndex(({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y));
  if (none >= 0) {
    const { x, y } = points[none]!;
    throw new RangeError(`expected x > 0 and a mean > 0, got x = ${x} and the mean ${mean(y)}`);
  }
  const [mx, my] = [mean(logs.map(({ x }) => x)), mean(logs.map(({ y }) => y))];
  const sxx = logs.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  const slope = logs.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx;
  const freedom = logs.length - 2;
  if (freedom === 0) return { slope, low: -Infinity, high: Infinity };
  const residual = logs.reduce((sum, { x, y }) => sum + (y - my - slope * (x - mx)) ** 2, 0);
  const reach = jStat.studentt.inv(0.975, freedom) * Math.sqrt(residual / freedom / sxx);
  return { slope, low: slope - reach, high: slope + reach };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
