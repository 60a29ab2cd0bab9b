/**
 * One gradient step of the networks of a batch: forward, backward, and the change of the features. What a layer is made of is
 * the architecture's (`architectures/`), what goes through it is in `chain.ts`, and what is measured is elsewhere.
 *
 *     f_l = a f_{l-1} + block(f_{l-1}),    b_{l-1} = a b_l + (d block / d f_{l-1})^T b_l,    C_l = eta_l |G_l|^2
 *
 * with b_l = d loss / d f_l, and without the skip connection a = 0. An MLP has features g_l = phi(f_l), and z_l = d loss / d g_l.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Loss } from '../loss.js';
import { dots, read, squaredNorms } from '../ops.js';
import { type Chain, type ChangeKind, chainOf, type Descent } from './chain.js';
import type { FinishedLayer, FinishedStep } from './finished-step.js';
import type { Train } from './lane.js';
import { type Layer, preactivationsOf } from './layer.js';
import type { Learning } from './learning.js';
import type { Network, Place } from './network.js';
import { Output } from './output.js';
import type { Passes } from './passes.js';
import { PiecewisePasses } from './piecewise-passes.js';
import { Proof } from './proof.js';
import { SampledPasses } from './sampled/sampled-passes.js';

export interface StepSettings {
  /** One finite step, or its limit dt -> 0. */
  readonly kind: ChangeKind;
  readonly loss: Loss;
  readonly train: Train;
  /** Whether |G_l| is measured of layers that do not learn, too. */
  readonly measuresAllGradients?: boolean;
  /** b_L, [lanes x n x k], where it is not that of the loss at f_L. */
  readonly slope?: Float64Array;
  /** Whether the states of all layers outlive their visit, for what comes after the step; else memory stays small. */
  readonly keepsStates?: boolean;
}

export class Step {
  /** By distance from the readout, 1 .. farthest; none where the passes through them are whole. */
  readonly layers: readonly Layer[];
  readonly output: Output;
  readonly readout: Chain;
  private readonly contributions: Float64Array[];
  private readonly gradientNorms: Float64Array[];
  readonly proof: Proof;
  private readonly passes: Passes;

  constructor(
    readonly network: Network,
    readonly settings: StepSettings,
  ) {
    this.contributions = network.lanes.map((lane) => new Float64Array(lane.depth + 1));
    this.gradientNorms = network.lanes.map((lane) => new Float64Array(lane.depth + 1).fill(Number.NaN));
    this.proof = new Proof(network.lanes, this.contributions);
    this.output = new Output(network, settings.loss, this.proof);
    this.readout = chainOf('output', network, this.proof, 0);
    const notes = {
      settings,
      through: (chain: Chain, b: tf.Tensor3D, ends?: boolean) => this.through(chain, b, ends),
      note: (place: Place, gradientNorms: readonly number[], matrices: readonly Learning[]) =>
        this.note(place, gradientNorms, matrices),
      loss: (lane: number) => this.output.loss()[lane]!,
    };
    const piecewise = new PiecewisePasses(network, this.proof, notes);
    this.layers = piecewise.layers;
    this.passes = SampledPasses.of(network, this.proof, notes) ?? piecewise;
  }

  /**
   * Takes the step and shows every finished layer to `visit`, from the first layers to the last.
   *
   * Overflow is no error: it shows as entries that are not finite.
   */
  take(visit: (layer: FinishedLayer) => void = () => {}): FinishedStep {
    this.forward();
    this.backward();
    const { kind } = this.settings;
    this.output.change = this.change(kind, visit);
    this.balance();
    const [loss, lossChange] = [this.output.loss(), this.output.lossChange(kind)];
    const hasLoss = (lane: number) => Number.isFinite(loss[lane]! + lossChange[lane]!);
    return {
      loss,
      lossChange,
      contributions: this.contributions,
      gradientNorms: this.gradientNorms,
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

  /** The loss of each lane, and the gradients alone, for a step that nobody measures; states must be kept, nothing is proved. */
  descend(): Float64Array {
    this.forward();
    this.backward();
    return this.output.loss();
  }

  /** f_L alone, [lanes x n x k]; the states are freed. */
  outputs(): Float32Array {
    this.forward();
    this.dispose();
    return this.output.values;
  }

  /** Moves the weights by dt along the step that was taken, whose states must have been kept. */
  learn(): void {
    for (const descent of this.descents) descent.weights.learn(descent);
  }

  /** See `preactivationsOf`. */
  preactivations(distance: number) {
    return preactivationsOf(this.layers[distance]!);
  }

  /** Of all matrices. */
  get descents(): readonly Descent[] {
    const chains = this.layers.flatMap(({ block, embedding }) => [block, embedding]);
    return [this.readout, ...chains].flatMap((chain) => chain?.descents ?? []);
  }

  /** Frees the states, if they were kept. */
  dispose(): void {
    this.passes.dispose();
    this.readout.dispose();
  }

  /** The features of all layers, and the output. */
  private forward(): void {
    const features = this.passes.forward();
    this.output.values = read(tf.tidy(() => this.readout.forward(features)));
  }

  /** The backward pass of all layers, with the gradients and rates of their matrices. */
  private backward(): void {
    const { network, readout } = this;
    const { samples, outputWidth } = network.shape;
    this.output.descendAlong(this.settings.slope);
    const b = Float32Array.from(this.output.slope);
    const slope = network.upload(b, network.lanes.length, samples, outputWidth);
    this.passes.backward(this.through(readout, readout.own(slope))!);
  }

  /** Passes b back through a chain, whose matrices get their rates, and notes C_l. */
  private through(chain: Chain, b: tf.Tensor3D, ends = false): tf.Tensor3D | undefined {
    const { kind, train, measuresAllGradients } = this.settings;
    const result = tf.tidy(() => chain.backward(b, kind === 'update', ends));
    const norms = chain.learnAt(train, (lane) => this.output.loss()[lane]!, measuresAllGradients);
    this.note(chain.place, norms, chain.descents);
    return result;
  }

  /** Notes |G_l|, and adds what the matrices of a layer contribute to its C_l. */
  private note(
    { distance, first, lanes }: Place,
    gradientNorms: readonly number[],
    matrices: readonly Learning[],
  ): void {
    for (let i = 0; i < lanes.length; i++) {
      this.gradientNorms[first + i]![lanes[i]!.depth - distance] = gradientNorms[i]!;
    }
    for (const { contributions } of matrices) {
      for (let i = 0; i < lanes.length; i++) {
        this.contributions[first + i]![lanes[i]!.depth - distance]! += contributions[i]!;
      }
    }
  }

  /**
   * The change of the features of all layers.
   *
   * @returns the change of f_L, [lanes x n x k].
   */
  private change(kind: ChangeKind, visit: (layer: FinishedLayer) => void): Float32Array {
    const { passes, readout } = this;
    const last = passes.change(kind, visit);
    if (kind === 'velocity' && this.isNormalized) this.checkNormalization(last);
    const outputChange = read(
      tf.tidy(() => {
        const moved = readout.change(kind, last);
        if (kind === 'velocity') this.proof.velocity(0, dots(readout.descents[0]!.backward, moved));
        return moved;
      }),
    );
    last.dispose();
    if (!this.settings.keepsStates) this.dispose();
    return outputChange;
  }

  /** Eq. 8: trained layers / L, but for those whose gradient is zero because it is zero. */
  private balance(): void {
    this.network.lanes.forEach(({ learningRate }, lane) => {
      if (learningRate !== 'scale-invariant') return;
      let trained = 0;
      for (const c of this.contributions[lane]!) if (c !== 0) trained += 1;
      this.proof.balance(lane, trained);
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

  /** Whether the scales were set for this very step. */
  private get isNormalized(): boolean {
    return (
      this.network.settings.isNormalized === true &&
      this.readout.descents.every(({ weights }) => weights.isInitial)
    );
  }
}
