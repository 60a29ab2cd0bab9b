/** Whole passes of the backend against those that go piece by piece, with weights that are formed: bit for bit. */
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { GaussianSampler } from '../random.js';
import type { Source } from '../weights/weights.js';
import { DenseBlock } from './dense-block.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend('wasm'), sampler: new GaussianSampler() };
});

const cellsOf = (over: Partial<BatchCell> = {}): BatchCell[] =>
  [9, 5, 5, 3, 4].map((depth, i) => ({
    seed: [i, 1, 2, 3],
    depth,
    branchScale: 0.4,
    sigma: { input: 0.3, hidden: 0.3, output: 0.1 },
    learningRate: 'scale-invariant',
    stepSize: 1e-2,
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
    ...over,
  }));
const settingsOf = (samples: number, width: number, over: Partial<BatchSettings> = {}): BatchSettings => ({
  shape: { samples, width, inputWidth: 5, outputWidth: 2 },
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

/** The measurements, and how many blocks were whole. */
function measured(isOffered: boolean, cells: readonly BatchCell[], settings: BatchSettings) {
  const { of } = DenseBlock;
  let blocks = 0;
  DenseBlock.of = (...given) => {
    const block = isOffered ? of.apply(DenseBlock, given) : undefined;
    if (block) blocks++;
    return block;
  };
  try {
    return { measurements: measureBatch(source, cells, settings), blocks };
  } finally {
    DenseBlock.of = of;
  }
}

/** @returns the measurements, which are those by pieces. */
function expectSame(cells: readonly BatchCell[], settings: BatchSettings) {
  const pieces = measured(false, cells, settings);
  const whole = measured(true, cells, settings);
  expect(whole.blocks).toBe(Math.max(...cells.map(({ depth }) => depth)) - 2);
  expect(whole.measurements).toEqual(pieces.measurements);
  return whole.measurements;
}

// With few numbers, with a matrix that is multiplied whole, and with one of which zeros are left out.
test.each([
  [4, 1],
  [4, 4],
  [12, 7],
  [40, 18],
  [150, 50],
])('whole passes give the bits of passes by pieces: %d samples, width %d', (samples, width) => {
  for (const kind of ['update', 'velocity'] as const) {
    for (const train of ['hidden', 'all', ['input', 'output'], [2]] as const) {
      const measurements = expectSame(cellsOf(), settingsOf(samples, width, { kind, train }));
      if (width > 4) expect(measurements.every(({ inexact }) => inexact === undefined)).toBe(true);
    }
  }
});

test('so they do where what they multiply is brought near norm 1, and where all is beyond float32', () => {
  for (const [input, output, stepSize] of [
    [1e-20, 1e-5, 1e-30],
    [1e15, 1e-20, 1e-3],
    [1, 1e-25, 1e-30],
    [1e-3, 1e12, 1e20],
    [1e30, 1, 1],
  ] as const) {
    for (const kind of ['velocity', 'update'] as const) {
      const sigma = { input, hidden: 0.3, output };
      expectSame(cellsOf({ sigma, stepSize }), settingsOf(24, 12, { kind, loss: 'linear' }));
    }
  }
  const sigma = { input: 1e30, hidden: 1e4, output: 1 };
  const diverged = expectSame(cellsOf({ sigma }), settingsOf(24, 12)).map(({ divergedAt }) => divergedAt);
  expect(diverged).toContain(3);
});

test('a cell has the same bits alone and beside others, and as many tensors are left as were before', () => {
  const [cells, settings] = [cellsOf(), settingsOf(40, 20)];
  const before = memory().numTensors;
  const alone = cells.flatMap((cell) => measured(true, [cell], settings).measurements);
  expect(measured(true, cells, settings).measurements).toEqual(alone);
  expectSame(cellsOf({ sigma: { input: 1e-20, hidden: 0.3, output: 1e-5 } }), settings);
  expect(memory().numTensors).toBe(before);
});

test.each([
  { activation: 'tanh' },
  { activation: 'leaky' },
  { architecture: 'mlp' },
  { steps: 2 },
  { isNormalized: true, train: 'all' },
  { needs: new Set(['backward velocity'] as const), kind: 'velocity' },
  { shape: settingsOf(8, 9).shape },
  { shape: settingsOf(9, 9).shape },
] as const)('layers of other kinds, and whose states are kept, go by pieces: %j', (over) => {
  const cells = cellsOf('architecture' in over ? { branchScale: 1 } : {});
  const { blocks } = measured(true, cells, settingsOf(12, 6, over as Partial<BatchSettings>));
  expect(blocks).toBe(0);
});
