import { beforeAll, expect, test } from 'vitest';
import { drawModelData, inspectModel } from './index.js';
import { openForModels, tf } from './model-under-test.js';

beforeAll(openForModels);

const readout = (name = 'out', units = 2) => tf.layers.dense({ name, units });

test.each(['simpleRNN', 'gru', 'lstm'] as const)('recurrent layers are measured: %s', (kind) => {
  const cell = tf.layers[kind]({
    name: 'cell',
    units: 4,
    inputShape: [5, 3],
    recurrentInitializer: 'glorotUniform',
  });
  const model = tf.sequential({ layers: [cell, readout()] });
  const data = drawModelData(model, { samples: 2, seed: 3, loss: 'squared' });
  const { layers } = inspectModel(model, data, { advice: false });
  expect(layers.map((row) => row.name)).toEqual(['cell', 'out']);
  for (const row of layers) expect(row.speed_formula_residual).toBeLessThan(1e-5);
});

test('batch normalisation over the batch holds the formula, and leaves its averages as they were', () => {
  const norm = tf.layers.batchNormalization({ name: 'norm' });
  const model = tf.sequential({
    layers: [tf.layers.dense({ name: 'a', units: 4, inputShape: [3] }), norm, readout()],
  });
  const data = drawModelData(model, { samples: 6, seed: 3, loss: 'squared' });
  const before = norm.getWeights().map((weight) => [...weight.dataSync()]);
  const { layers, notes } = inspectModel(model, data, { advice: false, batchNorm: 'batch' });
  expect(norm.getWeights().map((weight) => [...weight.dataSync()])).toEqual(before);
  expect(notes.join()).toContain('over the batch');
  for (const row of layers) expect(row.speed_formula_residual).toBeLessThan(1e-5);
});

test('several inputs and outputs are measured, their losses added', () => {
  const [x, y] = [tf.input({ shape: [3] }), tf.input({ shape: [2] })];
  const both = tf.layers.concatenate({ name: 'both' }).apply([x, y]) as typeof x;
  const h = tf.layers.dense({ name: 'h', units: 4 }).apply(both) as typeof x;
  const outputs = [readout('p', 2).apply(h), readout('q', 3).apply(h)] as (typeof x)[];
  const model = tf.model({ inputs: [x, y], outputs });
  const data = drawModelData(model, { samples: 2, seed: 3, loss: 'squared' });
  const { layers } = inspectModel(model, data, { advice: false });
  const residual = (name: string) => layers.find((row) => row.name === name)!.speed_formula_residual;
  expect(residual('h')).toBeLessThan(1e-5);
  // No one output has all paths.
  expect(residual('p')).toBeNull();
});

test('a mask goes through the layers as the library takes it, and the formula holds behind it', () => {
  const model = tf.sequential({
    layers: [
      tf.layers.masking({ name: 'mask', maskValue: 0, inputShape: [5, 3] }),
      tf.layers.lstm({ name: 'cell', units: 4, recurrentInitializer: 'glorotUniform' }),
      readout(),
    ],
  });
  const data = drawModelData(model, { samples: 2, seed: 3, loss: 'squared' });
  const { layers: unmasked } = inspectModel(model, data, { advice: false });
  // The last two steps of every sample are masked.
  const inputs = [tf.mul(data.inputs[0]!, tf.tensor([1, 1, 1, 0, 0], [1, 5, 1]))];
  const { layers } = inspectModel(model, { ...data, inputs }, { advice: false });
  const output = model.predict(inputs[0]!) as (typeof inputs)[0];
  const rms = Math.sqrt(tf.mean(tf.square(output)).dataSync()[0]!);
  expect(layers.at(-1)!.feature_rms / rms).toBeCloseTo(1, 5);
  expect(layers.at(-1)!.feature_rms).not.toBeCloseTo(unmasked.at(-1)!.feature_rms, 5);
  for (const row of layers) if (row.is_cut) expect(row.speed_formula_residual).toBeLessThan(1e-5);
});
