import { describe, expect, test } from 'vitest';
import {
  angleLimits,
  type LimitCase,
  missingForAngle,
  missingForSensitivity,
  sensitivityAt,
} from './limits.js';

const limitCase = (over: Partial<LimitCase> = {}): LimitCase => ({
  architecture: 'resnet',
  activation: 'relu',
  depth: 40,
  width: 400,
  samples: 1,
  outputs: 1,
  branchScale: 1,
  sigma: { input: 1 / Math.sqrt(10), hidden: Math.sqrt(2 / 400), output: 1 / 400 },
  isNormalized: false,
  isScaleInvariant: true,
  loss: 'squared',
  train: 'hidden',
  steps: 1,
  stepSize: undefined,
  ...over,
});
const unit = { input: 1, target: 1 };

describe('the limit of an update is that of the velocity', () => {
  test.each([
    ['1a and 1b', 200, 0.001],
    ['1c', 500, 0.001],
    ['2a', 40, 0.01],
  ])('at the steps of figure %s', (_, depth, stepSize) => {
    const c = limitCase({ depth });
    expect(angleLimits({ ...c, stepSize }, unit)).toEqual(angleLimits(c, unit));
  });

  test('and is none where features change by a fifth of their size, which first happens in the last layers', () => {
    // |df| / |f| = dt (N / L) / (cos(theta) |y| |f|_rms), and cos^2 = 3N / (2N^2 + 1).
    const change = (N: number, dt: number) =>
      (dt * N * Math.sqrt(10) * Math.sqrt((2 * N ** 2 + 1) / (3 * N))) / 40;
    const angles = angleLimits(limitCase({ stepSize: 0.02 }), unit);
    for (let v = 2; v < 40; v++) expect(Number.isFinite(angles[v]!)).toBe(change(v - 1, 0.02) <= 0.2);
    expect(angles[39]).toBeNaN();
    expect(angles[20]).toBeGreaterThan(0);
  });

  test('smaller targets and inputs make the same step larger', () => {
    const c = limitCase({ stepSize: 0.01 });
    const last = (input: number, target: number) => angleLimits(c, { input, target })[39];
    expect(last(1, 1)).toBeGreaterThan(0);
    expect(last(1, 0.5)).toBeNaN();
    expect(last(0.5, 1)).toBeNaN();
  });
});

test('S is 1 / (cos(theta) |y|) with sigma_L = 1/m, and 1 where Eq. 7 sets it', () => {
  const c = limitCase();
  const angles = angleLimits(c, unit);
  const S = 1 / Math.cos(angles[39]!);
  expect(sensitivityAt(c, angles, unit)).toBeCloseTo(S, 12);
  expect(sensitivityAt(c, angles, { input: 1, target: 5 })).toBeCloseTo(S / 5, 12);
  expect(sensitivityAt({ ...c, isNormalized: true }, angles, { input: 1, target: 5 })).toBe(1);
});

test('where f_L is random and as large as the target S is none, but for a linear loss', () => {
  // tau = |f|_rms = |x| / sqrt(10)
  const c = limitCase({ sigma: { ...limitCase().sigma, output: 1 / Math.sqrt(400) } });
  const angles = angleLimits(c, unit);
  expect(sensitivityAt(c, angles, unit)).toBeGreaterThan(0);
  expect(sensitivityAt(c, angles, { input: 2, target: 1 })).toBeNaN();
  expect(sensitivityAt({ ...c, loss: 'linear' }, angles, { input: 2, target: 1 })).toBeGreaterThan(0);
});

test('what is missing is said, and nothing where a limit is known', () => {
  expect(missingForAngle(limitCase(), unit)).toBeUndefined();
  expect(missingForSensitivity(limitCase(), unit, unit)).toBeUndefined();
  const cases: [Partial<LimitCase>, string][] = [
    [{ samples: 2 }, 'one sample'],
    [{ activation: 'tanh' }, 'relu or linear'],
    [{ isScaleInvariant: false }, 'learning rates "scale-invariant"'],
    [{ sigma: { ...limitCase().sigma, hidden: 0.1 } }, 'sigmaHidden "critical"'],
    [{ train: 'some' }, 'step.train "hidden" or "all"'],
    [{ steps: 2 }, 'step.count 1'],
    [{ branchScale: 0 }, 'branches'],
    [{ stepSize: 5 }, 'a small step'],
  ];
  for (const [over, need] of cases) {
    expect(missingForAngle(limitCase(over), unit)?.[0]).toBe(need);
    expect(missingForSensitivity(limitCase(over), unit, unit)?.[0]).toBe(need);
    expect(angleLimits(limitCase(over), unit).every(Number.isNaN)).toBe(true);
  }
  expect(missingForSensitivity(limitCase({ outputs: 2 }), unit, unit)?.[0]).toBe('one output');
});
