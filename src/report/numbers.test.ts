import { expect, test } from 'vitest';
import { decimalsOf, formatNumber } from './numbers.js';

test.each([
  [0.0357142, '0.0357'],
  [-1.5, '−1.5'],
  [0.000567, '5.67 × 10⁻⁴'],
  [-3e-12, '−3 × 10⁻¹²'],
  [4096, '4096'],
  [12_345_678, '1.23 × 10⁷'],
  [0, '0'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
])('%d reads %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test('an error decides on two digits of itself', () => {
  expect([0.017, 0.0021, 0.23, 1.2, 25].map(decimalsOf)).toEqual([3, 4, 2, 1, 0]);
});
