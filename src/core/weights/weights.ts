/**
 * A random matrix as one gradient step sees it: through its products.
 *
 * States are rows: a batch x of n vectors for each lane has the shape [lanes, n, inputs]. Every lane has its
 * own matrix V, [outputs x inputs], iid N(0, sigma^2).
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Backend } from '../backend.js';
import type { GaussianSampler, Seed } from '../random.js';

/** What is handed in stays the caller's, and what is returned is. */
export interface Weights {
  /** V q for each row: [lanes, n, inputs] -> [lanes, n, outputs]. */
  times(q: tf.Tensor3D): tf.Tensor3D;
  /** V^T b for each row: [lanes, n, outputs] -> [lanes, n, inputs]. */
  transposeTimes(b: tf.Tensor3D): tf.Tensor3D;
  /** |V|_F^2 of each lane; of weights that are formed. */
  squaredNorms?(): Float64Array;
  /** Frees what the matrices hold on the backend. */
  dispose(): void;
}

/** The law and the random streams of the matrices of one layer, a lane each. */
export interface WeightsLaw {
  readonly outputs: number;
  readonly inputs: number;
  /** Where the roles of their random streams begin; 0, but for a second matrix of a layer. */
  readonly roles?: number;
  readonly lanes: readonly { readonly seed: Seed; readonly layer: number; readonly sigma: number }[];
}

/** Where numbers come from and where they go. */
export interface Source {
  readonly backend: Backend;
  readonly sampler: GaussianSampler;
}
