/** Whole passes of the backend against those that go piece by piece, from the same random numbers. */
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { openBackend } from '../../backend.js';
import { type BatchCell, type BatchSettings, type CellMeasurement, measureBatch } from '../../experiment.js';
import { GaussianSampler } from '../../random.js';
import type { Source } from '../../weights/weights.js';

const whole = vi.hoisted(() => ({ isOffered: true, calls: 0 }));

vi.mock('../../wasm/sampled/kernels.js', async (original) => {
  const core = await original<typeof import('../../wasm/sampled/kernels.js')>();
  const forward: typeof core.forward = (...given) => {
    whole.calls++;
    return core.forward(...given);
  };
  return { ...core, forward, hasSampledPasses: () => whole.isOffered && core.hasSampledPasses() };
});

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend('wasm'), sampler: new GaussianSampler() };
});

const DEPTHS = [12, 7, 7, 3, 4];
const cellsOf = (width: number, over: Partial<BatchCell> = {}): BatchCell[] =>
  DEPTHS.map((depth, i) => ({
    seed: [i, 1, 2, 3],
    depth,
    branchScale: 0.4,
    sigma: { input: 0.3, hidden: Math.sqrt(2 / width), output: 1 / width },
    learningRate: 'scale-invariant',
    stepSize: 1e-2,
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
    ...over,
  }));
const settingsOf = (width: number, over: Partial<BatchSettings>): BatchSettings => ({
  shape: { samples: 1, width, inputWidth: 10, outputWidth: 2 },
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

function measured(isOffered: boolean, cells: readonly BatchCell[], settings: BatchSettings) {
  Object.assign(whole, { isOffered, calls: 0 });
  const measurements = measureBatch(source, cells, settings);
  expect(whole.calls > 0).toBe(isOffered);
  return measurements;
}

const QUANTITIES = [
  'bfa_rad',
  'feature_rms',
  'backward_rms',
  'feature_speed_rms',
  'contribution',
  'loss',
] as const;

/** The largest difference of a quantity of two cells, as a share of the largest value of it; and an angle as it is. */
function apart(a: CellMeasurement, b: CellMeasurement): number {
  const shares = QUANTITIES.map((name) => {
    const [x, y] = [a.values[name], b.values[name]];
    const size = name === 'bfa_rad' ? 1 : Math.max(...x.filter(Number.isFinite), 1e-300);
    return Math.max(...x.map((value, i) => (Object.is(value, y[i]) ? 0 : Math.abs(value - y[i]!) / size)));
  });
  return Math.max(...shares);
}

const FORMS = (['resnet', 'mlp'] as const).flatMap((architecture) =>
  (['relu', 'leaky', 'linear'] as const).flatMap((activation) =>
    (['update', 'velocity'] as const).map((kind) => ({ architecture, activation, kind })),
  ),
);

// Widths of every rest by four, one unit, and more units than are drawn at a time.
test.each(FORMS)(
  'whole passes give what passes by pieces give: $architecture, $activation, $kind',
  (form) => {
    const branchScale = form.architecture === 'mlp' ? 1 : 0.4;
    for (const train of ['hidden', 'all'] as const) {
      for (const width of [1, 2, 3, 4, 17, 1030]) {
        const [cells, settings] = [cellsOf(width, { branchScale }), settingsOf(width, { ...form, train })];
        const pieces = measured(false, cells, settings);
        measured(true, cells, settings).forEach((cell, i) => {
          expect(cell.divergedAt).toBe(pieces[i]!.divergedAt);
          expect(cell.inexact).toEqual(pieces[i]!.inexact);
          expect(apart(cell, pieces[i]!), `width ${width}, ${train}`).toBeLessThan(2e-5);
        });
      }
    }
  },
);

test('so they do where states are as small, or as large, as float32 can hold them', () => {
  for (const [input, output] of [
    [1e-20, 1e-5],
    [1e15, 1e-20],
    [1, 1e-25],
    [1e-3, 1e12],
  ] as const) {
    for (const kind of ['velocity', 'update'] as const) {
      const sigma = { input, hidden: 0.3, output };
      const cells = cellsOf(40, { sigma, stepSize: 1e-30 });
      const settings = settingsOf(40, { kind, loss: 'linear' });
      const pieces = measured(false, cells, settings);
      measured(true, cells, settings).forEach((cell, i) => {
        expect(cell.divergedAt).toBe(pieces[i]!.divergedAt);
        expect(cell.inexact?.identity).toBe(pieces[i]!.inexact?.identity);
        if (!cell.inexact)
          expect(apart(cell, pieces[i]!), `input ${input}, output ${output}, ${kind}`).toBeLessThan(2e-5);
      });
    }
  }
});

test('an overflow is told at the same layer', () => {
  const sigma = { input: 1e30, hidden: 1e4, output: 1 };
  for (const activation of ['relu', 'linear'] as const) {
    for (const architecture of ['mlp', 'resnet'] as const) {
      const [cells, settings] = [cellsOf(20, { sigma }), settingsOf(20, { architecture, activation })];
      const layers = (isOffered: boolean) =>
        measured(isOffered, cells, settings).map(({ divergedAt }) => divergedAt);
      expect(layers(true)).toEqual(layers(false));
      expect(layers(true)).toContain(3);
    }
  }
});

test.each(
  (['hidden', 'all'] as const).flatMap((train) =>
    (['resnet', 'mlp'] as const).flatMap((architecture) =>
      (['velocity', 'update'] as const).map((kind) => ({ train, architecture, kind })),
    ),
  ),
)('a cell has the same bits alone, beside others, and beside others that begin where it does: %j', (over) => {
  const [cells, settings] = [cellsOf(1037), settingsOf(1037, over)];
  const alone = cells.flatMap((cell) => measured(true, [cell], settings));
  expect(measured(true, cells, settings)).toEqual(alone);
  const twice = cells.flatMap(
    (cell) => measured(true, [cell, { ...cell, seed: [9, 9, 9, 9] }], settings)[0]!,
  );
  expect(twice).toEqual(alone);
});

test('what looks at single units sees those of passes by pieces', () => {
  const needs = new Set(['features'] as const);
  for (const architecture of ['resnet', 'mlp'] as const) {
    const [cells, settings] = [cellsOf(37), settingsOf(37, { architecture, needs })];
    const pieces = measured(false, cells, settings);
    measured(true, cells, settings).forEach(({ values }, i) => {
      expect(Math.max(...values.dead_units)).toBeGreaterThan(0);
      expect(values.dead_units).toEqual(pieces[i]!.values.dead_units);
    });
  }
});

test('what is recorded alone is as it is beside everything', () => {
  const cells = cellsOf(37);
  for (const layers of ['all', 'output'] as const) {
    const all = measured(true, cells, settingsOf(37, { layers }));
    const quantities = ['bfa_rad', 'contribution'] as const;
    measured(true, cells, settingsOf(37, { layers, quantities })).forEach(({ values }, i) => {
      const { bfa_rad, contribution } = all[i]!.values;
      expect(values).toEqual({ bfa_rad, contribution });
    });
  }
});

test('as many tensors are left as were before', () => {
  const [cells, settings] = [cellsOf(37), settingsOf(37, {})];
  for (const architecture of ['resnet', 'mlp'] as const) {
    const before = memory().numTensors;
    measured(true, cells, { ...settings, architecture });
    expect(memory().numTensors).toBe(before);
  }
});

test('layers of other activations, of several samples, and whose states are kept go by pieces', () => {
  const cells = cellsOf(8);
  for (const over of [
    { activation: 'tanh' },
    { needs: new Set(['backward velocity'] as const), kind: 'velocity' },
    { steps: 2 },
    { isNormalized: true, train: 'all' },
    { shape: { ...settingsOf(8, {}).shape, samples: 2 } },
  ] as const) {
    Object.assign(whole, { isOffered: true, calls: 0 });
    measureBatch(source, cells, settingsOf(8, over));
    expect(whole.calls).toBe(0);
  }
});
