/**
 * One gradient step of the networks of a batch: forward, backward, and the change of the features. This file is the
 * paper's recursions, for the ResNet of Eq. 12 and the MLP of Eq. 10 (see `network.ts`); what is measured is elsewhere.
 *
 * With b_l = d loss / d f_l and M_l = beta V_l (an MLP has a = 0 and beta = 1):
 *
 *     b_{L-1} = W_L^T b_L,                     b_{l-1} = a b_l + phi'(f_{l-1}) * (M_l^T b_l)        resnet
 *     z_{L-1} = W_L^T b_L,   b_l = phi'(f_l) * z_l,   z_{l-1} = M_l^T b_l                           mlp
 *     G_l = b_l (phi(f_{l-1}))^T,   C_l = eta_l |G_l|^2                                             both
 *
 * The features of a ResNet are f_l; those of an MLP are g_l = phi(f_l), with the backward pass z_l = d loss / d g_l.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Gradient, gradient } from './gradient.js';
import { type LayerGroup, learns, type Train } from './lane.js';
import type { Loss } from './loss.js';
import type { Network } from './network.js';
import { add, read, squaredNorms } from './ops.js';
import { type Broken, type MatrixStep, Proof } from './proof.js';
import { SMALLEST } from './trained-weights.js';

export interface StepSettings {
  /** One finite step, or its limit dt -> 0. */
  readonly kind: 'update' | 'velocity';
  readonly loss: Loss;
  readonly train: Train;
  /** b_L, [lanes x n x k], where it is not that of the loss at f_L. */
  readonly slope?: Float64Array;
  /** Whether the states of all layers outlive their visit, for what comes after the step; else memory stays small. */
  readonly keepsStates?: boolean;
}

/** The finished step at one layer of every active lane. Tensors are [active, n, m] and freed after the visit. */
export interface FinishedLayer {
  /** L - l, the same for all lanes. */
  readonly distance: number;
  /** Number of active lanes: those with depth > distance. */
  readonly active: number;
  /** f_l; g_l of an MLP. */
  readonly features: tf.Tensor3D;
  /** b_l; z_l of an MLP. */
  readonly backward: tf.Tensor3D;
  /** The velocity of the features, or their update. */
  readonly change: tf.Tensor3D;
}

/** The scalars of a finished step, an entry for each lane. */
export interface FinishedStep {
  readonly loss: Float64Array;
  /** dloss of the update, or d loss / dt. */
  readonly lossChange: Float64Array;
  /** contributions[lane][l] = C_l = eta_l |G_l|^2 for l = 1 .. L; 0 where a layer does not learn. */
  readonly contributions: readonly Float64Array[];
  /** The first layer at which a number is not finite; undefined when all are. */
  readonly overflow: readonly (number | undefined)[];
  /** An identity that the lane breaks: then its numbers are not to be trusted. */
  readonly broken: readonly (Broken | undefined)[];
}

/** How one matrix learns: its gradient G = sum_i b_i q_i^T, and what that is multiplied by, for each lane. */
interface Descent extends MatrixStep {
  readonly gradient: Gradient;
}

/** The layer at a distance, as the passes leave it. */
interface Layer {
  /** f_l, [active, n, m]. */
  readonly features: tf.Tensor3D;
  /** phi(f_l), where something follows that takes it. */
  readonly activations?: tf.Tensor3D;
  /** b_l. */
  backward?: tf.Tensor3D;
  /** M_{l+1}^T b_{l+1}, or W_L^T b_L: z_l of an MLP. Of a ResNet only what an update is proved by. */
  arriving?: tf.Tensor3D;
  /** Of M_l, in the lanes that have a layer before this one; of W_1, in those that begin here. */
  block?: Descent;
  embedding?: Descent;
}

export class Step {
  /** By distance from the readout, 1 .. farthest. */
  readonly layers: Layer[] = [];
  /** f_L, b_L and the change of f_L, [lanes x n x k]. */
  output: Float32Array = new Float32Array();
  slope: Float64Array = new Float64Array();
  outputChange: Float32Array = new Float32Array();
  /** Of W_L. */
  readout: Descent | undefined;
  private readonly contributions: Float64Array[];
  readonly proof: Proof;

  constructor(
    readonly network: Network,
    readonly settings: StepSettings,
  ) {
    this.contributions = network.lanes.map((lane) => new Float64Array(lane.depth + 1));
    this.proof = new Proof(network.lanes, this.contributions);
  }

  /**
   * Takes the step and shows every finished layer to `visit`, from the first layers to the last.
   *
   * Overflow is no error: it shows as entries that are not finite.
   */
  take(visit: (layer: FinishedLayer) => void = () => {}): FinishedStep {
    this.forward();
    this.backward();
    this.outputChange = this.change(this.settings.kind, visit);
    this.balance();
    const losses = this.losses();
    const hasLoss = (lane: number) => Number.isFinite(losses.loss[lane]! + losses.lossChange[lane]!);
    return {
      ...losses,
      contributions: this.contributions,
      overflow: this.proof.overflow.map(
        (layer, lane) => layer ?? (hasLoss(lane) ? undefined : this.network.lanes[lane]!.depth),
      ),
      broken: this.proof.broken,
    };
  }

  /** Shows the update of every layer to `visit`, beside the velocity that was taken; the states must have been kept. */
  update(visit: (layer: FinishedLayer) => void): void {
    this.change('update', visit);
  }

  /** Moves the weights by dt along the step that was taken, whose states must have been kept. */
  learn(): void {
    const descents = this.layers.flatMap(({ block, embedding }) => [block, embedding]);
    for (const descent of [this.readout, ...descents]) {
      if (descent) descent.weights.learn(descent.backward, descent.input, descent.steps);
    }
  }

  /** Frees the states, if they were kept. */
  dispose(): void {
    for (let distance = 1; distance <= this.network.farthest; distance++) this.release(distance);
    this.releaseReadout();
  }

  /** f_1 = W_1 x;  f_l = a f_{l-1} + M_l phi(f_{l-1});  f_L = W_L f_{L-1}, of an MLP W_L phi(f_{L-1}). */
  private forward(): void {
    const { network, layers } = this;
    const { activation, architecture } = network.settings;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const previous = layers[distance + 1];
      tf.tidy(() => {
        const parts = [];
        if (previous) {
          const branch = network.propagate('hidden', distance, previous.activations!);
          parts.push(network.addSkip(branch, previous.features));
        }
        if (network.active(distance) > network.active(distance + 1)) {
          parts.push(network.propagate('input', distance, network.input(distance)));
        }
        const features = tf.keep(joined(parts));
        this.proof.finite(distance, features);
        const isTaken = distance > 1 || architecture === 'mlp';
        const activations = isTaken
          ? tf.keep(this.activated(distance, features, activation.value(features)))
          : undefined;
        layers[distance] = { features, ...(activations && { activations }) };
      });
    }
    this.output = read(tf.tidy(() => network.weights('output', 0).times(this.last)));
  }

  /** b_l (and z_l) of all layers, with the gradients and rates of their matrices. */
  private backward(): void {
    const { network, layers, isMlp } = this;
    const { samples, outputWidth } = network.shape;
    const { activation } = network.settings;
    this.slope =
      this.settings.slope ?? this.eachLane((loss, y, own) => loss.slope(own(this.output), y, network.shape));
    const slope = network.upload(Float32Array.from(this.slope), network.lanes.length, samples, outputWidth);
    this.checkRange(this.slope);
    this.readout = this.descent('output', 0, tf.keep(slope), this.last);
    /** d loss / d f_l, or d loss / d g_l of an MLP. */
    let arriving = tf.tidy(() => this.readout!.weights.transposeTimes(slope));
    for (let distance = 1; ; distance++) {
      const layer = layers[distance]!;
      if (isMlp) layer.arriving = arriving;
      const gated = () => this.activated(distance, arriving, activation.tangent(layer.features, arriving));
      const b = isMlp ? tf.tidy(gated) : arriving;
      layer.backward = b;
      const continuing = network.active(distance + 1);
      if (continuing < network.active(distance)) {
        const own = tf.keep(lanesOf(b, continuing, network.active(distance)));
        layer.embedding = this.descent('input', distance, own, network.input(distance));
      }
      if (continuing === 0) return;
      const previous = layers[distance + 1]!;
      arriving = tf.tidy(() => {
        const own = tf.keep(lanesOf(b, 0, continuing));
        layer.block = this.descent('hidden', distance, own, previous.activations!);
        const branch = layer.block.weights.transposeTimes(own);
        if (isMlp) return branch;
        if (this.settings.kind === 'update') previous.arriving = tf.keep(tf.clone(branch));
        const gated = this.activated(distance + 1, branch, activation.tangent(previous.features, branch));
        return network.addSkip(gated, own);
      });
    }
  }

  /**
   * The velocity  fdot_l = a fdot_{l-1} + M_l (phi'(f_{l-1}) * fdot_{l-1}) - beta^2 eta_l G_l q_{l-1},  or the
   * update  df_l = a df_{l-1} + M_l dq_{l-1} - dt beta^2 eta_l G_l (q_{l-1} + dq_{l-1}),  dq = phi(f + df) - phi(f):
   * written as a difference, since two float32 forward passes subtracted are wrong by up to 0.2 rad.
   *
   * @returns the change of f_L, [lanes x n x k].
   */
  private change(kind: StepSettings['kind'], visit: (layer: FinishedLayer) => void): Float32Array {
    const { network, layers, isMlp } = this;
    const { activation } = network.settings;
    const isVelocity = kind === 'velocity';
    const after = (q: tf.Tensor3D, dq: tf.Tensor3D) => (isVelocity ? q : add(q, dq));
    /** Of f_l, and of phi(f_l) where something follows that takes it. */
    let change: tf.Tensor3D | undefined;
    let activationChange: tf.Tensor3D | undefined;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const layer = layers[distance]!;
      const [before, dq] = [change, activationChange];
      const df = tf.tidy(() => {
        const parts = [];
        if (layer.block) {
          const previous = layers[distance + 1]!;
          const moved = this.moved(
            kind,
            layer.block,
            dq!,
            after(previous.activations!, dq!),
            previous.arriving,
            before,
          );
          parts.push(network.addSkip(moved, before!));
        }
        if (layer.embedding) parts.push(this.moved(kind, layer.embedding, undefined, layer.embedding.input));
        return joined(parts);
      });
      if (before && !this.settings.keepsStates) this.release(distance + 1);
      change = df;
      activationChange =
        layer.activations &&
        tf.tidy(() =>
          this.activated(
            distance,
            df,
            isVelocity ? activation.tangent(layer.features, df) : activation.difference(layer.features, df),
          ),
        );
      tf.dispose([before, dq].filter((tensor) => tensor !== undefined));
      const finished = {
        features: isMlp ? layer.activations! : layer.features,
        backward: isMlp ? layer.arriving! : layer.backward!,
        change: isMlp ? activationChange! : change,
      };
      if (isVelocity) this.proof.velocity(distance, finished.backward, finished.change);
      if (isVelocity && distance === 1 && this.isNormalized) this.checkNormalization(finished.change);
      visit({ distance, active: network.active(distance), ...finished });
    }
    const dr = isMlp ? activationChange! : change!;
    const outputChange = read(
      tf.tidy(() => {
        const { arriving, backward } = layers[1]!;
        const moved = this.moved(kind, this.readout!, dr, after(this.last, dr), isMlp ? arriving : backward);
        if (isVelocity) this.proof.velocity(0, this.readout!.backward, moved);
        return moved;
      }),
    );
    tf.dispose([change, activationChange].filter((tensor) => tensor !== undefined));
    if (!this.settings.keepsStates) {
      this.release(1);
      this.releaseReadout();
    }
    return outputChange;
  }

  /**
   * M dq - eta G x, times dt for an update, with the proof of it; dq is none where nothing before moves.
   *
   * @param x q, or q + dq.
   * @param transposed M^T b.
   * @param before the change that a ResNet carries on beside.
   */
  private moved(
    kind: StepSettings['kind'],
    descent: Descent,
    dq: tf.Tensor3D | undefined,
    x: tf.Tensor3D,
    transposed?: tf.Tensor3D,
    before?: tf.Tensor3D,
  ): tf.Tensor3D {
    const { proof, network, isMlp } = this;
    const product = dq && descent.weights.times(dq);
    const y = product ?? tf.zeros<tf.Rank.R3>(descent.backward.shape);
    const { gradient, rates, steps } = descent;
    const learns = rates.some((rate) => rate !== 0);
    const result = learns ? gradient.descend(y, kind === 'velocity' ? rates : steps, x) : y;
    const matrix = { ...descent, inputChange: dq };
    proof.range(matrix);
    if (kind === 'update') proof.update(matrix, transposed, product, result);
    else proof.contribute(matrix, isMlp ? undefined : before, (lane) => network.skipOf(lane));
    return result;
  }

  /**
   * The gradient of a matrix, and its rates: eta_l is Eq. 8, 1 / (L |G_l|^2) with |G_l|^2 = beta^2 |sum_i b_i q_i^T|^2,
   * or the given one, and 0 where the layer does not learn. Notes C_l.
   */
  private descent(group: LayerGroup, distance: number, b: tf.Tensor3D, q: tf.Tensor3D): Descent {
    const { network } = this;
    const own = gradient(b, q);
    const { first, lanes } = network.lanesOf(group, distance);
    const isLearning = lanes.map(({ depth }) => learns(this.settings.train, depth - distance, depth));
    const norms = isLearning.includes(true) ? own.squaredNorm() : [];
    const rates = lanes.map(({ depth, branchScale, learningRate }, i) => {
      if (!isLearning[i]) return 0;
      const layer = depth - distance;
      const square = group === 'hidden' ? branchScale ** 2 : 1;
      const gradientNorm = square * norms[i]!;
      const scaleInvariant = gradientNorm === 0 ? 0 : 1 / (depth * gradientNorm);
      const rate = learningRate === 'scale-invariant' ? scaleInvariant : learningRate[layer]!;
      this.contributions[first + i]![layer] = rate * gradientNorm;
      return square * rate;
    });
    const steps = rates.map((rate, i) => rate * lanes[i]!.stepSize);
    const weights = network.weights(group, distance);
    return { weights, distance, first, gradient: own, backward: b, input: q, rates, steps };
  }

  /** Eq. 8: trained layers / L, but for those whose gradient is zero because it is zero. */
  private balance(): void {
    this.network.lanes.forEach(({ learningRate }, lane) => {
      if (learningRate !== 'scale-invariant') return;
      this.proof.balance(lane, this.contributions[lane]!.filter((c) => c !== 0).length);
    });
  }

  /** Eq. 7, n m |b_{L-1}|_rms cos(theta_{L-1}) = sqrt(n m) sum C / |fdot_{L-1}|, where there is an angle. */
  private checkNormalization(velocity: tf.Tensor3D): void {
    const { samples, width } = this.network.shape;
    squaredNorms(velocity).forEach((square, lane) => {
      const contributions = this.contributions[lane]!.slice(0, -1);
      const decay = contributions.reduce((sum, c) => sum + c, 0);
      if (square > 0) this.proof.normalization(lane, Math.sqrt((samples * width) / square) * decay);
    });
  }

  /**
   * b_L, and its velocity, are computed in float64: what float32 makes of them must have its digits.
   *
   * @param matters whether something hangs on it in a lane, and is lost with it.
   */
  checkRange(slope: Float64Array, matters: (lane: number) => boolean = () => true): void {
    const { samples, outputWidth } = this.network.shape;
    const size = samples * outputWidth;
    const vanishes = this.settings.loss.vanishes || outputWidth === 1;
    this.network.lanes.forEach((_, lane) => {
      const own = slope.subarray(lane * size, (lane + 1) * size);
      const rms = Math.sqrt(own.reduce((sum, b) => sum + b * b, 0) / size);
      if (rms < SMALLEST && (rms > 0 || !vanishes) && matters(lane)) this.proof.lose(lane, 0, rms);
    });
  }

  /** What an activation makes of a state at a distance; if it never closes, a zero is one that float32 has rounded to it. */
  private activated(distance: number, state: tf.Tensor3D, result: tf.Tensor3D): tf.Tensor3D {
    if (this.network.settings.activation.closes || result === state) return result;
    const given = squaredNorms(state);
    squaredNorms(result).forEach((square, lane) => {
      if (square === 0 && given[lane]! > 0) this.proof.lose(lane, distance, 0);
    });
    return result;
  }

  private losses(): { loss: Float64Array; lossChange: Float64Array } {
    const { shape } = this.network;
    return {
      loss: this.eachLane((loss, y, own) => [loss.value(own(this.output), y, shape)]),
      lossChange: this.eachLane((loss, y, own) => {
        const df = own(this.outputChange);
        if (this.settings.kind === 'update') return [loss.change(own(this.output), df, y, shape)];
        const b = own(this.slope);
        let rate = 0; // <b_L, fdot_L>
        for (let i = 0; i < b.length; i++) rate += b[i]! * df[i]!;
        return [rate];
      }),
    };
  }

  /** Numbers of each lane, one after the other; `own` is a lane's part of numbers of all, [lanes x n x k]. */
  eachLane(
    of: (
      loss: Loss,
      target: Float32Array,
      own: (all: Float32Array | Float64Array) => ArrayLike<number>,
    ) => ArrayLike<number>,
  ): Float64Array {
    const { lanes, shape } = this.network;
    const size = shape.samples * shape.outputWidth;
    const parts = lanes.map(({ target }, i) =>
      of(this.settings.loss, target, (all) => all.subarray(i * size, (i + 1) * size)),
    );
    const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** Whether the scales were set for this very step. */
  private get isNormalized(): boolean {
    return this.network.settings.isNormalized === true && this.readout!.weights.isInitial;
  }

  private get isMlp(): boolean {
    return this.network.settings.architecture === 'mlp';
  }

  /** What the readout takes. */
  private get last(): tf.Tensor3D {
    const { features, activations } = this.layers[1]!;
    return this.isMlp ? activations! : features;
  }

  private release(distance: number): void {
    const layer = this.layers[distance];
    if (!layer) return;
    for (const descent of [layer.block, layer.embedding]) {
      descent?.gradient.dispose();
      descent?.backward.dispose();
    }
    const { features, activations, backward, arriving } = layer;
    for (const tensor of [features, activations, backward, arriving]) tensor?.dispose();
    if (!this.settings.keepsStates) this.network.release(distance);
  }

  private releaseReadout(): void {
    this.readout?.gradient.dispose();
    this.readout?.backward.dispose();
  }
}

/** The state of all lanes, from those of the first and of the others. */
function joined(parts: readonly tf.Tensor3D[]): tf.Tensor3D {
  return parts.length === 1 ? parts[0]! : tf.concat([...parts]);
}

/** The lanes of a state from `first` on, before `end`. */
function lanesOf(state: tf.Tensor3D, first: number, end: number): tf.Tensor3D {
  if (first === 0 && end === state.shape[0]) return state;
  return tf.slice(state, [first, 0, 0], [end - first, state.shape[1], state.shape[2]]);
}
