import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ACTIVATION_NAMES, type ActivationName, activationEntry } from '../../activations.js';
import { compileExpression } from '../../config/expression.js';
import { openBackend } from '../backend.js';
import { drawData } from '../data.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { ACTIVATIONS } from '../oracle/functions.js';
import { GaussianSampler, ROLE } from '../random.js';
import type { Source } from '../weights/weights.js';
import { learns } from './lane.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const cell = (over: Partial<BatchCell> & { m: number; depth: number }): BatchCell => ({
  seed: [1, 2, 3, 4],
  branchScale: 1,
  sigma: { input: 1 / Math.sqrt(10), hidden: Math.sqrt(2 / over.m), output: 1 / over.m },
  learningRate: 'scale-invariant',
  stepSize: 1e-3,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
  ...over,
});

const settings = (m: number, over: Partial<BatchSettings> = {}): BatchSettings => ({
  shape: { samples: 1, width: m, inputWidth: 10, outputWidth: 1 },
  architecture: 'resnet',
  activation: 'relu',
  weights: 'dense',
  isNormalized: false,
  loss: 'squared',
  train: 'hidden',
  kind: 'update',
  steps: 1,
  layers: 'all',
  ...over,
});

type Vector = Float64Array;

/** What the brute force finds of one step, at index v. */
interface Reference {
  readonly angles: number[];
  readonly contributions: number[];
  readonly featureRms: number[];
  readonly loss: number;
  readonly lossChange: number;
}

/**
 * The same steps in float64 by brute force, on the very weights of the cell: full matrices, explicit gradients, the
 * update as the difference of two forward passes, the velocity with frozen gates.
 */
function bruteForce(c: BatchCell, s: BatchSettings): Reference[] {
  const { samples: n, width: m, inputWidth: d, outputWidth: k } = s.shape;
  const L = c.depth;
  const isMlp = s.architecture === 'mlp';
  const { value: phi, slope } = ACTIVATIONS[s.activation];
  const { input: x, target: y } = drawData(source.sampler, c.seed, c.data, s.shape);
  const draw = (layer: number, count: number, sigma: number) =>
    Float64Array.from(source.sampler.draw([{ seed: c.seed, layer, role: ROLE.DENSE }], count, [sigma]));
  // beta V_l: as the program draws it.
  const beta = c.branchScale;
  const a = isMlp ? 0 : Math.sqrt(1 - beta ** 2);
  const sizes = (l: number) => [l === L ? k : m, l === 1 ? d : m] as const;
  let W: Vector[] = Array.from({ length: L + 1 }, (_, l) => {
    if (l === 0) return new Float64Array();
    const sigma = l === 1 ? c.sigma.input : l === L ? c.sigma.output : beta * c.sigma.hidden;
    return draw(l, sizes(l)[0] * sizes(l)[1], sigma);
  });

  const product = (M: Vector, [rows, columns]: readonly [number, number], v: ArrayLike<number>) => {
    const out = new Float64Array(n * rows);
    for (let t = 0; t < n; t++)
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) out[t * rows + i]! += M[i * columns + j]! * v[t * columns + j]!;
    return out;
  };
  const transposed = (M: Vector, [rows, columns]: readonly [number, number], v: ArrayLike<number>) => {
    const out = new Float64Array(n * columns);
    for (let t = 0; t < n; t++)
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) out[t * columns + j]! += M[i * columns + j]! * v[t * rows + i]!;
    return out;
  };
  /** What the matrix of layer l takes. */
  const inputOf = (f: Vector[], l: number) =>
    l === 1 ? Float64Array.from(x) : l === L && !isMlp ? f[l - 1]! : f[l - 1]!.map(phi);
  const forward = (weights: Vector[]) => {
    const f: Vector[] = [new Float64Array()];
    for (let l = 1; l <= L; l++) {
      const u = product(weights[l]!, sizes(l), inputOf(f, l));
      f[l] = l === 1 || l === L ? u : u.map((t, i) => a * f[l - 1]![i]! + t);
    }
    return f;
  };
  const softmax = (row: Vector) => {
    const total = row.reduce((sum, t) => sum + Math.exp(t), 0);
    return row.map((t) => Math.exp(t) / total);
  };
  const lossOf = (out: Vector) => {
    let loss = 0;
    for (let t = 0; t < n; t++) {
      const [f, target] = [out.subarray(t * k, (t + 1) * k), y.subarray(t * k, (t + 1) * k)];
      const p = softmax(f);
      f.forEach((value, j) => {
        if (s.loss === 'squared') loss += (value - target[j]!) ** 2 / (2 * k * n);
        else if (s.loss === 'linear') loss += (value * target[j]!) / (k * n);
        else loss -= (target[j]! * Math.log(p[j]!)) / n;
      });
    }
    return loss;
  };
  const slopeOf = (out: Vector) =>
    out.map((value, i) => {
      if (s.loss === 'squared') return (value - y[i]!) / (k * n);
      if (s.loss === 'linear') return y[i]! / (k * n);
      const row = Math.floor(i / k) * k;
      return (softmax(out.subarray(row, row + k))[i % k]! - y[i]!) / n;
    });

  return Array.from({ length: s.steps }, () => {
    const f = forward(W);
    const b: Vector[] = [];
    const z: Vector[] = [];
    b[L] = slopeOf(f[L]!);
    for (let l = L - 1; l >= 1; l--) {
      z[l] = transposed(W[l + 1]!, sizes(l + 1), b[l + 1]!);
      b[l] =
        l === L - 1 && !isMlp
          ? z[l]!
          : z[l]!.map((t, i) => slope(f[l]![i]!) * t + (l === L - 1 ? 0 : a * b[l + 1]![i]!));
    }
    const contributions = new Array<number>(L + 1).fill(0);
    const velocity = W.map((matrix, l) => {
      if (l === 0 || !learns(s.train, l, L)) return matrix.map(() => 0);
      const [rows, columns] = sizes(l);
      const q = inputOf(f, l);
      const G = new Float64Array(rows * columns);
      for (let t = 0; t < n; t++)
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) G[i * columns + j]! += b[l]![t * rows + i]! * q[t * columns + j]!;
      // The trained parameter is V, and the matrix beta V.
      const square = l === 1 || l === L ? 1 : beta ** 2;
      const norm = square * G.reduce((sum, g) => sum + g * g, 0);
      const eta = typeof c.learningRate === 'string' ? 1 / (L * norm) : c.learningRate[l]!;
      contributions[l] = eta * norm;
      return G.map((g) => -eta * square * g);
    });
    const after = W.map((matrix, l) => matrix.map((w, i) => w + c.stepSize * velocity[l]![i]!));

    let change: Vector[];
    let lossChange: number;
    if (s.kind === 'velocity') {
      change = [new Float64Array()];
      for (let l = 1; l <= L; l++) {
        const moving =
          l === 1
            ? new Float64Array(n * d)
            : l === L && !isMlp
              ? change[l - 1]!
              : change[l - 1]!.map((t, i) => slope(f[l - 1]![i]!) * t);
        const moved = product(W[l]!, sizes(l), moving);
        const push = product(velocity[l]!, sizes(l), inputOf(f, l));
        change[l] = moved.map((t, i) => t + push[i]! + (l === 1 || l === L ? 0 : a * change[l - 1]![i]!));
      }
      lossChange = b[L]!.reduce((sum, t, i) => sum + t * change[L]![i]!, 0);
      if (isMlp) change = change.map((t, l) => t.map((v, i) => slope(f[l]![i]!) * v));
    } else {
      const g = forward(after);
      const feature = (t: number) => (isMlp ? phi(t) : t);
      change = f.map((before, l) => before.map((t, i) => feature(g[l]![i]!) - feature(t)));
      lossChange = lossOf(g[L]!) - lossOf(f[L]!);
    }
    const backward = isMlp ? z : b;
    const loss = lossOf(f[L]!);
    W = after;
    return {
      loss,
      lossChange,
      contributions,
      featureRms: f.map((t) => Math.sqrt(t.reduce((sum, v) => sum + (isMlp ? phi(v) : v) ** 2, 0) / (n * m))),
      angles: Array.from({ length: L }, (_, v) => {
        if (v === 0) return Number.NaN;
        let [bc, bb, cc] = [0, 0, 0];
        for (let j = 0; j < n * m; j++) {
          bc -= backward[v]![j]! * change[v]![j]!;
          bb += backward[v]![j]! ** 2;
          cc += change[v]![j]! ** 2;
        }
        // In float64 the angle from the sine, sqrt(1 - cos^2), is good to 1e-8.
        const cos = bc / Math.sqrt(bb * cc);
        return Math.atan2(Math.sqrt(Math.max(0, 1 - cos ** 2)), cos);
      }),
    };
  });
}

const SCALES = {
  '1/L': (L: number) => 1 / L,
  '1/(2 sqrt L)': (L: number) => 0.5 / Math.sqrt(L),
  '1/sqrt L': (L: number) => 1 / Math.sqrt(L),
  '2/sqrt L': (L: number) => 2 / Math.sqrt(L),
  '1': () => 1,
};

/** The largest error of an angle, over all steps and layers. */
const worstAngleError = (c: BatchCell, s: BatchSettings) => {
  const { bfa_rad } = measureBatch(source, [c], s)[0]!.values;
  const angles = bruteForce(c, s).flatMap((step) => step.angles.slice(1));
  return Math.max(...angles.map((angle, i) => (Number.isNaN(angle) ? 0 : Math.abs(angle - bfa_rad[i]!))));
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

describe('every architecture, activation, loss and set of trained layers agrees with float64', () => {
  const width = 24;
  const someCell = (activation: ActivationName, branchScale: number, over: Partial<BatchCell> = {}) =>
    cell({
      m: width,
      depth: 7,
      branchScale,
      sigma: {
        input: 0.5,
        hidden: compileExpression(activationEntry(activation).sigmaHidden).evaluate({
          L: 7,
          m: width,
          d: 1,
          k: 1,
          n: 1,
        }),
        output: 0.2,
      },
      stepSize: 0.05,
      ...over,
    });

  test.each(ACTIVATION_NAMES.flatMap((name) => [[name, 'resnet'] as const, [name, 'mlp'] as const]))(
    '%s, %s',
    (activation, architecture) => {
      for (const kind of ['velocity', 'update'] as const) {
        for (const samples of [1, 3]) {
          const c = someCell(activation, architecture === 'mlp' ? 1 : 0.4);
          const shape = { samples, width, inputWidth: 4, outputWidth: 2 };
          const s = settings(width, { activation, architecture, kind, shape, train: 'all' });
          expect(worstAngleError(c, s)).toBeLessThan(2e-4);
        }
      }
    },
  );

  test.each([
    ['squared', 'normal'],
    ['linear', 'normal'],
    ['cross-entropy', 'one-hot'],
  ] as const)('the %s loss, its change and the contributions', (loss, law) => {
    const data = {
      input: { law: 'one-hot', scale: 1, normalize: 'none' },
      target: { law },
    } as const;
    for (const kind of ['velocity', 'update'] as const) {
      for (const train of ['hidden', 'all', ['output', 3]] as const) {
        const c = someCell('relu', 1, { data });
        const shape = { samples: 3, width, inputWidth: 4, outputWidth: 3 };
        const s = settings(width, { architecture: 'mlp', loss, kind, train, shape, layers: 'all' });
        const { values } = measureBatch(source, [c], s)[0]!;
        const [reference] = bruteForce(c, s);
        expect(values.loss[0]! / reference!.loss - 1).toBeCloseTo(0, 5);
        expect(values.loss_change[0]! / reference!.lossChange - 1).toBeCloseTo(0, 4);
        for (let v = 1; v < c.depth; v++) {
          expect(values.contribution[v - 1]).toBeCloseTo(reference!.contributions[v]!, 5);
        }
        const learning = reference!.contributions.filter((contribution) => contribution > 0);
        const balance = Math.max(...learning) / Math.min(...learning);
        expect(values.contribution_balance[0]! / balance - 1).toBeCloseTo(0, 4);
      }
    }
  });

  test.each([
    ['resnet', 'dense', 1],
    ['mlp', 'dense', 1],
    ['resnet', 'dense', 3],
    ['mlp', 'dense', 30],
  ] as const)('four steps of a %s with %s weights and %i samples', (architecture, weights, samples) => {
    const c = someCell('relu', architecture === 'mlp' ? 1 : 0.5, { stepSize: 0.3 });
    const shape = { samples, width, inputWidth: 4, outputWidth: 2 };
    for (const kind of ['update', 'velocity'] as const) {
      const s = settings(width, { architecture, weights, shape, kind, train: 'all', steps: 4 });
      const { values } = measureBatch(source, [c], s)[0]!;
      const reference = bruteForce(c, s);
      reference.forEach(({ loss, featureRms, angles }, t) => {
        expect(values.loss[t * (c.depth - 1)]! / loss - 1).toBeCloseTo(0, 4);
        for (let v = 1; v < c.depth; v++) {
          const at = t * (c.depth - 1) + v - 1;
          expect(values.step_number[at]).toBe(t + 1);
          expect(values.feature_rms[at]! / featureRms[v]! - 1).toBeCloseTo(0, 4);
          expect(Math.abs(values.bfa_rad[at]! - angles[v]!)).toBeLessThan(1e-3);
        }
      });
    }
  });

  test('learning rates of every layer', () => {
    const learningRate = Array.from({ length: 8 }, (_, l) => 0.1 * l ** 2);
    const c = someCell('relu', 0.7, { learningRate });
    for (const kind of ['velocity', 'update'] as const) {
      expect(worstAngleError(c, settings(width, { kind, train: 'all' }))).toBeLessThan(2e-4);
    }
  });
});

// A law of what is computed with, and not of the backend: the others have the same steps of each kind.
const onWasm = test.runIf(process.env.FEATURE_SPEED_SLOW || inject('backend') === 'wasm');
onWasm('several steps have one law with dense weights and with weights that are never formed', () => {
  const measure = (weights: 'dense' | 'matrix-free') =>
    measureBatch(
      source,
      Array.from({ length: 300 }, (_, i) =>
        cell({
          m: 40,
          depth: 6,
          stepSize: 0.1,
          seed: [i, weights === 'dense' ? 1 : 2, 0, 0],
          data: {
            input: { law: 'normal', scale: 1, normalize: 'unit-norm' },
            target: { law: 'constant', value: 1 },
          },
        }),
      ),
      settings(40, { weights, steps: 3, train: 'all', layers: 'output' }),
    ).map(({ values }) => [
      values.bfa_rad[2]!,
      Math.log(values.loss[2]!),
      values.feature_displacement_rms[2]!,
    ]);
  const [dense, free] = [measure('dense'), measure('matrix-free')];
  for (const q of [0, 1, 2]) {
    const [x, y] = [dense, free].map((all) => all.map((values) => values[q]!)) as [number[], number[]];
    const mean = (v: number[]) => v.reduce((sum, t) => sum + t, 0) / v.length;
    const variance = (v: number[]) => mean(v.map((t) => (t - mean(v)) ** 2)) / (v.length - 1);
    const z = (mean(x) - mean(y)) / Math.sqrt(variance(x) + variance(y));
    expect(Math.abs(z)).toBeLessThan(3);
    expect(Math.sqrt(variance(x) / variance(y))).toBeGreaterThan(0.8);
    expect(Math.sqrt(variance(x) / variance(y))).toBeLessThan(1.25);
  }
});

describe('section 4.2', () => {
  test.each([
    ['relu', 'mlp', 1],
    ['tanh', 'mlp', 1],
    ['relu', 'resnet', 0.25],
    ['gelu', 'resnet', 0.25],
  ] as const)(
    'normalizes features, sensitivity and contributions of a %s %s',
    (activation, architecture, branchScale) => {
      for (const weights of ['dense', 'matrix-free'] as const) {
        const cells = [12, 5].map((depth) =>
          cell({ m: 128, depth, branchScale, sigma: { input: 5, hidden: 0.7, output: 3 } }),
        );
        const s = settings(128, {
          architecture,
          activation,
          weights,
          kind: 'velocity',
          train: 'all',
          isNormalized: true,
        });
        for (const [i, { values }] of measureBatch(source, cells, s).entries()) {
          const last = cells[i]!.depth - 2;
          expect(values.sensitivity[last]).toBeCloseTo(1, 1);
          expect(values.loss_change[last]).toBeCloseTo(-1, 3);
          expect(values.contribution[last]! * cells[i]!.depth).toBeCloseTo(1, 4);
          for (const rms of values.feature_rms) {
            // The activations of an MLP are smaller than what they are of, which has rms 1.
            expect(rms).toBeGreaterThan(0.5);
            expect(rms).toBeLessThan(1.3);
          }
        }
      }
    },
  );
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
        settings(20, { weights, train: 'all', shape: { samples, width: 20, inputWidth: 4, outputWidth: 2 } }),
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
