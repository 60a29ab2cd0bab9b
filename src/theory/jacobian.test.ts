import { describe, expect, test } from 'vitest';
import { spectrumEnds } from './jacobian.js';

/** chi(z) = z exp(-2 t z) / (1 + z), whose extrema are the inverse ends. */
const chi = (z: number, t: number) => (z * Math.exp(-2 * t * z)) / (1 + z);

describe('the ends of the spectrum of J J^T', () => {
  test.each([0.1, 1, 4])('are the extrema of the inverse moment series, t = %d', (t) => {
    const { least, largest } = spectrumEnds(t);
    const grid = Array.from({ length: 20_000 }, (_, i) => (i + 1) / 4000);
    const most = grid.reduce((max, z) => Math.max(max, chi(z, t)), 0);
    // The other branch, z < -1, where chi is positive too.
    const fewest = grid.reduce((min, z) => Math.min(min, chi(-1 - z, t)), Infinity);
    expect(most * largest).toBeCloseTo(1, 4);
    expect(fewest * least).toBeCloseTo(1, 4);
  });

  test('are those of a semicircle of variance 2 t at small t', () => {
    const t = 1e-6;
    const { least, largest } = spectrumEnds(t);
    expect((largest - 1) / (2 * Math.sqrt(2 * t))).toBeCloseTo(1, 2);
    expect((1 - least) / (2 * Math.sqrt(2 * t))).toBeCloseTo(1, 2);
  });

  test.each([0.5, 1, 2])(
    'have the product exp(-2 t), as J and its inverse have one law but for the scale, t = %d',
    (t) => {
      const { least, largest } = spectrumEnds(t);
      expect(least * largest).toBeCloseTo(Math.exp(-2 * t), 12);
    },
  );
});
