import { beforeAll, describe, expect, test } from 'vitest';
import { GaussianSampler } from '../core/random.js';
import { between, exponentIs, identity, meanWithin } from './checks.js';

let normals: (count: number) => number[];
beforeAll(() => {
  const sampler = new GaussianSampler();
  let layer = 0;
  normals = (count) =>
    Array.from(sampler.draw([{ seed: [1, 2, 3, 4], role: 0, layer: layer++ }], count, [1]));
});

/** How often a check holds, of `runs` with numbers of their own. */
const rate = (runs: number, holds: () => boolean) =>
  Array.from({ length: runs }, holds).filter(Boolean).length / runs;

describe('a mean within a margin', () => {
  const values = (mean: number) => normals(16).map((x) => mean + x);

  // Of 2000 runs, a rate of 0.01 is off by 0.009 with 4 standard errors.
  test('on its edge is told wrong with 0.99', () => {
    const held = rate(2000, () => meanWithin('', values(2), 0, 2).holds);
    expect(Math.abs(held - 0.01)).toBeLessThan(0.009);
  });

  test('is told true with 0.999 where the margin is 7 standard errors, and 15 off is never', () => {
    expect(rate(2000, () => meanWithin('', values(0), 0, 7 / 4).holds)).toBeGreaterThanOrEqual(0.997);
    expect(rate(2000, () => meanWithin('', values(15 / 4), 0, 7 / 4).holds)).toBe(0);
  });

  test('has a reserve in standard errors, beyond the 2.6 of Student t with 15 degrees of freedom', () => {
    const [first, ...rest] = normals(16);
    const check = meanWithin('', [first!, ...rest], 0, 2);
    const error = (check.high! - check.low!) / 2 / 2.131;
    expect(check.reserve).toBeCloseTo((2 - Math.abs(check.measured)) / error - 2.602, 1);
    expect(check.expected).toBe('0 +- 2');
  });

  test('of numbers that agree to the last bit has no reserve', () => {
    expect(meanWithin('', [1, 1, 1], 1, 0.1)).toMatchObject({ holds: true });
    expect(meanWithin('', [1, 1, 1], 1, 0.1).reserve).toBeUndefined();
    expect(meanWithin('', [2, 2, 2], 1, 0.1).holds).toBe(false);
  });
});

describe('an exponent', () => {
  /** Draws of x^p at 1, 2, 4, with noise that all x of a draw share, and noise of their own. */
  const points = (p: number, shared: number, own: number) => {
    const common = normals(16);
    return [1, 2, 4].map((x) => ({
      x,
      y: normals(16).map((noise, i) => x ** p * Math.exp(shared * common[i]! + own * noise)),
    }));
  };

  test('is not blurred by what all x of a draw have in common', () => {
    const { low, high, holds } = exponentIs('', points(0.5, 3, 0.01), 0.5);
    expect(high! - low!).toBeLessThan(0.02);
    expect(holds).toBe(true);
  });

  test('is an interval within the margin, or below its upper end', () => {
    expect(exponentIs('', points(0.3, 0, 0.01), 0.5).holds).toBe(false);
    expect(exponentIs('', points(0.3, 0, 0.01), { atMost: 0.5 }).holds).toBe(true);
    expect(exponentIs('', points(0.5, 0, 1), 0.5).holds).toBe(false);
  });

  test('of one draw, or of unequal numbers of them, is refused', () => {
    expect(() =>
      exponentIs(
        '',
        [
          { x: 1, y: [1] },
          { x: 2, y: [2] },
        ],
        1,
      ),
    ).toThrow('two draws or more');
    expect(() =>
      exponentIs(
        '',
        [
          { x: 1, y: [1, 1] },
          { x: 2, y: [2] },
        ],
        1,
      ),
    ).toThrow('got 2,1');
  });
});

test('an identity is held to its largest deviation, of any sign', () => {
  expect(identity('', [1e-7, -2e-5], 1e-5)).toMatchObject({ measured: 2e-5, holds: false });
  expect(identity('', [1e-7, Number.NaN], 1e-5).holds).toBe(false);
});

test('bounds include their ends', () => {
  expect([between('', 1, 1, 2).holds, between('', 2.1, 1, 2).holds]).toEqual([true, false]);
});
