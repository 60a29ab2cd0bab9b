/** Inputs on which the program was wrong once, as a batch of the core; each stands for a kind. */
import type { Rank } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { layerNorms, norm } from '../measurements/measure.js';
import { dots, squaredNorms } from '../ops.js';
import { GaussianSampler } from '../random.js';
import type { Source } from '../weights/weights.js';
import { isReported, judge } from './judge.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const cell = (i: number, width: number, depth: number, over: Partial<BatchCell> = {}): BatchCell => ({
  seed: [i, 11, 12, 13],
  depth,
  branchScale: 1,
  sigma: { input: 1 / Math.sqrt(10), hidden: Math.sqrt(2 / width), output: 1 / width },
  learningRate: 'scale-invariant',
  stepSize: 1e-3,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
  ...over,
});

const settings = (width: number, over: Partial<BatchSettings> = {}): BatchSettings => ({
  shape: { samples: 1, width, inputWidth: 10, outputWidth: 1 },
  architecture: 'mlp',
  activation: 'relu',
  weights: 'matrix-free',
  isNormalized: false,
  loss: 'squared',
  train: 'hidden',
  kind: 'velocity',
  steps: 1,
  layers: 'all',
  ...over,
});

const measure = (count: number, make: (i: number) => BatchCell, s: BatchSettings) =>
  measureBatch(
    source,
    Array.from({ length: count }, (_, i) => make(i)),
    s,
  );
const last = <T>(values: ArrayLike<T>) => values[values.length - 1]!;

describe.each(['dense', 'matrix-free'] as const)('with %s weights', (weights) => {
  test.each([60, 120, 150, 250])(
    'features of a GELU MLP that shrink over %i layers lose as many loss units as layers learn, or say so',
    (depth) => {
      const width = 40;
      const results = measure(
        4,
        (i) => cell(i, width, depth),
        settings(width, { weights, activation: 'gelu' }),
      );
      for (const result of results) {
        if (isReported(result)) continue;
        expect(last(result.values.loss_change)).toBeCloseTo(-(depth - 2) / depth, 4);
        expect(result.values.bfa_rad.subarray(1).every(Number.isFinite)).toBe(true);
      }
      if (depth === 60) expect(results.some(isReported)).toBe(false);
    },
  );

  test('the angle of a ReLU ResNet is that of its velocity for every small step, or the cell says why not', () => {
    const at = (kind: 'velocity' | 'update', stepSize: number) =>
      measure(
        1,
        (i) =>
          cell(i, 64, 20, { branchScale: 0.3, stepSize, sigma: { input: 0.3, hidden: 0.18, output: 0.07 } }),
        settings(64, { weights, architecture: 'resnet', kind }),
      )[0]!;
    const limit = last(at('velocity', 1).values.bfa_rad);
    for (const exponent of [-6, -8, -12, -16, -20, -24, -30, -36, -40]) {
      const update = at('update', 10 ** exponent);
      if (!isReported(update)) expect(last(update.values.bfa_rad)).toBeCloseTo(limit, 3);
      else expect(exponent).toBeLessThan(-24);
    }
  });

  test.each([
    [5, 1, 40],
    [20, 1, 16],
    [8, 4, 4],
  ])(
    '%i samples on %i outputs and %i units: Thm 2.1 and the loss decay hold in every draw',
    (samples, k, width) => {
      const s = settings(width, { weights, shape: { samples, width, inputWidth: 10, outputWidth: k } });
      for (const result of measure(60, (i) => cell(i, width, 5), s)) {
        expect(isReported(result)).toBe(false);
        const decay = result.values.contribution.reduce((sum, c) => sum + c, 0);
        // Both are zero where all units of a layer are off.
        expect(Math.abs(last(result.values.loss_change) + decay)).toBeLessThanOrEqual(1e-4 * decay);
        result.values.speed_formula_residual.forEach((residual, i) => {
          const cosine = Math.cos(result.values.bfa_rad[i]!);
          if (Number.isFinite(residual)) expect(residual * cosine).toBeLessThan(1e-4);
        });
      }
    },
  );

  test('five steps on one output: the loss falls by what its next value says', () => {
    // From the second step on the readout has seen all that one output can show: nothing of its product is fresh.
    const s = settings(200, { weights, train: 'all', kind: 'update', steps: 5, layers: 'output' });
    for (const { values } of measure(40, (i) => cell(i, 200, 5, { stepSize: 0.1 }), s)) {
      for (let t = 0; t < 4; t++) {
        const next = values.loss[t]! + values.loss_change[t]!;
        const scale = values.loss[t]! + Math.abs(values.loss_change[t]!);
        expect(Math.abs(values.loss[t + 1]! - next) / scale).toBeLessThan(1e-4);
      }
    }
  });
});

test.each([1e-4, 1e-6, 1e-8, 1e-12])(
  'displacements by steps of %d are those of the brute force',
  (stepSize) => {
    const s = settings(24, { weights: 'dense', train: 'all', kind: 'update', steps: 3 });
    const results = measure(5, (i) => cell(i, 24, 6, { stepSize }), s);
    results.forEach((result, i) => {
      expect(judge(source, cell(i, 24, 6, { stepSize }), s, result)).toMatchObject({ wrong: [] });
      expect(isReported(result)).toBe(false);
    });
  },
);

test.each([
  ['resnet', 'squared', 16, 16, 1],
  ['mlp', 'cross-entropy', 1, 8, 2],
  ['mlp', 'squared', 3, 8, 3],
] as const)(
  'an automatic %s with a %s loss and %i samples solves Eq. 7, or says that it has no solution',
  (architecture, loss, samples, width, k) => {
    const s = settings(width, {
      weights: 'dense',
      architecture,
      loss,
      train: 'all',
      isNormalized: true,
      shape: { samples, width, inputWidth: 10, outputWidth: k },
    });
    const target = { law: loss === 'cross-entropy' ? 'one-hot' : 'normal' } as const;
    const results = measure(
      20,
      (i) =>
        cell(i, width, 5, {
          branchScale: architecture === 'mlp' ? 1 : 0.5,
          data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target },
        }),
      s,
    );
    for (const result of results) {
      if (isReported(result)) continue;
      const product =
        last(result.values.backward_rms) * Math.cos(last(result.values.bfa_rad)) * samples * width;
      expect(product).toBeCloseTo(1, 3);
    }
    expect(results.some((result) => !isReported(result))).toBe(true);
  },
);

test('squares, dots and norms of states are right from 1e-37 to 1e37', () => {
  const state = (exponent: number, role: number) => {
    const normals = source.sampler.draw([{ seed: [1, 2, 3, 4], role, layer: 0 }], 2 * 3 * 17, [
      10 ** exponent,
    ]);
    return {
      numbers: normals.slice(),
      tensor: source.backend.upload<Rank.R3>(normals, [2, 3, 17]),
    };
  };
  const exponents = Array.from({ length: 75 }, (_, i) => i - 37);
  for (const exponent of exponents) {
    for (const other of [exponent, -exponent, 0]) {
      const [x, y] = [state(exponent, 0), state(other, 1)];
      const [found, squares] = [dots(x.tensor, y.tensor), squaredNorms(x.tensor)];
      for (const lane of [0, 1]) {
        const [own, others] = [x, y].map(({ numbers }) => numbers.slice(lane * 51, (lane + 1) * 51));
        const products = Array.from(own!, (value, i) => value * others![i]!);
        const [dot, size] = [products, products.map(Math.abs)].map((all) => all.reduce((a, b) => a + b, 0));
        expect(Math.abs(found[lane]! - dot!) / size!).toBeLessThan(1e-12);
        const square = own!.reduce((sum, value) => sum + value ** 2, 0);
        expect(squares[lane]! / square).toBeCloseTo(1, 12);
        expect(norm(own!) / Math.sqrt(square)).toBeCloseTo(1, 12);
        expect(layerNorms(own!, others!, own!).overlap / size!).toBeCloseTo(dot! / size!, 12);
      }
      x.tensor.dispose();
      y.tensor.dispose();
    }
  }
});
