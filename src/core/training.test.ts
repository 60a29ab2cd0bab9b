/** Many steps on mini-batches, against a float64 brute force on the same weights and the same batches. */
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openBackend } from './backend.js';
import { drawSamples } from './data.js';
import { type BatchCell, type BatchSettings, measureBatch } from './experiment.js';
import { LOSSES } from './loss.js';
import { GaussianSampler, ROLE } from './random.js';
import type { RateName } from './step/rates.js';
import { BatchOrder, type TrainingState } from './training.js';
import type { Source } from './weights/weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const [L, m, d, k, n, B, T] = [5, 12, 6, 3, 20, 8, 50];
const every = Array.from({ length: T }, (_, i) => i + 1);
const SETTINGS: BatchSettings = {
  shape: { samples: B, width: m, inputWidth: d, outputWidth: k },
  architecture: 'resnet',
  activation: 'relu',
  weights: 'mutable',
  isNormalized: false,
  loss: 'cross-entropy',
  train: 'all',
  kind: 'update',
  steps: T,
  training: { samples: n, heldOut: 7, recorded: every },
  layers: 'output',
  needs: new Set(['held-out outputs']),
};
const CELL: BatchCell = {
  seed: [1, 2, 3, 4],
  depth: L,
  branchScale: 0.5,
  sigma: { input: 1 / Math.sqrt(d), hidden: Math.sqrt(2 / m), output: 1 / Math.sqrt(m) },
  learningRate: 'scale-invariant',
  stepSize: 0.02,
  stepSizeAt: (t) => 0.04 * (1 - t / T),
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'one-hot' } },
};

type Matrix = number[][];
const rows = (values: ArrayLike<number>, columns: number): Matrix =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => values[i * columns + j]!),
  );
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const times = (W: Matrix, x: Matrix) => x.map((row) => W.map((w) => dot(w, row)));
const transposed = (W: Matrix) => W[0]!.map((_, j) => W.map((row) => row[j]!));
const entrywise = (x: Matrix, y: Matrix, of: (a: number, b: number) => number) =>
  x.map((row, i) => row.map((a, j) => of(a, y[i]![j]!)));

/**
 * Losses before each step and the held-out losses, in float64, from the same float32 weights and data.
 *
 * @param nudge by which every weight is moved, as a share of itself, to one side or the other.
 */
function bruteForce(cell: BatchCell, { architecture, loss: name, shape }: BatchSettings, nudge = 0) {
  const isMlp = architecture === 'mlp';
  const [a, beta] = isMlp ? [0, 1] : [Math.sqrt(1 - cell.branchScale ** 2), cell.branchScale];
  const drawn = (layer: number, outputs: number, inputs: number, sigma: number) =>
    rows(
      Array.from(
        source.sampler.draw([{ seed: cell.seed, layer, role: ROLE.DENSE }], outputs * inputs, [sigma]),
        (weight, i) => weight * (1 + (i % 2 ? nudge : -nudge)),
      ),
      inputs,
    );
  const { input, hidden, output } = cell.sigma;
  // The matrix of a block is beta V; its gradient with respect to V has another beta.
  const W = Array.from({ length: L + 1 }, (_, l): Matrix => {
    if (l === 0) return [];
    if (l === 1) return drawn(1, m, d, input);
    return l === L ? drawn(L, k, m, output) : drawn(l, m, m, beta * hidden);
  });
  const { samples, heldOut } = drawSamples(source.sampler, cell.seed, cell.data, { ...shape, samples: n }, 7);
  const [x, y] = [rows(samples.input, d), rows(samples.target, k)];
  const relu = (f: Matrix) => f.map((row) => row.map((value) => Math.max(value, 0)));
  const forward = (inputs: Matrix) => {
    const [f, q] = [[inputs], [inputs]];
    for (let l = 1; l <= L; l++) {
      const fresh = times(W[l]!, q[l - 1]!);
      f[l] = l > 1 && l < L && !isMlp ? entrywise(fresh, f[l - 1]!, (u, v) => u + a * v) : fresh;
      q[l] = isMlp || l < L - 1 ? relu(f[l]!) : f[l]!;
    }
    return { f, q };
  };
  const loss = LOSSES[name];
  const order = new BatchOrder(source.sampler, cell, n, B);
  const first: number[] = [];
  const losses = { batch: [] as number[], heldOut: [] as number[] };
  for (let t = 1; t <= T; t++) {
    const held = { ...shape, samples: 7 };
    losses.heldOut.push(loss.value(forward(rows(heldOut.input, d)).f[L]!.flat(), heldOut.target, held));
    const chosen = Array.from(order.rows(t));
    const [own, target] = [chosen.map((i) => x[i]!), chosen.flatMap((i) => y[i]!)];
    const { f, q } = forward(own);
    const value = loss.value(f[L]!.flat(), target, shape);
    losses.batch.push(value);
    let b = rows(loss.slope(f[L]!.flat(), target, shape), k);
    const steps: Matrix[] = [];
    for (let l = L; l >= 1; l--) {
      const square = l > 1 && l < L ? beta ** 2 : 1;
      const G = transposed(b).map((column) => transposed(q[l - 1]!).map((other) => dot(column, other)));
      const norm = square * G.flat().reduce((sum, g) => sum + g * g, 0);
      first[l] ??= norm;
      const rates: Record<RateName, number> = {
        'scale-invariant': 1 / (L * norm),
        held: 1 / (L * first[l]!),
        normalized: 1 / (L * Math.sqrt(norm * first[l]!)),
        polyak: value / (L * norm),
      };
      const { learningRate, stepSizeAt, stepSize } = cell;
      const eta = typeof learningRate === 'string' ? rates[learningRate] : learningRate[l]!;
      steps[l] = G.map((row) => row.map((g) => (stepSizeAt?.(t) ?? stepSize) * eta * square * g));
      if (l === 1) break;
      const gate = (value: Matrix) => entrywise(value, f[l - 1]!, (u, v) => (v > 0 ? u : 0));
      const back = times(transposed(W[l]!), b);
      const passed = isMlp || l < L ? gate(back) : back;
      b = l < L && !isMlp ? entrywise(passed, b, (u, v) => u + a * v) : passed;
    }
    for (let l = 1; l <= L; l++) W[l] = entrywise(W[l]!, steps[l]!, (w, g) => w - g);
  }
  return losses;
}

const RATES = ['scale-invariant', 'held', 'normalized', 'polyak', 'given'] as const;
const KINDS = (['resnet', 'mlp'] as const).flatMap((architecture) =>
  (['squared', 'cross-entropy', 'linear'] as const).flatMap((loss) =>
    RATES.filter((rate) => rate !== 'polyak' || loss !== 'linear').map((rate) => ({
      architecture,
      loss,
      rate,
    })),
  ),
);

describe('against a float64 brute force', () => {
  // Chaos has not set in: two float64 runs whose weights differ by a unit of float32 stay as near to each other.
  test.each(KINDS)('the losses of 50 steps are within 1e-4: $architecture, $loss, $rate', (kind) => {
    const { architecture, loss, rate } = kind;
    const cell: BatchCell = {
      ...CELL,
      branchScale: architecture === 'mlp' ? 1 : CELL.branchScale,
      learningRate: rate === 'given' ? [0, 0.5, 0.4, 0.3, 0.2, 0.1] : rate,
      // A linear loss falls ever faster at rates that do not fall with it.
      stepSizeAt: (t) => (loss === 'linear' ? 0.01 : 0.04) * (1 - t / T),
    };
    const settings = { ...SETTINGS, architecture, loss };
    const nudged = bruteForce(cell, settings, 2 ** -23);
    const [measured] = measureBatch(source, [cell], settings);
    expect(measured!.inexact).toBeUndefined();
    expect(measured!.divergedAt).toBeUndefined();
    const right = bruteForce(cell, settings);
    const scale = Math.abs(right.batch[0]!);
    every.forEach((_, i) => {
      const [own, held] = [right.batch[i]!, right.heldOut[i]!];
      // A linear loss passes through 0, where it is known to a share of where it began.
      const size = (value: number) => (loss === 'linear' ? Math.max(scale, Math.abs(value)) : value);
      expect(Math.abs(nudged.batch[i]! - own)).toBeLessThan(1e-4 * size(own));
      expect(Math.abs(measured!.values.loss[i]! - own)).toBeLessThan(1e-4 * size(own));
      expect(Math.abs(measured!.values.loss_held_out[i]! - held)).toBeLessThan(1e-4 * size(held));
    });
    expect(right.batch[T - 1]).not.toBe(right.batch[0]);
  });
});

const RECORDED = [1, 4, 30, 50];
const SPARSE: BatchSettings = { ...SETTINGS, training: { ...SETTINGS.training!, recorded: RECORDED } };

test('what is measured at some steps is what is measured at all of them', () => {
  const [all] = measureBatch(source, [CELL], SETTINGS);
  const [some] = measureBatch(source, [CELL], SPARSE);
  for (const [name, column] of Object.entries(some!.values)) {
    const same = RECORDED.map((t) => all!.values[name as 'loss'][t - 1]);
    expect(Array.from(column), name).toEqual(same);
  }
});

test('networks of a batch train as each would alone, and leave no tensor behind', () => {
  const cells = [CELL, { ...CELL, seed: [9, 9, 9, 9] as const, depth: 4 }, { ...CELL, stepSize: 0.01 }];
  const before = memory().numTensors;
  const together = measureBatch(source, cells, SPARSE);
  expect(memory().numTensors).toBe(before);
  const alone = cells.flatMap((cell) => measureBatch(source, [cell], SPARSE));
  expect(together).toEqual(alone);
});

test('a training that goes on from a copy of its state ends with the same numbers, wherever it was taken', () => {
  const whole = measureBatch(source, [CELL, { ...CELL, depth: 4 }], SPARSE);
  for (const stop of [1, 3, 4, 17, 49]) {
    let state: TrainingState | undefined;
    const stepped = (taken: number, copy: () => TrainingState) => {
      if (taken === stop) state = structuredClone(copy());
    };
    const cells = [CELL, { ...CELL, depth: 4 }];
    measureBatch(source, cells, SPARSE, { stepped });
    expect(measureBatch(source, cells, SPARSE, { state })).toEqual(whole);
  }
});

test('scales that normalize themselves are kept as the weights learn, and by a copy', () => {
  const settings = { ...SPARSE, isNormalized: true, loss: 'squared' as const };
  let state: TrainingState | undefined;
  const [whole] = measureBatch(source, [CELL], settings, {
    stepped: (taken, copy) => {
      if (taken === 2) state = structuredClone(copy());
    },
  });
  expect(whole!.inexact).toBeUndefined();
  expect(measureBatch(source, [CELL], settings, { state })[0]).toEqual(whole);
});

test('every sample comes once an epoch, in another order each time', () => {
  const order = new BatchOrder(source.sampler, CELL, n, B);
  const seen = Array.from({ length: 5 }, (_, t) => Array.from(order.rows(t + 1))).flat();
  const epochs = [seen.slice(0, n), seen.slice(n, 2 * n)];
  for (const epoch of epochs)
    expect([...epoch].sort((a, b) => a - b)).toEqual(every.slice(0, n).map((i) => i - 1));
  expect(epochs[0]).not.toEqual(epochs[1]);
});

test('a network that leaves the range of float32 keeps the numbers of the steps before', () => {
  const wild = { ...CELL, learningRate: [0, 9, 9, 9, 9, 9], stepSize: 1e3, stepSizeAt: undefined };
  const settings = { ...SPARSE, loss: 'squared' as const };
  const [diverged, calm] = measureBatch(source, [wild, CELL], settings);
  expect(diverged!.divergedAt).toBeDefined();
  expect(diverged!.values.loss[0]).toBeGreaterThan(0);
  expect(diverged!.values.loss[3]).toBeNaN();
  expect(Array.from(diverged!.values.step_number)).toEqual(RECORDED);
  expect(calm).toEqual(measureBatch(source, [CELL], settings)[0]);
});

test('the displacement of features learnt in place is that of steps that are kept', () => {
  const full = { ...SETTINGS, shape: { ...SETTINGS.shape, samples: n }, steps: 8 };
  const cell = { ...CELL, stepSizeAt: undefined };
  const needs = new Set(['first features'] as const);
  const training = { ...SETTINGS.training!, recorded: [8] };
  const [inPlace] = measureBatch(source, [cell], { ...full, needs, training });
  const [kept] = measureBatch(source, [cell], { ...full, weights: 'dense', training: undefined });
  const of = (measured: typeof kept, name: 'loss' | 'feature_displacement_rms', at: number) =>
    measured!.values[name][at]!;
  expect(of(inPlace, 'feature_displacement_rms', 0) / of(kept, 'feature_displacement_rms', 7)).toBeCloseTo(
    1,
    4,
  );
  expect(of(inPlace, 'loss', 0) / of(kept, 'loss', 7)).toBeCloseTo(1, 5);
});
