/** Kinds of networks that learn: recurrent, of several inputs and outputs, of tokens, with shared layers, of probabilities. */
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { openForModels, tf } from '../model-under-test.js';
import { modelSamples, type SampleRequest } from './samples.js';
import { type ModelSteps, measureSteps } from './steps.js';

beforeAll(openForModels);

const { layers } = tf;
const apply = (layer: InstanceType<typeof layers.Layer>, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x) as SymbolicTensor;
const dense = (units: number, rest: object = {}) => layers.dense({ units, ...rest });

const KINDS: Readonly<Record<string, () => LayersModel>> = {
  'a recurrent network': () =>
    tf.sequential({
      layers: [
        layers.lstm({ units: 5, inputShape: [4, 3], recurrentInitializer: 'glorotUniform' }),
        dense(3),
      ],
    }),
  'several inputs and outputs': () => {
    const [x, y] = [tf.input({ shape: [3] }), tf.input({ shape: [2] })];
    const h = apply(dense(6, { activation: 'tanh' }), apply(layers.concatenate(), [x, y]));
    return tf.model({ inputs: [x, y], outputs: [apply(dense(2), h), apply(dense(4), h)] });
  },
  'tokens, with a head that is not trained': () =>
    tf.sequential({
      layers: [
        layers.embedding({ inputDim: 7, outputDim: 4, inputLength: 3 }),
        layers.flatten(),
        dense(5, { activation: 'relu' }),
        dense(3, { trainable: false }),
      ],
    }),
  'a layer that is called three times': () => {
    const x = tf.input({ shape: [4] });
    const shared = dense(4, { activation: 'tanh' });
    return tf.model({
      inputs: x,
      outputs: apply(dense(3), apply(shared, apply(shared, apply(shared, x)))),
    });
  },
  'probabilities of softmax': () =>
    tf.sequential({
      layers: [dense(5, { activation: 'relu', inputShape: [4] }), dense(3, { activation: 'softmax' })],
    }),
};

const REQUEST: SampleRequest = {
  seed: [3, 1, 4, 1],
  samples: 9,
  batch: 9,
  heldOut: 3,
  loss: 'cross-entropy',
  law: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
};

const STEPS: ModelSteps = {
  loss: 'cross-entropy',
  rates: 'held',
  isNormalized: false,
  overBatch: false,
  kind: 'velocity',
  steps: 12,
  stepSizeAt: () => 0.1,
  recorded: [1, 6, 12],
  isTraining: true,
  batch: 9,
  needs: new Set(['first features', 'held-out outputs']),
  layers: 'all',
};

test.each(Object.keys(KINDS))('%s: the loss falls, and Thm 2.1 holds at every cut on the way', (kind) => {
  const model = KINDS[kind]!();
  const {
    values,
    layers: calls,
    divergedAt,
    inexact,
  } = measureSteps(model, modelSamples(model, REQUEST), STEPS);
  expect([divergedAt, inexact]).toEqual([undefined, undefined]);
  const [first, middle, last] = [0, 1, 2].map((i) => (i * calls.length) / 3) as [number, number, number];
  expect(values.loss[middle]).toBeLessThan(values.loss[first]!);
  expect(values.loss[last]).toBeLessThan(values.loss[middle]!);
  const residuals = values.speed_formula_residual.filter(Number.isFinite);
  expect(residuals.length).toBeGreaterThan(0);
  for (const residual of residuals) expect(residual).toBeLessThan(1e-5);
  for (const share of [...values.accuracy, ...values.accuracy_held_out]) {
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  }
  // What has moved, has come from somewhere.
  expect(values.feature_displacement_rms[first]).toBe(0);
  expect(values.feature_displacement_rms.slice(last).some((moved) => moved > 0)).toBe(true);
  model.dispose();
});

test('a loss and its change are those of the logits, whose softmax the network gives', () => {
  const make = (activation: 'softmax' | 'linear') => {
    const of = (seed: number) => ({ kernelInitializer: tf.initializers.glorotNormal({ seed }) });
    return tf.sequential({
      layers: [dense(5, { inputShape: [4], ...of(1) }), dense(3, { activation, ...of(2) })],
    });
  };
  const [ours, logits] = (['softmax', 'linear'] as const).map((activation) => {
    const model = make(activation);
    return measureSteps(model, modelSamples(model, REQUEST), { ...STEPS, kind: 'update' }).values;
  });
  for (const name of ['loss', 'loss_change', 'accuracy', 'loss_held_out'] as const) {
    ours![name].forEach((value, i) => {
      const expected = logits![name][i]!;
      expect(Math.abs(value - expected), name).toBeLessThanOrEqual(1e-4 * Math.abs(expected));
    });
  }
});
