/**
 * The block of a layer of a ResNet with relu and weights that are formed, by passes of the backend that are whole (see
 * `wasm/dense/passes.as.ts`): what a `Chain` and the skip connection beside it do, with the same bits. Where these would bring what
 * they multiply near norm 1 first, it is left to them.
 */
import * as tf from '@tensorflow/tfjs-core';
import { areNearOne, isModerate, lanesOf, rememberDots, rememberSquares, squaredNorms } from '../ops.js';
import {
  type DenseLayer,
  denseBackward,
  denseChange,
  denseForward,
  hasDensePasses,
} from '../wasm/dense/kernels.js';
import { MANY_ROWS } from '../weights/dense-weights.js';
import { isFactored } from '../weights/gradient.js';
import type { TrainedWeights } from '../weights/trained-weights.js';
import { Chain, type ChangeKind } from './chain.js';
import type { Train } from './lane.js';
import { type Learning, learning } from './learning.js';
import type { Network, Place } from './network.js';
import type { Proof } from './proof.js';

export class DenseBlock {
  private readonly weights: TrainedWeights;
  /** |q|^2, |b|^2 and |G|^2. */
  private input: Float64Array = new Float64Array();
  private output: Float64Array = new Float64Array();
  private gradientSquares: Float64Array = new Float64Array();
  /** What has come back to the features of this layer, of its lanes or of more, and what the change needs of the way back. */
  private b!: tf.Tensor3D;
  private made: { readonly t: tf.Tensor3D; readonly gradient: tf.Tensor3D } | undefined;
  /** Sets the rates of the chain, if there is one by then. */
  private learnByPieces: () => readonly number[] = () => [];
  /** Of its matrix. */
  learned: Learning = { rates: [], steps: [], contributions: [] };
  /** What goes through it piece by piece instead. */
  private chain: Chain | undefined;

  private constructor(
    private readonly network: Network,
    private readonly proof: Proof,
    private readonly kind: ChangeKind,
    readonly place: Place,
    private readonly layer: DenseLayer,
    private readonly before: tf.Tensor3D,
  ) {
    this.weights = network.weights('hidden', place.distance);
  }

  /**
   * The block of the layer at a distance, if the network has such blocks and the backend passes for them.
   *
   * @param before the features of the layer before, which live as long.
   */
  static of(
    network: Network,
    proof: Proof,
    kind: ChangeKind,
    distance: number,
    before: tf.Tensor3D,
  ): DenseBlock | undefined {
    const { architecture, activation, weights, isNormalized } = network.settings;
    const { samples, width } = network.shape;
    const isPlain = architecture.hasSkip && architecture.block.join() === 'phi,hidden' && !isNormalized;
    const isMany = samples >= MANY_ROWS && !isFactored(samples, width, width) && (samples * width) % 4 === 0;
    if (!isPlain || !isMany || activation.slopeBelow !== 0 || weights !== 'dense') return undefined;
    const { formed } = network.weights('hidden', distance);
    if (!formed || !hasDensePasses()) return undefined;
    const place = network.place('hidden', distance);
    const layer = { ...formed, skip: network.skipScale(place.lanes.length) };
    return new DenseBlock(network, proof, kind, place, layer, before);
  }

  /** The features of this layer, the caller's. */
  forward(): tf.Tensor3D {
    const { x, sums } = denseForward(this.layer, this.before);
    this.input = sums('input');
    this.weights.note(this.input, this.before.shape);
    rememberSquares(x, sums('features'));
    return x;
  }

  /** What comes back to the features before, of b that has come back to those of this layer, and of others; the caller's. */
  backward(b: tf.Tensor3D): tf.Tensor3D {
    this.b = b;
    this.output = squaredNorms(b).subarray(0, this.place.lanes.length);
    if (!areNearOne(this.input) || !areNearOne(this.output)) return this.backwardByPieces();
    const { back, t, gradient, sums } = denseBackward(this.layer, this.before, b);
    this.made = { t: tf.keep(t), gradient: tf.keep(gradient) };
    this.gradientSquares = sums('gradient');
    this.weights.note(this.output, this.before.shape);
    rememberSquares(back, sums('featuresBackward'));
    return back;
  }

  /** Sets the rate of its matrix, as `Chain.learnAt` does. */
  learnAt(train: Train, loss: (lane: number) => number, all = false): readonly number[] {
    this.learnByPieces = () => {
      const gradientNorms = this.chain!.learnAt(train, loss, all);
      this.learned = this.chain!.descents[0]!;
      return gradientNorms;
    };
    if (this.chain) return this.learnByPieces();
    const { network, place } = this;
    const matrices = [{ matrix: 'hidden', squaredNorm: () => this.gradientSquares }] as const;
    const { learned, gradientNorms } = learning(network, place, train, matrices, loss, all);
    this.learned = learned[0]!;
    return gradientNorms;
  }

  /** The change of the features of this layer, of that before; the caller's. */
  change(given: tf.Tensor3D): tf.Tensor3D {
    const { network, layer, before, b, made, kind } = this;
    if (this.chain) return network.addSkip(this.chain.change(kind, given, given), given);
    const isVelocity = kind === 'velocity';
    const rates = isVelocity ? this.learned.rates : this.learned.steps;
    const isLearning = rates.some((rate) => rate !== 0);
    const tensors = { given, f: before, b, ...made! };
    if (rates.every(isModerate)) {
      const { change, sums } = denseChange(layer, tensors, isVelocity, isLearning ? rates : undefined);
      if (!isLearning || areNearOne(sums('after'))) {
        this.prove(given, sums);
        rememberSquares(change, sums('change'));
        rememberDots(b, change, sums('overlap'));
        return change;
      }
      change.dispose();
    }
    this.backwardByPieces().dispose();
    this.learnByPieces();
    return this.change(given);
  }

  dispose(): void {
    this.chain?.dispose();
    if (this.made) tf.dispose([this.made.t, this.made.gradient]);
  }

  /** What the sums of a change prove, as in `Chain`. */
  private prove(given: tf.Tensor3D, sums: ReturnType<typeof denseChange>['sums']): void {
    const { network, proof, weights, place, learned } = this;
    const inputChange = sums('inputChange');
    weights.note(inputChange, given.shape);
    const matrix = {
      ...learned,
      weights,
      place,
      inner: network.shape.width,
      squares: { backward: this.output, input: this.input, inputChange },
    };
    proof.range(matrix);
    if (this.kind === 'velocity') {
      proof.contribute(matrix, squaredNorms(given), (lane) => network.skipOf(lane));
    } else proof.update(matrix, sums('there'), sums('transposed'), sums('fallen'));
  }

  private backwardByPieces(): tf.Tensor3D {
    const { network, proof, place, before, b, kind } = this;
    const chain = new Chain(network, proof, place, network.settings.architecture.block);
    this.chain = chain;
    return tf.tidy(() => {
      chain.forward(before);
      const own = lanesOf(b, 0, place.lanes.length);
      if (own !== b) chain.own(own);
      return network.addSkip(chain.backward(own, kind === 'update')!, own);
    });
  }
}
