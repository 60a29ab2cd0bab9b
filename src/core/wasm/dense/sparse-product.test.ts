import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type Backend, openBackend } from '../../backend.js';
import { outerProducts, product } from '../../ops.js';
import { GaussianSampler } from '../../random.js';

let backend: Backend;
beforeAll(async () => {
  backend = await openBackend('wasm');
});

const sampler = new GaussianSampler();
const normals = (count: number, seed: number) =>
  sampler.draw([{ seed: [seed, 1, 2, 3], role: 0, layer: 0 }], count, [1]).slice();

/** Of normal numbers all but a share, which are +0 and -0 by turns. */
function withZeros(count: number, share: number, seed: number): Float32Array {
  const others = normals(count, seed + 1);
  // |z| < q of a normal z with a probability that rises from 0 to 1 with `share`.
  const bound = share >= 1 ? Infinity : share * 1.35;
  return normals(count, seed).map((x, i) => (Math.abs(others[i]!) < bound ? (i % 2 === 0 ? 0 : -0) : x));
}

interface Factors {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Of each lane, [rows x inner] and [inner x columns]. */
  readonly a: readonly Float32Array[];
  readonly b: readonly Float32Array[];
}

/** A B of each lane, every entry summed in float32 in the order of the inner index, and with all terms. */
function summed({ rows, inner, columns, a, b }: Factors): number[] {
  return a.flatMap((own, lane) => {
    const out = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < inner; k++) {
        const x = own[i * inner + k]!;
        for (let j = 0; j < columns; j++) {
          out[i * columns + j]! += Math.fround(x * b[lane]![k * columns + j]!);
        }
      }
    }
    return Array.from(out);
  });
}

const turned = (x: Float32Array, rows: number, columns: number) =>
  Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
const joined = (parts: readonly Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));

/** The same by the backend: of A as it is, and of A as its transpose. */
function multiplied({ rows, inner, columns, a, b }: Factors): number[][] {
  const lanes = a.length;
  return tf.tidy(() => {
    const right = backend.upload<tf.Rank.R3>(joined(b), [lanes, inner, columns]);
    const left = backend.upload<tf.Rank.R3>(joined(a), [lanes, rows, inner]);
    const transposed = joined(a.map((own) => turned(own, rows, inner)));
    const other = backend.upload<tf.Rank.R3>(transposed, [lanes, inner, rows]);
    const both = [product(left, right), outerProducts(other, right)];
    return both.map((result) => Array.from(result.dataSync<'float32'>()));
  });
}

function expectBits(factors: Factors): void {
  const expected = summed(factors);
  for (const values of multiplied(factors)) expect(values).toEqual(expected);
}

test('every entry has the bits of the sum with all zeros, whatever the sizes, their share and the lanes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 150 }),
      fc.integer({ min: 1, max: 280 }),
      fc.integer({ min: 1, max: 70 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
      fc.nat(1e6),
      (rows, inner, columns, shares, seed) => {
        expectBits({
          rows,
          inner,
          columns,
          a: shares.map((share, lane) => withZeros(rows * inner, share, seed + 10 * lane)),
          b: shares.map((_, lane) => normals(inner * columns, seed + 10 * lane + 5)),
        });
      },
    ),
    { seed: 1, numRuns: 60 },
  );
});

const [ROWS, INNER, COLUMNS] = [70, 130, 31];
const factors = (over: Partial<Factors> = {}): Factors => ({
  rows: ROWS,
  inner: INNER,
  columns: COLUMNS,
  a: [withZeros(ROWS * INNER, 0.5, 1)],
  b: [normals(INNER * COLUMNS, 2)],
  ...over,
});

test('zeros give +0, never -0', () => {
  const a = withZeros(ROWS * INNER, 1, 1);
  for (const values of multiplied(factors({ a: [a] }))) {
    expect(values.every((value) => Object.is(value, 0))).toBe(true);
  }
});

test('zero times what is not finite is no number, as without leaving out; in its lane alone', () => {
  for (const beyond of [Infinity, -Infinity, Number.NaN]) {
    for (const at of [0, 5 * COLUMNS + 7, INNER * COLUMNS - 1]) {
      const b = [normals(INNER * COLUMNS, 2), normals(INNER * COLUMNS, 3)];
      b[0]![at] = beyond;
      const both = factors({ a: [1, 2].map((seed) => withZeros(ROWS * INNER, 0.5, seed)), b });
      expectBits(both);
      expect(
        summed(both)
          .slice(0, ROWS * COLUMNS)
          .some(Number.isNaN),
      ).toBe(true);
      expect(
        summed(both)
          .slice(ROWS * COLUMNS)
          .every(Number.isFinite),
      ).toBe(true);
    }
  }
});

test('what is not finite is never taken for a zero, and terms below the range of float32 are', () => {
  for (const x of [Infinity, Number.NaN, 1e-45, 3e38]) {
    const a = withZeros(ROWS * INNER, 0.7, 1);
    for (let i = 0; i < a.length; i += 97) a[i] = x;
    expectBits(factors({ a: [a] }));
    expectBits(factors({ a: [a], b: [normals(INNER * COLUMNS, 2).map((y) => 1e-20 * y)] }));
  }
});
