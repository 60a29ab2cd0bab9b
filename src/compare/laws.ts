/**
 * Whether two sets of random networks have the same law, where their numbers cannot be the same.
 *
 *     draws of a setting at a layer -> Welch's t test per quantity          \
 *                                                                            Holm, 5 % in all -> verdict
 *     networks of all settings, in pairs -> one-sample t test per quantity  /
 *
 * The first finds what is wrong in one place and needs 3 draws, the second what is wrong everywhere and needs no more than
 * one draw of many settings. Each has half of the 5 %. Both compare location, not spread.
 */
import jStat from 'jstat';
import { mean, sampleVariance } from 'simple-statistics';
import { QUANTITIES, type Quantity, type QuantityName, quantityEntry } from '../quantities.js';

/** Chance of calling two tables of the same law different. */
export const FAMILY_LEVEL = 0.05;
/** Fewest draws, before and after, that are tested by themselves. */
export const FEWEST_DRAWS = 3;

/** Values of one quantity at one layer of one setting; null is missing. */
export interface LayerSample {
  readonly before: readonly (number | null)[];
  readonly after: readonly (number | null)[];
}

/** One setting, at every layer that both sides have; draws stand in the same order at every layer. */
export interface SettingSample<Place> {
  readonly layers: readonly Place[];
  /** Values of a quantity, by its index, at each of the layers; gathered when they are asked for. */
  samples(quantity: number): readonly LayerSample[];
}

/** A test of one quantity: at a place, or of the whole table. */
export interface LawTest<Place> {
  readonly quantity: string;
  readonly place: Place | null;
  /** `welch`: location of the draws; `fisher`: how many are missing; `closed-form`: no chance is involved; `pairs`: the whole. */
  readonly kind: 'welch' | 'fisher' | 'closed-form' | 'pairs';
  /** Means of what is not missing; for `fisher` the number missing; for `pairs` null, as settings have no common mean. */
  readonly before: number | null;
  readonly after: number | null;
  /** Draws; for `pairs`, pairs of networks. */
  readonly count: number;
  /** Mean of (after - before) / (|after| + |before|), for `pairs`; else null. */
  readonly shift: number | null;
  readonly p: number;
  /** Corrected for the number of comparisons; below 0.05 the laws differ. */
  readonly corrected: number;
}

export interface LawComparison<Place> {
  readonly verdict: 'same law' | 'different law' | 'too few draws';
  readonly comparisons: number;
  /** Layers of settings that have fewer than 3 draws, which only the test of the whole sees. */
  readonly pooledOnly: number;
  /** For each quantity the test with the smallest corrected p, in the order given; absent where nothing could be tested. */
  readonly quantities: readonly LawTest<Place>[];
  /** The smallest of all. */
  readonly smallest: LawTest<Place> | null;
}

export interface LawTolerance {
  readonly atol: number;
  readonly rtol: number;
}

/** Compares the laws of two tables; differences of means within the tolerance, or within float32 rounding, are none. */
export function compareLaws<Place>(
  quantities: readonly string[],
  settings: readonly SettingSample<Place>[],
  tolerance: LawTolerance = { atol: 0, rtol: 0 },
): LawComparison<Place> {
  const local: RawTest<Place>[] = [];
  const whole: RawTest<Place>[] = [];
  const exact: LawTest<Place>[] = [];
  let pooledOnly = 0;
  for (const [q, quantity] of quantities.entries()) {
    const floor = roundingOf(quantity, tolerance);
    const pairs: number[] = [];
    for (const setting of settings) {
      const samples = setting.samples(q);
      for (const [i, place] of setting.layers.entries()) {
        const sample = samples[i]!;
        if (isClosedForm(quantity)) exact.push(...closedFormTest(quantity, place, sample, floor));
        else local.push(...layerTests(quantity, place, sample, floor));
        if (q === 0 && Math.min(sample.before.length, sample.after.length) < FEWEST_DRAWS) pooledOnly += 1;
      }
      if (isClosedForm(quantity)) continue;
      for (const difference of pairDifferences(samples, floor)) pairs.push(difference);
    }
    if (pairs.length > 1) whole.push(pairsTest(quantity, pairs));
  }
  const share = local.length > 0 && whole.length > 0 ? 2 : 1;
  const tests = [...exact, ...holm(whole, share), ...holm(local, share)];
  const smallest = smallestOf(tests);
  const isDecidable = tests.some(
    ({ kind, count }) =>
      kind === 'welch' ||
      kind === 'fisher' ||
      (kind === 'pairs' && share * whole.length * signFlipBound(count) <= FAMILY_LEVEL),
  );
  return {
    verdict:
      smallest && smallest.corrected <= FAMILY_LEVEL
        ? 'different law'
        : isDecidable
          ? 'same law'
          : 'too few draws',
    comparisons: tests.length - exact.length,
    pooledOnly,
    quantities: quantities.flatMap(
      (quantity) => smallestOf(tests.filter((test) => test.quantity === quantity)) ?? [],
    ),
    smallest,
  };
}

type RawTest<Place> = Omit<LawTest<Place>, 'corrected'>;
type Floor = (before: number, after: number) => number;

const entryOf = (quantity: string): Partial<Quantity> =>
  quantity in QUANTITIES ? quantityEntry(quantity as QuantityName) : {};

/** Closed forms are the same for every draw. */
const isClosedForm = (quantity: string): boolean => entryOf(quantity).isTheory === true;

/** What float32 decides and not the law: 1e-5 of a number, and the `rounding` of quantities that have one. */
function roundingOf(quantity: string, { atol, rtol }: LawTolerance): Floor {
  const absolute = entryOf(quantity).rounding ?? 0;
  return (before, after) =>
    Math.max(absolute, 1e-5 * Math.max(Math.abs(before), Math.abs(after)), atol + rtol * Math.abs(before));
}

function closedFormTest<Place>(
  quantity: string,
  place: Place,
  sample: LayerSample,
  floor: Floor,
): LawTest<Place>[] {
  const [before = null, after = null] = [sample.before[0], sample.after[0]];
  if (before === null && after === null) return [];
  const isSame = before !== null && after !== null && Math.abs(after - before) <= floor(before, after);
  const p = isSame ? 1 : 0;
  return [{ quantity, place, kind: 'closed-form', before, after, count: 1, shift: null, p, corrected: p }];
}

/** Welch's test on what is there, and Fisher's on what is missing where anything is. */
function layerTests<Place>(
  quantity: string,
  place: Place,
  sample: LayerSample,
  floor: Floor,
): RawTest<Place>[] {
  const tests: RawTest<Place>[] = [];
  const before = present(sample.before);
  const after = present(sample.after);
  const common = { quantity, place, shift: null };
  if (before.length >= FEWEST_DRAWS && after.length >= FEWEST_DRAWS) {
    const means = [mean(before), mean(after)] as const;
    const isRounding = Math.abs(means[1] - means[0]) <= floor(...means);
    const p = isRounding ? 1 : welch(...onLogScale(before, after));
    const count = Math.min(before.length, after.length);
    tests.push({ ...common, kind: 'welch', before: means[0], after: means[1], count, p });
  }
  const missing = [sample.before.length - before.length, sample.after.length - after.length] as const;
  const isMixed = missing[0] + missing[1] > 0 && before.length + after.length > 0;
  if (isMixed && Math.min(sample.before.length, sample.after.length) >= FEWEST_DRAWS) {
    const p = fisher(missing[0], sample.before.length, missing[1], sample.after.length);
    const count = Math.min(sample.before.length, sample.after.length);
    tests.push({ ...common, kind: 'fisher', before: missing[0], after: missing[1], count, p });
  }
  return tests;
}

const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/**
 * Logarithms where all values have one sign: sizes and losses of random networks spread over factors, and their means
 * are those of a few draws. The rule treats both sides alike, so it makes no difference where there is none.
 */
function onLogScale(before: readonly number[], after: readonly number[]): [number[], number[]] {
  const all = [...before, ...after];
  const sign = all.every((value) => value > 0) ? 1 : all.every((value) => value < 0) ? -1 : 0;
  const scale = (value: number) => (sign === 0 ? value : Math.log(sign * value));
  return [before.map(scale), after.map(scale)];
}

/**
 * Welch's two-sided p for equal means with unequal variances, by the Student law with Satterthwaite's degrees of freedom.
 *
 * With unequal numbers a skewed law deceives the test: 5 draws against 20 gave 4.6 % of false alarms. The degrees of
 * freedom are then those of the smaller sample, the fewest there can be, which gives 1.4 %. Where no sample spreads, p is
 * that of the most extreme of all ways to deal the values out.
 */
export function welch(before: readonly number[], after: readonly number[]): number {
  const difference = mean([...after]) - mean([...before]);
  const a = sampleVariance([...before]) / before.length;
  const b = sampleVariance([...after]) / after.length;
  if (a + b === 0) return difference === 0 ? 1 : 2 / binomial(before.length + after.length, before.length);
  if (!Number.isFinite(a + b)) return 1;
  const share = a / (a + b);
  const satterthwaite = 1 / (share ** 2 / (before.length - 1) + (1 - share) ** 2 / (after.length - 1));
  const freedom = before.length === after.length ? satterthwaite : Math.min(before.length, after.length) - 1;
  return studentTails(difference / Math.sqrt(a + b), freedom);
}

/** P(|T| > |t|): as an incomplete beta function it keeps its digits in the far tail. */
function studentTails(t: number, freedom: number): number {
  return jStat.ibeta(freedom / (freedom + t ** 2), freedom / 2, 0.5);
}

function binomial(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways *= (n - k + i) / i;
  return ways;
}

/** Fisher's exact two-sided p that the shares `missing` of the draws agree. */
export function fisher(missingBefore: number, before: number, missingAfter: number, after: number): number {
  const missing = missingBefore + missingAfter;
  const chance = (k: number) => jStat.hypgeom.pdf(k, before + after, missing, before);
  const observed = chance(missingBefore) * (1 + 1e-9);
  let p = 0;
  for (let k = Math.max(0, missing - after); k <= Math.min(missing, before); k++) {
    const each = chance(k);
    if (each <= observed) p += each;
  }
  return Math.min(1, p);
}

/**
 * For the k-th network before and the k-th after, the mean over layers of (after - before) / (|after| + |before|).
 *
 * Exchanging the two changes its sign, so if their laws are the same it is symmetric about 0, whatever the law: it stays in
 * -1 .. 1, needs no scale, and layers may depend on each other as they like.
 */
function pairDifferences(layers: readonly LayerSample[], floor: Floor): number[] {
  const networks = layers.reduce(
    (most, { before, after }) => Math.max(most, Math.min(before.length, after.length)),
    0,
  );
  return Array.from({ length: networks }, (_, k) => {
    const differences = layers.flatMap(({ before, after }) => {
      const [a = null, b = null] = [before[k], after[k]];
      if (a === null || b === null) return [];
      return Math.abs(b - a) <= floor(a, b) ? 0 : (b - a) / (Math.abs(a) + Math.abs(b));
    });
    return differences.length > 0 ? mean(differences) : Number.NaN;
  }).filter((difference) => !Number.isNaN(difference));
}

/** One-sample t test that the pairs differ by 0 in the mean; p is never below what signs alone could give. */
function pairsTest<Place>(quantity: string, pairs: readonly number[]): RawTest<Place> {
  const shift = mean([...pairs]);
  const variance = sampleVariance([...pairs]) / pairs.length;
  const t = shift === 0 ? 0 : shift / Math.sqrt(variance);
  const p = Math.max(
    studentTails(Math.min(Math.abs(t), 1e100), pairs.length - 1),
    signFlipBound(pairs.length),
  );
  return {
    quantity,
    place: null,
    kind: 'pairs',
    before: null,
    after: null,
    count: pairs.length,
    shift,
    p: shift === 0 ? 1 : Math.min(1, p),
  };
}

/** Chance that symmetric differences all have the same sign. */
const signFlipBound = (count: number): number => 2 ** (1 - count);

/** Holm's step-down correction, valid however the tests depend on each other, times the families that share the level. */
function holm<Place>(tests: readonly RawTest<Place>[], families: number): LawTest<Place>[] {
  const order = tests.map((_, i) => i).sort((i, j) => tests[i]!.p - tests[j]!.p);
  const corrected = new Float64Array(tests.length);
  let last = 0;
  for (const [rank, i] of order.entries()) {
    last = Math.max(last, Math.min(1, families * (tests.length - rank) * tests[i]!.p));
    corrected[i] = last;
  }
  return tests.map((test, i) => ({ ...test, corrected: corrected[i]! }));
}

function smallestOf<Place>(tests: readonly LawTest<Place>[]): LawTest<Place> | null {
  return tests.reduce<LawTest<Place> | null>(
    (best, test) =>
      !best || test.corrected < best.corrected || (test.corrected === best.corrected && test.p < best.p)
        ? test
        : best,
    null,
  );
}
