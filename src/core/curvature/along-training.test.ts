/** What is measured of the weights and of the Hessian along a training, at its edges. */
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, inject, test } from 'vitest';
import type { Need } from '../../quantities.js';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { GaussianSampler } from '../random.js';
import type { TrainingState } from '../training.js';
import type { Source } from '../weights/weights.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const NEEDS: readonly Need[] = ['displaced weights', 'first weights', 'curvature', 'curvature of the step'];
const NAMES = ['update_cosine', 'weight_displacement', 'sharpness', 'step_sharpness'] as const;
const RECORDED = [1, 2, 5, 9];
const [L, m, d, k, n, B] = [4, 8, 5, 2, 12, 4];
const SETTINGS: BatchSettings = {
  shape: { samples: B, width: m, hiddenWidth: 6, inputWidth: d, outputWidth: k },
  architecture: 'resnet',
  activation: 'relu',
  weights: 'mutable',
  isNormalized: false,
  loss: 'squared',
  train: 'all',
  kind: 'velocity',
  steps: 9,
  training: { samples: n, heldOut: 0, recorded: RECORDED },
  layers: 'all',
  needs: new Set(NEEDS),
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
  stepSize: 0.05,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
};

/** Numbers of one cell: by quantity, a row a step, a column a layer. */
function measured(cell: Partial<BatchCell>, settings: Partial<BatchSettings> = {}) {
  const [found] = measureBatch(source, [{ ...CELL, ...cell }], { ...SETTINGS, ...settings });
  const depth = cell.depth ?? L;
  const rows = (name: (typeof NAMES)[number]) =>
    Array.from({ length: found!.values.loss.length / (depth - 1) }, (_, t) =>
      Array.from(found!.values[name].subarray(t * (depth - 1), (t + 1) * (depth - 1))),
    );
  return {
    found: found!,
    cosine: rows('update_cosine'),
    displacement: rows('weight_displacement'),
    sharpness: rows('sharpness').map(([value]) => value!),
    stepSharpness: rows('step_sharpness').map(([value]) => value!),
  };
}
const NONE = Number.NaN;

test('weights begin where they are, and what they do at every layer and step is a number', () => {
  for (const architecture of ['resnet', 'mlp', 'resnet-2'] as const) {
    const { cosine, displacement, sharpness, stepSharpness, found } = measured(
      { branchScale: architecture === 'mlp' ? 1 : 0.5 },
      { architecture },
    );
    expect(found.inexact).toBeUndefined();
    expect([cosine[0], displacement[0]]).toEqual([
      [NONE, NONE, NONE],
      [0, 0, 0],
    ]);
    for (const row of displacement.slice(1)) for (const value of row) expect(value).toBeGreaterThan(0);
    for (const value of cosine.slice(1).flat()) expect(Math.abs(value)).toBeLessThanOrEqual(1);
    for (const value of [...sharpness, ...stepSharpness]) expect(value).toBeGreaterThan(0);
  }
});

test('a second step along the first has the cosine 1', () => {
  // A linear loss of a network whose first layer alone learns: the same gradient again.
  const { cosine } = measured(
    { stepSize: 1e-4, learningRate: [0, 1, 0, 0, 0] },
    { loss: 'linear', train: ['input'], activation: 'linear', shape: { ...SETTINGS.shape, samples: n } },
  );
  for (const row of cosine.slice(1)) expect(row[0]).toBeCloseTo(1, 5);
});

test('layers that do not learn have come nowhere, and are no part of the sharpness', () => {
  const hidden = measured({}, { train: 'hidden' });
  expect(hidden.displacement.map(([first]) => first)).toEqual([0, 0, 0, 0]);
  expect(hidden.cosine.map(([first]) => first)).toEqual([NONE, NONE, NONE, NONE]);
  const all = measured({});
  expect(hidden.sharpness[0]!).toBeLessThan(all.sharpness[0]!);
  expect(hidden.stepSharpness[0]!).toBeLessThan(all.stepSharpness[0]!);
});

test('nothing learns at branch scale 0, or without a gradient: no step, no angle', () => {
  const still = measured({ branchScale: 0 }, { train: 'hidden' });
  expect(still.cosine.flat().every(Number.isNaN)).toBe(true);
  expect(still.stepSharpness.every(Number.isNaN)).toBe(true);
  const { cosine, displacement, stepSharpness } = measured(
    { sigma: { ...CELL.sigma, output: 0 } },
    { train: 'hidden' },
  );
  expect(cosine.flat().every(Number.isNaN)).toBe(true);
  expect(displacement.flat().every((value) => value === 0)).toBe(true);
  expect(stepSharpness.every(Number.isNaN)).toBe(true);
});

test('a loss that is 0 has a sharpness, and no step', () => {
  const data = { ...CELL.data, target: { law: 'constant', value: 0 } } as const;
  const cell = { data, sigma: { ...CELL.sigma, output: 0 } };
  const { sharpness, stepSharpness, found } = measured(cell);
  expect(found.values.loss[0]).toBe(0);
  expect(sharpness[0]!).toBeGreaterThan(0);
  expect(stepSharpness[0]).toBeNaN();
});

test('one sample, one output, one unit and the least depth are networks like others', () => {
  const shape = { samples: 1, width: 1, hiddenWidth: 1, inputWidth: 1, outputWidth: 1 };
  for (const architecture of ['resnet', 'mlp', 'resnet-2'] as const) {
    const branchScale = architecture === 'mlp' ? 1 : 0.5;
    const training = { samples: 1, heldOut: 0, recorded: RECORDED };
    const { found, displacement, sharpness } = measured(
      { depth: 3, branchScale },
      { architecture, activation: 'linear', shape, training },
    );
    expect(found.inexact).toBeUndefined();
    expect(displacement.at(-1)!.every((value) => value > 0)).toBe(true);
    expect(sharpness.every(Number.isFinite)).toBe(true);
  }
});

test('scales of 1e-20 displace weights like others, as rates know of them', () => {
  const sigma = { ...CELL.sigma, input: 1e-20 * CELL.sigma.input, output: 1e20 * CELL.sigma.output };
  const settings = {
    architecture: 'mlp',
    training: { ...SETTINGS.training!, recorded: [1, 2, 3] },
    steps: 3,
  } as const;
  const [tiny, plain] = [
    measured({ branchScale: 1, sigma }, settings),
    measured({ branchScale: 1 }, settings),
  ];
  expect(tiny.found.inexact).toBeUndefined();
  for (const name of ['displacement', 'cosine'] as const) {
    tiny[name].flat().forEach((value, i) => {
      if (!Number.isNaN(value)) expect(value).toBeCloseTo(plain[name].flat()[i]!, 3);
    });
  }
  tiny.stepSharpness.forEach((value, i) => {
    expect(value / plain.stepSharpness[i]!).toBeCloseTo(1, 2);
  });
});

test('a training that diverges has nothing from there on, and leaves its neighbour alone', () => {
  const wild = { ...CELL, learningRate: [0, 9, 9, 9, 9], stepSize: 1e9 };
  const [diverged, calm] = measureBatch(source, [wild, CELL], SETTINGS);
  expect(diverged!.divergedAt).toBeDefined();
  for (const name of NAMES) {
    expect(diverged!.values[name].at(-1)).toBeNaN();
    expect(diverged!.values[name].some((value) => Math.abs(value) === Number.POSITIVE_INFINITY)).toBe(false);
  }
  expect(calm).toEqual(measureBatch(source, [CELL], SETTINGS)[0]);
});

test('networks of several depths have the numbers that each has alone, and leave no tensor behind', () => {
  const cells = [CELL, { ...CELL, seed: [9, 9, 9, 9] as const, depth: 6 }, { ...CELL, depth: 3 }];
  const before = memory().numTensors;
  const together = measureBatch(source, cells, SETTINGS);
  expect(memory().numTensors).toBe(before);
  expect(together).toEqual(cells.flatMap((cell) => measureBatch(source, [cell], SETTINGS)));
});

test('what is measured besides changes no other number, whatever it loses', () => {
  const sigma = { input: 1e-18, inner: 1, hidden: 1, output: 1e-10 };
  for (const cell of [CELL, { ...CELL, sigma }]) {
    const [with_, without] = [NEEDS, []].map((needs) => {
      const [found] = measureBatch(source, [cell], { ...SETTINGS, needs: new Set(needs) });
      const values = Object.entries(found!.values).filter(([name]) => !NAMES.some((own) => own === name));
      return { ...found, values };
    });
    expect(with_).toEqual(without);
  }
});

test('a training that goes on from a copy of its state has the same numbers', () => {
  for (const isNormalized of [false, true]) {
    const settings = { ...SETTINGS, isNormalized };
    const whole = measureBatch(source, [CELL], settings);
    let state: TrainingState | undefined;
    const stepped = (taken: number, copy: () => TrainingState) => {
      if (taken === 4) state = structuredClone(copy());
    };
    measureBatch(source, [CELL], settings, { stepped });
    expect(measureBatch(source, [CELL], settings, { state })).toEqual(whole);
  }
});

test('steps that are kept say the same as weights that learn in place', () => {
  const shape = { ...SETTINGS.shape, samples: n };
  const training = { samples: n, heldOut: 0, recorded: [1, 2, 3, 4] };
  for (const architecture of ['resnet', 'resnet-2'] as const) {
    const inPlace = measured({}, { architecture, shape, training, steps: 4 });
    const kept = measured({}, { architecture, shape, training: undefined, weights: 'dense', steps: 4 });
    for (const name of ['displacement', 'cosine', 'sharpness', 'stepSharpness'] as const) {
      kept[name].flat().forEach((value, i) => {
        const other = inPlace[name].flat()[i]!;
        if (Number.isNaN(other)) expect(value).toBeNaN();
        else expect(Math.abs(value - other)).toBeLessThanOrEqual(1e-3 * Math.abs(other));
      });
    }
  }
});

test('weights that are never formed have the cosine of their updates, in law; and no norm to relate them to', () => {
  const settings: BatchSettings = {
    ...SETTINGS,
    shape: { ...SETTINGS.shape, samples: 2 },
    training: undefined,
    steps: 3,
    layers: 'output',
    needs: new Set(['displaced weights', 'first weights']),
  };
  const cells = Array.from({ length: 300 }, (_, i) => ({ ...CELL, seed: [i, 5, 5, 5] as const }));
  const [dense, free] = (['dense', 'matrix-free'] as const).map((weights) =>
    measureBatch(source, cells, { ...settings, weights }).map(({ values }) => values),
  );
  expect(free![0]!.weight_displacement[2]).toBeNaN();
  // False alarms: two means of 300 draws differ by more than 4.5 standard errors with probability 7e-6.
  const [a, b] = [dense!, free!].map((all) => {
    const cosines = all.map(({ update_cosine: cosine }) => cosine[2]!);
    const mean = cosines.reduce((sum, x) => sum + x, 0) / cosines.length;
    return { mean, error: cosines.reduce((sum, x) => sum + (x - mean) ** 2, 0) / cosines.length ** 2 };
  });
  expect(Math.abs(a!.mean - b!.mean)).toBeLessThan(4.5 * Math.sqrt(a!.error + b!.error));
  expect(a!.error).toBeGreaterThan(0);
});
