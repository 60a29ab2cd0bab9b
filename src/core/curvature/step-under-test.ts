/** Small networks with a step that was taken, and the same as functions that are differentiated automatically: for tests. */
import * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../../activations.js';
import { ARCHITECTURES, type ArchitectureName } from '../../architectures/architectures.js';
import { ACTIVATIONS } from '../activation.js';
import { type DataLaw, drawData } from '../data.js';
import { LOSSES, type LossName } from '../loss.js';
import type { AutomaticNetwork, Weights } from '../oracle/automatic-loss.js';
import type { Lane, Shape, Train } from '../step/lane.js';
import { Network, type WeightsName } from '../step/network.js';
import { Step } from '../step/step.js';
import type { Source } from '../weights/weights.js';

export interface SmallSetup {
  readonly architecture?: ArchitectureName;
  readonly activation?: ActivationName;
  readonly loss?: LossName;
  readonly shape?: Partial<Shape>;
  readonly train?: Train;
  readonly weights?: WeightsName;
  readonly lanes?: readonly Partial<Lane>[];
  readonly data?: Partial<DataLaw>;
  /** Steps that are taken before. */
  readonly taken?: number;
}

const SHAPE: Shape = { samples: 3, width: 6, hiddenWidth: 5, inputWidth: 4, outputWidth: 3 };
const DEPTHS: readonly Partial<Lane>[] = [{ depth: 5 }, { depth: 4 }];

/** Takes a step with its states kept, shows it to `use`, and frees it. */
export function withStep<T>(source: Source, setup: SmallSetup, use: (step: Step) => T): T {
  const { architecture = 'resnet', activation = 'relu', loss = 'squared', train = 'all' } = setup;
  const shape = { ...SHAPE, ...setup.shape };
  const { width: m, inputWidth: d } = shape;
  const lanes = (setup.lanes ?? DEPTHS).map((over, i): Lane => {
    const seed = [i + 1, 2, 3, 4] as const;
    const law: DataLaw = {
      input: { law: 'normal', scale: 1, normalize: 'none' },
      target: { law: loss === 'cross-entropy' ? 'one-hot' : 'normal' },
      ...setup.data,
    };
    return {
      seed,
      depth: 4,
      branchScale: architecture === 'mlp' ? 1 : 0.4,
      sigma: {
        input: 1 / Math.sqrt(d),
        hidden: Math.sqrt(2 / m),
        output: 1 / Math.sqrt(m),
        inner: 1 / Math.sqrt(m),
      },
      learningRate: 'scale-invariant',
      stepSize: 0.1,
      ...drawData(source.sampler, over.seed ?? seed, law, shape),
      ...over,
    };
  });
  const network = new Network(source, shape, lanes, {
    architecture: ARCHITECTURES[architecture],
    activation: ACTIVATIONS[activation],
    weights: setup.weights ?? 'mutable',
  });
  const take = () => {
    const step = new Step(network, { kind: 'velocity', loss: LOSSES[loss], train, keepsStates: true });
    step.take();
    return step;
  };
  for (let i = 0; i < (setup.taken ?? 0); i++) {
    const before = take();
    before.learn();
    before.dispose();
  }
  const step = take();
  const result = use(step);
  step.dispose();
  network.dispose();
  return result;
}

/** One lane as a function of its weights. */
export function automaticOf(step: Step, setup: SmallSetup, index: number): AutomaticNetwork {
  const { architecture = 'resnet', activation = 'relu', loss = 'squared' } = setup;
  const { shape, lanes } = step.network;
  const { branchScale, input, target } = lanes[index]!;
  return { architecture, activation, loss, shape, branchScale, input, target };
}

/** A matrix for each matrix of a lane, by layer, as `read` finds it among all lanes, [lanes x rows x columns]. */
export function byLayer(
  step: Step,
  index: number,
  read: (place: number) => {
    readonly values: ArrayLike<number>;
    /** By lane, its number among those that have the matrix, and the layer. */
    readonly factor: (lane: number, own: number, layer: number) => number;
  },
): Weights {
  const { network } = step;
  const { depth } = network.lanes[index]!;
  const layers: Float64Array[][] = Array.from({ length: depth }, () => []);
  let place = 0;
  const visit = (distance: number, chain: Step['readout'] | undefined) => {
    for (const _ of chain?.descents ?? []) {
      const { values, factor } = read(place++);
      const own = index - chain!.place.first;
      const count = chain!.place.lanes.length;
      if (own < 0 || own >= count) continue;
      const size = values.length / count;
      const by = factor(index, own, depth - distance);
      layers[depth - distance - 1]!.push(
        Float64Array.from({ length: size }, (_, i) => by * values[own * size + i]!),
      );
    }
  };
  visit(0, step.readout);
  for (let distance = 1; distance <= network.farthest; distance++) {
    visit(distance, step.layers[distance]!.block);
    visit(distance, step.layers[distance]!.embedding);
  }
  return layers;
}

/** The trained matrices of a lane, without beta. */
export function weightsOf(step: Step, index: number): Weights {
  return byLayer(step, index, (place) => {
    const { weights, input, matrix } = step.descents[place]!;
    const end = weights.aside();
    const values = formed(input, (rows) => weights.times(rows));
    end();
    const factor = (lane: number) =>
      step.network.isBranch(matrix) ? 1 / step.network.lanes[lane]!.branchScale : 1;
    return { values, factor };
  });
}

/**
 * A matrix of all lanes by its products, [lanes x outputs x inputs].
 *
 * @param input rows such as it takes: what is known by its steps multiplies as many as these had.
 */
export function formed(input: tf.Tensor3D, times: (rows: tf.Tensor3D) => tf.Tensor3D): Float32Array {
  const [lanes, samples, columns] = input.shape;
  return tf.tidy(() => {
    const eye = tf.expandDims<tf.Tensor3D>(tf.eye(columns));
    const column = (j: number) => {
      const rows = tf.tile(tf.slice(eye, [0, j, 0], [1, 1, columns]), [lanes, samples, 1]);
      return tf.slice(times(rows), [0, 0, 0], [lanes, 1, -1]);
    };
    const transposed = tf.concat(
      Array.from({ length: columns }, (_, j) => column(j)),
      1,
    );
    return tf.transpose(transposed, [0, 2, 1]).dataSync<'float32'>().slice();
  });
}
