import { expect, test } from 'vitest';
import { type Curve, middle, optimumOf, regretAt, resamples } from './optimum.js';

const X = [0.25, 0.5, 1, 2, 4, 8];
/** A parabola in log x with its vertex at `at`, for each draw. */
const parabola = (at: readonly number[], depth = 1): Curve => ({
  x: X,
  y: X.map((x) => at.map((vertex) => depth * Math.log(x / vertex) ** 2 - 3)),
});

test('the optimum of a parabola is its vertex, and its value', () => {
  const found = optimumOf(parabola([1.3]), [0])!;
  expect(found.at).toBeCloseTo(1.3, 12);
  expect(found.value).toBeCloseTo(-3, 12);
  expect(found.censored).toBe('no');
});

test('points that are not evenly spaced do not move it', () => {
  const x = [0.1, 0.9, 1.7, 6];
  const curve = { x, y: x.map((each) => [Math.log(each / 1.2) ** 2]) };
  expect(optimumOf(curve, [0])!.at).toBeCloseTo(1.2, 12);
});

test('an optimum at an end is censored there', () => {
  expect(optimumOf(parabola([0.01]), [0])).toMatchObject({ at: 0.25, censored: 'lower' });
  expect(optimumOf(parabola([90]), [0])).toMatchObject({ at: 8, censored: 'upper' });
});

test('a draw that diverged is as bad as the worst that is there, and a curve without a value has no optimum', () => {
  const { x, y } = parabola([1, 1]);
  const broken = { x, y: y.map((own, i) => (i === 2 ? [Number.NaN, own[1]!] : own)) };
  expect(optimumOf(broken, [0, 1])!.at).not.toBeCloseTo(1, 1);
  expect(optimumOf(broken, [1, 1])!.at).toBeCloseTo(1, 12);
  expect(optimumOf({ x, y: y.map(() => [Number.NaN]) }, [0])).toBeUndefined();
});

test('the regret is the ratio to the least, by straight lines between the points', () => {
  const curve = { x: [1, 4, 16], y: [[2], [1], [3]] };
  expect(regretAt(curve, [0], 4)).toBe(1);
  expect(regretAt(curve, [0], 8)).toBeCloseTo(Math.E, 12);
  expect(regretAt(curve, [0], 100)).toBeCloseTo(Math.E ** 2, 12);
  expect(regretAt(curve, [0], 0.1)).toBeCloseTo(Math.E, 12);
});

test('the bootstrap over draws covers where it should, and is the same each time', () => {
  // Vertices of 8 draws: the mean of their logs is what the mean curve has, known to 0.3 / sqrt(8) at one sigma.
  const vertices = [0.3, -0.2, 0.1, -0.4, 0.25, 0.05, -0.35, 0.2].map((log) => Math.exp(log));
  const curve = parabola(vertices);
  const optima = resamples(8).map((draws) => Math.log(optimumOf(curve, draws)!.at));
  const { low, high } = middle(optima)!;
  expect(low).toBeGreaterThan(-0.3);
  expect(low).toBeLessThan(-0.1);
  expect(high).toBeGreaterThan(0.05);
  expect(high).toBeLessThan(0.3);
  expect(resamples(8)).toEqual(resamples(8));
});
