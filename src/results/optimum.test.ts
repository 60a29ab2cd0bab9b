import { describe, expect, test } from 'vitest';
import { type Curve, interval, optimumOf, regretAt, resamples } from './optimum.js';

const X = [0.25, 0.5, 1, 2, 4, 8];
/** A parabola in log x with its vertex at `at`, for each draw. */
const parabola = (at: readonly number[], depth = 1): Curve => ({
  x: X,
  y: X.map((x) => at.map((vertex) => depth * Math.log(x / vertex) ** 2 - 3)),
});
const NONE = Number.NaN;

/** Numbers in (0, 1), always the same. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return (state + 0.5) / 0x1_0000_0000;
  };
}
const normal = (next: () => number) => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());

describe('the fit of an optimum', () => {
  test('is the vertex of a parabola, and its value', () => {
    const found = optimumOf(parabola([1.3]), [0])!;
    expect(found.at).toBeCloseTo(1.3, 12);
    expect(found.value).toBeCloseTo(-3, 12);
    expect(found.censored).toBe('no');
  });

  test('finds the vertex of a hundred parabolas on points of any spacing, moves with x, and not with a factor of the quantity', () => {
    const next = uniform(7);
    for (let round = 0; round < 100; round++) {
      const x = [Math.exp(-4)];
      while (x.length < 4 + (round % 7)) x.push(x.at(-1)! * Math.exp(0.2 + next()));
      const at = Math.exp(Math.log(x[1]!) + next() * Math.log(x.at(-2)! / x[1]!));
      const sharp = 0.01 + 0.15 * next();
      const y = x.map((each) => [sharp * Math.log(each / at) ** 2]);
      const { at: found } = optimumOf({ x, y }, [0])!;
      expect(found / at).toBeCloseTo(1, 9);
      const moved = optimumOf({ x: x.map((each) => 3 * each), y: y.map(([log]) => [log! + 2]) }, [0])!;
      expect(moved.at / (3 * found)).toBeCloseTo(1, 9);
    }
  });

  test('is never farther than the neighbours of the lowest point, whatever the curve', () => {
    const next = uniform(11);
    for (let round = 0; round < 100; round++) {
      const y = X.map(() => Array.from({ length: 3 }, () => (next() < 0.2 ? NONE : normal(next))));
      const found = optimumOf({ x: X, y }, [0, 1, 2]);
      if (!found) continue;
      expect(found.at).toBeGreaterThanOrEqual(X[0]!);
      expect(found.at).toBeLessThanOrEqual(X.at(-1)!);
      expect(found.censored !== 'no').toBe(found.at === X[0] || found.at === X.at(-1));
      expect(optimumOf({ x: X, y }, [2, 0, 1])!.at / found.at).toBeCloseTo(1, 9);
      for (const x of [0.1, 0.3, 1, 1.7, 5, 20]) {
        expect(regretAt({ x: X, y }, [0, 1, 2], x)).toBeGreaterThanOrEqual(1 - 1e-12);
      }
    }
  });

  test('is censored at an end', () => {
    expect(optimumOf(parabola([0.01]), [0])).toMatchObject({ at: 0.25, censored: 'lower' });
    expect(optimumOf(parabola([90]), [0])).toMatchObject({ at: 8, censored: 'upper' });
  });

  test('of two points that are equally low lies between them, and of a flat curve is censored', () => {
    const at = (...logs: number[]) => optimumOf({ x: X, y: logs.map((log) => [log]) }, [0])!;
    expect(at(3, 1, 0, 0, 1, 3).at).toBeCloseTo(Math.sqrt(2), 12);
    expect(at(1, 1, 1, 1, 1, 1).censored).not.toBe('no');
  });

  test('does not dip beside a point that exploded', () => {
    const at = (...logs: number[]) => optimumOf({ x: X, y: logs.map((log) => [log]) }, [0])!;
    const beside = at(2, 1, 0.2, 0, 40, 90);
    expect(beside.value).toBeGreaterThan(-1 / 8);
    expect(beside).toEqual(at(2, 1, 0.2, 0, 1, 90));
    // And what it costs to go there is by straight lines.
    const curve = { x: X, y: [2, 1, 0.2, 0, 40, 90].map((log) => [log]) };
    expect(Math.log(regretAt(curve, [0], Math.sqrt(8))!)).toBeCloseTo(20 - beside.value, 9);
  });

  test('takes a draw that diverged for as bad as the worst that is there', () => {
    const { x, y } = parabola([1, 1]);
    const broken = { x, y: y.map((own, i) => (i === 2 ? [NONE, own[1]!] : own)) };
    expect(optimumOf(broken, [0, 1])!.at).not.toBeCloseTo(1, 1);
    expect(optimumOf(broken, [1, 1])!.at).toBeCloseTo(1, 12);
  });

  test('is the one point that is there where all others diverged, and nothing where all did', () => {
    const only = X.map((_, i) => [i === 3 ? -1 : NONE]);
    expect(optimumOf({ x: X, y: only }, [0])).toEqual({ at: 2, value: -1, censored: 'no' });
    const none = X.map(() => [NONE, NONE]);
    expect(optimumOf({ x: X, y: none }, [0, 1])).toBeUndefined();
    expect(regretAt({ x: X, y: none }, [0, 1], 1)).toBeUndefined();
  });
});

test('the regret is the ratio to the optimum: by its parabola, by straight lines beyond it, and flat beyond the ends', () => {
  const curve = { x: [0.25, 1, 4, 16, 64], y: [[7], [2], [1], [2], [7]] };
  expect(regretAt(curve, [0], 4)).toBe(1);
  expect(regretAt(curve, [0], 8)).toBeCloseTo(Math.exp(0.25), 12);
  expect(regretAt(curve, [0], 16)).toBeCloseTo(Math.E, 12);
  expect(regretAt(curve, [0], 32)).toBeCloseTo(Math.exp(3.5), 9);
  expect(regretAt(curve, [0], 1000)).toBeCloseTo(Math.exp(6), 9);
  expect(regretAt(curve, [0], 0.1)).toBeCloseTo(Math.exp(6), 9);
  const shifted = parabola([1.3]);
  expect(regretAt(shifted, [0], 1.3)).toBeCloseTo(1, 12);
});

describe('the interval', () => {
  test('is over all choices that few draws have, each as often as it comes up', () => {
    const choices = resamples(3);
    expect(choices).toHaveLength(10);
    expect(choices.reduce((sum, { weight }) => sum + weight, 0)).toBe(27);
    expect(choices.find(({ draws }) => draws.join() === '0,1,2')!.weight).toBe(6);
    expect(resamples(5)).toHaveLength(126);
    expect(resamples(8)).toEqual(resamples(8));
  });

  test('leaves out what no choice gives, and is none where none gives anything', () => {
    const choices = resamples(2);
    expect(interval(choices, [1, undefined, 3])).toEqual({ low: 1, high: 3 });
    expect(interval(choices, [undefined, undefined, undefined])).toBeUndefined();
  });

  // The share of 500 experiments in which the interval has the vertex of the law. A share of p strays by 4.5 sqrt(p (1 - p) / 500)
  // for 7 seeds of a million; beyond that the fit or the interval is another.
  test.each([
    [3, 0.75],
    [5, 0.92],
    [8, 0.94],
  ])('of %i draws covers in a share of %d', (draws, share) => {
    const next = uniform(2_463_534_242 + draws);
    const choices = resamples(draws);
    const law = 0.37;
    const covered = Array.from({ length: 500 }, () => {
      const vertices = Array.from({ length: draws }, () => law + 0.3 * normal(next));
      const y = X.map((x) => vertices.map((vertex) => (Math.log(x) - vertex) ** 2 / 2 + 0.05 * normal(next)));
      const at = choices.map((choice) => optimumOf({ x: X, y }, choice.draws)!.at);
      const { low, high } = interval(choices, at)!;
      return Math.log(low) <= law && law <= Math.log(high) ? 1 : 0;
    }).reduce((sum: number, one) => sum + one, 0);
    expect(Math.abs(covered / 500 - share)).toBeLessThan(4.5 * Math.sqrt((share * (1 - share)) / 500));
  });
});
