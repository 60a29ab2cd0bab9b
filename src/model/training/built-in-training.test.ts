/** Networks written as models learn as the built-in ones do: on the same weights, data and batches their losses are the same. */
import { beforeAll, expect, test } from 'vitest';
import { openBackend } from '../../core/backend.js';
import type { DataLaw } from '../../core/data.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../../core/experiment.js';
import { GaussianSampler, type Seed } from '../../core/random.js';
import { needsOf } from '../../quantities.js';
import { builtInAsModel, openForModels } from '../model-under-test.js';
import { modelSamples } from './samples.js';
import { type ModelSteps, measureSteps } from './steps.js';

beforeAll(openForModels);

const shape = { samples: 6, width: 20, inputWidth: 5, outputWidth: 3 };
const [depth, steps, learnt, heldOut] = [5, 25, 15, 4];
const seed: Seed = [5, 6, 7, 8];

/** Rows that look like nothing, in three classes. */
const FILE = {
  rows: 40,
  inputs: Float32Array.from({ length: 40 * 5 }, (_, i) => Math.sin(i * i) + (i % 5)),
  targets: Float32Array.from({ length: 40 * 3 }, (_, i) => (((i / 3) | 0) % 3 === i % 3 ? 1 : 0)),
  isStandardized: true,
  hasClasses: true,
};
const DRAWN: DataLaw = {
  input: { law: 'normal', scale: 1, normalize: 'none' },
  target: { law: 'normal' },
};
const OF_FILE: DataLaw = { ...DRAWN, target: { law: 'one-hot' }, set: FILE };

type Rates = ModelSteps['rates'];

const RATES: readonly (readonly [string, Rates, number])[] = [
  ['scale-invariant', 'scale-invariant', 0.1],
  ['held', 'held', 0.5],
  ['normalized', 'normalized', 0.2],
  ['polyak', 'polyak', 0.5],
  ['explicit', { input: 0.4, hidden: 0.8, output: 0.2 }, 0.5],
];

const CASES = RATES.flatMap(([name, rates, size]) => [
  { name, rates, size, net: 'ResNet', beta: 0.5, loss: 'cross-entropy', law: OF_FILE } as const,
  { name, rates, size, net: 'MLP', beta: 1, loss: 'squared', law: DRAWN } as const,
]);

test.each(CASES)('$net, $loss, rates $name: 25 steps on mini-batches', async (about) => {
  const { rates, size, net, beta, loss, law } = about;
  const sampler = new GaussianSampler();
  const source = { backend: await openBackend('wasm'), sampler };
  const stepSizeAt = (t: number) => size * (1 - t / (2 * steps));
  const explicit = typeof rates === 'string' ? undefined : rates;
  const perLayer = explicit && [
    0,
    explicit.input,
    ...Array(depth - 2).fill(explicit.hidden),
    explicit.output,
  ];
  const cell: BatchCell = {
    depth,
    seed,
    branchScale: beta,
    sigma: { input: 1 / Math.sqrt(5), hidden: Math.sqrt(2 / 20), output: 1 / Math.sqrt(20) },
    learningRate: perLayer ?? (rates as Exclude<Rates, object>),
    stepSize: size,
    stepSizeAt,
    data: law,
  };
  // Steps that nobody measures are between.
  const recorded = Array.from({ length: steps }, (_, i) => i + 1).filter((t) => t < 6 || t % 3 === 1);
  const settings: BatchSettings = {
    shape,
    architecture: net === 'MLP' ? 'mlp' : 'resnet',
    activation: 'relu',
    weights: 'mutable',
    isNormalized: false,
    loss,
    train: 'all',
    kind: 'update',
    steps,
    training: { samples: learnt, heldOut, recorded },
    layers: 'output',
    needs: needsOf(['loss_held_out']),
  };
  const [built] = measureBatch(source, [cell], settings);
  const model = builtInAsModel(cell, shape, sampler, { train: 'all', isMlp: net === 'MLP' });
  const samples = modelSamples(model, { seed, samples: learnt, batch: 6, heldOut, loss, law });
  const own = measureSteps(model, samples, {
    loss,
    // The kernels of branches hold beta, so that their gradients lack it.
    rates: explicit ? { ...explicit, hidden: explicit.hidden * beta ** 2 } : rates,
    isNormalized: false,
    overBatch: false,
    kind: 'update',
    steps,
    stepSizeAt,
    recorded,
    isTraining: true,
    batch: 6,
    needs: needsOf(['loss_held_out']),
    layers: 'output',
  });
  const { values } = own;
  expect(values.loss).toHaveLength(recorded.length);
  for (const column of ['loss', 'loss_held_out', 'loss_change', 'contribution_balance'] as const) {
    values[column].forEach((value, t) => {
      expect(Math.abs(value / built!.values[column][t]! - 1), `${column} at ${recorded[t]}`).toBeLessThan(
        1e-5,
      );
    });
  }
  expect([...values.accuracy_held_out]).toEqual([...built!.values.accuracy_held_out]);
  expect([...values.accuracy]).toEqual([...built!.values.accuracy]);
  // They have learnt something.
  const mean = (of: ArrayLike<number>) => Array.from(of).reduce((sum, each) => sum + each / of.length, 0);
  expect(mean(values.loss.subarray(-5))).toBeLessThan(0.9 * mean(values.loss.subarray(0, 5)));
});
