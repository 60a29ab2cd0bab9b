/** Gradients, and products with the Hessian, against automatic differentiation in float64 on the same weights. */
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ACTIVATION_NAMES, activationEntry, isHomogeneous } from '../../activations.js';
import { ARCHITECTURE_NAMES } from '../../architectures/architectures.js';
import { openBackend } from '../backend.js';
import { differentiate, type Weights } from '../oracle/automatic-loss.js';
import { GaussianSampler } from '../random.js';
import type { Step } from '../step/step.js';
import type { Source } from '../weights/weights.js';
import { Hessian } from './hessian.js';
import { automaticOf, byLayer, formed, type SmallSetup, weightsOf, withStep } from './step-under-test.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const flat = (weights: Weights) => weights.flat().flatMap((matrix) => Array.from(matrix));
const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
/** |x - y| / |y|. */
const distance = (x: Weights, y: Weights) => {
  const [a, b] = [flat(x), flat(y)];
  return norm(a.map((value, i) => value - b[i]!)) / norm(b);
};

/** beta of the matrices of a branch, by lane: what the gradient in V has beside that in beta V. */
const factorOf = (step: Step, place: number) => (lane: number) =>
  step.network.isBranch(step.descents[place]!.matrix) ? step.network.lanes[lane]!.branchScale : 1;

/** The gradients of a lane, from the gradients that the weights learn by. */
const gradientsOf = (step: Step, index: number) =>
  byLayer(step, index, (place) => {
    const { gradient, input, backward } = step.descents[place]!;
    const none = tf.zerosLike(backward);
    const minusOne = new Array<number>(input.shape[0]).fill(-1);
    const values = formed(input, (rows) => gradient.descend(none, minusOne, rows));
    none.dispose();
    return { values, factor: factorOf(step, place) };
  });

/** Any direction of the weights of all lanes, and the product of the Hessian with it, in the trained matrices. */
function curvatureOf(step: Step) {
  const hessian = new Hessian(step, ({ matrix }, { place }) =>
    place.lanes.map(({ branchScale }) => (step.network.isBranch(matrix) ? branchScale : 1)),
  );
  const direction = step.descents.map(({ input, backward }, i) => {
    const shape: [number, number, number] = [input.shape[0], backward.shape[2], input.shape[2]];
    const streams = [{ seed: [i, 9, 9, 9] as const, role: 0, layer: 0 }];
    return source.backend.filled(shape, (values) => source.sampler.fill(values, { streams, scales: [1] }));
  });
  const images = hessian.times(direction);
  hessian.dispose();
  const found = step.network.lanes.map((_, index) => ({
    direction: byLayer(step, index, (place) => ({
      values: direction[place]!.dataSync<'float32'>().slice(),
      factor: () => 1,
    })),
    product: byLayer(step, index, (place) => {
      const { state, scale } = images[place]!;
      return { values: state.dataSync<'float32'>().slice(), factor: (_, own) => scale[own]! };
    }),
  }));
  tf.dispose([...direction, ...images.map(({ state }) => state)]);
  expect(hessian.isLost.includes(true)).toBe(false);
  return found;
}

/** How far a step is from what automatic differentiation makes of its weights: loss, gradients and Hessian products of every lane. */
function expectRight(setup: SmallSetup): void {
  const before = tf.memory().numTensors;
  withStep(source, setup, (step) => {
    const curvatures = curvatureOf(step);
    step.network.lanes.forEach((_, index) => {
      const { direction, product } = curvatures[index]!;
      const right = differentiate(automaticOf(step, setup, index), weightsOf(step, index), direction);
      const scale = Math.max(Math.abs(right.loss), 0.1); // a linear loss may be near 0
      expect(Math.abs(step.output.loss()[index]! - right.loss) / scale).toBeLessThan(1e-6);
      expect(distance(gradientsOf(step, index), right.gradient)).toBeLessThan(1e-5);
      expect(distance(product, right.product)).toBeLessThan(1e-5);
    });
  });
  expect(tf.memory().numTensors).toBe(before);
}

const KINDS = ARCHITECTURE_NAMES.flatMap((architecture) =>
  (['squared', 'linear', 'cross-entropy'] as const).flatMap((loss) =>
    ACTIVATION_NAMES.filter((name) => loss === 'squared' || name === 'relu' || name === 'tanh').map(
      (activation) => ({ architecture, loss, activation }),
    ),
  ),
);

describe('float32 gradients and Hessian products are within 1e-5 of automatic differentiation in float64', () => {
  test.each(KINDS)('$architecture, $loss, $activation', expectRight);

  test('a network without a hidden layer', () => {
    for (const architecture of ['resnet', 'mlp'] as const) {
      for (const shape of [{}, { samples: 1, width: 1, inputWidth: 1, outputWidth: 1 }]) {
        expectRight({ architecture, activation: 'tanh', shape, lanes: [{ depth: 2 }] });
      }
    }
  });

  test.each(['dense', 'mutable'] as const)('after two steps, with weights that are %s', (weights) => {
    for (const samples of [1, 8]) {
      expectRight({ architecture: 'resnet-2', activation: 'tanh', weights, shape: { samples }, taken: 2 });
    }
  });
});

test('phi of every activation bends as the slope of its slope says', () => {
  for (const name of ACTIVATION_NAMES) {
    const { slope, bend } = activationEntry(name);
    expect([name, bend === undefined]).toEqual([name, isHomogeneous(name)]);
    if (!bend) continue;
    for (const x of [-6, -2.2, -0.7, -1e-3, 0, 0.4, 1.9, 5]) {
      const difference = (slope(x + 1e-5) - slope(x - 1e-5)) / 2e-5;
      expect(Math.abs(bend(x) - difference), `${name} at ${x}`).toBeLessThan(1e-9);
    }
  }
});
