/** Weights as the matrices they are: O(outputs x inputs) numbers a lane, drawn once. */
import type * as tf from '@tensorflow/tfjs-core';
import { keep } from '@tensorflow/tfjs-core';
import { innerProducts, product, squaredNorms, transpose } from '../ops.js';
import { ROLE } from '../random.js';
import type { Source, Weights, WeightsLaw } from './weights.js';

/** Rows from which a transposed copy pays: products combine rows of a matrix faster than they take inner products. */
export const MANY_ROWS = 4;

export class DenseWeights implements Weights {
  /** [lanes, outputs, inputs]. */
  private readonly matrices: tf.Tensor3D;
  /** [lanes, inputs, outputs]. */
  private transposed: tf.Tensor3D | undefined;

  constructor({ backend, sampler }: Source, { lanes, outputs, inputs, roles = 0 }: WeightsLaw) {
    const draw = {
      streams: lanes.map(({ seed, layer }) => ({ seed, layer, role: roles + ROLE.DENSE })),
      scales: lanes.map((lane) => lane.sigma),
    };
    const shape: [number, number, number] = [lanes.length, outputs, inputs];
    this.matrices = keep(backend.filled(shape, (numbers) => sampler.fill(numbers, draw)));
  }

  times(q: tf.Tensor3D): tf.Tensor3D {
    return q.shape[1] < MANY_ROWS ? innerProducts(q, this.matrices) : product(q, this.formed().transposed);
  }

  transposeTimes(b: tf.Tensor3D): tf.Tensor3D {
    return product(b, this.matrices);
  }

  /** The matrices themselves, [lanes, outputs, inputs], and their transposes. */
  formed(): { readonly matrices: tf.Tensor3D; readonly transposed: tf.Tensor3D } {
    const { matrices } = this;
    this.transposed ??= keep(transpose(matrices));
    return { matrices, transposed: this.transposed };
  }

  /** |M|_F^2 of each lane. */
  squaredNorms(): Float64Array {
    return squaredNorms(this.matrices);
  }

  dispose(): void {
    this.matrices.dispose();
    this.transposed?.dispose();
  }
}
