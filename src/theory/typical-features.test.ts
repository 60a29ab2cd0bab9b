import { describe, expect, test } from 'vitest';
import { typicalFeatures } from './typical-features.js';

const critical = (widths: readonly number[]) => ({
  input: 1,
  hidden: widths.slice(0, -1).map((m) => Math.sqrt(2 / m)),
});

/** log of the typical size over that of infinite width, sqrt(1/2) |x|. */
const shrinkage = (widths: readonly number[]) =>
  Math.log(typicalFeatures(widths, critical(widths), 1).at(-1)! * Math.SQRT2);

const layers = (count: number, of: (l: number) => number) =>
  Array.from({ length: count }, (_, i) => of(i + 1));
const EULER = 0.577_215_664_901_532_9;

test('one unit that is open has |g| of the law of |h|: E log h^2 = -gamma - log 2', () => {
  const [, first] = typicalFeatures([1], { input: 3, hidden: [] }, 2);
  expect(first).toBeCloseTo(6 * Math.exp((-EULER - Math.LN2) / 2), 12);
});

test('two units: both open with probability 1/3, given that one is, and then E log chi^2_2 = log 2 - gamma', () => {
  const [, first] = typicalFeatures([2], { input: 1, hidden: [] }, 1);
  const mean = (2 * (-EULER - Math.LN2) + (Math.LN2 - EULER)) / 3 - Math.LN2;
  expect(first).toBeCloseTo(Math.exp(mean / 2), 12);
});

test('the product over layers takes every scale with it', () => {
  const widths = [30, 50, 40];
  const all = typicalFeatures(widths, { input: 0.3, hidden: [0.2, 0.5] }, 4);
  const own = typicalFeatures(widths, critical(widths), 1);
  const factor = (0.3 * 4 * (0.2 * 0.5)) / ((Math.sqrt(2 / 30) * Math.sqrt(2 / 50)) as number);
  expect(all[3]! / own[3]!).toBeCloseTo(factor, 10);
});

describe('a typical network of wide layers shrinks', () => {
  test.each([
    ['as exp(-5 v / (4 m)) at one width', layers(100, () => 1000), -(5 / 4) * (100 / 1000)],
    ['as the harmonic sum at widths that grow linearly', layers(200, (l) => 500 + 40 * l), undefined],
    ['hardly at widths that grow as squares', layers(60, (l) => 200 * l * l), undefined],
  ])('%s', (_, widths, expected) => {
    const sum = widths.reduce((total, m) => total + 1 / m, 0);
    expect(shrinkage(widths)).toBeCloseTo(expected ?? -(5 / 4) * sum, 3);
  });

  test('by less than a percent a layer off the first order from 20 units on', () => {
    for (const m of [20, 64, 400]) expect(Math.abs(shrinkage([m]) + 5 / (4 * m))).toBeLessThan(0.01);
  });
});

test('of all widths with one sum equal ones shrink least', () => {
  expect(shrinkage(layers(20, () => 84))).toBeGreaterThan(shrinkage(layers(20, (l) => 8 * l)));
});

test('thousands of units have no overflow, and no gap at the ends of the sum', () => {
  for (const m of [3, 5, 17, 10_000, 99_999]) expect(shrinkage([m])).toBeLessThan(0);
});
