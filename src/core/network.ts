/**
 * The networks of a batch: their weights, and how lanes of different depth are aligned.
 *
 * Eq. 12, the ResNet, and Eq. 10, the MLP, with a = sqrt(1 - beta^2) and samples as columns:
 *
 *     resnet:  f_1 = W_1 x,   f_l = a f_{l-1} + beta V_l phi(f_{l-1}),   f_L = W_L f_{L-1}
 *     mlp:     f_1 = W_1 x,   f_l = V_l phi(f_{l-1}),                    f_L = W_L phi(f_{L-1})
 *
 * Lanes are networks of one width but any depth and branch scale. They are aligned at the readout: a layer is
 * counted by its `distance` L - l from it, and lanes are sorted by falling depth. At a distance the active lanes
 * are then a prefix, which grows on the way forward (shorter networks join with their embedding) and shrinks on
 * the way back. States are [active lanes, n, m]; rows are samples.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from './activation.js';
import { DenseWeights } from './dense-weights.js';
import type { Lane, LayerGroup, Shape } from './lane.js';
import { MatrixFreeWeights } from './matrix-free-weights.js';
import { addScaled, squaredNorms } from './ops.js';
import { TrainedWeights } from './trained-weights.js';
import type { Source } from './weights.js';

/** The kinds of weights. */
const WEIGHTS = { dense: DenseWeights, 'matrix-free': MatrixFreeWeights } as const;

export type WeightsName = keyof typeof WEIGHTS;

export type Architecture = 'resnet' | 'mlp';

export interface NetworkSettings {
  readonly architecture: Architecture;
  readonly activation: Activation;
  readonly weights: WeightsName;
  /** Whether weights are scaled to |f_1|_rms = |V_l q_{l-1}|_rms = 1 (section 4.2, forward layer normalization). */
  readonly isNormalized?: boolean;
}

export class Network {
  /** The distance of the embedding of the deepest lanes. */
  readonly farthest: number;
  private readonly matrices = new Map<string, TrainedWeights>();
  private readonly inputs = new Map<number, tf.Tensor3D>();
  private readonly skips = new Map<number, tf.Tensor3D>();

  /**
   * @param lanes sorted by falling depth.
   * @throws Error when they are not.
   */
  constructor(
    readonly source: Source,
    readonly shape: Shape,
    readonly lanes: readonly Lane[],
    readonly settings: NetworkSettings,
  ) {
    if (lanes.some((lane, i) => i > 0 && lane.depth > lanes[i - 1]!.depth)) {
      throw new Error('lanes must be sorted by falling depth');
    }
    this.farthest = lanes[0]!.depth - 1;
  }

  /** Number of lanes that have a layer at this distance. */
  active(distance: number): number {
    let count = this.lanes.length;
    while (count > 0 && this.lanes[count - 1]!.depth <= distance) count--;
    return count;
  }

  /** The lanes that the matrix of a group at a distance belongs to: M_l where a layer comes before, W_1 where none does. */
  lanesOf(group: LayerGroup, distance: number): { readonly first: number; readonly lanes: readonly Lane[] } {
    if (group === 'output') return { first: 0, lanes: this.lanes };
    const continuing = this.active(distance + 1);
    const first = group === 'hidden' ? 0 : continuing;
    const end = group === 'hidden' ? continuing : this.active(distance);
    return { first, lanes: this.lanes.slice(first, end) };
  }

  /** W_1, M_l = beta V_l or, at distance 0, W_L; drawn when it is first asked for. */
  weights(group: LayerGroup, distance: number): TrainedWeights {
    const name = `${group} ${distance}`;
    let weights = this.matrices.get(name);
    if (!weights) {
      const { width, inputWidth, outputWidth } = this.shape;
      const law = {
        outputs: group === 'output' ? outputWidth : width,
        inputs: group === 'input' ? inputWidth : width,
        lanes: this.lanesOf(group, distance).lanes.map(({ seed, depth, sigma, branchScale }) => ({
          seed,
          layer: depth - distance,
          // beta is part of the matrix: one multiplication of a state less in each of three passes.
          sigma: group === 'hidden' ? branchScale * sigma.hidden : sigma[group],
        })),
      };
      weights = new TrainedWeights(law, new WEIGHTS[this.settings.weights](this.source, law));
      this.matrices.set(name, weights);
    }
    return weights;
  }

  /** W_1 x or M_l q on the way forward; if the network is normalized, the first such product fixes the scale of the matrix. */
  propagate(group: 'input' | 'hidden', distance: number, q: tf.Tensor3D): tf.Tensor3D {
    const weights = this.weights(group, distance);
    if (!this.settings.isNormalized || weights.isScaled) return weights.times(q);
    const { samples, width } = this.shape;
    const squares = squaredNorms(weights.times(q));
    const { lanes } = this.lanesOf(group, distance);
    weights.rescale(
      lanes.map(({ branchScale }, i) => {
        const rms = Math.sqrt(squares[i]! / (samples * width));
        return rms === 0 ? 1 : (group === 'hidden' ? branchScale : 1) / rms;
      }),
    );
    return weights.times(q);
  }

  /** x of the lanes that begin at this distance, [joining lanes, n, d]. */
  input(distance: number): tf.Tensor3D {
    const { samples, inputWidth } = this.shape;
    let input = this.inputs.get(distance);
    if (!input) {
      const { lanes } = this.lanesOf('input', distance);
      const x = new Float32Array(lanes.length * samples * inputWidth);
      lanes.forEach((lane, i) => {
        x.set(lane.input, i * samples * inputWidth);
      });
      input = tf.keep(this.upload(x, lanes.length, samples, inputWidth));
      this.inputs.set(distance, input);
    }
    return input;
  }

  /** branch + a state: the skip connection of a ResNet, on the way forward and back; an MLP has none. */
  addSkip(branch: tf.Tensor3D, state: tf.Tensor3D): tf.Tensor3D {
    if (this.settings.architecture === 'mlp') return branch;
    return addScaled(branch, this.skipScale(branch.shape[0]), state);
  }

  upload(values: Float32Array, lanes: number, rows: number, columns: number): tf.Tensor3D {
    return this.source.backend.upload<tf.Rank.R3>(values, [lanes, rows, columns]);
  }

  /** Frees the weights of the layer at a distance, which are needed no more. */
  release(distance: number): void {
    for (const group of ['input', 'hidden', 'output'] as const) {
      this.matrices.get(`${group} ${distance}`)?.dispose();
      this.matrices.delete(`${group} ${distance}`);
    }
    this.inputs.get(distance)?.dispose();
    this.inputs.delete(distance);
  }

  dispose(): void {
    for (let distance = 0; distance <= this.farthest; distance++) this.release(distance);
    tf.dispose([...this.skips.values()]);
  }

  /** a = sqrt(1 - beta^2) of a lane. */
  skipOf(lane: number): number {
    return Math.sqrt(1 - this.lanes[lane]!.branchScale ** 2);
  }

  /** a of the first `count` lanes, [count, 1, 1]. */
  private skipScale(count: number): tf.Tensor3D {
    let skip = this.skips.get(count);
    if (!skip) {
      const values = Float32Array.from({ length: count }, (_, lane) => this.skipOf(lane));
      skip = tf.keep(this.upload(values, count, 1, 1));
      this.skips.set(count, skip);
    }
    return skip;
  }
}
