import { describe, expect, test } from 'vitest';
import { bfaLimit, conjecturedAngle, sensitivityLimit } from './bfa.js';

describe('at branch scale 1 the angle of the ReLU MLP is cos = sqrt(3N / (2N^2 + 1))', () => {
  test.each([3, 10, 200])('depth %i', (depth) => {
    const angles = bfaLimit({ activation: 'relu', depth, branchScale: 1 });
    for (let v = 2; v < depth; v++) {
      const N = v - 1;
      expect(Math.cos(angles[v]!)).toBeCloseTo(Math.sqrt((3 * N) / (2 * N ** 2 + 1)), 12);
    }
  });
});

test('the first trained layer moves along -b, whatever the branch scale', () => {
  for (const activation of ['relu', 'linear'] as const) {
    for (const branchScale of [0.01, 0.5, 1]) {
      expect(bfaLimit({ activation, depth: 9, branchScale })[2]).toBeCloseTo(0, 7);
    }
  }
});

test('a network without branches has no angle', () => {
  expect(bfaLimit({ activation: 'relu', depth: 5, branchScale: 0 }).every(Number.isNaN)).toBe(true);
});

test.each([
  [0.5, 0.3965],
  [1, 0.721],
  [2, 1.0829],
  [4, 1.3215],
])('phi(%f) = %f', (c, angle) => expect(conjecturedAngle(c)).toBeCloseTo(angle, 4));

test('phi(c) is sqrt(2/3) c for small c and cos phi is 1/c for large c', () => {
  expect(conjecturedAngle(1e-3) / 1e-3).toBeCloseTo(Math.sqrt(2 / 3), 4);
  expect(Math.cos(conjecturedAngle(30)) * 30).toBeCloseTo(1, 2);
});

test('the angle at finite depth tends to phi(c) as 1/L', () => {
  for (const c of [0.5, 1, 3]) {
    const error = (depth: number) =>
      conjecturedAngle(c) -
      bfaLimit({ activation: 'relu', depth, branchScale: c / Math.sqrt(depth) })[depth - 1]!;
    expect(error(2000)).toBeLessThan(1e-3);
    expect(error(1000) / error(2000)).toBeCloseTo(2, 1);
  }
});

test('the linear ResNet at beta = c/sqrt(L) tends to cos phi = (1 + 2 c^2 / 3)^(-1/2)', () => {
  const depth = 20_000;
  const angle = bfaLimit({ activation: 'linear', depth, branchScale: 1.5 / Math.sqrt(depth) })[depth - 1]!;
  expect(Math.cos(angle)).toBeCloseTo((1 + (2 * 1.5 ** 2) / 3) ** -0.5, 4);
});

test('the sensitivity of FSC tends to sqrt(2/3) with depth, that of MF+muP grows as sqrt(2L/3)', () => {
  const depth = 5000;
  const angle = bfaLimit({ activation: 'relu', depth, branchScale: 1 })[depth - 1]!;
  expect(sensitivityLimit(angle, 400, Math.sqrt(depth) / 400)).toBeCloseTo(Math.sqrt(2 / 3), 3);
  expect(sensitivityLimit(angle, 400, 1 / 400) / Math.sqrt((2 * depth) / 3)).toBeCloseTo(1, 3);
});
