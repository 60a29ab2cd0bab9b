import { readFileSync } from 'node:fs';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import type { DataLaw } from '../../core/data.js';
import type { Seed } from '../../core/random.js';
import { openForModels, tf, zooModel } from '../model-under-test.js';
import { modelSamples, type SampleRequest } from './samples.js';
import { tokensOfText } from './text.js';

beforeAll(openForModels);

const seed: Seed = [1, 2, 3, 4];
const LAW: DataLaw = {
  input: { law: 'normal', scale: 1, normalize: 'none' },
  target: { law: 'normal' },
};
const REQUEST: SampleRequest = { seed, samples: 4, batch: 4, heldOut: 0, loss: 'squared', law: LAW };

const numbers = (x: Tensor | undefined) => Array.from(x!.dataSync());
/** Rows of the last axis as the place of their 1. */
const classesOf = (x: Tensor | undefined) => numbers(tf.argMax(x!, -1) as Tensor);

const perceptron = (inputShape: number[], units = 3) =>
  tf.sequential({
    layers: [
      tf.layers.reshape({ targetShape: [inputShape.reduce((a, b) => a * b)], inputShape }),
      tf.layers.dense({ units }),
    ],
  });

const TEXT = readFileSync(new URL('../../../configs/models/speeches.txt', import.meta.url), 'utf8');

test('the characters of a text are its tokens, in the order of their codes, and each is told from its window', async () => {
  const { tokens, count } = tokensOfText('hello, HÉ😀');
  const known = [' ', ',', 'H', 'e', 'h', 'l', 'o', 'É', '😀'];
  expect(count).toBe(known.length);
  expect(tokens).toEqual([...'hello, HÉ😀'].map((character) => known.indexOf(character)));

  const length = 8;
  const model = await zooModel('transformer', { depth: 1, width: 8, tokens: length });
  const { step } = modelSamples(model, { ...REQUEST, text: TEXT });
  const own = tokensOfText(TEXT).tokens;
  const written = own.map((token) => String.fromCharCode(200 + token)).join('');
  const shown = (token: number) => String.fromCharCode(200 + token);
  const seen = new Set<string>();
  for (const t of [1, 2, 3]) {
    const { inputs, targets } = step(t);
    expect(inputs[0]!.shape).toEqual([4, length]);
    expect(inputs[0]!.dtype).toBe('int32');
    const [x, y] = [numbers(inputs[0]), classesOf(targets[0])];
    expect(numbers(tf.sum(targets[0]!, -1))).toEqual(Array(4 * length).fill(1));
    for (let i = 0; i < 4; i++) {
      const [window, next] = [x, y].map((all) =>
        all
          .slice(i * length, (i + 1) * length)
          .map(shown)
          .join(''),
      ) as [string, string];
      // The window stands in the text, and the targets are what follows each of its characters.
      expect(written).toContain(window + next.at(-1));
      expect(window.slice(1) + next.at(-1)).toBe(next);
      seen.add(window);
    }
  }
  // Others at every step.
  expect(seen.size).toBeGreaterThan(9);
  expect(numbers(step(2).inputs[0])).toEqual(numbers(step(2).inputs[0]));
});

test('what is held out of a text is its end, which no window of a step touches', async () => {
  const length = 8;
  const model = await zooModel('transformer', { depth: 1, width: 8, tokens: length });
  // Every character of the first part is a, of the end b.
  const text = `${'a'.repeat(60)}${'b'.repeat(16)}`;
  const { step, heldOut } = modelSamples(model, { ...REQUEST, samples: 20, batch: 20, heldOut: 2, text });
  for (const t of [1, 2, 3]) {
    expect(new Set([...numbers(step(t).inputs[0]), ...classesOf(step(t).targets[0])])).toEqual(new Set([0]));
  }
  expect(classesOf(heldOut!.targets[0])).toEqual(Array(16).fill(1));
  expect(numbers(heldOut!.inputs[0])).toEqual([0, ...Array(15).fill(1)]);
});

test('mini-batches take every sample once an epoch, rows with their targets', () => {
  const model = perceptron([3]);
  const all = modelSamples(model, { ...REQUEST, samples: 6, batch: 6 }).step(1);
  const { step } = modelSamples(model, { ...REQUEST, samples: 6, batch: 2 });
  const rowsOf = (x: Tensor | undefined) => {
    const values = numbers(x);
    return Array.from({ length: values.length / 3 }, (_, i) => values.slice(3 * i, 3 * i + 3).join());
  };
  const [x, y] = [rowsOf(all.inputs[0]), rowsOf(all.targets[0])];
  for (const epoch of [0, 1]) {
    const rows = [1, 2, 3].flatMap((t) => {
      const { inputs, targets } = step(3 * epoch + t);
      const places = rowsOf(inputs[0]).map((row) => x.indexOf(row));
      expect(places.map((i) => y[i])).toEqual(rowsOf(targets[0]));
      return places;
    });
    expect(rows.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  }
});

const FILE = {
  rows: 5,
  inputs: Float32Array.from({ length: 20 }, (_, i) => i),
  targets: Float32Array.from({ length: 10 }, (_, i) => (i % 2 === (i >> 1) % 2 ? 1 : 0)),
  isStandardized: false,
  hasClasses: true,
};
const OF_FILE: SampleRequest = { ...REQUEST, heldOut: 1, law: { ...LAW, set: FILE } };

test('rows of a file take the shape of the input, one open length too, each with its class', () => {
  for (const [shape, expected] of [
    [
      [2, 2],
      [4, 2, 2],
    ],
    [
      [null, 2],
      [4, 2, 2],
    ],
    [
      [4, 1, 1],
      [4, 4, 1, 1],
    ],
  ] as const) {
    const model = tf.sequential({
      layers: [
        tf.layers.reshape({ targetShape: [4], inputShape: [...shape] as number[] }),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const { step, heldOut } = modelSamples(model, OF_FILE);
    const { inputs, targets } = step(1);
    expect(inputs[0]!.shape).toEqual(expected);
    const first = numbers(inputs[0]).filter((_, i) => i % 4 === 0);
    expect(classesOf(targets[0])).toEqual(first.map((x) => (x / 4) % 2));
    const held = numbers(heldOut!.inputs[0]);
    expect([...first, held[0]!].sort((a, b) => a - b)).toEqual([0, 4, 8, 12, 16]);
  }
});

test('laws of the data are those of the built-in networks', () => {
  const model = perceptron([2, 3], 2);
  const of = (law: Partial<DataLaw>) =>
    modelSamples(model, { ...REQUEST, law: { ...LAW, ...law } as DataLaw }).step(1);
  const unit = of({ input: { law: 'normal', scale: 2, normalize: 'unit-norm' } }).inputs[0]!;
  for (const square of numbers(tf.sum(tf.square(unit), [1, 2]))) expect(square).toBeCloseTo(4, 5);
  const sparse = of({ input: { law: 'one-hot', scale: 3, normalize: 'none' } }).inputs[0]!;
  expect(numbers(tf.sum(sparse, [1, 2]))).toEqual([3, 3, 3, 3]);
  expect(numbers(of({ target: { law: 'constant', value: -2 } }).targets[0])).toEqual(Array(8).fill(-2));
  const { inputs, targets } = of({ target: { law: 'cosine' } });
  const x = numbers(inputs[0]);
  numbers(targets[0]).forEach((y, at) => {
    expect(y).toBeCloseTo(Math.cos(Math.PI * x[6 * Math.floor(at / 2) + (at % 2)]!), 5);
  });
});

test('data that do not fit are refused with what there is and what is asked for', () => {
  const said = (model: ReturnType<typeof perceptron>, request: Partial<SampleRequest>) => {
    try {
      modelSamples(model, { ...REQUEST, ...request });
    } catch (error) {
      return (error as Error).message;
    }
    return 'nothing';
  };
  expect(said(perceptron([5]), OF_FILE)).toMatch(
    /^data.file: it has 4 columns besides the target, and input \S+ has the shape \[5\] for each sample$/,
  );
  expect(said(perceptron([4]), OF_FILE)).toContain(
    'it has 2 classes, and the model has outputs of the shape [3]; give its module another number of outputs',
  );
  const tokens = tf.sequential({
    layers: [tf.layers.embedding({ inputDim: 9, outputDim: 2, inputLength: 4 }), tf.layers.flatten()],
  });
  tokens.add(tf.layers.dense({ units: 2 }));
  expect(said(tokens, OF_FILE)).toMatch(
    /embedding of 9 tokens, expected integers from 0 to 8, got \d+; .*"raw"/,
  );
  const sparse: DataLaw = { ...LAW, input: { law: 'one-hot', scale: 1, normalize: 'none' } };
  expect(said(tokens, { law: sparse })).toContain('tokens, which are uniform');
  expect(said(perceptron([2], 3), { law: { ...LAW, target: { law: 'cosine' } } })).toContain(
    'expected one input of 3 numbers or more',
  );
  expect(said(perceptron([2], 1), { law: { ...LAW, target: { law: 'one-hot' } } })).toContain('one output');
  const fixed = tf.sequential({ layers: [tf.layers.dense({ units: 2, batchInputShape: [3, 2] })] });
  expect(said(fixed, {})).toContain('the model takes 3 samples at a time (batchInputShape)');
  expect(said(fixed, { samples: 3, batch: 3 })).toBe('nothing');
  expect(said(perceptron([4]), { text: 'abc' })).toContain(
    'data.text: expected a model of one input of tokens',
  );
});
