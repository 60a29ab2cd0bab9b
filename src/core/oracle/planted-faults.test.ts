/** Faults planted in the core: every cell that has one says so, by an identity that it breaks. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { scaled } from '../ops.js';
import { GaussianSampler } from '../random.js';
import type { Source, Weights, WeightsLaw } from '../weights/weights.js';
import type { PlainSettings } from './plain-weights.js';

const BETA = 0.4;
const DEPTH = 6;
const CELLS = 5;

/** What of the core is wrong; nothing, unless a test says so. */
const planted = vi.hoisted(() => ({
  /** What becomes of a learning rate where a gradient descends. */
  rate: (rate: number) => rate,
  /** What becomes of |G|^2. */
  squaredNorm: (square: number) => square,
  /** What becomes of a in the skip connections of the backward pass. */
  backwardSkip: (skip: number) => skip,
  /** Weights that are never formed, by plain arithmetic, instead of those of the core. */
  weights: undefined as PlainSettings | undefined,
  transposedForgetsSteps: false,
  /** What becomes of what a lane draws, where the backward pass goes through whole layers. */
  sampledSkip: undefined as number | undefined,
  isNormalized: true,
}));
const sound = { ...planted };
afterEach(() => {
  Object.assign(planted, sound);
});

vi.mock('../weights/gradient.js', async (original) => {
  const core = await original<typeof import('../weights/gradient.js')>();
  return {
    gradient: (b: Tensor3D, q: Tensor3D) => {
      const own = core.gradient(b, q);
      return {
        squaredNorm: () => own.squaredNorm(),
        descend: (y: Tensor3D, rates: readonly number[], x: Tensor3D) =>
          own.descend(y, rates.map(planted.rate), x),
        dispose: () => own.dispose(),
      };
    },
  };
});

vi.mock('../step/learning.js', async (original) => {
  const core = await original<typeof import('../step/learning.js')>();
  const learning: typeof core.learning = (network, place, train, matrices, all) =>
    core.learning(
      network,
      place,
      train,
      matrices.map(({ matrix, squaredNorm }) => ({
        matrix,
        squaredNorm: () => Array.from(squaredNorm(), planted.squaredNorm),
      })),
      all,
    );
  return { ...core, learning };
});

vi.mock('../wasm/sampled/kernels.js', async (original) => {
  const core = await original<typeof import('../wasm/sampled/kernels.js')>();
  const change: typeof core.change = (pass, isVelocity, rates, ...given) =>
    core.change(pass, isVelocity, Array.from(rates, planted.rate), ...given);
  const backward: typeof core.backward = (pass, inner) => {
    const skips = new DataView(core.heap().memory.buffer, pass.table + SKIP, 8);
    const skip = skips.getFloat64(0, true);
    skips.setFloat64(0, planted.sampledSkip ?? skip, true);
    core.backward(pass, inner);
    skips.setFloat64(0, skip, true);
  };
  // What is planted in weights is planted in those that go piece by piece.
  const hasSampledPasses = () => !planted.weights && core.hasSampledPasses();
  return { ...core, change, backward, hasSampledPasses };
});

vi.mock('../weights/trained-weights.js', async (original) => {
  const core = await original<typeof import('../weights/trained-weights.js')>();
  class TrainedWeights extends core.TrainedWeights {
    private readonly untrained: Weights;
    constructor(law: WeightsLaw, initial: Weights) {
      super(law, initial);
      this.untrained = initial;
    }
    override transposeTimes(b: Tensor3D): Tensor3D {
      return planted.transposedForgetsSteps ? this.untrained.transposeTimes(b) : super.transposeTimes(b);
    }
  }
  return { ...core, TrainedWeights };
});

vi.mock('../step/network.js', async (original) => {
  const core = await original<typeof import('../step/network.js')>();
  class Network extends core.Network {
    private calls = 0;
    override addSkip(branch: Tensor3D, state: Tensor3D): Tensor3D {
      // One step of one lane passes its DEPTH - 2 blocks forward, then back, then forward with the change.
      const pass = Math.floor(this.calls++ / (DEPTH - 2));
      const { branchScale } = this.lanes[0]!;
      const skip = Math.sqrt(1 - branchScale ** 2);
      const factor = pass === 1 ? planted.backwardSkip(skip) / skip : 1;
      return super.addSkip(branch, factor === 1 ? state : scaled(state, [factor]));
    }
  }
  return { ...core, Network };
});

vi.mock('../scales/normalize.js', async (original) => {
  const core = await original<typeof import('../scales/normalize.js')>();
  const normalizeNetwork: typeof core.normalizeNetwork = (...given) =>
    planted.isNormalized ? core.normalizeNetwork(...given) : ([] as never);
  return { ...core, normalizeNetwork };
});

vi.mock('../weights/matrix-free-weights.js', async (original) => {
  const core = await original<typeof import('../weights/matrix-free-weights.js')>();
  const { PlainWeights } = await import('./plain-weights.js');
  class MatrixFreeWeights {
    constructor(source: Source, law: WeightsLaw) {
      const { weights } = planted;
      // biome-ignore lint/correctness/noConstructorReturn: which class it is hangs on the test
      return weights ? new PlainWeights(source, law, weights) : new core.MatrixFreeWeights(source, law);
    }
  }
  return { ...core, MatrixFreeWeights };
});

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

interface Experiment extends Partial<Omit<BatchSettings, 'shape'>> {
  readonly samples?: number;
  readonly sigmaOutput?: number;
  readonly stepSize?: number;
}

/** Byte of the factor a in what a lane draws (`wasm/sampled/sums.as.ts`). */
const SKIP = 32;

/** What five cells of one law say of themselves. */
function saidOf({
  samples = 1,
  sigmaOutput = 0.1,
  stepSize = 1e-4,
  ...over
}: Experiment): (string | undefined)[] {
  const width = 24;
  return Array.from({ length: CELLS }, (_, i) => {
    const cell: BatchCell = {
      seed: [i, 5, 6, 7],
      depth: DEPTH,
      branchScale: BETA,
      sigma: { input: 0.5, hidden: Math.sqrt(2 / width), output: sigmaOutput },
      learningRate: 'scale-invariant',
      stepSize,
      data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
    };
    const settings: BatchSettings = {
      shape: { samples, width, inputWidth: 4, outputWidth: 2 },
      architecture: 'resnet',
      activation: 'relu',
      weights: 'dense',
      isNormalized: false,
      loss: 'squared',
      train: 'hidden',
      kind: 'velocity',
      steps: 1,
      layers: 'output',
      ...over,
    };
    return measureBatch(source, [cell], settings)[0]!.inexact?.identity;
  });
}

const none = new Array(CELLS).fill(undefined);
const PLAIN = { threshold: 0, orthogonalizes: true };
/** A backward pass of some 1e-17, and a step that is small beside what its rates make of it. */
const SMALL = { sigmaOutput: 1e-17, stepSize: 1e-20, loss: 'linear' } as const;
const EVERY: Experiment[] = (['dense', 'matrix-free'] as const).flatMap((weights) =>
  (['velocity', 'update'] as const).flatMap((kind) => [1, 3].map((samples) => ({ weights, kind, samples }))),
);

test('with nothing planted no cell says anything, nor with plain weights that are sound', () => {
  for (const experiment of EVERY) expect(saidOf(experiment)).toEqual(none);
  for (const experiment of EVERY) {
    planted.weights = PLAIN;
    expect(saidOf(experiment)).toEqual(none);
    expect(saidOf({ ...experiment, ...SMALL })).toEqual(none);
  }
});

const RATE_FAULTS = {
  'a wrong sign': (rate: number) => -rate,
  'a missing factor beta': (rate: number) => rate / BETA,
  'no gradient at all': () => 0,
  'a rate that is 1 % too large': (rate: number) => 1.01 * rate,
};
test.each(Object.entries(RATE_FAULTS))('%s in the change is told', (_, rate) => {
  for (const experiment of EVERY) {
    planted.rate = rate;
    expect(saidOf(experiment)).not.toContain(undefined);
  }
});

test('a gradient norm without its factor beta is told', () => {
  for (const experiment of EVERY) {
    planted.squaredNorm = (square) => square / BETA ** 2;
    expect(saidOf(experiment)).not.toContain(undefined);
  }
});

test('a backward pass that forgets a is told by a velocity', () => {
  planted.backwardSkip = () => 1;
  expect(saidOf({})).not.toContain(undefined);
});

test.runIf(inject('backend') === 'wasm')('a backward pass of whole layers that forgets a is told', () => {
  planted.sampledSkip = 1;
  expect(saidOf({ weights: 'matrix-free' })).not.toContain(undefined);
});

test('an absolute threshold in weights that are never formed is told where the backward pass is small', () => {
  for (const kind of ['velocity', 'update'] as const) {
    planted.weights = { ...PLAIN, threshold: 1e-30 };
    expect(saidOf({ kind, weights: 'matrix-free', ...SMALL })).not.toContain(undefined);
  }
});

test('directions that are not made orthogonal are told, of several samples', () => {
  for (const kind of ['velocity', 'update'] as const) {
    planted.weights = { ...PLAIN, orthogonalizes: false };
    expect(saidOf({ kind, weights: 'matrix-free', samples: 3 })).not.toContain(undefined);
  }
});

test('transposed weights that forget the steps that were taken are told', () => {
  for (const weights of ['dense', 'matrix-free'] as const) {
    planted.transposedForgetsSteps = true;
    expect(saidOf({ weights, steps: 2, stepSize: 0.5 })).not.toContain(undefined);
  }
});

test('scales that do not solve Eq. 7 are told', () => {
  planted.isNormalized = false;
  expect(saidOf({ isNormalized: true, train: 'all' })).toEqual(new Array(CELLS).fill('Eq. 7'));
});
