import * as tf from '@tensorflow/tfjs-core';
import { getKernel } from '@tensorflow/tfjs-core';
import { expect, inject, test } from 'vitest';
import type { BackendName } from '../backends.js';
import { type Backend, openBackend } from './backend.js';
import {
  addScaled,
  filled,
  innerProducts,
  outerProducts,
  plus,
  plusInPlace,
  product,
  reluDifference,
  reluTangent,
  transpose,
} from './ops.js';
import { GaussianSampler } from './random.js';
import { FUSED } from './wasm/fused-kernels.js';

const sampler = new GaussianSampler();
const normals = (count: number, seed: number) =>
  sampler.draw([{ seed: [seed, 1, 2, 3], role: 0, layer: 0 }], count, [1]).slice();

type Shape = [number, number, number];

const ops = {
  addScaled,
  innerProducts,
  outerProducts,
  product,
  reluDifference,
  reluTangent,
  transpose,
} as const;

/** The result of an operation on a backend, for the same random arguments on each. */
async function on(
  name: BackendName,
  shapes: readonly Shape[],
  operation: (...tensors: tf.Tensor3D[]) => tf.Tensor3D,
) {
  const backend: Backend = await openBackend(name);
  return tf.tidy(() => {
    const tensors = shapes.map((shape, i) =>
      backend.upload<tf.Rank.R3>(normals(shape[0] * shape[1] * shape[2], i), shape),
    );
    const result = operation(...tensors);
    return { shape: result.shape, values: Array.from(result.dataSync()) };
  });
}

const shape = (...lengths: number[]) => lengths as Shape;

test('the wasm backend has every kernel of ours', async () => {
  await openBackend('wasm');
  for (const kernel of FUSED) expect(getKernel(kernel, 'wasm')).toBeDefined();
});

test('the wasm backend refuses what its heap has no room for, where the library writes over other tensors', async () => {
  await openBackend('wasm');
  const before = tf.memory().numTensors;
  const take = (bytes: number) => filled([1, 1, bytes / 4], () => {});
  const taken: tf.Tensor[] = [];
  expect(() => {
    while (taken.length < 8) taken.push(take(1e9)); // addresses alone, as nothing is written
  }).toThrow(/^no room for 1000 MB in the 4 GB of the wasm backend$/);
  expect(taken.length).toBeGreaterThanOrEqual(3);
  tf.dispose(taken);
  expect(() => take(4.4e9)).toThrow(/^no room for 4400 MB/);
  expect(tf.memory().numTensors).toBe(before);
});

test('a clone shares its numbers, and they stay when the other goes', async () => {
  const backend = await openBackend('wasm');
  const original = backend.upload<tf.Rank.R3>(Float32Array.of(1, 2, 3), [1, 1, 3]);
  const buffers = tf.memory().numDataBuffers;
  const clone = tf.clone(original);
  expect(tf.memory().numDataBuffers).toBe(buffers);
  original.dispose();
  expect(Array.from(clone.dataSync())).toEqual([1, 2, 3]);
  clone.dispose();
  expect(tf.memory().numDataBuffers).toBe(buffers - 1);
});

const CASES = [
  ...[1, 3, 4, 17, 64].flatMap((m) => [
    ['addScaled', [shape(3, 2, m), shape(3, 1, 1), shape(3, 2, m)]] as const,
    ['reluTangent', [shape(2, 1, m), shape(2, 1, m)]] as const,
    ['reluDifference', [shape(2, 1, m), shape(2, 1, m)]] as const,
  ]),
  // Rows, inner and columns below, at, and off the block of 4 x 8.
  ...[1, 3, 4, 5, 9].flatMap((n) =>
    [1, 7, 8, 13].flatMap((m) => [
      ['transpose', [shape(3, n, m)]] as const,
      ['product', [shape(2, n, 6), shape(2, 6, m)]] as const,
      ['outerProducts', [shape(2, 6, n), shape(2, 6, m)]] as const,
      ['innerProducts', [shape(2, n, m), shape(2, 5, m)]] as const,
    ]),
  ),
] as const;

test.each(CASES)('%s of %j is the same as on cpu by the library', async (name, shapes) => {
  const operation = ops[name] as (...tensors: tf.Tensor3D[]) => tf.Tensor3D;
  const expected = await on('cpu', shapes as never, operation);
  const result = await on(inject('backend'), shapes as never, operation);
  expect(result.shape).toEqual(expected.shape);
  result.values.forEach((value, i) => {
    expect(value).toBeCloseTo(expected.values[i]!, 5);
  });
});

test('a sum in place has the bits of one that is not, and the backend makes no tensor for it where it can', async () => {
  const backend = await openBackend(inject('backend'));
  const [y, x] = [1, 2].map((seed) => backend.upload<tf.Rank.R3>(normals(2 * 3 * 7, seed), [2, 3, 7]));
  for (const factors of [
    [0.3, -2],
    [0, 1e30],
  ]) {
    const expected = tf.tidy(() => Array.from(plus(y!, factors, x!).dataSync()));
    const own = backend.upload<tf.Rank.R3>(Float32Array.from(y!.dataSync()), [2, 3, 7]);
    const before = tf.memory().numTensors;
    const sum = tf.tidy(() => plusInPlace(own, factors, x!));
    expect(Array.from(sum.dataSync())).toEqual(expected);
    expect(tf.memory().numTensors - before).toBe(sum === own ? 0 : 1);
    if (inject('backend') === 'wasm') expect(sum === own).toBe(factors[1] === -2);
    tf.dispose([own, sum]);
  }
  tf.dispose([y!, x!]);
});

test('a relu difference keeps the digits of a change far smaller than the features', async () => {
  const { values } = await on(inject('backend'), [[1, 1, 64]], (f) =>
    ops.reluDifference(f, tf.fill([1, 1, 64], 1.2345678e-9) as tf.Tensor3D),
  );
  const f = normals(64, 0);
  values.forEach((value, i) => {
    expect(value).toBe(f[i]! > 0 ? Math.fround(1.2345678e-9) : 0);
  });
});

test('what is not a number stays so', async () => {
  for (const size of [1, 4]) {
    const { values } = await on(inject('backend'), [[1, 1, size]], (f) =>
      ops.reluDifference(f, tf.fill([1, 1, size], Number.NaN) as tf.Tensor3D),
    );
    expect(values.every(Number.isNaN)).toBe(true);
  }
});

test('a million terms are summed to float32 rounding: 1e-7 by our kernel, 1e-5 by those of the library', async () => {
  const { values } = await on(inject('backend'), [[1, 1, 1_000_000]], (x) => ops.innerProducts(x, x));
  const exact = normals(1_000_000, 0).reduce((sum, x) => sum + x * x, 0);
  expect(Math.abs(values[0]! / exact - 1)).toBeLessThan(inject('backend') === 'wasm' ? 1e-7 : 1e-5);
});

// Rows, inner and columns: of one block, and of one that is packed with nothing, one, and more left at a side; and of two.
test.runIf(inject('backend') === 'wasm').each([
  [4, 300, 8],
  [200, 50, 50],
  [13, 700, 101],
  [5, 512, 44],
  [66, 257, 95],
  [259, 300, 13],
])(
  'every entry of a product of %d x %d x %d is summed in float32 in the order of the inner index',
  async (rows, inner, columns) => {
    const [a, b] = [normals(rows * inner, 0), normals(inner * columns, 1)];
    const entry = (i: number, j: number, at: (i: number, k: number) => number) => {
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        sum = Math.fround(sum + Math.fround(a[at(i, k)]! * b[k * columns + j]!));
      }
      return sum;
    };
    for (const [name, left, at] of [
      ['product', shape(1, rows, inner), (i: number, k: number) => i * inner + k],
      ['outerProducts', shape(1, inner, rows), (i: number, k: number) => k * rows + i],
    ] as const) {
      const { values } = await on('wasm', [left, shape(1, inner, columns)], ops[name]);
      const expected = Float32Array.from({ length: rows * columns }, (_, e) =>
        entry(Math.floor(e / columns), e % columns, at),
      );
      expect(values).toEqual(Array.from(expected));
    }
  },
);
