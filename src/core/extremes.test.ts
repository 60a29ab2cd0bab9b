import { expect, test } from 'vitest';
import { largest, smallest } from './extremes.js';

test('extremes of a million numbers are found, and are those of Math.max and Math.min for few', () => {
  const many = Float64Array.from({ length: 1_000_000 }, (_, i) => Math.sin(i));
  many[777_777] = 2;
  many[888_888] = -2;
  expect([largest(many), smallest(many)]).toEqual([2, -2]);
  for (const few of [[], [3], [1, Number.NaN, 2], [-Infinity, 5], [0, -0]]) {
    expect(largest(few)).toBe(Math.max(...few));
    expect(smallest(few)).toBe(Math.min(...few));
  }
});
