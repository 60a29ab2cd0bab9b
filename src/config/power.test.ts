import fc from 'fast-check';
import { expect, test } from 'vitest';
import { power } from './power.js';

test.each([
  [2, 10, 1024],
  [-2, 3, -8],
  [-2, 63, -(2 ** 63)],
  [-1, 65, -1],
  [-1, 66, 1],
  [10, -3, 0.001],
  [4, 0.5, 2],
  [4, -0.5, 0.5],
  [9, 1.5, 27],
  [0, 0, 1],
  [0, -1, Infinity],
  [0, 0.3, 0],
  [-8, 1 / 3, Number.NaN],
  [-4, 0.5, Number.NaN],
  [Number.NaN, 2, Number.NaN],
  [10, 400, Infinity],
])('%d to the power %d is %d, exactly', (base, exponent, value) => {
  expect(power(base, exponent)).toBe(value);
});

test('powers of positive numbers are within 1e-13 of those of the engine', () => {
  const base = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
  const exponent = fc.oneof(
    fc.double({ min: -4, max: 4, noNaN: true }),
    fc.integer({ min: -80, max: 80 }).map((halves) => halves / 2),
  );
  fc.assert(
    fc.property(base, exponent, (x, y) => {
      const engine = x ** y;
      fc.pre(engine > 1e-290 && engine < 1e290);
      expect(Math.abs(power(x, y) / engine - 1)).toBeLessThan(1e-13);
    }),
  );
});
