import { beforeAll, expect, test } from 'vitest';
import { openBackend } from '../core/backend.js';
import { drawData } from '../core/data.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../core/experiment.js';
import { GaussianSampler, type Seed } from '../core/random.js';
import { inspectModel } from './inspect.js';
import { builtInAsModel, openForModels, tf } from './model-under-test.js';

beforeAll(openForModels);

const [depth, width, inputWidth, outputWidth, samples] = [7, 24, 10, 2, 3];
const shape = { samples, width, inputWidth, outputWidth };
const seed: Seed = [1, 2, 3, 4];

const cellOf = (branchScale: number): BatchCell => ({
  depth,
  seed,
  branchScale,
  sigma: { input: 1 / Math.sqrt(inputWidth), hidden: Math.sqrt(2 / width), output: 1 / width },
  learningRate: 'scale-invariant',
  stepSize: 1e-3,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
});

const settings: BatchSettings = {
  shape,
  architecture: 'resnet',
  activation: 'relu',
  weights: 'dense',
  isNormalized: false,
  loss: 'squared',
  train: 'hidden',
  kind: 'velocity',
  steps: 1,
  layers: 'all',
};

test.each([
  ['ResNet', 0.5],
  ['MLP', 1],
])(
  'the built-in %s, written as a model, gives the numbers of the built-in one on the same weights',
  async (_, branchScale) => {
    const sampler = new GaussianSampler();
    const source = { backend: await openBackend('wasm'), sampler };
    const cell = cellOf(branchScale);
    const [{ layers, values }] = measureBatch(source, [cell], settings) as [
      ReturnType<typeof measureBatch>[0],
    ];
    const data = drawData(sampler, seed, cell.data, shape);
    const inputs = [tf.tensor2d(data.input, [samples, inputWidth])];
    const targets = [tf.tensor2d(data.target, [samples, outputWidth])];
    const rows = inspectModel(
      builtInAsModel(cell, shape, sampler, { train: 'hidden' }),
      { inputs, targets },
      { rates: 'scale-invariant', advice: false },
    ).layers;
    let compared = 0;
    layers.forEach((l, i) => {
      const row = rows.find(({ name }) => name === `f${l}`);
      if (!row) return;
      compared += 1;
      expect(Math.abs(row.bfa_rad! - values.bfa_rad[i]!)).toBeLessThan(1e-5);
      for (const column of ['sensitivity', 'feature_rms', 'backward_rms'] as const) {
        expect(Math.abs(row[column]! / values[column][i]! - 1)).toBeLessThan(1e-5);
      }
    });
    expect(compared).toBe(depth - 2);
  },
);
