/**
 * Weights as the matrices they are, which learn in place: what a step costs does not grow with those before it, nor does memory.
 * One matrix is kept, and no transposed copy that would have to learn too.
 *
 * A step is rounded to 2^-24 of the entries that it changes, where `trained-weights.ts` loses nothing.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dots, innerProducts, plusInPlace, product, scaled, sub, transpose } from '../ops.js';
import { ROLE } from '../random.js';
import type { Source, Weights, WeightsLaw } from './weights.js';

/** Rows from which two transposed states pay. */
const MANY_ROWS = 4;

export class MutableWeights implements Weights {
  /** [lanes, outputs, inputs]. */
  private matrices: tf.Tensor3D;
  /** |M|_F^2 of each lane, while they stay as they are. */
  private squares: Float64Array | undefined;

  constructor(
    private readonly source: Source,
    private readonly law: WeightsLaw,
  ) {
    this.matrices = tf.keep(this.drawn());
  }

  /** The matrices as they were drawn, once more from their seeds: no copy of them is kept. */
  drawn(): tf.Tensor3D {
    const { source, law } = this;
    const { lanes, outputs, inputs, roles = 0 } = law;
    const draw = {
      streams: lanes.map(({ seed, layer }) => ({ seed, layer, role: roles + ROLE.DENSE })),
      scales: lanes.map((lane) => lane.sigma),
    };
    const shape: [number, number, number] = [lanes.length, outputs, inputs];
    return source.backend.filled(shape, (numbers) => source.sampler.fill(numbers, draw));
  }

  /** The matrices less others, a new tensor. */
  minus(others: tf.Tensor3D): tf.Tensor3D {
    return sub(this.matrices, others);
  }

  times(q: tf.Tensor3D): tf.Tensor3D {
    if (q.shape[1] < MANY_ROWS) return innerProducts(q, this.matrices);
    // Products combine rows of a matrix faster than they take inner products, and a state is smaller than the matrix.
    return tf.tidy(() => transpose(product(this.matrices, transpose(q))));
  }

  transposeTimes(b: tf.Tensor3D): tf.Tensor3D {
    return product(b, this.matrices);
  }

  /** Multiplies the matrices by a factor for each lane. */
  rescale(factors: readonly number[]): void {
    this.replace(() => scaled(this.matrices, factors));
  }

  /** Adds `factors` times a matrix, for each lane. */
  move(factors: readonly number[], matrix: tf.Tensor3D): void {
    this.replace(() => plusInPlace(this.matrices, factors, matrix));
  }

  /** |M|_F^2 of each lane. */
  squaredNorms(): Float64Array {
    // Not remembered with the tensor, whose numbers change in place.
    this.squares ??= dots(this.matrices, this.matrices);
    return this.squares;
  }

  /** All numbers, [lanes x outputs x inputs]. */
  values(): Float32Array {
    return this.matrices.dataSync<'float32'>().slice();
  }

  restore(values: Float32Array): void {
    this.replace(() => this.source.backend.upload<tf.Rank.R3>(values, this.matrices.shape));
  }

  dispose(): void {
    this.matrices.dispose();
  }

  private replace(make: () => tf.Tensor3D): void {
    this.squares = undefined;
    const before = this.matrices;
    this.matrices = tf.keep(tf.tidy(make));
    if (this.matrices !== before) before.dispose();
  }
}
