/** The largest eigenvalue of the Hessian, against all of them, against the kernel, and by what steps of a size do. */
import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { ARCHITECTURE_NAMES } from '../../architectures/architectures.js';
import { openBackend } from '../backend.js';
import { differentiate, type Weights } from '../oracle/automatic-loss.js';
import { GaussianSampler } from '../random.js';
import { learns } from '../step/lane.js';
import type { Step } from '../step/step.js';
import type { Source } from '../weights/weights.js';
import { outputKernel } from './kernels.js';
import { largestEigenvalues, MOST_PRODUCTS, type Operator, TOLERANCE, Tridiagonal } from './lanczos.js';
import { sharpness } from './sharpness.js';
import { automaticOf, byLayer, type SmallSetup, weightsOf, withStep } from './step-under-test.js';

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

const largestOf = (rows: readonly (readonly number[])[]) =>
  Math.max(
    ...new EigenvalueDecomposition(new Matrix(rows.map((row) => [...row])), { assumeSymmetric: true })
      .realEigenvalues,
  );

/** The Hessian of one lane by automatic differentiation, entry by entry: P H P with a factor of every matrix in P. */
function hessianOf(step: Step, setup: SmallSetup, index: number, factors: Weights): number[][] {
  const weights = weightsOf(step, index);
  const network = automaticOf(step, setup, index);
  const flat = (all: Weights) => all.flat().flatMap((matrix) => Array.from(matrix));
  const factor = flat(factors);
  const size = factor.length;
  return Array.from({ length: size }, (_, j) => {
    let at = 0;
    const direction = weights.map((layer) =>
      layer.map((matrix) => matrix.map(() => (at++ === j ? factor[j]! : 0))),
    );
    const product = flat(differentiate(network, weights, direction).product);
    return product.map((value, i) => factor[i]! * value);
  });
}

/** A factor for every entry of the matrices of a lane. */
const factorsOf = (
  step: Step,
  index: number,
  of: (place: number, own: number, layer: number) => number,
): Weights =>
  byLayer(step, index, (place) => {
    const { input, backward } = step.descents[place]!;
    const size = input.shape[0] * input.shape[2] * backward.shape[2];
    const factor = (_: number, own: number, layer: number) => of(place, own, layer);
    return { values: new Float64Array(size).fill(1), factor };
  });

const SMALL = { samples: 3, width: 4, hiddenWidth: 3, inputWidth: 3, outputWidth: 2 };
const KINDS = ARCHITECTURE_NAMES.flatMap((architecture) =>
  (['squared', 'linear', 'cross-entropy'] as const).map((loss) => ({
    architecture,
    loss,
    activation: loss === 'linear' ? ('relu' as const) : ('tanh' as const),
  })),
);

describe('sharpness is the largest eigenvalue of the Hessian that automatic differentiation finds', () => {
  test.each(KINDS)('$architecture, $loss, $activation', (kind) => {
    const before = tf.memory().numTensors;
    const sets = ['all', 'hidden', ['output', 2]] as const;
    for (const train of kind.loss === 'squared' ? sets : sets.slice(0, 1)) {
      const setup: SmallSetup = { ...kind, train, shape: SMALL, lanes: [{ depth: 4 }, { depth: 3 }] };
      withStep(source, setup, (step) => {
        const [plain, ofStep] = [sharpness(step, 'parameters'), sharpness(step, 'step')];
        step.network.lanes.forEach(({ depth, branchScale, stepSize }, index) => {
          if (index === 1 && train !== 'all') return;
          const trained = factorsOf(step, index, (_, __, l) => (learns(train, l, depth) ? 1 : 0));
          expect(plain[index]! / largestOf(hessianOf(step, setup, index, trained)) - 1).toBeCloseTo(0, 3);
          // Rates are those of beta V, and what is trained is V.
          const rates = factorsOf(step, index, (place, own) => {
            const { rates, matrix } = step.descents[place]!;
            return Math.sqrt(stepSize * rates[own]!) / (step.network.isBranch(matrix) ? branchScale : 1);
          });
          expect(ofStep[index]! / largestOf(hessianOf(step, setup, index, rates)) - 1).toBeCloseTo(0, 3);
        });
      });
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('where the residual is zero the Hessian is that of Gauss and Newton', () => {
  test.each(ARCHITECTURE_NAMES)(
    'and its largest eigenvalue that of the kernel over k n: %s',
    (architecture) => {
      const shape = { samples: 1, width: 20, hiddenWidth: 16 };
      const lane = { depth: 5, learningRate: [0, 0.7, 0.3, 0.2, 0.9, 0.4] };
      const outputs = withStep(source, { architecture, shape, lanes: [lane] }, (step) =>
        step.output.values.slice(),
      );
      const setup = { architecture, shape, lanes: [{ ...lane, target: outputs }] };
      withStep(source, setup, (step) => {
        expect(step.output.loss()[0]).toBe(0);
        const kernel = outputKernel(step);
        const k = outputs.length;
        const rows = Array.from({ length: k }, (_, i) => Array.from(kernel.subarray(i * k, (i + 1) * k)));
        const { stepSize } = step.network.lanes[0]!;
        expect(sharpness(step, 'step')[0]! / ((stepSize * largestOf(rows)) / k) - 1).toBeCloseTo(0, 3);
      });
    },
  );
});

describe('the sharpness of the step tells whether steps of its size are stable', () => {
  test.each(ARCHITECTURE_NAMES)(
    'near a minimum a loss falls below 2, and grows above: %s',
    (architecture) => {
      const shape = { samples: 2, width: 12, hiddenWidth: 10, outputWidth: 2 };
      const lane = { depth: 4, learningRate: [0, 0.7, 0.3, 0.2, 0.5] };
      const outputs = withStep(source, { architecture, activation: 'tanh', shape, lanes: [lane] }, (step) =>
        step.output.values.map((value, i) => value + 1e-4 * (i + 1)),
      );
      const losses = (stepSize: number, taken: number) =>
        withStep(
          source,
          { architecture, activation: 'tanh', shape, lanes: [{ ...lane, stepSize, target: outputs }], taken },
          (step) => ({ loss: step.output.loss()[0]!, sharp: sharpness(step, 'step')[0]! }),
        );
      const unit = losses(1, 0).sharp;
      const before = losses(1.9 / unit, 0);
      expect(before.sharp).toBeCloseTo(1.9, 3);
      expect(losses(1.9 / unit, 40).loss).toBeLessThan(0.1 * before.loss);
      expect(losses(2.1 / unit, 40).loss).toBeGreaterThan(10 * before.loss);
    },
  );
});

test('with one rate it is dt eta times the sharpness', () => {
  const lanes = [{ depth: 4, branchScale: 1, learningRate: [0, 3, 3, 3, 3], stepSize: 0.02 }];
  withStep(source, { architecture: 'mlp', lanes }, (step) => {
    const product = 3 * 0.02 * sharpness(step, 'parameters')[0]!;
    expect(sharpness(step, 'step')[0]! / product - 1).toBeCloseTo(0, 3);
  });
});

describe('rescaling layers by factors of product 1', () => {
  const factors = (input: number, hidden: number, rate: 'scale-invariant' | readonly number[]) => ({
    depth: 4,
    learningRate: rate,
    sigma: { input: 0.5 * input, hidden: 0.6 * hidden, output: 0.3 / (input * hidden ** 2) },
  });
  const setup = (lane: ReturnType<typeof factors>): SmallSetup => ({ architecture: 'mlp', lanes: [lane] });
  const found = (lane: ReturnType<typeof factors>, of: 'parameters' | 'step') =>
    withStep(source, setup(lane), (step) => sharpness(step, of)[0]!);

  test.each([
    [8, 0.25],
    [2 ** -50, 2 ** 30],
  ])(
    'leaves the step at the rates of Eq. 8 as sharp as it was, not the loss: W_1 by %f, V_l by %f',
    (input, hidden) => {
      const invariant = (a: number, b: number) => found(factors(a, b, 'scale-invariant'), 'step');
      expect(invariant(input, hidden) / invariant(1, 1) - 1).toBeCloseTo(0, 3);
      const plain = (a: number, b: number) => found(factors(a, b, 'scale-invariant'), 'parameters');
      expect(Math.abs(Math.log(plain(input, hidden) / plain(1, 1)))).toBeGreaterThan(1);
    },
  );
});

describe('what there is no sharpness of is missing, and no number', () => {
  const found = (setup: SmallSetup) =>
    withStep(source, setup, (step) => [sharpness(step, 'parameters')[0]!, sharpness(step, 'step')[0]!]);
  const lane = { depth: 4 };

  test('a step without gradient', () => {
    const sigma = { input: 0.5, hidden: 0, output: 0, inner: 0.5 };
    const [plain, ofStep] = found({ architecture: 'mlp', lanes: [{ ...lane, sigma }] });
    expect([plain, ofStep]).toEqual([0, Number.NaN]);
  });

  test('layers that do not learn', () => {
    expect(found({ train: [9], lanes: [lane] })).toEqual([Number.NaN, Number.NaN]);
    expect(found({ train: 'hidden', lanes: [{ ...lane, branchScale: 0 }] })).toEqual([
      Number.NaN,
      Number.NaN,
    ]);
  });

  test('numbers that are not finite, beside a network that has all of its own', () => {
    const wild = { ...lane, sigma: { input: 1e30, hidden: 1e30, output: 1e30, inner: 1e30 } };
    const [both, alone] = [[wild, lane], [{ ...lane, seed: [2, 2, 3, 4] as const }]].map((lanes) =>
      withStep(source, { loss: 'squared', lanes }, (step) => Array.from(sharpness(step, 'step'))),
    );
    expect(both![0]).toBeNaN();
    expect(both![1]).toBe(alone![0]);
  });

  test('weights that are never formed', () => {
    expect(() => found({ weights: 'matrix-free', lanes: [lane] })).toThrow('take dense ones');
  });

  test('numbers below the range of float32', () => {
    const sigma = { input: 1e-30, hidden: 1e-30, output: 1e-30, inner: 1e-30 };
    for (const architecture of ['mlp', 'resnet-2'] as const) {
      expect(
        found({ architecture, lanes: [{ ...lane, sigma, learningRate: [0, 1, 1, 1, 1] }] })[0],
      ).toBeNaN();
    }
  });
});

test('tiny scales have a sharpness as long as float32 holds the states', () => {
  const of = (scale: number) =>
    withStep(
      source,
      { lanes: [{ depth: 4 }], data: { input: { law: 'normal', scale, normalize: 'none' } } },
      (step) => sharpness(step, 'step')[0]!,
    );
  // Where outputs are far below the targets gradients are as x, rates as 1 / x^2, and the Hessian as x.
  expect((of(1e-20) * 1e-20) / (of(1e-15) * 1e-15) - 1).toBeCloseTo(0, 3);
});

test('measuring does not change what is lost, or what steps do', () => {
  const setup: SmallSetup = { architecture: 'mlp', lanes: [{ depth: 4 }] };
  const smallest = (measures: boolean) =>
    withStep(source, setup, (step) => {
      if (measures) sharpness(step, 'step');
      return step.descents.map(({ weights }) => weights.smallestProduct(0));
    });
  expect(smallest(true)).toEqual(smallest(false));
});

describe('the method of Lanczos', () => {
  const diagonal = (values: readonly number[]): Operator => ({
    lanes: 1,
    blocks: [{ first: 0, lanes: 1 }],
    times: ([z]) => [
      {
        state: tf.tidy(() => tf.mul(z!, tf.tensor3d(values as number[], [1, 1, values.length]))),
        scale: Float64Array.of(1),
      },
    ],
  });
  const start = (count: number) => {
    const values = source.sampler.draw([{ seed: [1, 1, 1, 1], role: 0, layer: 0 }], count, [1]);
    return [tf.tensor3d(values.slice(), [1, 1, count])];
  };
  const find = (values: readonly number[]) => largestEigenvalues(diagonal(values), start(values.length))[0]!;

  test.each([
    ['a spectrum without gaps', Array.from({ length: 2000 }, (_, i) => i / 2000), 1 - 1 / 2000],
    ['one beside much larger negative ones', [0.5, ...Array.from({ length: 50 }, (_, i) => -i)], 0.5],
    ['nothing but negative ones', [-3, -2, -7], -2],
    ['one number', [4], 4],
    ['zero', [0, 0, 0], 0],
  ])('finds the largest of %s', (_, values, largest) => {
    const before = tf.memory().numTensors;
    expect(Math.abs(find(values) - largest)).toBeLessThanOrEqual(TOLERANCE * Math.abs(largest) + 1e-6);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('gives up a spectrum that it cannot tell apart', () => {
    const count = 50 * MOST_PRODUCTS;
    expect(find(Array.from({ length: count }, (_, i) => 1 - (1000 * i) / count))).toBeNaN();
  });

  test('knows the largest eigenvalue of its tridiagonal matrix, and the last entry of the vector', () => {
    const count = 30;
    const draw = (role: number) =>
      Array.from(source.sampler.draw([{ seed: [5, 5, 5, 5], role, layer: 0 }], count, [1]));
    const [alphas, betas] = [draw(0), draw(1).map(Math.abs)];
    const entry = (i: number, j: number) =>
      i === j ? alphas[i]! : Math.abs(i - j) === 1 ? betas[Math.min(i, j)]! : 0;
    const matrix = new Tridiagonal();
    for (let j = 1; j <= count; j++) {
      matrix.grow(alphas[j - 1]!, betas[j - 1]!);
      const rows = Array.from({ length: j }, (_, r) => Array.from({ length: j }, (_, c) => entry(r, c)));
      const all = new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true });
      const most = all.realEigenvalues.indexOf(Math.max(...all.realEigenvalues));
      const { value, residual } = matrix.largest();
      expect(Math.abs(value - all.realEigenvalues[most]!)).toBeLessThan(1e-12);
      expect(
        Math.abs(residual - betas[j - 1]! * Math.abs(all.eigenvectorMatrix.get(j - 1, most))),
      ).toBeLessThan(1e-6);
    }
  });
});
