/** The library as a user of it has it: a backend of his own, and nothing else prepared. */
import * as core from '@tensorflow/tfjs-core';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-wasm';
import { expect, test } from 'vitest';
import { inspectModel } from '../index.js';

test('inspectModel takes convolutions, pooling and embeddings on the wasm backend, without more preparation', async () => {
  await core.setBackend('wasm');
  const { layers } = tfjsLayers;
  const image = tfjsLayers.input({ shape: [6, 6, 2] });
  const token = tfjsLayers.input({ shape: [3], dtype: 'int32' });
  const of = (layer: tfjsLayers.layers.Layer, x: unknown) => layer.apply(x as never) as typeof image;
  let h = of(
    layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, padding: 'same', activation: 'tanh' }),
    image,
  );
  h = of(layers.conv2d({ name: 'conv2', filters: 3, kernelSize: 3, strides: 2 }), h);
  h = of(layers.maxPooling2d({ name: 'pool', poolSize: 2 }), h);
  const words = of(
    layers.flatten(),
    of(layers.embedding({ name: 'words', inputDim: 5, outputDim: 4 }), token),
  );
  const both = of(layers.concatenate({ name: 'both' }), [of(layers.flatten(), h), words]);
  const model = tfjsLayers.model({ inputs: [image, token], outputs: of(layers.dense({ units: 2 }), both) });
  const data = {
    inputs: [
      core.randomNormal([4, 6, 6, 2], 0, 1, 'float32', 3),
      core.tensor2d(
        [
          [0, 1, 2],
          [3, 4, 0],
          [1, 1, 1],
          [2, 3, 4],
        ],
        [4, 3],
        'int32',
      ),
    ],
    targets: [core.randomNormal([4, 2], 0, 1, 'float32', 4)],
  };
  const { layers: rows, advice } = inspectModel(model, data, { advice: false });
  expect(rows.find(({ name }) => name === 'words')!.contribution).toBeGreaterThan(0);
  const residuals = rows.flatMap(({ speed_formula_residual: residual }) => residual ?? []);
  expect(residuals.length).toBeGreaterThan(3);
  expect(advice.speed_formula_residual).toBeLessThan(1e-5);
});
