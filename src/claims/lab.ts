/** Where claims are measured: networks by a few words, on the backend of the thread. */
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import { type ActivationName, activationEntry } from '../activations.js';
import type { LayerGroup } from '../architectures/architecture.js';
import { ARCHITECTURES, type ArchitectureName } from '../architectures/architectures.js';
import { compileExpression } from '../config/expression.js';
import { NAMED_SCALINGS, type NamedScaling, type ScalingName } from '../config/scalings/scalings.js';
import { ACTIVATIONS } from '../core/activation.js';
import { type DataLaw, drawData } from '../core/data.js';
import {
  type BatchCell,
  type BatchSettings,
  type CellMeasurement,
  measureBatch,
} from '../core/experiment.js';
import { LOSSES, type LossName } from '../core/loss.js';
import { ROLE, type Seed } from '../core/random.js';
import type { FinishedLayer, FinishedStep } from '../core/step/finished-step.js';
import { groupOf, type Lane, type Shape, type Train } from '../core/step/lane.js';
import { Network, type WeightsName } from '../core/step/network.js';
import type { RateName } from '../core/step/rates.js';
import { Step } from '../core/step/step.js';
import type { Watch } from '../core/training.js';
import type { Source } from '../core/weights/weights.js';
import { type WideStep, wideStep } from '../theory/infinite-width.js';

/** A network, its data and its step; what is left out has the defaults of `FULL`, on dense data. */
export interface Setup {
  readonly architecture?: Exclude<ArchitectureName, 'resnet-2'>;
  readonly activation?: ActivationName;
  readonly depth: number;
  readonly width: number;
  readonly inputWidth?: number;
  readonly outputWidth?: number;
  readonly samples?: number;
  readonly branchScale?: number;
  readonly loss?: LossName;
  readonly data?: DataLaw;
  readonly train?: Train;
  /** A scaling by name, or changes of the default one, FSC with the rates of Eq. 8. */
  readonly scaling?: ScalingName;
  readonly sigma?: Partial<Record<LayerGroup, number>>;
  readonly learningRate?: RateName | readonly number[];
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
  samples: 1,
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

/** The draws of a lab that is given no other seed; `results/claims.json` is recorded with it. */
export const DEFAULT_SEED = 0;

/** Numbers of one state in all layers of a batch, 32 MB; a step keeps several states. */
const LARGEST_BATCH = 2 ** 23;

export class Lab {
  /**
   * @param seed decides all draws, together with `stream`, the setup and the number of the draw.
   * @param stream what the draws are for: two streams have nothing in common.
   */
  constructor(
    private readonly source: Source,
    private readonly seed = DEFAULT_SEED,
    private readonly stream = '',
    private readonly shared = new Map<string, unknown>(),
  ) {}

  /** The same lab with draws of its own. */
  drawing(stream: string): Lab {
    return new Lab(this.source, this.seed, stream, this.shared);
  }

  /** Evidence that several claims are judged by: measured once, with draws of its own. */
  once<T>(name: string, measure: (lab: Lab) => T): T {
    if (!this.shared.has(name)) this.shared.set(name, measure(this.drawing(name)));
    return this.shared.get(name) as T;
  }

  /** Measures networks of several draws; those of one shape and depth have the same random numbers in both of two calls. */
  measure(setup: Setup, draws: number): CellMeasurement[] {
    return this.measureEach(Array.from({ length: draws }, () => setup));
  }

  /** Measures setups that have all in common but depth, scales and rates; the i-th is draw i. */
  measureEach(setups: readonly Setup[]): CellMeasurement[] {
    const full = { ...FULL, ...setups[0]! };
    const shape = shapeOf(full);
    const cells = setups.map((setup, draw) => this.cellOf(setup, draw));
    const settings = settingsOf(full);
    const lane = Math.max(...setups.map(({ depth }) => depth)) * shape.samples * shape.width;
    const count = Math.max(1, Math.floor(LARGEST_BATCH / lane));
    return Array.from({ length: Math.ceil(cells.length / count) }, (_, i) =>
      measureBatch(this.source, cells.slice(i * count, (i + 1) * count), settings),
    ).flat();
  }

  /**
   * Trains matrices of several draws, step after step on batches, and measures some of the steps.
   *
   * @param setup of which the samples are those of a batch, and the steps all that are taken.
   * @param watch goes on from weights that were trained before, and sees those after every step.
   */
  train(
    setup: Setup,
    draws: number,
    schooling: { readonly samples: number; readonly recorded: readonly number[] },
    watch?: Watch,
  ): CellMeasurement[] {
    const cells = Array.from({ length: draws }, (_, draw) => this.cellOf(setup, draw));
    const settings = settingsOf({ ...FULL, ...setup, weights: 'mutable' });
    return measureBatch(this.source, cells, { ...settings, training: { ...schooling, heldOut: 0 } }, watch);
  }

  /** |G_l|^2 at index l = 1 .. L of each draw: the contributions at rate 1. */
  gradientNorms(setup: Setup, draws: number): number[][] {
    const { depth } = setup;
    const learningRate = new Array<number>(depth + 1).fill(1);
    return this.withStep({ ...setup, learningRate }, draws, (_, { contributions }) =>
      contributions.map((values) => Array.from(values)),
    );
  }

  /**
   * Takes one step of several draws with the states kept, shows its finished layers to `visit`, hands it to `use`, and frees
   * everything afterwards.
   */
  withStep<T>(
    setup: Setup,
    draws: number,
    use: (step: Step, finished: FinishedStep) => T,
    visit?: (layer: FinishedLayer) => void,
  ): T {
    const full = { ...FULL, ...setup };
    const shape = shapeOf(full);
    const lanes = Array.from({ length: draws }, (_, draw): Lane => {
      const { data, ...cell } = this.cellOf(setup, draw);
      return { ...cell, ...drawData(this.source.sampler, cell.seed, data, shape) };
    });
    const network = new Network(this.source, shape, lanes, {
      architecture: ARCHITECTURES[full.architecture],
      activation: ACTIVATIONS[full.activation],
      weights: full.weights ?? 'matrix-free',
    });
    const step = new Step(network, {
      kind: full.kind,
      loss: LOSSES[full.loss],
      train: full.train,
      keepsStates: true,
    });
    const finished = step.take(visit);
    let result: T;
    tf.tidy(() => {
      result = use(step, finished);
    });
    step.dispose();
    network.dispose();
    return result!;
  }

  /** Standard normal numbers; those of two names are independent. */
  normals(count: number, name: number | string): Float32Array {
    const seed = this.seedOf(`normals ${name}`);
    return this.source.sampler.draw([{ seed, role: ROLE.PRODUCT, layer: 0 }], count, [1]).slice();
  }

  private cellOf(setup: Setup, draw: number): BatchCell {
    const { depth, width, inputWidth, outputWidth, samples, branchScale, stepSize } = { ...FULL, ...setup };
    return {
      seed: this.seedOf(`${width} ${inputWidth} ${outputWidth} ${samples} ${draw}`),
      depth,
      branchScale,
      ...scalesOf(setup),
      stepSize,
      data: setup.data ?? dense(inputWidth),
    };
  }

  /** 128 bits of the SHA-256 of all that a draw hangs on. */
  private seedOf(draw: string): Seed {
    const digest = createHash('sha256').update(`${this.seed} ${this.stream} ${draw}`).digest();
    return [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as unknown as Seed;
  }
}

/** What the networks of a setup have in common. */
const settingsOf = (full: Setup & Required<Pick<Setup, keyof typeof FULL>>): BatchSettings => ({
  shape: shapeOf(full),
  architecture: full.architecture,
  activation: full.activation,
  weights: full.weights ?? 'matrix-free',
  isNormalized: full.scaling === 'auto',
  loss: full.loss,
  train: full.train,
  kind: full.kind,
  steps: full.steps,
  layers: full.layers,
  ...(full.measuresBackward && { needs: new Set(['backward velocity'] as const) }),
});

/** Initial scales and learning rates of a setup. */
function scalesOf(
  setup: Setup,
): Pick<BatchCell, 'sigma'> & { readonly learningRate: RateName | readonly number[] } {
  const full = { ...FULL, ...setup };
  const { depth, width, inputWidth, outputWidth, samples, branchScale } = full;
  const scaling: NamedScaling = NAMED_SCALINGS[full.scaling];
  const values = { L: depth, m: width, d: inputWidth, k: outputWidth, n: samples, beta: branchScale };
  const at = (formula: string) => compileExpression(formula).evaluate(values);
  const { learningRate: rates } = scaling;
  const byGroup = (of: Record<LayerGroup, string>) => {
    const values = { input: at(of.input), hidden: at(of.hidden), output: at(of.output) };
    return Array.from({ length: depth + 1 }, (_, layer) => values[groupOf(layer, depth)]);
  };
  return {
    sigma: {
      input: at(scaling.sigmaInput),
      hidden: at(activationEntry(full.activation).sigmaHidden),
      output: at(scaling.sigmaOutput),
      ...full.sigma,
    },
    learningRate: setup.learningRate ?? (rates === 'scale-invariant' ? rates : byGroup(rates)),
  };
}

/** What a setup is in the limit of infinite width; undefined where no exact law is known. */
export function limitOf(setup: Setup): WideStep | undefined {
  const full = { ...FULL, ...setup };
  const { architecture, activation, depth, width, inputWidth, outputWidth, branchScale, train } = full;
  const { input, target } = setup.data ?? dense(inputWidth);
  const isExact =
    (activation === 'relu' || activation === 'linear') &&
    (train === 'all' || train === 'hidden') &&
    input.normalize === 'unit-norm' &&
    target.law === 'constant' &&
    full.loss === 'linear' &&
    full.samples === 1 &&
    full.steps === 1 &&
    full.scaling !== 'auto';
  const { sigma, learningRate } = scalesOf(setup);
  const isKnown = typeof learningRate === 'object' || learningRate === 'scale-invariant';
  if (!isExact || !isKnown) return undefined;
  return wideStep({
    architecture,
    activation,
    depth,
    width,
    branchScale,
    sigma,
    learningRate,
    inputNorm: input.scale,
    slopeNorm: Math.abs(target.value) / Math.sqrt(outputWidth), // b_L = y / k
    trainsAll: train === 'all',
  });
}

const shapeOf = ({
  samples,
  width,
  inputWidth,
  outputWidth,
}: Required<Pick<Setup, Exclude<keyof Shape, 'hiddenWidth' | 'widths'>>>): Shape => ({
  samples,
  width,
  inputWidth,
  outputWidth,
});
