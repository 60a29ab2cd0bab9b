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
