/** A block of two matrices, against a float64 brute force, against itself, and dense against matrix-free. */
import { beforeAll, expect, inject, test } from 'vitest';
import { openBackend } from './backend.js';
import { drawData } from './data.js';
import { type BatchCell, type BatchSettings, measureBatch } from './experiment.js';
import { GaussianSampler, ROLE, SECOND_MATRIX } from './random.js';
import type { Source } from './weights/weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const [L, m, M, d, k, n, BETA] = [6, 12, 20, 4, 2, 3, 0.4];
const SHAPE = { samples: n, width: m, hiddenWidth: M, inputWidth: d, outputWidth: k };
const SETTINGS: BatchSettings = {
  shape: SHAPE,
  architecture: 'resnet-2',
  activation: 'tanh',
  weights: 'dense',
  isNormalized: false,
  loss: 'squared',
  train: 'all',
  kind: 'velocity',
  steps: 1,
  layers: 'all',
};
const cellOf = (draw: number): BatchCell => ({
  seed: [draw, 5, 6, 7],
  depth: L,
  branchScale: BETA,
  sigma: { input: 0.5, inner: 1 / Math.sqrt(m), hidden: Math.sqrt(2 / M), output: 0.2 },
  learningRate: 'scale-invariant',
  stepSize: 1e-3,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
});

type Rows = readonly (readonly number[])[];
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const rowsOf = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => values[i * columns + j]!),
  );
const times = (W: Rows, x: Rows) => x.map((row) => W.map((w) => dot(w, row)));
const transposed = (W: Rows) => W[0]!.map((_, j) => W.map((row) => row[j]!));
const outer = (b: Rows, q: Rows) =>
  b[0]!.map((_, i) => q[0]!.map((_, j) => b.reduce((sum, row, t) => sum + row[i]! * q[t]![j]!, 0)));
const combined = (a: number, x: Rows, b: number, y: Rows) =>
  x.map((row, i) => row.map((value, j) => a * value + b * y[i]![j]!));
const square = (x: Rows) => x.flat().reduce((sum, value) => sum + value * value, 0);

/** f_1 .. f_L by weights (V has beta inside). */
function forward({ W1, U, V, WL }: Weights, x: Rows): Rows[] {
  const a = Math.sqrt(1 - BETA ** 2);
  const f: Rows[] = [x, times(W1, x)];
  for (let l = 2; l < L; l++) {
    const q = times(U[l]!, f[l - 1]!).map((row) => row.map(Math.tanh));
    f[l] = combined(a, f[l - 1]!, 1, times(V[l]!, q));
  }
  f[L] = times(WL, f[L - 1]!);
  return f;
}
interface Weights {
  readonly W1: Rows;
  readonly U: Rows[];
  readonly V: Rows[];
  readonly WL: Rows;
}

test('a block of two matrices has the features, velocities and contributions of a float64 brute force', () => {
  const cell = cellOf(1);
  const drawn = (layer: number, rows: number, columns: number, sigma: number, roles = 0): Rows =>
    rowsOf(
      source.sampler.draw([{ seed: cell.seed, layer, role: roles + ROLE.DENSE }], rows * columns, [sigma]),
      columns,
    );
  const layers = Array.from({ length: L }, (_, l) => l);
  const { input, inner, hidden, output } = cell.sigma;
  const weights: Weights = {
    W1: drawn(1, m, d, input),
    U: layers.map((l) => drawn(l, M, m, inner!, SECOND_MATRIX)),
    V: layers.map((l) => drawn(l, m, M, BETA * hidden)),
    WL: drawn(L, k, m, output),
  };
  const data = drawData(source.sampler, cell.seed, cell.data, SHAPE);
  const [x, y] = [rowsOf(data.input, d), rowsOf(data.target, k)];
  const f = forward(weights, x);

  const a = Math.sqrt(1 - BETA ** 2);
  const b: Rows[] = [];
  b[L] = combined(1 / (k * n), f[L]!, -1 / (k * n), y);
  b[L - 1] = times(transposed(weights.WL), b[L]);
  const velocity = { W1: [] as Rows, U: [] as Rows[], V: [] as Rows[], WL: [] as Rows };
  const contribution: number[] = [];
  const scaled = (G: Rows, factor: number) => combined(factor, G, 0, G);
  for (let l = L - 1; l >= 2; l--) {
    const q = times(weights.U[l]!, f[l - 1]!).map((row) => row.map(Math.tanh));
    const e = times(transposed(weights.V[l]!), b[l]!).map((row, t) =>
      row.map((value, i) => value * (1 - q[t]![i]! ** 2)),
    );
    const [GV, GU] = [scaled(outer(b[l]!, q), BETA), outer(e, f[l - 1]!)];
    const rate = 1 / (L * (square(GV) + square(GU)));
    velocity.V[l] = scaled(GV, -BETA * rate); // of beta V
    velocity.U[l] = scaled(GU, -rate);
    contribution[l] = 1 / L;
    b[l - 1] = combined(a, b[l]!, 1, times(transposed(weights.U[l]!), e));
  }
  const [G1, GL] = [outer(b[1]!, x), outer(b[L]!, f[L - 1]!)];
  velocity.W1 = scaled(G1, -1 / (L * square(G1)));
  velocity.WL = scaled(GL, -1 / (L * square(GL)));

  // The features along the straight line of the weights: a central difference in float64, right to 1e-9.
  const moved = (t: number) =>
    forward(
      {
        W1: combined(1, weights.W1, t, velocity.W1),
        U: weights.U.map((U, l) => (velocity.U[l] ? combined(1, U, t, velocity.U[l]) : U)),
        V: weights.V.map((V, l) => (velocity.V[l] ? combined(1, V, t, velocity.V[l]) : V)),
        WL: combined(1, weights.WL, t, velocity.WL),
      },
      x,
    );
  const [after, before] = [moved(1e-5), moved(-1e-5)];
  const { values, inexact } = measureBatch(source, [cell], SETTINGS)[0]!;
  expect(inexact).toBeUndefined();
  for (let v = 1; v < L; v++) {
    const fdot = combined(5e4, after[v]!, -5e4, before[v]!);
    const [speed, backward] = [square(fdot), square(b[v]!)];
    const cosine = -dot(b[v]!.flat(), fdot.flat()) / Math.sqrt(speed * backward);
    expect(values.feature_rms[v - 1]! / Math.sqrt(square(f[v]!) / (n * m))).toBeCloseTo(1, 5);
    expect(values.backward_rms[v - 1]! / Math.sqrt(backward / (n * m))).toBeCloseTo(1, 5);
    expect(values.feature_speed_rms[v - 1]! / Math.sqrt(speed / (n * m))).toBeCloseTo(1, 5);
    expect(values.bfa_rad[v - 1]).toBeCloseTo(Math.acos(cosine), 5);
    expect(values.contribution[v - 1]).toBeCloseTo(1 / L, 9);
  }
});

const KINDS = (['dense', 'matrix-free'] as const).flatMap((weights) =>
  (['velocity', 'update'] as const).flatMap((kind) =>
    ([1, 3] as const).flatMap((samples) =>
      (['relu', 'linear', 'gelu'] as const).map((activation) => ({ weights, kind, samples, activation })),
    ),
  ),
);
test.each(KINDS)(
  'a block of two matrices proves itself: $weights, $kind, $samples samples, $activation',
  ({ samples, ...over }) => {
    const settings = { ...SETTINGS, ...over, shape: { ...SHAPE, samples }, steps: 2 };
    for (const cell of measureBatch(source, [cellOf(2), { ...cellOf(3), depth: 4 }, cellOf(4)], settings)) {
      expect(cell.inexact).toBeUndefined();
      expect(cell.divergedAt).toBeUndefined();
      if (over.kind === 'velocity') {
        for (const residual of cell.values.speed_formula_residual) expect(residual).toBeLessThan(1e-5);
      }
    }
  },
);

test('its scales normalize themselves, Eq. 7 and |f_1|_rms = 1', () => {
  const [cell] = measureBatch(source, [cellOf(5)], { ...SETTINGS, isNormalized: true });
  const { feature_rms, backward_rms, bfa_rad } = cell!.values;
  expect(cell!.inexact).toBeUndefined();
  expect(feature_rms[0]).toBeCloseTo(1, 5);
  expect(n * m * backward_rms[L - 2]! * Math.cos(bfa_rad[L - 2]!)).toBeCloseTo(1, 3);
});

// False alarms: two means of 400 draws differ by more than 4.5 standard errors with probability 7e-6.
test.each(['relu', 'tanh'] as const)(
  'a block of two matrices, never formed, has the law of a dense one: %s',
  (activation) => {
    const DRAWS = 400;
    const cells = Array.from({ length: DRAWS }, (_, draw) => cellOf(100 + draw));
    const [dense, free] = (['dense', 'matrix-free'] as const).map((weights) =>
      measureBatch(source, cells, { ...SETTINGS, weights, activation, layers: 'output' }),
    );
    for (const quantity of ['bfa_rad', 'feature_speed_rms', 'backward_rms'] as const) {
      const logs = [dense!, free!].map((all) => all.map(({ values }) => Math.log(values[quantity][0]!)));
      const [a, b] = logs.map((own) => {
        const mean = own.reduce((sum, x) => sum + x, 0) / DRAWS;
        return { mean, error: own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / DRAWS ** 2 };
      });
      expect(Math.abs(a!.mean - b!.mean)).toBeLessThan(4.5 * Math.sqrt(a!.error + b!.error));
    }
  },
);
