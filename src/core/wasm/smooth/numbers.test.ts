import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The coefficients that a source puts into the table of the kernels from a place on, from that of the power 0. */
function coefficients(source: string, place: string): number[] {
  const text = readFileSync(new URL(source, import.meta.url), 'utf8');
  return Array.from(
    text.matchAll(new RegExp(`put\\(${place}(?: \\+ (\\d+))?, ([-\\d.e]+)(?: / ([\\d.]+))?\\)`, 'g')),
    ([, offset, above, below], i) => {
      expect(Number(offset ?? 0)).toBe(8 * i);
      return Number(above) / Number(below ?? 1);
    },
  );
}

const at = (polynomial: readonly number[], x: number) =>
  polynomial.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

/** exp(a^2 / 2) P(-a) of the normal law: the exponential less a series of one sign, and Laplace's continued fraction beyond 0.75. */
function mills(a: number): number {
  if (a > 0.75) {
    let fraction = a;
    for (let n = 1500; n >= 1; n--) fraction = a + n / fraction;
    return 1 / (Math.sqrt(2 * Math.PI) * fraction);
  }
  let [term, sum] = [a, a];
  for (let n = 3; n < 80; n += 2) {
    term *= a ** 2 / n;
    sum += term;
  }
  return Math.exp(a ** 2 / 2) / 2 - sum / Math.sqrt(2 * Math.PI);
}

test("Mills' ratio is the quotient of the polynomials to 4e-15 of itself, as far as the kernels ask for it", () => {
  const [above, below] = ['MILLS', 'MILLS_BELOW'].map((place) => coefficients('normal.as.ts', place));
  expect([above!.length, below!.length]).toEqual([9, 10]);
  for (let a = 0; a <= 20; a += 1 / 128)
    expect(Math.abs(at(above!, a) / at(below!, a) / mills(a) - 1)).toBeLessThan(4e-15);
});

test('an exponential is (R + r) / (R - r) to 4e-15 of itself, within half a power of two', () => {
  const even = coefficients('pairs.as.ts', 'EVEN');
  expect(even.length).toBe(6);
  for (let r = -Math.LN2 / 2; r <= Math.LN2 / 2; r += 1e-3) {
    const R = at(even, r ** 2);
    expect(Math.abs((R + r) / (R - r) / Math.exp(r) - 1)).toBeLessThan(4e-15);
  }
});
