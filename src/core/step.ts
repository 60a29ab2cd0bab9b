/**
 * One gradient step of the network of Eq. 12, for a batch of lanes: forward, backward, and the change of the
 * features. This file is the paper's recursions; where the weights come from and what is measured is elsewhere.
 *
 *     f_1 = W_1 x,   f_l = a f_{l-1} + beta V_l q_{l-1},   q = phi(f),   f_L = W_L f_{L-1},   a = sqrt(1 - beta^2)
 *     loss = |f_L - y|^2 / (2 k n)
 *
 * V_2 .. V_{L-1} are trained, W_1 and W_L are not.
 *
 * Lanes are networks of one width but any depth and branch scale. They are aligned at the readout: a layer is
 * counted by its `distance` L - l from it, and lanes are sorted by falling depth. At a distance the active lanes
 * are then a prefix, which grows on the way forward (shorter networks join with their embedding) and shrinks on
 * the way back. States are [active lanes, n, m]; rows are samples.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from './activation.js';
import { DenseWeights } from './dense-weights.js';
import { type Gradient, gradient } from './gradient.js';
import type { Lane, Shape } from './lane.js';
import { lossOf, lossSlope, outputErrors } from './loss.js';
import { MatrixFreeWeights } from './matrix-free-weights.js';
import { add, addScaled } from './ops.js';
import type { Source, Weights } from './weights.js';

/** The kinds of weights. */
const WEIGHTS = { dense: DenseWeights, 'matrix-free': MatrixFreeWeights } as const;

export type WeightsName = keyof typeof WEIGHTS;

export interface StepSettings {
  readonly activation: Activation;
  readonly weights: WeightsName;
  /** One finite step, or its limit dt -> 0. */
  readonly kind: 'update' | 'velocity';
}

/** The finished step at one layer of every active lane. Tensors are [active, n, m] and freed after the visit. */
export interface FinishedLayer {
  /** L - l, the same for all lanes. */
  readonly distance: number;
  /** Number of active lanes: those with depth > distance. */
  readonly active: number;
  readonly features: tf.Tensor3D;
  readonly backward: tf.Tensor3D;
  /** fdot, or df for an update. */
  readonly change: tf.Tensor3D;
}

/** The scalars of a finished step, an entry for each lane. */
export interface FinishedStep {
  readonly loss: Float64Array;
  /** dloss of the update, or d loss / dt. */
  readonly lossChange: Float64Array;
  /** contributions[lane][l] = C_l = eta_l |G_l|^2 for l = 1 .. L-1; C_1 = 0. */
  readonly contributions: readonly Float64Array[];
  /** The first layer whose features are not finite; undefined when all are. */
  readonly overflow: readonly (number | undefined)[];
}

/** What is remembered, between the passes, of the layer at a distance. */
interface Layer {
  /** f_l, [active, n, m]. */
  readonly features: tf.Tensor3D;
  /** What leads to f_l in the lanes for which l > 1. */
  readonly block?: { readonly weights: Weights; readonly input: tf.Tensor3D };
  /** b_l, [active, n, m]. */
  backward?: tf.Tensor3D;
  /** G_l and eta_l, for the lanes of the block. */
  descent?: {
    readonly gradient: Gradient;
    readonly backward: tf.Tensor3D;
    readonly rates: readonly number[];
  };
}

/**
 * Takes the step and shows every finished layer to `visit`, from the first layers to the last.
 *
 * @param lanes sorted by falling depth.
 * @throws Error when lanes are not sorted. Overflow is no error: it shows as entries that are not finite.
 */
export function takeStep(
  source: Source,
  shape: Shape,
  lanes: readonly Lane[],
  settings: StepSettings,
  visit: (layer: FinishedLayer) => void,
): FinishedStep {
  if (lanes.some((lane, i) => i > 0 && lane.depth > lanes[i - 1]!.depth)) {
    throw new Error('lanes must be sorted by falling depth');
  }
  return new Step(source, shape, lanes, settings).take(visit);
}

class Step {
  /** By distance from the readout, 1 .. farthest. */
  private readonly layers: Layer[] = [];
  private readonly farthest: number;
  private readonly contributions: Float64Array[];
  private readonly skips = new Map<number, tf.Tensor3D>();

  constructor(
    private readonly source: Source,
    private readonly shape: Shape,
    private readonly lanes: readonly Lane[],
    private readonly settings: StepSettings,
  ) {
    this.farthest = lanes[0]!.depth - 1;
    this.contributions = lanes.map((lane) => new Float64Array(lane.depth));
  }

  take(visit: (layer: FinishedLayer) => void): FinishedStep {
    this.forward();
    const overflow = this.overflow();
    const readout = this.weights(0, 0, this.lanes.length);
    const output = tf.tidy(() => readout.times(this.layers[1]!.features).dataSync());
    const { samples, outputWidth } = this.shape;
    const error = outputErrors(output, this.lanes);
    const slope = this.upload(lossSlope(error, this.shape), this.lanes.length, samples, outputWidth);
    this.backward(readout, slope);
    const outputChange = this.change(readout, visit);
    readout.dispose();
    tf.dispose([slope, ...this.skips.values()]);
    const losses = lossOf(error, outputChange, this.shape, this.settings.kind);
    return { ...losses, contributions: this.contributions, overflow };
  }

  /** f_1 = W_1 x;  f_l = a f_{l-1} + beta V_l phi(f_{l-1}). */
  private forward(): void {
    for (let distance = this.farthest; distance >= 1; distance--) {
      const continuing = this.active(distance + 1);
      const joining = this.active(distance) - continuing;
      const previous = this.layers[distance + 1]?.features;
      tf.tidy(() => {
        if (!previous) {
          this.layers[distance] = { features: tf.keep(this.embedding(0, joining)) };
          return;
        }
        const input = tf.keep(this.settings.activation.value(previous));
        const weights = this.weights(distance, 0, continuing);
        const features = addScaled(weights.times(input), this.skipScale(continuing), previous);
        const joined = joining > 0 ? tf.concat([features, this.embedding(continuing, joining)]) : features;
        this.layers[distance] = { features: tf.keep(joined), block: { weights, input } };
      });
    }
  }

  /** b_{L-1} = W_L^T (f_L - y) / (k n);  b_{l-1} = a b_l + phi'(f_{l-1}) * (beta V_l^T b_l); G_l and eta_l. */
  private backward(readout: Weights, slope: tf.Tensor3D): void {
    let backward = tf.tidy(() => readout.transposeTimes(slope));
    for (let distance = 1; ; distance++) {
      const layer = this.layers[distance]!;
      layer.backward = backward;
      if (!layer.block) return;
      const { weights, input } = layer.block;
      const continuing = input.shape[0];
      const features = this.layers[distance + 1]!.features;
      backward = tf.tidy(() => {
        const b = tf.keep(leading(layer.backward!, continuing));
        const descent = gradient(this.source.backend, b, input);
        const rates = this.rates(distance, descent.squaredNorm());
        layer.descent = { gradient: descent, backward: b, rates };
        const branch = this.settings.activation.tangent(features, weights.transposeTimes(b));
        return addScaled(branch, this.skipScale(continuing), b);
      });
    }
  }

  /**
   * The velocity  fdot_l = a fdot_{l-1} + beta ( V_l (phi'(f_{l-1}) * fdot_{l-1}) - eta_l G_l q_{l-1} ),  or the
   * update  df_l = a df_{l-1} + beta ( V_l dq_{l-1} - dt eta_l G_l (q_{l-1} + dq_{l-1}) ),  dq = phi(f + df) - phi(f):
   * written as a difference, since two float32 forward passes subtracted are wrong by up to 0.2 rad.
   *
   * @returns the change of f_L, [lanes x n x k].
   */
  private change(readout: Weights, visit: (layer: FinishedLayer) => void): Float32Array {
    const { activation } = this.settings;
    const isVelocity = this.settings.kind === 'velocity';
    let change: tf.Tensor3D | undefined;
    for (let distance = this.farthest; distance >= 1; distance--) {
      const { features, block, backward, descent } = this.layers[distance]!;
      const active = this.active(distance);
      const next: tf.Tensor3D = tf.tidy(() => {
        if (!change || !block || !descent) return tf.zerosLike(features);
        const continuing = block.input.shape[0];
        const f = this.layers[distance + 1]!.features;
        const dq = isVelocity ? activation.tangent(f, change) : activation.difference(f, change);
        const q = isVelocity ? block.input : add(block.input, dq);
        const branch = descent.gradient.descend(block.weights.times(dq), descent.rates, q);
        const moved = addScaled(branch, this.skipScale(continuing), change);
        const { samples, width } = this.shape;
        const resting = active - continuing; // f_1 does not move
        return resting > 0 ? tf.concat([moved, tf.zeros<tf.Rank.R3>([resting, samples, width])]) : moved;
      });
      if (change) this.dispose(distance + 1);
      change?.dispose();
      change = next;
      visit({ distance, active, features, backward: backward!, change });
    }
    const outputChange = tf.tidy(() => readout.times(change!).dataSync<'float32'>());
    change!.dispose();
    this.dispose(1);
    return outputChange;
  }

  /**
   * beta^2 eta_l, times dt for an update, for each lane: what multiplies sum_i b_i <q_i, x> in the change of f_l.
   * eta_l is Eq. 8, 1 / (L |G_l|^2) with |G_l|^2 = beta^2 |sum_i b_i q_i^T|^2, or the given rate. Records C_l.
   */
  private rates(distance: number, squaredNorm: ArrayLike<number>): number[] {
    return Array.from(squaredNorm, (norm, i) => {
      const { depth, branchScale, learningRate, stepSize } = this.lanes[i]!;
      const gradientNorm = branchScale ** 2 * norm;
      const scaleInvariant = gradientNorm === 0 ? 0 : 1 / (depth * gradientNorm);
      const rate = learningRate === 'scale-invariant' ? scaleInvariant : learningRate;
      this.contributions[i]![depth - distance] = rate * gradientNorm;
      return branchScale ** 2 * rate * (this.settings.kind === 'velocity' ? 1 : stepSize);
    });
  }

  /** The first layer whose features are not finite, for each lane. */
  private overflow(): (number | undefined)[] {
    const { samples, width } = this.shape;
    const size = samples * width;
    const infinite = (distance: number, i: number) =>
      !tf
        .tidy(() => tf.slice(this.layers[distance]!.features, [i, 0, 0], [1, samples, width]).dataSync())
        .every(Number.isFinite);
    // Once features overflow they never come back, so the last layer tells which lanes to look into.
    const last = this.layers[1]!.features.dataSync();
    return this.lanes.map(({ depth }, i) => {
      if (last.subarray(i * size, (i + 1) * size).every(Number.isFinite)) return undefined;
      let distance = depth - 1;
      while (distance > 1 && !infinite(distance, i)) distance--;
      return depth - distance;
    });
  }

  /** Number of lanes that have a layer at this distance. */
  private active(distance: number): number {
    let count = this.lanes.length;
    while (count > 0 && this.lanes[count - 1]!.depth <= distance) count--;
    return count;
  }

  private embedding(from: number, count: number): tf.Tensor3D {
    const { samples, inputWidth } = this.shape;
    const x = new Float32Array(count * samples * inputWidth);
    for (let i = 0; i < count; i++) x.set(this.lanes[from + i]!.input, i * samples * inputWidth);
    const weights = this.weights(this.lanes[from]!.depth - 1, from, count);
    const features = tf.clone(weights.times(this.upload(x, count, samples, inputWidth)));
    weights.dispose();
    return features;
  }

  /** The weights at a distance of the lanes from .. from + count - 1: W_L at 0, W_1 for l = 1, else beta V_l. */
  private weights(distance: number, from: number, count: number): Weights {
    const { width, inputWidth, outputWidth } = this.shape;
    const lanes = this.lanes.slice(from, from + count);
    const matrix = distance === 0 ? 'output' : distance === lanes[0]!.depth - 1 ? 'input' : 'hidden';
    return new WEIGHTS[this.settings.weights](this.source, {
      outputs: matrix === 'output' ? outputWidth : width,
      inputs: matrix === 'input' ? inputWidth : width,
      lanes: lanes.map(({ seed, depth, sigma, branchScale }) => ({
        seed,
        layer: depth - distance,
        // beta is part of the matrix: one multiplication of a state less in each of three passes.
        sigma: matrix === 'hidden' ? branchScale * sigma.hidden : sigma[matrix],
      })),
    });
  }

  /** a = sqrt(1 - beta^2) of the first `count` lanes, [count, 1, 1]. */
  private skipScale(count: number): tf.Tensor3D {
    let skip = this.skips.get(count);
    if (!skip) {
      const values = Float32Array.from(this.lanes.slice(0, count), (lane) =>
        Math.sqrt(1 - lane.branchScale ** 2),
      );
      skip = tf.keep(this.upload(values, count, 1, 1));
      this.skips.set(count, skip);
    }
    return skip;
  }

  private upload(values: Float32Array, lanes: number, rows: number, columns: number): tf.Tensor3D {
    return this.source.backend.upload<tf.Rank.R3>(values, [lanes, rows, columns]);
  }

  private dispose(distance: number): void {
    const { features, block, backward, descent } = this.layers[distance]!;
    block?.weights.dispose();
    descent?.gradient.dispose();
    for (const tensor of [features, block?.input, backward, descent?.backward]) tensor?.dispose();
  }
}

/** The first lanes of a state. */
function leading(state: tf.Tensor3D, lanes: number): tf.Tensor3D {
  if (lanes === state.shape[0]) return state;
  return tf.slice(state, [0, 0, 0], [lanes, state.shape[1], state.shape[2]]);
}
