import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareLaws, fisher, type LayerSample, type SettingSample, welch } from './laws.js';

/** A small generator with a known seed: mulberry32, and Box-Muller over it. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Settings of one layer and one quantity. */
const settingsOf = (samples: readonly LayerSample[]): SettingSample<number>[] =>
  samples.map((sample, place) => ({ layers: [place], samples: () => [sample] }));

const draw = (count: number, value: () => number) => Array.from({ length: count }, value);

describe("Welch's test", () => {
  test('of two pairs is that of Student with two degrees of freedom, 1 - t / sqrt(2 + t^2)', () => {
    // Variances 2 and 2, so t = 4 / sqrt(2).
    expect(welch([0, 2], [4, 6])).toBeCloseTo(1 - 4 / Math.sqrt(2) / Math.sqrt(10), 10);
  });

  test('takes the degrees of freedom of the smaller sample where numbers differ', () => {
    // Means 1 and 6, variances of the means 1/3 and 5/3 / 4, so t^2 = 25 / 0.75 with 2 degrees of freedom.
    expect(welch([0, 1, 2], [4.5, 5.5, 6.5, 7.5])).toBeCloseTo(
      1 - Math.sqrt(25 / 0.75 / (2 + 25 / 0.75)),
      12,
    );
  });

  test('keeps its digits in the far tail', () => {
    const p = welch([1, 2, 3, 4], [1001, 1002, 1003, 1004]);
    expect(p).toBeGreaterThan(1e-20);
    expect(p).toBeLessThan(1e-14);
  });

  test('of samples without spread never goes below what dealing them out could give', () => {
    expect(welch([1, 1, 1], [2, 2, 2])).toBe(2 / 20);
    expect(welch([1, 1, 1], [1, 1, 1, 1])).toBe(1);
  });

  test('is a probability, and the same from both sides', () => {
    const sample = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const p = welch(a, b);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(welch(b, a)).toBeCloseTo(p, 12);
      }),
    );
  });
});

test("Fisher's test is exact: 3 of 4 against 1 of 4 is 34/70", () => {
  expect(fisher(3, 4, 1, 4)).toBeCloseTo(34 / 70, 12);
  expect(fisher(0, 20, 20, 20)).toBeCloseTo(2 / 137846528820, 18);
  expect(fisher(2, 5, 2, 5)).toBeCloseTo(1, 12);
});

describe('two tables', () => {
  test('of one law are the same law, and the smallest p is corrected by the number of comparisons', () => {
    const random = normals(1);
    const samples = draw(50, () => 0).map(() => ({ before: draw(20, random), after: draw(20, random) }));
    const compared = compareLaws(['loss'], settingsOf(samples));
    expect(compared).toMatchObject({ verdict: 'same law', comparisons: 51, pooledOnly: 0 });
  });

  test('of which one setting moved are different there', () => {
    const random = normals(2);
    const samples = draw(50, () => 0).map((_, i) => ({
      before: draw(20, random),
      after: draw(20, random).map((value) => value + (i === 17 ? 4 : 0)),
    }));
    expect(compareLaws(['loss'], settingsOf(samples))).toMatchObject({
      verdict: 'different law',
      smallest: { quantity: 'loss', place: 17, kind: 'welch', count: 20 },
    });
  });

  test('of one draw each are different as a whole, when all settings moved a little', () => {
    const random = normals(3);
    const sample = (factor: number) => [factor * Math.exp(0.3 * random())];
    const samples = draw(200, () => 0).map(() => ({ before: sample(1), after: sample(0.8) }));
    const compared = compareLaws(['loss'], settingsOf(samples));
    expect(compared).toMatchObject({
      verdict: 'different law',
      pooledOnly: 200,
      smallest: { kind: 'pairs', place: null, count: 200 },
    });
    // |shift| is half of the relative change, to first order.
    expect(compared.smallest!.shift).toBeCloseTo(-0.11, 1);
  });

  test('of too few draws to tell are called that', () => {
    const samples = [{ before: [1, 2], after: [100, 200] }];
    expect(compareLaws(['loss'], settingsOf(samples)).verdict).toBe('too few draws');
    expect(compareLaws(['loss'], []).verdict).toBe('too few draws');
  });

  test('differ when draws of one side are missing, though no number differs', () => {
    const all = { before: draw(20, () => 1), after: draw(20, () => 1).map(() => null) };
    expect(compareLaws(['loss'], settingsOf([all]))).toMatchObject({
      verdict: 'different law',
      smallest: { kind: 'fisher', before: 0, after: 20 },
    });
  });

  test('differ in a closed form by any change, and not by its rounding', () => {
    const of = (after: number) => settingsOf([{ before: [0.7, 0.7], after: [after, after] }]);
    expect(compareLaws(['sensitivity_theory'], of(0.701)).verdict).toBe('different law');
    expect(compareLaws(['sensitivity_theory', 'loss'], []).verdict).toBe('too few draws');
    expect(compareLaws(['sensitivity_theory'], of(0.7 + 1e-9)).smallest).toMatchObject({ p: 1 });
  });

  test('do not differ by the rounding of float32, however many draws there are', () => {
    const random = normals(4);
    const angles = (mean: number) => draw(1000, () => mean + 1e-6 * random());
    const samples = settingsOf([{ before: angles(0.5), after: angles(0.5001) }]);
    expect(compareLaws(['bfa_rad'], samples).verdict).toBe('same law');
    expect(compareLaws(['loss'], samples).verdict).toBe('different law');
    expect(compareLaws(['loss'], samples, { atol: 0, rtol: 1e-3 }).verdict).toBe('same law');
  });
});

test('false alarms stay below 5 % over 300 pairs of heavy tails with layers that repeat each other', () => {
  const random = normals(5);
  let alarms = 0;
  for (let pair = 0; pair < 300; pair++) {
    const side = () => draw(5, () => Math.exp(1.5 * random()) * Math.sign(random() + 1));
    const settings = draw(4, () => 0).map((_, place) => {
      const sample = { before: side(), after: side() };
      return { layers: draw(10, () => place), samples: () => new Array(10).fill(sample) };
    });
    if (compareLaws(['loss'], settings).verdict === 'different law') alarms += 1;
  }
  expect(alarms / 300).toBeLessThan(0.05);
});
