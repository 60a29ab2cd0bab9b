import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from './backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from './experiment.js';
import { GaussianSampler, ROLE } from './random.js';
import type { Source } from './weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend('wasm'), sampler: new GaussianSampler() };
});

const cell = (over: Partial<BatchCell> & { m: number; depth: number }): BatchCell => ({
  seed: [1, 2, 3, 4],
  branchScale: 1,
  sigma: { input: 1 / Math.sqrt(10), hidden: Math.sqrt(2 / over.m), output: 1 / over.m },
  learningRate: 'scale-invariant',
  stepSize: 1e-3,
  data: { input: { scale: 1, normalize: 'none' }, target: { law: 'normal' } },
  ...over,
});

const settings = (m: number, over: Partial<BatchSettings> = {}): BatchSettings => ({
  shape: { samples: 1, width: m, inputWidth: 10, outputWidth: 1 },
  activation: 'relu',
  weights: 'dense',
  kind: 'update',
  layers: 'all',
  ...over,
});

/**
 * The same step in float64 by brute force, on the very weights of the cell: full matrices, explicit gradients, the
 * update as the difference of two forward passes, the velocity as a central difference frozen at the gates.
 */
function bruteForce(c: BatchCell, s: BatchSettings): number[] {
  const { samples: n, width: m, inputWidth: d, outputWidth: k } = s.shape;
  const L = c.depth;
  const draw = (layer: number, count: number, sigma: number) =>
    Float64Array.from(source.sampler.draw([{ seed: c.seed, layer, role: ROLE.DENSE }], count, [sigma]));
  const data = (role: number, count: number, scale: number) =>
    Float64Array.from(source.sampler.draw([{ seed: c.seed, layer: 0, role }], count, [scale]));
  const W1 = draw(1, m * d, c.sigma.input);
  const V = Array.from({ length: L }, (_, l) =>
    l >= 2 ? draw(l, m * m, c.sigma.hidden) : new Float64Array(),
  );
  const WL = draw(L, k * m, c.sigma.output);
  const x = data(ROLE.INPUT, n * d, c.data.input.scale);
  const y = data(ROLE.TARGET, n * k, 1);
  const a = Math.sqrt(1 - c.branchScale ** 2);
  const beta = c.branchScale;
  const relu = s.activation === 'relu';
  const phi = (f: number) => (relu ? Math.max(0, f) : f);
  const gate = (f: number) => (relu ? Number(f > 0) : 1);
  const at = (M: Float64Array, i: number) => M[i]!;

  const apply = (M: Float64Array, rows: number, columns: number, v: Float64Array, transposed = false) => {
    const out = new Float64Array(transposed ? n * columns : n * rows);
    for (let s = 0; s < n; s++)
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++)
          if (transposed) out[s * columns + j]! += at(M, i * columns + j) * at(v, s * rows + i);
          else out[s * rows + i]! += at(M, i * columns + j) * at(v, s * columns + j);
    return out;
  };
  const forward = (hidden: Float64Array[]) => {
    const f: Float64Array[] = [new Float64Array(), apply(W1, m, d, x)];
    for (let l = 2; l < L; l++) {
      const u = apply(hidden[l]!, m, m, f[l - 1]!.map(phi));
      f[l] = f[l - 1]!.map((t, i) => a * t + beta * at(u, i));
    }
    return f;
  };

  const f = forward(V);
  const output = apply(WL, k, m, f[L - 1]!);
  const b: Float64Array[] = [];
  b[L - 1] = apply(
    WL,
    k,
    m,
    output.map((o, i) => (o - at(y, i)) / (k * n)),
    true,
  );
  for (let l = L - 1; l >= 2; l--) {
    const t = apply(V[l]!, m, m, b[l]!, true);
    b[l - 1] = b[l]!.map((r, i) => a * r + gate(at(f[l - 1]!, i)) * beta * at(t, i));
  }
  const step = V.map((matrix, l) => {
    if (l < 2) return matrix;
    const G = new Float64Array(m * m);
    for (let s = 0; s < n; s++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < m; j++)
          G[i * m + j]! += beta * at(b[l]!, s * m + i) * phi(at(f[l - 1]!, s * m + j));
    const norm = G.reduce((sum, g) => sum + g * g, 0);
    return G.map((g) => -g / (L * norm));
  });

  let change: Float64Array[];
  if (s.kind === 'velocity') {
    change = [new Float64Array(), new Float64Array(n * m)];
    for (let l = 2; l < L; l++) {
      const moved = apply(
        V[l]!,
        m,
        m,
        change[l - 1]!.map((t, i) => gate(at(f[l - 1]!, i)) * t),
      );
      const push = apply(step[l]!, m, m, f[l - 1]!.map(phi));
      change[l] = change[l - 1]!.map((t, i) => a * t + beta * (at(moved, i) + at(push, i)));
    }
  } else {
    const dt = c.stepSize;
    const after = forward(
      V.map((matrix, l) => matrix.map((v, i) => v + (l >= 2 ? dt * at(step[l]!, i) : 0))),
    );
    change = f.map((before, l) => before.map((t, i) => at(after[l]!, i) - t));
  }
  return Array.from({ length: L - 2 }, (_, i) => {
    const v = i + 2;
    let bc = 0;
    let bb = 0;
    let cc = 0;
    for (let j = 0; j < n * m; j++) {
      bc -= at(b[v]!, j) * at(change[v]!, j);
      bb += at(b[v]!, j) ** 2;
      cc += at(change[v]!, j) ** 2;
    }
    // In float64 the angle from the sine, sqrt(1 - cos^2), is good to 1e-8.
    const cos = bc / Math.sqrt(bb * cc);
    return Math.atan2(Math.sqrt(Math.max(0, 1 - cos ** 2)), cos);
  });
}

const SCALES = {
  '1/L': (L: number) => 1 / L,
  '1/(2 sqrt L)': (L: number) => 0.5 / Math.sqrt(L),
  '1/sqrt L': (L: number) => 1 / Math.sqrt(L),
  '2/sqrt L': (L: number) => 2 / Math.sqrt(L),
  '1': () => 1,
};

const worstAngleError = (c: BatchCell, s: BatchSettings) => {
  const { bfa_rad } = measureBatch(source, [c], s)[0]!.values;
  return Math.max(...bruteForce(c, s).map((angle, i) => Math.abs(angle - bfa_rad[i + 1]!)));
};

// The published scales of Fig 1a; the full size of the figure is in the slow tests.
const sizes = process.env.FEATURE_SPEED_SLOW ? [60, 200] : [60];
describe.each(sizes)('float32 angles at L = m = %i are within 2e-4 rad of float64 at every layer', (size) => {
  describe.each(['velocity', 'update'] as const)('%s', (kind) => {
    test.each(Object.keys(SCALES) as (keyof typeof SCALES)[])('branch scale %s', (name) => {
      const c = cell({ m: size, depth: size, branchScale: SCALES[name](size) });
      expect(worstAngleError(c, settings(size, { kind }))).toBeLessThan(2e-4);
    });
  });
});

test.each([
  ['few samples, gradient as factors', 5, 24],
  ['more samples than units, gradient as a matrix', 40, 24],
])('many samples agree with float64: %s', (_, samples, m) => {
  for (const kind of ['velocity', 'update'] as const) {
    const c = cell({ m, depth: 8, branchScale: 0.4, stepSize: 1e-2 });
    const s = settings(m, { kind, shape: { samples, width: m, inputWidth: 4, outputWidth: 2 } });
    expect(worstAngleError(c, s)).toBeLessThan(2e-4);
  }
});

test('a linear activation agrees with float64', () => {
  const c = cell({
    m: 30,
    depth: 12,
    branchScale: 0.5,
    sigma: { input: 0.3, hidden: 1 / Math.sqrt(30), output: 1 / 30 },
  });
  for (const kind of ['velocity', 'update'] as const) {
    expect(worstAngleError(c, settings(30, { activation: 'linear', kind }))).toBeLessThan(2e-4);
  }
});

describe.each(['dense', 'matrix-free'] as const)('with %s weights', (weights) => {
  test('the feature speed formula (Thm 2.1) holds to 1e-5 at every layer', () => {
    const cells = Object.values(SCALES).map((scale, i) =>
      cell({ m: 60, depth: 60, branchScale: scale(60), seed: [i, 1, 1, 1] }),
    );
    for (const { values } of measureBatch(source, cells, settings(60, { weights, kind: 'velocity' }))) {
      expect(Math.max(...values.speed_formula_residual.subarray(1))).toBeLessThan(1e-5);
    }
  });

  test('a cell measures the same bits alone and in a batch with others of other depths', () => {
    const cells = [7, 3, 12, 7, 5, 12, 4].map((depth, i) =>
      cell({ m: 33, depth, branchScale: 1 / (i + 1), seed: [i, 0, 0, 0] }),
    );
    for (const samples of weights === 'dense' ? [1, 3, 20] : [1, 3]) {
      const s = settings(33, { weights, shape: { samples, width: 33, inputWidth: 4, outputWidth: 2 } });
      expect(measureBatch(source, cells, s)).toEqual(cells.flatMap((c) => measureBatch(source, [c], s)));
    }
  });

  test('a batch leaves no tensor behind', () => {
    const run = (samples: number) =>
      measureBatch(
        source,
        [6, 9, 3].map((depth) => cell({ m: 20, depth })),
        settings(20, { weights, shape: { samples, width: 20, inputWidth: 4, outputWidth: 2 } }),
      );
    const before = tf.memory().numTensors;
    for (const samples of weights === 'dense' ? [1, 3, 30] : [1, 3]) run(samples);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('a network that overflows is reported at its layer, and its neighbour is intact', () => {
    const good = cell({ m: 40, depth: 200 });
    const bad = cell({ m: 40, depth: 200, sigma: { ...good.sigma, hidden: 3 * good.sigma.hidden } });
    const [first, second] = measureBatch(source, [bad, good], settings(40, { weights }));
    // Features grow threefold a layer, from 1: beyond 3.4e38 near layer 81; squares of norms beyond half of it.
    expect(first!.divergedAt).toBeGreaterThan(38);
    expect(first!.divergedAt).toBeLessThan(100);
    expect(second).toEqual(measureBatch(source, [good], settings(40, { weights }))[0]);
    expect(second!.divergedAt).toBeUndefined();
  });

  test('with a zero readout nothing moves, and there is no angle', () => {
    const c = cell({ m: 20, depth: 6, sigma: { input: 1, hidden: 0.3, output: 0 } });
    const { values, divergedAt } = measureBatch(source, [c], settings(20, { weights }))[0]!;
    expect(divergedAt).toBeUndefined();
    expect(Array.from(values.feature_speed_rms)).toEqual([0, 0, 0, 0, 0]);
    expect(values.bfa_rad.every(Number.isNaN)).toBe(true);
  });

  test('at branch scale 0 no weight is trained and nothing moves', () => {
    const { values } = measureBatch(
      source,
      [cell({ m: 20, depth: 6, branchScale: 0 })],
      settings(20, { weights }),
    )[0]!;
    expect(Array.from(values.feature_speed_rms)).toEqual([0, 0, 0, 0, 0]);
  });
});
