/** Where claims are measured: networks by a few words, on the backend of the thread. */
import * as tf from '@tensorflow/tfjs-core';
import { compileExpression } from '../config/expression.js';
import {
  type ActivationName,
  NAMED_SCALINGS,
  type NamedScaling,
  type ScalingName,
  SIGMA_HIDDEN,
} from '../config/scalings.js';
import { ACTIVATIONS } from '../core/activation.js';
import { type DataLaw, drawData } from '../core/data.js';
import { type BatchCell, type CellMeasurement, measureBatch } from '../core/experiment.js';
import { groupOf, type Lane, type LayerGroup, type Train } from '../core/lane.js';
import { LOSSES, type LossName } from '../core/loss.js';
import { type Architecture, Network, type WeightsName } from '../core/network.js';
import { ROLE, type Seed } from '../core/random.js';
import { Step } from '../core/step.js';
import type { Source } from '../core/weights.js';

/** A network, its data and its step; what is left out has the defaults of `FULL`, on dense data. */
export interface Setup {
  readonly architecture?: Architecture;
  readonly activation?: ActivationName;
  readonly depth: number;
  readonly width: number;
  readonly inputWidth?: number;
  readonly outputWidth?: number;
  readonly branchScale?: number;
  readonly loss?: LossName;
  readonly data?: DataLaw;
  readonly train?: Train;
  /** A scaling by name, or changes of the default one, FSC with the rates of Eq. 8. */
  readonly scaling?: ScalingName;
  readonly sigma?: Partial<Record<LayerGroup, number>>;
  readonly learningRate?: BatchCell['learningRate'];
  readonly stepSize?: number;
  readonly kind?: 'update' | 'velocity';
  readonly steps?: number;
  readonly weights?: WeightsName;
  readonly layers?: 'all' | 'output';
  readonly measuresBackward?: boolean;
}

/** The dense setting of section 5.2: |x|_2 = sqrt(d), and |b_L|_2 = 1/sqrt(k) with a linear loss. */
export const dense = (inputWidth: number, rms = 1): DataLaw => ({
  input: { law: 'normal', scale: rms * Math.sqrt(inputWidth), normalize: 'unit-norm' },
  target: { law: 'constant', value: 1 },
});

/** The sparse setting of section 5.2: |x|_2 = 1, and |b_L|_2 near 1 with the cross-entropy. */
export const SPARSE: DataLaw = {
  input: { law: 'one-hot', scale: 1, normalize: 'none' },
  target: { law: 'one-hot' },
};

const FULL = {
  architecture: 'mlp',
  activation: 'relu',
  inputWidth: 10,
  outputWidth: 1,
  branchScale: 1,
  loss: 'linear',
  train: 'all',
  scaling: 'FSC',
  stepSize: 0.001,
  kind: 'velocity',
  steps: 1,
  layers: 'all',
  measuresBackward: false,
} as const satisfies Partial<Setup>;

export class Lab {
  constructor(private readonly source: Source) {}

  /** Measures networks of several draws; the draw decides the random numbers, and the setup does not. */
  measure(setup: Setup, draws: number): CellMeasurement[] {
    return this.measureEach(Array.from({ length: draws }, () => setup));
  }

  /** Measures setups that have all in common but depth, scales and rates; the i-th is draw i. */
  measureEach(setups: readonly Setup[]): CellMeasurement[] {
    const full = { ...FULL, ...setups[0]! };
    const { width, inputWidth, outputWidth } = full;
    return measureBatch(this.source, setups.map(cellOf), {
      shape: { samples: 1, width, inputWidth, outputWidth },
      architecture: full.architecture,
      activation: full.activation,
      weights: full.weights ?? 'matrix-free',
      isNormalized: full.scaling === 'auto',
      loss: full.loss,
      train: full.train,
      kind: full.kind,
      steps: full.steps,
      layers: full.layers,
      measuresBackward: full.measuresBackward,
    });
  }

  /** |G_l|^2 at index l = 1 .. L of each draw: the contributions at rate 1. */
  gradientNorms(setup: Setup, draws: number): number[][] {
    const { depth } = setup;
    const learningRate = new Array<number>(depth + 1).fill(1);
    return this.withStep({ ...setup, learningRate }, draws, (_, { contributions }) =>
      contributions.map((values) => Array.from(values)),
    );
  }

  /** Takes one velocity step of several draws with the states kept, and frees everything afterwards. */
  withStep<T>(setup: Setup, draws: number, use: (step: Step, finished: ReturnType<Step['take']>) => T): T {
    const full = { ...FULL, ...setup };
    const { width, inputWidth, outputWidth } = full;
    const shape = { samples: 1, width, inputWidth, outputWidth };
    const lanes = Array.from({ length: draws }, (_, draw): Lane => {
      const { data, ...cell } = cellOf(setup, draw);
      return { ...cell, ...drawData(this.source.sampler, cell.seed, data, shape) };
    });
    const network = new Network(this.source, shape, lanes, {
      architecture: full.architecture,
      activation: ACTIVATIONS[full.activation],
      weights: full.weights ?? 'matrix-free',
    });
    const step = new Step(network, {
      kind: 'velocity',
      loss: LOSSES[full.loss],
      train: full.train,
      keepsStates: true,
    });
    const finished = step.take();
    let result: T;
    tf.tidy(() => {
      result = use(step, finished);
    });
    step.dispose();
    network.dispose();
    return result!;
  }

  /** Standard normal numbers of a stream of their own. */
  normals(count: number, stream: number): Float32Array {
    return this.source.sampler
      .draw([{ seed: [stream, 0, 0, 1], role: ROLE.PRODUCT, layer: 0 }], count, [1])
      .slice();
  }
}

function cellOf(setup: Setup, draw: number): BatchCell {
  const full = { ...FULL, ...setup };
  const { depth, width, branchScale } = full;
  const scaling: NamedScaling = NAMED_SCALINGS[full.scaling];
  const values = {
    L: depth,
    m: width,
    d: full.inputWidth,
    k: full.outputWidth,
    n: 1,
    beta: branchScale,
  };
  const at = (formula: string) => compileExpression(formula).evaluate(values);
  const { learningRate: rates } = scaling;
  return {
    seed: [draw, depth, width, full.inputWidth + 1000 * full.outputWidth] satisfies Seed,
    depth,
    branchScale,
    sigma: {
      input: at(scaling.sigmaInput),
      hidden: at(SIGMA_HIDDEN[full.activation]),
      output: at(scaling.sigmaOutput),
      ...full.sigma,
    },
    learningRate:
      setup.learningRate ??
      (rates === 'scale-invariant'
        ? rates
        : Array.from({ length: depth + 1 }, (_, layer) => at(rates[groupOf(layer, depth)]))),
    stepSize: full.stepSize,
    data: setup.data ?? dense(full.inputWidth),
  };
}
