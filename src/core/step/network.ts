/**
 * The networks of a batch: their weights, and how lanes of different depth are aligned. What a layer is made of is the
 * architecture's (see `architectures/`).
 *
 * Lanes are networks of one width but any depth and branch scale, or of one depth with a width for each layer. They are aligned at the readout: a layer is
 * counted by its `distance` L - l from it, and lanes are sorted by falling depth. At a distance the active lanes
 * are then a prefix, which grows on the way forward (shorter networks join with their embedding) and shrinks on
 * the way back. States are [active lanes, n, m]; rows are samples.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  type Architecture,
  type LayerGroup,
  MATRICES,
  type MatrixKind,
  type MatrixName,
  type Width,
} from '../../architectures/architecture.js';
import type { Activation } from '../activation.js';
import { addScaled, squaredNorms } from '../ops.js';
import { SECOND_MATRIX } from '../random.js';
import { DenseWeights } from '../weights/dense-weights.js';
import { MatrixFreeWeights } from '../weights/matrix-free-weights.js';
import { MutableWeights } from '../weights/mutable-weights.js';
import { type MatrixState, TrainedWeights } from '../weights/trained-weights.js';
import type { Source } from '../weights/weights.js';
import { type Lane, type Shape, widthAt } from './lane.js';

/** The kinds of weights: formed, and so that they learn in place, or never formed. */
const WEIGHTS = { dense: DenseWeights, mutable: MutableWeights, 'matrix-free': MatrixFreeWeights } as const;

export type WeightsName = keyof typeof WEIGHTS;

/** What a network is in the course of training: its matrices, and |G_l|^2 of the first step by lane and layer. */
export interface NetworkState {
  readonly matrices: Readonly<Record<string, MatrixState>>;
  readonly firstSquares: readonly Float64Array[];
}

export interface NetworkSettings {
  readonly architecture: Architecture;
  readonly activation: Activation;
  readonly weights: WeightsName;
  /** Whether weights are scaled to |f_1|_rms = |V_l q_{l-1}|_rms = 1 (section 4.2, forward layer normalization). */
  readonly isNormalized?: boolean;
}

/** Some lanes of a batch at one distance from the readout. */
export interface Place {
  readonly distance: number;
  /** The first of them, among all of the batch. */
  readonly first: number;
  readonly lanes: readonly Lane[];
}

export class Network {
  /** The distance of the embedding of the deepest lanes. */
  readonly farthest: number;
  private readonly matrices = new Map<string, TrainedWeights>();
  /** Lanes that have a layer, by distance. */
  private readonly counts: Uint32Array;
  private readonly inputs = new Map<number, tf.Tensor3D>();
  private readonly skips = new Map<number, tf.Tensor3D>();
  private firstSquares: readonly Float64Array[];

  /**
   * @param lanes sorted by falling depth.
   * @throws Error when they are not.
   */
  constructor(
    readonly source: Source,
    public shape: Shape,
    public lanes: readonly Lane[],
    readonly settings: NetworkSettings,
  ) {
    if (lanes.some((lane, i) => i > 0 && lane.depth > lanes[i - 1]!.depth)) {
      throw new Error('lanes must be sorted by falling depth');
    }
    if (shape.widths && (settings.architecture.hasSkip || lanes.at(-1)!.depth !== shape.widths.length)) {
      throw new Error('lanes with a width for each layer must be of its depth, and have no skip connection');
    }
    this.farthest = lanes[0]!.depth - 1;
    this.counts = new Uint32Array(lanes[0]!.depth);
    for (const { depth } of lanes)
      for (let distance = 0; distance < depth; distance++) this.counts[distance]! += 1;
    this.firstSquares = squaresOf(lanes);
  }

  /** The same networks with other data, of `samples` rows, and other step sizes. */
  feed(lanes: readonly Lane[], samples: number): void {
    this.lanes = lanes;
    this.shape = { ...this.shape, samples };
    tf.dispose([...this.inputs.values()]);
    this.inputs.clear();
  }

  /** |G_l|^2 of a lane at the first step that asked for it; `square` is that of this step. */
  firstSquare(lane: number, layer: number, square: number): number {
    const own = this.firstSquares[lane]!;
    if (Number.isNaN(own[layer])) own[layer] = square;
    return own[layer]!;
  }

  /** Forgets what the steps until now have noted for the rates: the next is the first. */
  begin(): void {
    this.firstSquares = squaresOf(this.lanes);
  }

  get state(): NetworkState {
    const matrices = [...this.matrices].map(([key, weights]) => [key, weights.state] as const);
    return { matrices: Object.fromEntries(matrices), firstSquares: this.firstSquares };
  }

  restore({ matrices, firstSquares }: NetworkState): void {
    for (const [key, state] of Object.entries(matrices)) {
      const [name, distance] = key.split(' ') as [MatrixName, string];
      this.weights(name, Number(distance)).restore(state);
    }
    this.firstSquares = firstSquares;
  }

  /** Number of lanes that have a layer at this distance. */
  active(distance: number): number {
    return this.counts[distance] ?? 0;
  }

  /** The lanes whose layer at a distance is of a group: a block where a layer comes before, the embedding where none does. */
  place(group: LayerGroup, distance: number): Place {
    const continuing = this.active(distance + 1);
    const [first, end] =
      group === 'output'
        ? [0, this.lanes.length]
        : group === 'hidden'
          ? [0, continuing]
          : [continuing, this.active(distance)];
    return { distance, first, lanes: this.lanes.slice(first, end) };
  }

  /** Whether any matrix was asked for. */
  get hasDrawn(): boolean {
    return this.matrices.size > 0;
  }

  /** A matrix of the layers at a distance; drawn when it is first asked for. */
  weights(name: MatrixName, distance: number): TrainedWeights {
    const key = `${name} ${distance}`;
    let weights = this.matrices.get(key);
    if (!weights) {
      const { group, outputs, inputs, isInner }: MatrixKind = MATRICES[name];
      const law = {
        outputs: this.widthOf(outputs, distance),
        inputs: this.widthOf(inputs, distance + 1),
        ...(isInner && { roles: SECOND_MATRIX }),
        lanes: this.place(group, distance).lanes.map(({ seed, depth, sigma, branchScale }) => {
          const layer = depth - distance;
          const own = group === 'hidden' ? sigma.hiddenLayers?.[layer] : undefined;
          const scale = isInner ? sigma.inner : (own ?? sigma[group]);
          if (scale === undefined) throw new Error(`no scale is given for ${name}`);
          return { seed, layer, sigma: this.isBranch(name) ? branchScale * scale : scale };
        }),
      };
      weights = new TrainedWeights(law, new WEIGHTS[this.settings.weights](this.source, law));
      this.matrices.set(key, weights);
    }
    return weights;
  }

  /** Whether beta is part of a matrix. */
  isBranch(name: MatrixName): boolean {
    const { isBranch = false }: MatrixKind = MATRICES[name];
    return isBranch;
  }

  /** A width of the layers at a distance. */
  private widthOf(name: Width, distance: number): number {
    const width = name === 'width' ? widthAt(this.shape, distance) : this.shape[name];
    if (width === undefined) throw new Error(`no ${name} is given`);
    return width;
  }

  /** M q on the way forward; if the network is normalized, the first such product fixes the scale of the matrix, but for W_L. */
  propagate(name: MatrixName, { distance, lanes }: Place, q: tf.Tensor3D): tf.Tensor3D {
    const weights = this.weights(name, distance);
    if (!this.settings.isNormalized || weights.isScaled || name === 'output') return weights.times(q);
    const product = weights.times(q);
    const size = product.shape[1] * product.shape[2];
    weights.rescale(
      Array.from(squaredNorms(product), (square, i) => {
        const rms = Math.sqrt(square / size);
        return rms === 0 ? 1 : (this.isBranch(name) ? lanes[i]!.branchScale : 1) / rms;
      }),
    );
    return weights.times(q);
  }

  /** x of the lanes that begin at this distance, [joining lanes, n, d]. */
  input(distance: number): tf.Tensor3D {
    const { samples, inputWidth } = this.shape;
    let input = this.inputs.get(distance);
    if (!input) {
      const { lanes } = this.place('input', distance);
      const x = new Float32Array(lanes.length * samples * inputWidth);
      lanes.forEach((lane, i) => {
        x.set(lane.input, i * samples * inputWidth);
      });
      input = tf.keep(this.upload(x, lanes.length, samples, inputWidth));
      this.inputs.set(distance, input);
    }
    return input;
  }

  /** branch + a state: the skip connection, on the way forward and back, where there is one. */
  addSkip(branch: tf.Tensor3D, state: tf.Tensor3D): tf.Tensor3D {
    if (!this.settings.architecture.hasSkip) return branch;
    return addScaled(branch, this.skipScale(branch.shape[0]), state);
  }

  upload(values: Float32Array, lanes: number, rows: number, columns: number): tf.Tensor3D {
    return this.source.backend.upload<tf.Rank.R3>(values, [lanes, rows, columns]);
  }

  /** Frees the weights of the layer at a distance, which are needed no more. */
  release(distance: number): void {
    for (const name of Object.keys(MATRICES)) {
      this.matrices.get(`${name} ${distance}`)?.dispose();
      this.matrices.delete(`${name} ${distance}`);
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
  skipScale(count: number): tf.Tensor3D {
    let skip = this.skips.get(count);
    if (!skip) {
      const values = Float32Array.from({ length: count }, (_, lane) => this.skipOf(lane));
      skip = tf.keep(this.upload(values, count, 1, 1));
      this.skips.set(count, skip);
    }
    return skip;
  }
}

const squaresOf = (lanes: readonly Lane[]) =>
  lanes.map(({ depth }) => new Float64Array(depth + 1).fill(Number.NaN));
