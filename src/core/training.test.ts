/** Many steps on mini-batches, against a float64 brute force on the same weights and the same batches. */
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ARCHITECTURE_NAMES } from '../architectures/architectures.js';
import { openBackend } from './backend.js';
import { drawSamples } from './data.js';
import { type BatchCell, type BatchSettings, measureBatch } from './experiment.js';
import { LOSSES } from './loss.js';
import { GaussianSampler, ROLE, SECOND_MATRIX } from './random.js';
import type { RateName } from './step/rates.js';
import { BatchOrder, type TrainingState } from './training.js';
import type { Source } from './weights/weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const [L, m, M, d, k, n, B, T] = [5, 12, 9, 6, 3, 20, 8, 50];
const every = Array.from({ length: T }, (_, i) => i + 1);
const SETTINGS: BatchSettings = {
  shape: { samples: B, width: m, hiddenWidth: M, inputWidth: d, outputWidth: k },
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
  sigma: {
    input: 1 / Math.sqrt(d),
    inner: 1 / Math.sqrt(m),
    hidden: Math.sqrt(2 / m),
    output: 1 / Math.sqrt(m),
  },
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

/** A layer on the way forward: what each of its matrices takes, and f_l. */
interface Passed {
  readonly taken: readonly Matrix[];
  readonly f: Matrix;
}

const relu = (f: Matrix) => f.map((row) => row.map((value) => Math.max(value, 0)));
const gated = (value: Matrix, f: Matrix) => entrywise(value, f, (u, v) => (v > 0 ? u : 0));
const square = (x: Matrix) => x.flat().reduce((sum, value) => sum + value * value, 0);
const overlap = (x: Matrix, y: Matrix) => dot(x.flat(), y.flat());
const minus = (x: Matrix, y: Matrix) => entrywise(x, y, (u, v) => u - v);

/**
 * Losses before each step, the held-out losses, and where the weights of each layer are, in float64, from the same float32 weights
 * and data.
 *
 * @param nudge by which every weight is moved, as a share of itself, to one side or the other.
 */
function bruteForce(cell: BatchCell, { architecture, loss: name, shape }: BatchSettings, nudge = 0) {
  const isMlp = architecture === 'mlp';
  const isTwo = architecture === 'resnet-2';
  const [a, beta] = isMlp ? [0, 1] : [Math.sqrt(1 - cell.branchScale ** 2), cell.branchScale];
  const drawn = (layer: number, outputs: number, inputs: number, sigma: number, roles = 0) =>
    rows(
      Array.from(
        source.sampler.draw([{ seed: cell.seed, layer, role: roles + ROLE.DENSE }], outputs * inputs, [
          sigma,
        ]),
        (weight, i) => weight * (1 + (i % 2 ? nudge : -nudge)),
      ),
      inputs,
    );
  const { input, inner, hidden, output } = cell.sigma;
  /** The matrices of a layer; of a block beta is part of the last, whose gradient with respect to V has another beta. */
  const W = Array.from({ length: L + 1 }, (_, l): Matrix[] => {
    if (l === 0) return [];
    if (l === 1) return [drawn(1, m, d, input)];
    if (l === L) return [drawn(L, k, m, output)];
    if (!isTwo) return [drawn(l, m, m, beta * hidden)];
    return [drawn(l, M, m, inner!, SECOND_MATRIX), drawn(l, m, M, beta * hidden)];
  });
  const first = W.map((layer) => [...layer]);
  const isHidden = (l: number) => l > 1 && l < L;
  const squareOf = (l: number, which: number) => (isHidden(l) && which === W[l]!.length - 1 ? beta ** 2 : 1);
  const { samples, heldOut } = drawSamples(source.sampler, cell.seed, cell.data, { ...shape, samples: n }, 7);
  const [x, y] = [rows(samples.input, d), rows(samples.target, k)];
  const forward = (inputs: Matrix): Passed[] => {
    const passed: Passed[] = [{ taken: [], f: inputs }];
    for (let l = 1; l <= L; l++) {
      const before = passed[l - 1]!.f;
      const isGated = l > 1 && (isMlp || (isHidden(l) && !isTwo));
      const taken = [isGated ? relu(before) : before];
      if (isTwo && isHidden(l)) taken.push(relu(times(W[l]![0]!, before)));
      const fresh = times(W[l]!.at(-1)!, taken.at(-1)!);
      const f = isHidden(l) && !isMlp ? entrywise(fresh, before, (u, v) => u + a * v) : fresh;
      passed.push({ taken, f });
    }
    return passed;
  };
  const loss = LOSSES[name];
  const order = new BatchOrder(source.sampler, cell, n, B);
  const firstNorms: number[] = [];
  const found = {
    batch: [] as number[],
    heldOut: [] as number[],
    cosines: [] as number[][],
    displacements: [] as number[][],
  };
  for (let t = 1; t <= T; t++) {
    const held = { ...shape, samples: 7 };
    found.heldOut.push(loss.value(forward(rows(heldOut.input, d))[L]!.f.flat(), heldOut.target, held));
    const chosen = Array.from(order.rows(t));
    const [own, target] = [chosen.map((i) => x[i]!), chosen.flatMap((i) => y[i]!)];
    const passed = forward(own);
    const value = loss.value(passed[L]!.f.flat(), target, shape);
    found.batch.push(value);
    let b = rows(loss.slope(passed[L]!.f.flat(), target, shape), k);
    const steps: Matrix[][] = [];
    for (let l = L; l >= 1; l--) {
      const { taken } = passed[l]!;
      const arriving: Matrix[] = [];
      let back = b;
      for (let i = taken.length - 1; i >= 0; i--) {
        arriving[i] = back;
        back = times(transposed(W[l]![i]!), back);
        const isGated = i > 0 || (l > 1 && (isMlp || (isHidden(l) && !isTwo)));
        if (isGated) back = gated(back, i > 0 ? taken[i]! : passed[l - 1]!.f);
      }
      const G = taken.map((q, i) =>
        transposed(arriving[i]!).map((column) => transposed(q).map((other) => dot(column, other))),
      );
      const norm = G.reduce((sum, matrix, i) => sum + squareOf(l, i) * square(matrix), 0);
      firstNorms[l] ??= norm;
      const rates: Record<RateName, number> = {
        'scale-invariant': 1 / (L * norm),
        held: 1 / (L * firstNorms[l]!),
        normalized: 1 / (L * Math.sqrt(norm * firstNorms[l]!)),
        polyak: value / (L * norm),
      };
      const { learningRate, stepSizeAt, stepSize } = cell;
      const eta = typeof learningRate === 'string' ? rates[learningRate] : learningRate[l]!;
      const rate = (stepSizeAt?.(t) ?? stepSize) * eta;
      steps[l] = G.map((matrix, i) => matrix.map((row) => row.map((g) => rate * squareOf(l, i) * g)));
      b = isHidden(l) && !isMlp ? entrywise(back, b, (u, v) => u + a * v) : back;
    }
    /** A sum over the matrices of a layer, of the trained ones, without beta. */
    const ofLayer = (l: number, of: (i: number) => number) =>
      W[l]!.reduce((sum, _, i) => sum + of(i) / squareOf(l, i), 0);
    const layers = Array.from({ length: L - 1 }, (_, i) => i + 1);
    const moved = W.map((layer, l) => layer.map((matrix, i) => minus(matrix, first[l]![i]!)));
    const distance = (l: number) => ofLayer(l, (i) => square(moved[l]![i]!));
    if (nudge === 0) {
      found.displacements.push(
        layers.map((l) => Math.sqrt(distance(l) / ofLayer(l, (i) => square(first[l]![i]!)))),
      );
      found.cosines.push(
        layers.map((l) => {
          const length = ofLayer(l, (i) => square(steps[l]![i]!));
          return -ofLayer(l, (i) => overlap(steps[l]![i]!, moved[l]![i]!)) / Math.sqrt(length * distance(l));
        }),
      );
    }
    for (let l = 1; l <= L; l++) W[l] = W[l]!.map((matrix, i) => minus(matrix, steps[l]![i]!));
  }
  return found;
}

const RATES = ['scale-invariant', 'held', 'normalized', 'polyak', 'given'] as const;
/** Every rate with every loss, and either with every architecture; all three together where there is time. */
const KINDS = ARCHITECTURE_NAMES.flatMap((architecture, i) =>
  (['squared', 'cross-entropy', 'linear'] as const).flatMap((loss, j) =>
    RATES.filter((rate) => rate !== 'polyak' || loss !== 'linear')
      .map((rate) => ({ architecture, loss, rate }))
      .filter(({ rate }) => {
        const losses = rate === 'polyak' ? 2 : 3;
        return process.env.FEATURE_SPEED_SLOW || (i + j + RATES.indexOf(rate)) % losses === 0;
      }),
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
    const needs = new Set(['held-out outputs', 'displaced weights', 'first weights'] as const);
    const settings = { ...SETTINGS, architecture, loss, needs, layers: 'all' as const };
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
      const values = (of: 'loss' | 'loss_held_out' | 'update_cosine' | 'weight_displacement') =>
        Array.from(measured!.values[of].subarray(i * (L - 1), (i + 1) * (L - 1)));
      expect(Math.abs(values('loss')[0]! - own)).toBeLessThan(1e-4 * size(own));
      expect(Math.abs(values('loss_held_out')[0]! - held)).toBeLessThan(1e-4 * size(held));
      const [cosines, displacements] = [right.cosines[i]!, right.displacements[i]!];
      values('weight_displacement').forEach((value, v) => {
        expect(Math.abs(value - displacements[v]!)).toBeLessThan(1e-4 * displacements[v]! + 1e-6);
      });
      values('update_cosine').forEach((value, v) => {
        // No step was taken before the first, and the last is of size 0.
        if (i === 0 || i === T - 1) expect([value, cosines[v]]).toEqual([Number.NaN, Number.NaN]);
        else expect(Math.abs(value - cosines[v]!)).toBeLessThan(1e-3);
      });
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
