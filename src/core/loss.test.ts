import { describe, expect, test } from 'vitest';
import { LOSSES, type LossName } from './loss.js';

const SHAPE = { samples: 2, width: 1, inputWidth: 1, outputWidth: 3 };
const F = [0.3, -1.2, 2, 5, 0.1, 0.2];
const Y = [0, 1, 0, 1, 0, 0];
const NAMES = Object.keys(LOSSES) as LossName[];

describe.each(NAMES)('the %s loss', (name) => {
  const loss = LOSSES[name];
  const at = (i: number, by: number) => F.map((f, j) => (i === j ? f + by : f));

  test('has the slope that its values have', () => {
    loss.slope(F, Y, SHAPE).forEach((slope, i) => {
      const difference = loss.value(at(i, 1e-5), Y, SHAPE) - loss.value(at(i, -1e-5), Y, SHAPE);
      expect(slope).toBeCloseTo(difference / 2e-5, 8);
    });
  });

  test('has the curvature that its slope has', () => {
    const df = [0.5, 2, -1, 0.1, 0, 3];
    const moved = (t: number) =>
      loss.slope(
        F.map((f, i) => f + t * df[i]!),
        Y,
        SHAPE,
      );
    loss.curvature(F, df, SHAPE).forEach((curvature, i) => {
      expect(curvature).toBeCloseTo((moved(1e-5)[i]! - moved(-1e-5)[i]!) / 2e-5, 8);
    });
  });

  test('changes by what its values differ by, and by as much as its slope says for a step that they do not see', () => {
    const df = [0.5, 2, -1, 0.1, 0, 3];
    const after = F.map((f, i) => f + df[i]!);
    expect(loss.change(F, df, Y, SHAPE)).toBeCloseTo(
      loss.value(after, Y, SHAPE) - loss.value(F, Y, SHAPE),
      12,
    );
    const tiny = df.map((d) => 1e-18 * d);
    const expected = loss.slope(F, Y, SHAPE).reduce((sum, b, i) => sum + b * tiny[i]!, 0);
    expect(loss.change(F, tiny, Y, SHAPE) / expected).toBeCloseTo(1, 12);
  });
});

test('the cross-entropy of a sample that is classified right beyond doubt has all its digits', () => {
  // With f = (a + gap, a): -log p = log(1 + exp(-gap)).
  for (const a of [0, 30, -1e4]) {
    for (const gap of [20, 28, 40, 300]) {
      const exact = Math.log1p(Math.exp(-gap));
      const value = LOSSES['cross-entropy'].value([a + gap, a], [1, 0], {
        ...SHAPE,
        samples: 1,
        outputWidth: 2,
      });
      expect(value / exact).toBeCloseTo(1, 11);
    }
  }
});

test('the cross-entropy of outputs of any size changes by all digits of what they change by', () => {
  const shape = { ...SHAPE, samples: 1 };
  const change = (f: number[], df: number[]) => LOSSES['cross-entropy'].change(f, df, [1, 0, 0], shape);
  for (const size of [1e3, 1e10, 1e30]) {
    // Classified wrong beyond doubt: the loss is the excess of the likeliest class, before and after.
    for (const d of [-1e-7, -0.3, -0.7, -40, 1e-7, 0.3, 29, 31, 700]) {
      expect(change([0.1, size, 0.2], [0.3, 0.3 + d, 2]) / d, `${size} ${d}`).toBeCloseTo(1, 8);
    }
    // Another class becomes the likeliest.
    expect(change([0, size, size], [1, 1, 41]), `${size}`).toBeCloseTo(40 - Math.log(2), 12);
    expect(change([size, 0, 0], [0, 2 * size, 0]) / size).toBeCloseTo(1, 12);
    expect(change([0, size, 0], [2 * size, 0, 0]) / size).toBeCloseTo(-1, 12);
  }
});
