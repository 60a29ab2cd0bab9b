import { describe, expect, test } from 'vitest';
import { exponentOf } from './exponent.js';

describe('exponentOf', () => {
  test('finds the exponent of a power law, with an interval of rounding errors', () => {
    const { slope, low, high } = exponentOf([4, 8, 16, 64].map((x) => ({ x, y: [3 * x ** -0.5] })));
    expect(slope).toBeCloseTo(-0.5, 12);
    expect(low).toBeCloseTo(-0.5, 9);
    expect(high).toBeCloseTo(-0.5, 9);
  });

  test('fits all draws: those above the law and those below it make up for each other', () => {
    const { slope } = exponentOf([1, 2, 4].map((x) => ({ x, y: [0.5 * x, 1.5 * x] })));
    expect(slope).toBeCloseTo(1, 12);
  });

  test('has the interval of Student: log2 y = 0, 0, 3 at log2 x = 0, 1, 2', () => {
    // Slope 3/2, residual 3/2 with one degree of freedom, sxx 2; t(0.975, 1) = tan(0.475 pi).
    const { slope, low, high } = exponentOf([1, 2, 4].map((x, i) => ({ x, y: [[1, 1, 8][i]!] })));
    const reach = Math.tan(0.475 * Math.PI) * Math.sqrt(1.5 / 2);
    expect(slope).toBeCloseTo(1.5, 12);
    expect([low, high].map((end) => end - slope)).toEqual([
      expect.closeTo(-reach, 6),
      expect.closeTo(reach, 6),
    ]);
  });

  test('knows nothing about the error of a line through two points', () => {
    expect(exponentOf([1, 2].map((x) => ({ x, y: [x] })))).toEqual({
      slope: 1,
      low: -Infinity,
      high: Infinity,
    });
  });

  test('refuses what has no slope', () => {
    expect(() => exponentOf([])).toThrow('expected two different x, got none');
    expect(() => exponentOf([2, 2].map((x) => ({ x, y: [1] })))).toThrow(
      'expected two different x, got 2, 2',
    );
    expect(() => exponentOf([1, 2].map((x) => ({ x, y: [x - 1] })))).toThrow('got x = 1 and y = 0');
    expect(() => exponentOf([1, 2].map((x) => ({ x, y: [] })))).toThrow('got none');
  });
});
