import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openBackend } from '../backend.js';
import { drawData } from '../data.js';
import { type BatchCell, type BatchSettings, type CellMeasurement, measureBatch } from '../experiment.js';
import { LOSSES } from '../loss.js';
import { GaussianSampler, ROLE } from '../random.js';
import type { Source } from '../weights/weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

interface Case {
  readonly n?: number;
  readonly m?: number;
  readonly k?: number;
  readonly depth?: number;
  readonly branchScale?: number;
  readonly outputScale?: number;
  readonly target?: BatchCell['data']['target'];
  readonly over?: Partial<BatchSettings>;
  readonly draws?: number;
}

function settingsOf({ n = 1, m = 16, k = 1, over }: Case): BatchSettings {
  return {
    shape: { samples: n, width: m, inputWidth: 6, outputWidth: k },
    architecture: 'resnet',
    activation: 'relu',
    weights: 'dense',
    isNormalized: true,
    loss: 'squared',
    train: 'all',
    kind: 'velocity',
    steps: 1,
    layers: 'output',
    ...over,
  };
}

function cellsOf(c: Case, draws: number): BatchCell[] {
  const {
    m = 16,
    depth = 6,
    branchScale = c.over?.architecture === 'mlp' ? 1 : 0.4,
    outputScale = 1 / m,
  } = c;
  const target = c.target ?? { law: c.over?.loss === 'cross-entropy' ? 'one-hot' : 'normal' };
  return Array.from({ length: draws }, (_, draw) => ({
    seed: [draw, 2, 3, 4],
    depth,
    branchScale,
    sigma: { input: 1, hidden: Math.sqrt(2 / m), output: outputScale },
    learningRate: 'scale-invariant',
    stepSize: 1e-3,
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target },
  }));
}

const measure = (c: Case, draws: number) => measureBatch(source, cellsOf(c, draws), settingsOf(c));

/** n m |b_{L-1}|_rms cos(theta_{L-1}), which is 1 where Eq. 7 holds. */
function leftSide({ values }: CellMeasurement, { n = 1, m = 16 }: Case): number {
  return n * m * values.backward_rms[0]! * Math.cos(values.bfa_rad[0]!);
}

/**
 * The left side of Eq. 7, and the loss, as functions of the scale of W_L, in float64, with the matrices of the cell: forward with layers
 * normalized, backward, explicit gradients with the rates of Eq. 8, velocity with frozen gates.
 */
function bruteForce(cell: BatchCell, c: Case): { h(s: number): number; lossOf(s: number): number } {
  const { shape, architecture, loss } = settingsOf(c);
  const { samples: n, width: m, inputWidth: d, outputWidth: k } = shape;
  const { depth: L, branchScale: beta } = cell;
  const isMlp = architecture === 'mlp';
  const a = isMlp ? 0 : Math.sqrt(1 - beta ** 2);
  const { input, target } = drawData(source.sampler, cell.seed, cell.data, shape);
  type Rows = number[][];
  const matrix = (layer: number, rows: number, columns: number, sigma: number): Rows => {
    const numbers = source.sampler.draw([{ seed: cell.seed, layer, role: ROLE.DENSE }], rows * columns, [
      sigma,
    ]);
    return Array.from({ length: rows }, (_, i) =>
      Array.from(numbers.subarray(i * columns, (i + 1) * columns)),
    );
  };
  const dot = (x: number[], y: number[]) => x.reduce((sum, t, i) => sum + t * y[i]!, 0);
  const times = (M: Rows, x: Rows): Rows => x.map((row) => M.map((line) => dot(line, row)));
  const transposed = (M: Rows): Rows => M[0]!.map((_, j) => M.map((line) => line[j]!));
  const both = (x: Rows, y: Rows, of: (s: number, t: number) => number): Rows =>
    x.map((row, i) => row.map((s, j) => of(s, y[i]![j]!)));
  const norm = (x: Rows) => Math.sqrt(x.reduce((sum, row) => sum + dot(row, row), 0));
  const relu = (x: Rows) => x.map((row) => row.map((t) => Math.max(0, t)));
  const gated = (f: Rows, x: Rows) => both(f, x, (s, t) => (s > 0 ? t : 0));
  /** W such that W q has the given rms. */
  const normalized = (W: Rows, q: Rows, rms: number): Rows => {
    const scale = (rms * Math.sqrt(n * m)) / norm(times(W, q));
    return W.map((line) => line.map((w) => w * scale));
  };

  const x: Rows = Array.from({ length: n }, (_, i) => Array.from(input.subarray(i * d, (i + 1) * d)));
  const W: Rows[] = [[], normalized(matrix(1, m, d, cell.sigma.input), x, 1)];
  const f: Rows[] = [[], times(W[1]!, x)];
  for (let l = 2; l < L; l++) {
    W[l] = normalized(matrix(l, m, m, beta * cell.sigma.hidden), relu(f[l - 1]!), beta);
    f[l] = both(times(W[l]!, relu(f[l - 1]!)), f[l - 1]!, (u, before) => u + a * before);
  }
  W[L] = matrix(L, k, m, cell.sigma.output);
  const output = times(W[L]!, isMlp ? relu(f[L - 1]!) : f[L - 1]!).flat();

  const h = (s: number) => {
    const slope = LOSSES[loss].slope(
      output.map((t) => s * t),
      target,
      shape,
    );
    const bL: Rows = Array.from({ length: n }, (_, i) =>
      Array.from(slope.subarray(i * k, (i + 1) * k), (t) => s * t),
    );
    const arriving = times(transposed(W[L]!), bL);
    const b: Rows[] = [];
    b[L - 1] = isMlp ? gated(f[L - 1]!, arriving) : arriving;
    for (let l = L - 2; l >= 1; l--) {
      b[l] = both(
        gated(f[l]!, times(transposed(W[l + 1]!), b[l + 1]!)),
        b[l + 1]!,
        (t, after) => t + a * after,
      );
    }
    let velocity: Rows = [];
    for (let l = 1; l < L; l++) {
      const q = l === 1 ? x : relu(f[l - 1]!);
      const G = transposed(b[l]!).map((column) => transposed(q).map((other) => dot(column, other)));
      // The trained parameter is V, the matrix is beta V: eta beta^2 G with eta = 1 / (L beta^2 |G|^2).
      const push = times(G, q).map((row) => row.map((t) => -t / (L * norm(G) ** 2)));
      velocity =
        l === 1
          ? push
          : both(
              both(times(W[l]!, gated(f[l - 1]!, velocity)), velocity, (t, v) => t + a * v),
              push,
              (t, p) => t + p,
            );
    }
    if (isMlp) velocity = gated(f[L - 1]!, velocity);
    return (-Math.sqrt(n * m) * dot(arriving.flat(), velocity.flat())) / norm(velocity);
  };
  const lossOf = (s: number) =>
    LOSSES[loss].value(
      output.map((t) => s * t),
      target,
      shape,
    );
  return { h, lossOf };
}
const MLP = { architecture: 'mlp' } as const;
const CROSS_ENTROPY = { loss: 'cross-entropy' } as const;
const MATRIX_FREE = { weights: 'matrix-free' } as const;

describe('Eq. 7 holds to 1e-5 in every draw', () => {
  test.each<[string, Case]>([
    ['one sample and output', {}],
    ['of an mlp', { over: MLP }],
    ['several outputs', { k: 3 }],
    ['several samples', { n: 3 }],
    ['both', { n: 5, k: 7, over: MLP }],
    ['more samples than units', { n: 40, depth: 8 }],
    ['more outputs than units', { k: 50 }],
    ['a thousand outputs and two samples', { n: 2, k: 1000, depth: 4, draws: 2 }],
    ['gelu', { n: 3, k: 2, over: { activation: 'gelu' } }],
    ['a linear loss', { n: 4, k: 3, over: { loss: 'linear' } }],
    ['only hidden layers trained', { n: 2, k: 2, over: { train: 'hidden' } }],
    ['the cross-entropy', { n: 3, k: 4, m: 64, over: CROSS_ENTROPY }],
    ['the cross-entropy of an mlp', { n: 20, k: 5, m: 32, over: { ...CROSS_ENTROPY, ...MLP } }],
    ['a target that all outputs start from', { n: 2, k: 2, target: { law: 'constant', value: 0 } }],
    ['a tiny target', { k: 2, target: { law: 'constant', value: 1e-15 } }],
    ['a huge target', { n: 2, target: { law: 'constant', value: 1e15 } }],
    ['a tiny readout', { n: 2, k: 2, outputScale: 1e-12 }],
    ['a huge readout', { n: 2, k: 2, outputScale: 1e12 }],
    ['weights that are never formed', { k: 3, m: 64, draws: 4, over: MATRIX_FREE }],
    ['the same of several samples', { n: 3, k: 2, m: 64, draws: 2, over: { ...MATRIX_FREE, ...MLP } }],
    ['the same with the cross-entropy', { n: 2, k: 3, m: 64, over: { ...MATRIX_FREE, ...CROSS_ENTROPY } }],
  ])('%s', (_, c) => {
    for (const cell of measure(c, c.draws ?? 8)) expect(Math.abs(leftSide(cell, c) - 1)).toBeLessThan(1e-5);
  });
});

test.each<[string, Case]>([
  ['dense', { n: 2, k: 2 }],
  ['never formed', { n: 2, k: 2, m: 64, over: MATRIX_FREE }],
  ['never formed, and one output', { m: 64, over: MATRIX_FREE }],
])('a normalized cell measures the same bits alone and in a batch: weights %s', (_, c) => {
  const cells = cellsOf(c, 3);
  const s = settingsOf(c);
  expect(measureBatch(source, cells, s)).toEqual(cells.flatMap((cell) => measureBatch(source, [cell], s)));
});

test('an update says as a velocity does that Eq. 7 has no solution', () => {
  const c = { m: 8, k: 2, depth: 4, over: { ...CROSS_ENTROPY, ...MLP } };
  const update: Case = { ...c, over: { ...c.over, kind: 'update' } };
  const said = (cells: CellMeasurement[]) => cells.map(({ inexact }) => inexact);
  expect(said(measure(update, 24))).toEqual(said(measure(c, 24)));
  expect(said(measure(c, 24)).filter((inexact) => inexact).length).toBeGreaterThan(2);
});

test('where no layer before the readout learns no feature moves, and Eq. 7 has no solution', () => {
  for (const cell of measure({ branchScale: 0, over: { train: 'hidden' } }, 2)) {
    expect(cell.inexact).toMatchObject({ identity: 'Eq. 7', layer: 5, deviation: 1 });
  }
});

test('normalizing leaves no tensor behind', () => {
  const before = tf.memory().numTensors;
  measure({ n: 2, k: 2 }, 3);
  measure({ k: 2, m: 64, over: MATRIX_FREE }, 2);
  expect(tf.memory().numTensors).toBe(before);
});

/** s from 1e-3 to 1e3 by 2 %. */
const SCALES = Array.from({ length: 700 }, (_, i) => 1e-3 * 1.02 ** i);

describe('in float64, by brute force', () => {
  // Small networks, where the left side of Eq. 7 has several solutions, or none.
  test.each<[string, Case]>([
    ['one sample, two outputs', { m: 8, k: 2, depth: 4 }],
    ['two samples', { m: 8, n: 2, depth: 4, over: MLP }],
    ['the cross-entropy', { m: 8, k: 2, depth: 4, over: { ...CROSS_ENTROPY, ...MLP } }],
    [
      'the cross-entropy of several samples',
      { m: 8, n: 2, k: 3, depth: 4, over: { ...CROSS_ENTROPY, ...MLP } },
    ],
  ])('%s: the scale is the smallest that solves Eq. 7, and where none does, nearest to it', (_, c) => {
    const draws = 6;
    const measured = measure(c, draws);
    cellsOf(c, draws).forEach((cell, i) => {
      const { h, lossOf } = bruteForce(cell, c);
      const values = SCALES.map(h);
      const first = values.findIndex((value) => value >= 1);
      const reached = leftSide(measured[i]!, c);
      // What the cell says of itself.
      const { identity, deviation } = measured[i]!.inexact ?? {};
      expect(identity).toBe(first < 0 ? 'Eq. 7' : undefined);
      if (Number.isNaN(reached)) {
        // No unit is open: no angle, whatever the scale.
        expect(deviation).toBe(1);
        expect(values.every((value) => Number.isNaN(value))).toBe(true);
      } else if (first < 0) {
        expect(deviation).toBeCloseTo(1 - reached, 4);
        expect(reached).toBeGreaterThan(0.98 * Math.max(...values.filter(Number.isFinite)));
        expect(reached).toBeLessThan(1);
      } else {
        expect(reached).toBeCloseTo(1, 5);
        // The loss tells which scale it was.
        const loss = measured[i]!.values.loss[0]!;
        const [low, high] = [SCALES[first - 1]!, SCALES[first]!].map(lossOf);
        expect(loss).toBeGreaterThanOrEqual(Math.min(low!, high!) * (1 - 1e-3));
        expect(loss).toBeLessThanOrEqual(Math.max(low!, high!) * (1 + 1e-3));
      }
    });
  });
});
