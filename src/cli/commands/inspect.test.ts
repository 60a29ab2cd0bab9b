import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { drawModelData } from '../../model/index.js';
import { tf } from '../../model/model-under-test.js';
import { loadModel } from '../../run/models/model-file.js';
import { createProgram } from '../program.js';

const folder = mkdtempSync(join(tmpdir(), 'inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const MODELS = fileURLToPath(new URL('../../../src/cli/models-under-test/', import.meta.url));
const ZOO = fileURLToPath(new URL('../../../configs/models/', import.meta.url));

/** Runs a command of the program in this process. */
async function call(...words: string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  let [code, stdout] = [-1, ''];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  const program = createProgram((result) => {
    code = result;
  });
  program.exitOverride();
  try {
    await program.parseAsync(['node', 'feature-speed', 'inspect', ...words]);
  } finally {
    write.mockRestore();
  }
  return { code, stdout };
}

const linear = (body = ''): string =>
  `export default ({ tf, width = 3 }) => { ${body} return tf.sequential({ layers: [tf.layers.dense({ name: 'a', units: width, inputShape: [2] }), tf.layers.dense({ name: 'b', units: 2 })] }); };`;

test('JSON has the columns of the glossary for each layer, and the same numbers for the same seed', async () => {
  const words = [join(ZOO, 'residual-mlp.mjs'), '--depth', '2', '--width', '8', '--json', '--seed', '3'];
  const { code, stdout } = await call(...words);
  expect(code).toBe(0);
  const { layers, advice } = JSON.parse(stdout);
  expect(layers[0]).toMatchObject({ name: 'embed', shape: [8], is_cut: true });
  expect(Object.keys(layers[0])).toEqual(
    expect.arrayContaining([
      'feature_rms',
      'backward_rms',
      'bfa_rad',
      'sensitivity',
      'feature_speed_rms',
      'contribution',
    ]),
  );
  expect(advice.speed_formula_residual).toBeLessThan(1e-5);
  expect((await call(...words)).stdout).toBe(stdout);
  expect((await call(...words.slice(0, -1), '4')).stdout).not.toBe(stdout);
});

test('rates that --json printed are read, and balance the contributions', async () => {
  const model = file('linear.mjs', linear());
  const first = JSON.parse((await call(model, '--json')).stdout);
  const rates = file('rates.json', JSON.stringify(first));
  const words = [
    model,
    '--rates',
    rates,
    '--output-multiplier',
    String(first.advice.output_multiplier),
    '--json',
  ];
  const again = JSON.parse((await call(...words)).stdout);
  expect(again.loss_decay).toBeCloseTo(1, 6);
  expect(again.advice.contribution_balance).toBeCloseTo(1, 6);
  expect(again.advice.equation_7).toBeCloseTo(1, 1);
});

test('CSV and npy give the same inputs, columns are targets, classes are one-hot rows', async () => {
  const model = file('linear.mjs', linear());
  const csv = file('data.csv', 'a,b,class\n0.5,1,1\n-1,2,0\n');
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".padEnd(117);
  const values = new Uint8Array(new Float32Array([0.5, 1, -1, 2]).buffer);
  const head = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1');
  const npy = file('data.npy', Buffer.concat([head, values]));
  const classes = file('classes.csv', '1\n0\n');
  const words = ['--loss', 'cross-entropy', '--csv'];
  const a = await call(model, '--data', csv, '--target', 'class', ...words);
  const b = await call(model, '--data', npy, '--target', classes, ...words);
  expect(a.stdout.split('\n')).toHaveLength(4);
  expect(b.stdout).toBe(a.stdout);
});

describe('models of the converter give what Keras gave', () => {
  test.each(['keras2-residual', 'keras2-convolutional', 'keras3-residual', 'keras3-convolutional'])(
    '%s',
    async (name) => {
      const { shape, input, output } = JSON.parse(readFileSync(join(MODELS, name, 'example.json'), 'utf8'));
      const { model } = await loadModel(join(MODELS, name), { parameters: {}, seed: 0 });
      const y = (model.predict(tf.tensor(input, shape)) as Tensor).dataSync();
      output.forEach((value: number, i: number) => {
        expect(y[i]).toBeCloseTo(value, 5);
      });
      const { stdout } = await call(join(MODELS, name), '--samples', '2', '--json');
      expect(JSON.parse(stdout).advice.speed_formula_residual).toBeLessThan(1e-5);
    },
  );

  test('without weights they are drawn from the seed', async () => {
    const topology = JSON.parse(readFileSync(join(MODELS, 'keras3-residual', 'model.json'), 'utf8'));
    const path = file('model.json', JSON.stringify(topology.modelTopology));
    const draw = async (seed: number) => {
      const { model } = await loadModel(path, { parameters: {}, seed });
      return [...model.getWeights()[0]!.dataSync()].join();
    };
    expect(await draw(1)).toBe(await draw(1));
    expect(await draw(1)).not.toBe(await draw(2));
  });
});

test('a capture of PyTorch in float64 has a residual of rounding', async () => {
  const { code, stdout } = await call('--capture', join(MODELS, 'pre-ln.safetensors'), '--json');
  expect(code).toBe(0);
  const { layers, advice } = JSON.parse(stdout);
  expect(layers.map(({ name }: { name: string }) => name)).toEqual([
    'embed',
    'block1',
    'block2',
    'block3',
    'block4',
    'readout',
  ]);
  expect(advice.speed_formula_residual).toBeLessThan(1e-12);
  expect(advice.features_layer).toBe('block4');
});

describe('what cannot be inspected is told in one message', () => {
  const cases: Record<string, [words: () => string[], message: RegExp]> = {
    'no such file': [
      () => [join(folder, 'none.mjs')],
      /none\.mjs: no such file; expected a model\.json, or a module/,
    ],
    'another kind of file': [
      () => [file('model.h5', '')],
      /expected a model\.json or a JavaScript module.*got \.h5.*tensorflowjs_converter/,
    ],
    'a GraphModel': [
      () => [file('graph.json', '{"format": "graph-model", "modelTopology": {"node": []}}')],
      /it is a GraphModel.*tfjs_layers_model/,
    ],
    'JSON that is no model': [
      () => [file('other.json', '{"a": 1}')],
      /expected a model\.json of TensorFlow\.js Layers or of Keras/,
    ],
    'no weights to train': [
      () => [
        file(
          'frozen.mjs',
          // A copy, since the library is that of other tests too.
          linear(
            'const { layers } = tf; tf = { ...tf, layers: { ...layers, dense: (o) => layers.dense({ ...o, trainable: false }) } };',
          ),
        ),
      ],
      /the model has no weights to train/,
    ],
    'an operation without a second derivative': [
      () => [
        file(
          'rank.mjs',
          `export default ({ tf }) => { class Odd extends tf.layers.Layer { static className = 'Odd'; call(x) { return tf.localResponseNormalization([x].flat()[0]); } }
           return tf.sequential({ layers: [tf.layers.conv2d({ filters: 2, kernelSize: 1, inputShape: [3, 3, 1] }), new Odd({ name: 'odd' })] }); };`,
        ),
      ],
      /layer odd \(Odd\): the operation LRNGrad has no second derivative/,
    ],
    'data of another shape': [
      () => [file('linear.mjs', linear()), '--data', file('three.csv', '1,2,3\n')],
      /three\.csv: input .* has the shape \[2\], 2 numbers for each sample, got 3 columns/,
    ],
    'a module that throws': [
      () => [file('throws.mjs', linear('throw new Error("my mistake");'))],
      /throws\.mjs: the module throws: my mistake/,
    ],
    'a module that returns something else': [
      () => [file('else.mjs', 'export default () => ({ a: 1 });')],
      /expected `export default .* a LayersModel; its function returns an object/,
    ],
    'a module without a function': [
      () => [file('empty.mjs', 'export const a = 1;')],
      /got no default export/,
    ],
    'a parameter that the module does not use': [
      () => [file('linear.mjs', linear()), '--param', 'widht=3'],
      /does not use widht; it takes width; did you mean width\?/,
    ],
    'a capture that is none': [
      () => ['--capture', file('x.safetensors', 'no tensors here')],
      /expected a file of safetensors/,
    ],
  };
  test.each(Object.keys(cases))('%s', async (name) => {
    const [words, message] = cases[name]!;
    const error = await call(...words()).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ name: 'UserError' });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.split('\n')).toHaveLength(1);
  });
});

test('tokens are drawn for an embedding, and others refused', async () => {
  const { default: make } = await import(join(ZOO, 'transformer.mjs'));
  const model = make({ tf, depth: 1, width: 8, heads: 2, tokens: 4, vocabulary: 5 });
  const { inputs } = drawModelData(model, { samples: 50, seed: 1, loss: 'squared' });
  expect(new Set(inputs[0]!.dataSync())).toEqual(new Set([0, 1, 2, 3, 4]));
  const wrong = [tf.tensor2d([[0, 1, 2, 5]], [1, 4], 'int32')];
  expect(() => drawModelData(model, { samples: 1, seed: 1, loss: 'squared', inputs: wrong })).toThrow(
    'expected integers from 0 to 4, got 5',
  );
});
