import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { bfaLimit } from '../../theory/bfa.js';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { GaussianSampler, type Seed } from '../random.js';
import { DenseWeights } from './dense-weights.js';
import { MatrixFreeWeights } from './matrix-free-weights.js';
import type { Source } from './weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const row = (values: readonly number[]) => tf.tensor3d([[[...values]]] as number[][][]);
const law = (outputs: number, inputs: number, seed: Seed = [1, 2, 3, 4], sigma = 1) => ({
  outputs,
  inputs,
  lanes: [{ seed, layer: 1, sigma }],
});
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const matrixTimes = (V: number[][], x: readonly number[]) => V.map((line) => dot(line, x));
const transpose = (V: number[][]) => V[0]!.map((_, j) => V.map((line) => line[j]!));

/** The least matrix with V p = u on all inputs and V^T s = t on all outputs: float64, by alternating corrections. */
function consistentMatrix(
  forward: readonly (readonly [number[], number[]])[],
  backward: readonly (readonly [number[], number[]])[],
): number[][] {
  const V = forward[0]![1].map(() => forward[0]![0].map(() => 0));
  for (let sweep = 0; sweep < 300; sweep++) {
    for (const [p, u] of forward) {
      const missing = matrixTimes(V, p).map((y, i) => (u[i]! - y) / dot(p, p));
      V.forEach((line, i) => {
        p.forEach((x, j) => {
          line[j]! += missing[i]! * x;
        });
      });
    }
    for (const [s, t] of backward) {
      const missing = matrixTimes(transpose(V), s).map((y, j) => (t[j]! - y) / dot(s, s));
      V.forEach((line, i) => {
        missing.forEach((x, j) => {
          line[j]! += s[i]! * x;
        });
      });
    }
  }
  return V;
}

const numbers = (count: number, seed: number) =>
  Array.from(source.sampler.draw([{ seed: [seed, 0, 0, 0], role: 500, layer: 0 }], count, [1]));

test('one dense matrix reproduces every product to float32 rounding, whatever their order and number', () => {
  tf.tidy(() => {
    const [outputs, inputs] = [24, 31];
    const weights = new MatrixFreeWeights(source, law(outputs, inputs, [9, 9, 9, 9]));
    const forward: [number[], number[]][] = [];
    const backward: [number[], number[]][] = [];
    for (const [i, side] of ['q', 'b', 'q', 'q', 'b', 'q', 'b'].entries()) {
      const x = numbers(side === 'q' ? inputs : outputs, i);
      const y = Array.from(
        (side === 'q' ? weights.times(row(x)) : weights.transposeTimes(row(x))).dataSync(),
      );
      (side === 'q' ? forward : backward).push([x, y]);
    }
    const V = consistentMatrix(forward, backward);
    const error = (a: number[], b: number[]) =>
      Math.sqrt(
        dot(
          a.map((x, i) => x - b[i]!),
          a.map((x, i) => x - b[i]!),
        ) / dot(b, b),
      );
    for (const [p, u] of forward) expect(error(matrixTimes(V, p), u)).toBeLessThan(2e-6);
    for (const [s, t] of backward) expect(error(matrixTimes(transpose(V), s), t)).toBeLessThan(2e-6);
  });
});

describe('what was seen is not drawn again', () => {
  const products = (ask: (weights: MatrixFreeWeights, q: tf.Tensor3D) => tf.Tensor3D) =>
    tf.tidy(() => {
      const q = row(numbers(40, 3));
      const weights = new MatrixFreeWeights(source, law(40, 40));
      const first = weights.times(q);
      weights.transposeTimes(row(numbers(40, 4)));
      const again = ask(weights, q);
      return { first: Array.from(first.dataSync()), again: Array.from(again.dataSync()) };
    });

  test('the same vector gives the same product', () => {
    const { first, again } = products((weights, q) => weights.times(q));
    again.forEach((x, i) => {
      expect(x).toBeCloseTo(first[i]!, 5);
    });
  });

  test('a multiple gives the multiple', () => {
    const { first, again } = products((weights, q) => weights.times(tf.mul(q, -3)));
    again.forEach((x, i) => {
      expect(x).toBeCloseTo(-3 * first[i]!, 4);
    });
  });

  test('a zero vector gives zero, first or later', () => {
    const { again } = products((weights, q) => weights.times(tf.zerosLike(q)));
    expect(again.every((x) => x === 0)).toBe(true);
    tf.tidy(() => {
      const weights = new MatrixFreeWeights(source, law(5, 5));
      expect(
        weights
          .times(tf.zeros([1, 1, 5]))
          .dataSync()
          .every((x) => x === 0),
      ).toBe(true);
      const later = weights.times(row([1, 2, 3, 4, 5])).dataSync();
      expect(later.every(Number.isFinite)).toBe(true);
    });
  });

  test('a vector almost within what was seen stays linear', () => {
    const { first, again } = products((weights, q) => weights.times(tf.add(q, tf.mul(1e-6, tf.step(q)))));
    again.forEach((x, i) => {
      expect(Math.abs(x - first[i]!)).toBeLessThan(1e-4);
    });
  });

  test('one output leaves no freedom after its transpose was seen', () => {
    tf.tidy(() => {
      const weights = new MatrixFreeWeights(source, law(1, 30));
      const w = Array.from(weights.transposeTimes(row([2])).dataSync());
      const x = numbers(30, 5);
      expect(weights.times(row(x)).dataSync()[0]).toBeCloseTo(dot(w, x) / 2, 4);
    });
  });
});

test('the entries of a product have the variance sigma^2 |q|^2', () => {
  tf.tidy(() => {
    const q = [3, 0, 4];
    const size = 100_000;
    for (const Weights of [MatrixFreeWeights, DenseWeights]) {
      const product = new Weights(source, law(size, 3, [4, 4, 4, 4], 0.2))
        .times(row(q))
        .dataSync<'float32'>();
      const variance = product.reduce((sum, x) => sum + x * x, 0) / size;
      expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / size));
    }
  });
});

/** Largest distance of two empirical distribution functions (Kolmogorov and Smirnov). */
function ksDistance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [[...a].sort((p, q) => p - q), [...b].sort((p, q) => p - q)];
  let [i, j, distance] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i]!, y[j]!);
    while (i < x.length && x[i]! <= at) i++;
    while (j < y.length && y[j]! <= at) j++;
    distance = Math.max(distance, Math.abs(i / x.length - j / y.length));
  }
  return distance;
}

const DRAWS = 400;
const MEASURED = ['bfa_rad', 'sensitivity', 'feature_rms', 'backward_rms', 'feature_speed_rms'] as const;
const LAYERS = [2, 5, 8, 11];
const SETTINGS = (['relu', 'linear'] as const).flatMap((activation) =>
  (
    [
      ['1/L', 1 / 12],
      ['1/sqrt L', 1 / Math.sqrt(12)],
      ['1', 1],
    ] as const
  ).map(([name, branchScale]) => ({ activation, name, branchScale })),
);

/** Asymptotic critical distance of the two-sample test, at 1 % over all comparisons of this file (Bonferroni). */
const comparisons = SETTINGS.length * MEASURED.length * LAYERS.length;
const criticalDistance = Math.sqrt(-Math.log(0.01 / comparisons / 2) / 2) * Math.sqrt(2 / DRAWS);

const cell = (
  width: number,
  depth: number,
  branchScale: number,
  activation: string,
  seed: Seed,
): BatchCell => ({
  seed,
  depth,
  branchScale,
  sigma: {
    input: 1 / Math.sqrt(10),
    hidden: Math.sqrt((activation === 'relu' ? 2 : 1) / width),
    output: 1 / width,
  },
  learningRate: 'scale-invariant',
  stepSize: 1e-3,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
});

const settings = (width: number, over: Partial<BatchSettings>): BatchSettings => ({
  shape: { samples: 1, width, inputWidth: 10, outputWidth: 1 },
  architecture: 'resnet',
  activation: 'relu',
  weights: 'matrix-free',
  isNormalized: false,
  loss: 'squared',
  train: 'hidden',
  kind: 'update',
  steps: 1,
  layers: 'all',
  ...over,
});

describe(`at width 20, where width matters, ${DRAWS} draws have the law of dense weights`, () => {
  test.each(SETTINGS)('$activation, branch scale $name', ({ activation, branchScale }) => {
    const measure = (weights: 'dense' | 'matrix-free', family: number, scale = branchScale) =>
      measureBatch(
        source,
        Array.from({ length: DRAWS }, (_, i) => cell(20, 12, scale, activation, [family, i, 7, 7])),
        settings(20, { activation, weights }),
      );
    const dense = measure('dense', 1);
    const free = measure('matrix-free', 2);
    for (const quantity of MEASURED) {
      for (const layer of LAYERS) {
        const column = (cells: typeof dense) => cells.map(({ values }) => values[quantity][layer - 1]!);
        // The first trained layer moves exactly along -b: its angle is rounding, and has no law to compare.
        if (quantity === 'bfa_rad' && layer === 2) continue;
        expect(ksDistance(column(dense), column(free)), `${quantity} at layer ${layer}`).toBeLessThan(
          criticalDistance,
        );
      }
    }
  });

  test('the test has the power to see a branch scale wrong by a fifth', () => {
    const angles = (scale: number, family: number) =>
      measureBatch(
        source,
        Array.from({ length: DRAWS }, (_, i) => cell(20, 12, scale, 'relu', [family, i, 7, 7])),
        settings(20, {}),
      ).map(({ values }) => values.bfa_rad[10]!);
    expect(ksDistance(angles(1 / Math.sqrt(12), 3), angles(1.2 / Math.sqrt(12), 4))).toBeGreaterThan(
      criticalDistance,
    );
  });
});

// The kernels of the cpu backend take minutes at the full width.
const width = inject('backend') === 'cpu' ? 4000 : 20_000;
test.each([
  ['resnet', 'relu', 'hidden', 30, 1 / Math.sqrt(30)],
  ['resnet', 'relu', 'hidden', 30, 1 / 30],
  ['resnet', 'relu', 'all', 30, 2 / Math.sqrt(30)],
  ['resnet', 'relu', 'hidden', 12, 0.8],
  ['resnet', 'relu', 'hidden', 100, 1],
  ['resnet', 'linear', 'hidden', 40, 0.5],
  ['mlp', 'relu', 'hidden', 30, 1],
  ['mlp', 'relu', 'all', 12, 1],
] as const)(
  `at width ${width} velocity agrees with theory within 3 standard errors: %s, %s, %s trained, L = %i, beta = %f`,
  (architecture, activation, train, depth, branchScale) => {
    const draws = 24;
    const measured = measureBatch(
      source,
      Array.from({ length: draws }, (_, i) => cell(width, depth, branchScale, activation, [i, depth, 1, 1])),
      settings(width, { architecture, activation, train, kind: 'velocity' }),
    );
    const theory = bfaLimit({ architecture, activation, depth, branchScale, trainsInput: train === 'all' });
    for (const layer of [3, Math.floor(depth / 4), Math.floor(depth / 2), depth - 1]) {
      const angles = measured.map(({ values }) => values.bfa_rad[layer - 1]!);
      const mean = angles.reduce((sum, x) => sum + x, 0) / draws;
      const variance = angles.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (draws - 1);
      expect(Math.abs(mean - theory[layer]!), `layer ${layer}`).toBeLessThan(3 * Math.sqrt(variance / draws));
    }
  },
);
