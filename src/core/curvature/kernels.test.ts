import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type { ActivationName } from '../../activations.js';
import { ARCHITECTURES, type ArchitectureName } from '../../architectures/architectures.js';
import { ACTIVATIONS } from '../activation.js';
import { openBackend } from '../backend.js';
import { drawData } from '../data.js';
import { LOSSES, type LossName } from '../loss.js';
import { GaussianSampler } from '../random.js';
import { backwardVelocity } from '../step/backward-velocity.js';
import type { Lane, Train } from '../step/lane.js';
import { Network, type WeightsName } from '../step/network.js';
import { Step } from '../step/step.js';
import type { Source } from '../weights/weights.js';
import { backwardFeatureKernel, featureBackwardKernel, outputKernel } from './kernels.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const WIDTH = 40;
const DEPTH = 8;
const SHAPE = { samples: 1, width: WIDTH, inputWidth: 6, outputWidth: 2 };

interface Setup {
  readonly architecture?: ArchitectureName;
  readonly activation?: ActivationName;
  readonly branchScale?: number;
  readonly loss?: LossName;
  readonly train?: Train;
  readonly weights?: WeightsName;
  readonly samples?: number;
}

/** A step of two networks that was taken, with its states. */
function stepOf(setup: Setup) {
  const { architecture = 'resnet', branchScale = architecture === 'mlp' ? 1 : 0.4, samples = 1 } = setup;
  const shape = { ...SHAPE, samples };
  const law = {
    input: { law: 'normal', scale: 1, normalize: 'none' },
    target: { law: 'normal' },
  } as const;
  const lanes = [1, 2].map((i): Lane => {
    const seed = [i, 7, 7, 7] as const;
    return {
      seed,
      depth: DEPTH,
      branchScale,
      sigma: { input: 0.4, hidden: Math.sqrt(2 / WIDTH), output: 0.1 },
      learningRate: 'scale-invariant',
      stepSize: 1e-3,
      ...drawData(source.sampler, seed, law, shape),
    };
  });
  const network = new Network(source, shape, lanes, {
    architecture: ARCHITECTURES[architecture],
    activation: ACTIVATIONS[setup.activation ?? 'relu'],
    weights: setup.weights ?? 'dense',
  });
  const step = new Step(network, {
    kind: 'velocity',
    loss: LOSSES[setup.loss ?? 'squared'],
    train: setup.train ?? 'all',
    keepsStates: true,
  });
  const layers = new Map<number, { features: number[]; backward: number[]; change: number[] }>();
  const finished = step.take(({ distance, features, backward, change }) => {
    const [f, b, c] = [features, backward, change].map((tensor) => Array.from(tensor.dataSync()));
    layers.set(DEPTH - distance, { features: f!, backward: b!, change: c! });
  });
  return {
    step,
    finished,
    layers,
    free: () => {
      step.dispose();
      network.dispose();
    },
  };
}

const rowOf = (values: readonly number[], rows = 1) =>
  tf.tensor3d(new Float32Array(values), [2, rows, WIDTH]);

/** The largest difference, relative to the largest entry. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  const scale = Math.max(...Array.from(b, Math.abs));
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!))) / scale;
};

describe.each([
  { architecture: 'resnet', train: 'all', weights: 'dense' },
  { architecture: 'resnet', train: 'hidden', weights: 'matrix-free' },
  { architecture: 'resnet', activation: 'tanh', train: ['input', 3], weights: 'dense' },
  { architecture: 'mlp', train: 'all', weights: 'matrix-free' },
  { architecture: 'mlp', activation: 'gelu', train: 'hidden', weights: 'dense' },
] as const satisfies readonly Setup[])('of $architecture, $train trained, $weights', (setup) => {
  test('the features move by minus the BFK times the backward pass (Eq. 5)', () => {
    const { step, layers, free } = stepOf(setup);
    for (const v of [2, 5, DEPTH - 1]) {
      const { backward, change } = layers.get(v)!;
      const moved = backwardFeatureKernel(step, v, rowOf(backward)).dataSync();
      expect(
        difference(
          moved.map((x) => -x),
          change,
        ),
      ).toBeLessThan(1e-5);
    }
    free();
  });

  test('the outputs move by minus their kernel times the gradient of the loss (Eq. 5 with v = L)', () => {
    const { step, free } = stepOf(setup);
    const kernels = outputKernel(step);
    const k = SHAPE.outputWidth;
    const moved = step.output.change.map((_, at) => {
      const [lane, i] = [Math.floor(at / k), at % k];
      let sum = 0;
      for (let j = 0; j < k; j++) sum -= kernels[(lane * k + i) * k + j]! * step.output.slope[lane * k + j]!;
      return sum;
    });
    expect(difference(moved, step.output.change)).toBeLessThan(1e-5);
    free();
  });
});

test('the BFK is symmetric and positive semidefinite, many rows at once', () => {
  const { step, free } = stepOf({ architecture: 'mlp' });
  const numbers = (seed: number) =>
    Array.from(source.sampler.draw([{ seed: [seed, 0, 0, 0], role: 9, layer: 0 }], 2 * 3 * WIDTH, [1]));
  const u = numbers(1);
  const Ku = backwardFeatureKernel(step, 5, rowOf(u, 3)).dataSync();
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>, i: number, j: number) => {
    let sum = 0;
    for (let e = 0; e < WIDTH; e++) sum += a[i * WIDTH + e]! * b[j * WIDTH + e]!;
    return sum;
  };
  // Rows 0 .. 2 are of the first network.
  for (const [i, j] of [
    [0, 1],
    [1, 2],
    [0, 2],
  ] as const) {
    const scale = Math.sqrt(dot(u, Ku, i, i) * dot(u, Ku, j, j));
    expect(Math.abs(dot(u, Ku, i, j) - dot(u, Ku, j, i)) / scale).toBeLessThan(1e-4);
    expect(dot(u, Ku, i, i)).toBeGreaterThanOrEqual(0);
  }
  free();
});

test.each(['dense', 'matrix-free'] as const)(
  'the backward pass moves by minus the FBK times the features, %s',
  (weights) => {
    const { step, free } = stepOf({ architecture: 'mlp', loss: 'linear', weights });
    const velocities = new Map<number, { f: number[]; bdot: number[] }>();
    backwardVelocity(step, ({ distance, features, velocity }) => {
      velocities.set(DEPTH - distance, {
        f: Array.from(features.dataSync()),
        bdot: Array.from(velocity.dataSync()),
      });
    });
    for (const v of [1, 4, DEPTH - 1]) {
      const { f, bdot } = velocities.get(v)!;
      const moved = featureBackwardKernel(step, v, rowOf(f)).dataSync();
      expect(
        difference(
          moved.map((x) => -x),
          bdot,
        ),
      ).toBeLessThan(1e-5);
    }
    free();
  },
);

test.each([
  ['resnet', 'squared', 'all'],
  ['resnet', 'cross-entropy', 'hidden'],
  ['mlp', 'squared', 'all'],
  ['mlp', 'linear', ['output', 4]],
] as const)(
  'the backward speed formula (Prop 6.1) is an identity: %s, %s loss, %s trained',
  (architecture, loss, train) => {
    for (const samples of [1, 3]) {
      const { step, finished, free } = stepOf({ architecture, loss, train, samples });
      const size = samples * SHAPE.outputWidth;
      const shape = { ...SHAPE, samples };
      backwardVelocity(step, ({ distance, features, velocity }) => {
        const v = DEPTH - distance;
        const [f, bdot] = [features.dataSync(), velocity.dataSync()];
        [0, 1].forEach((lane) => {
          const output = step.output.values.subarray(lane * size, (lane + 1) * size);
          const change = step.output.change.subarray(lane * size, (lane + 1) * size);
          const curvature = LOSSES[loss].curvature(output, change, shape);
          const bend = output.reduce((sum, x, i) => sum + x * curvature[i]!, 0);
          const rest = finished.contributions[lane]!.slice(v + 1).reduce((sum, c) => sum + c, 0);
          const own = (values: ArrayLike<number>, i: number) => values[lane * samples * WIDTH + i]!;
          let overlap = 0;
          let size2 = 0;
          for (let i = 0; i < samples * WIDTH; i++) {
            overlap -= own(bdot, i) * own(f, i);
            size2 += Math.abs(own(bdot, i) * own(f, i));
          }
          expect(Math.abs(overlap - (rest - bend)) / size2).toBeLessThan(1e-5);
        });
      });
      free();
    }
  },
);

test('the velocity of the backward pass is the limit of its difference after a small step', () => {
  for (const architecture of ['resnet', 'mlp'] as const) {
    const before = stepOf({ architecture });
    const velocity: number[] = [];
    backwardVelocity(before.step, ({ distance, velocity: bdot }) => {
      if (distance === 4) velocity.push(...bdot.dataSync());
    });
    const b = Array.from(before.step.preactivations(4).backward.dataSync());
    before.step.learn();
    const after = new Step(before.step.network, before.step.settings);
    after.take();
    const moved = Array.from(after.preactivations(4).backward.dataSync(), (x, i) => (x - b[i]!) / 1e-3);
    // Gates that close or open in the step, and float32: a few percent.
    const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, t) => sum + t * t, 0));
    expect(norm(moved.map((x, i) => x - velocity[i]!)) / norm(velocity)).toBeLessThan(0.1);
    after.dispose();
    before.free();
  }
});

test('steps, kernels and velocities leave no tensor behind', () => {
  const before = tf.memory().numTensors;
  for (const weights of ['dense', 'matrix-free'] as const) {
    const { step, layers, free } = stepOf({ architecture: 'mlp', weights });
    tf.tidy(() => {
      backwardFeatureKernel(step, 3, rowOf(layers.get(3)!.backward));
      featureBackwardKernel(step, 3, rowOf(layers.get(3)!.features));
    });
    outputKernel(step);
    backwardVelocity(step, () => {});
    step.learn();
    const second = new Step(step.network, step.settings);
    second.take();
    second.dispose();
    free();
  }
  expect(tf.memory().numTensors).toBe(before);
});
