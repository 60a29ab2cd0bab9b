/**
 * The gradient of a weight matrix, G = sum_i b_i q_i^T: rank n, and never larger than its factors.
 *
 * Rows are samples: b is [lanes, n, outputs], q [lanes, n, inputs].
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Backend } from './backend.js';
import {
  addScaled,
  dots,
  innerProducts,
  mul,
  outerProducts,
  product,
  read,
  squaredNorms,
  sub,
} from './ops.js';

export interface Gradient {
  /** |G|_F^2 of each lane. */
  squaredNorm(): ArrayLike<number>;
  /** y - rate G x for each row, with a rate for each lane: y is [lanes, n, outputs], x [lanes, n, inputs]. */
  descend(y: tf.Tensor3D, rate: readonly number[], x: tf.Tensor3D): tf.Tensor3D;
  /** Frees what it holds beyond b and q. */
  dispose(): void;
}

/**
 * The gradient of V_l. Kept as its factors while n < min(outputs, inputs), with |G|^2 = <B^T B, Q^T Q> by two n x n
 * Gram matrices; with more samples than units the matrix itself is smaller and its products are fewer.
 *
 * b and q are borrowed: they must live as long as the gradient is used.
 */
export function gradient(backend: Backend, b: tf.Tensor3D, q: tf.Tensor3D): Gradient {
  const [lanes, n, outputs] = b.shape;
  const column = (values: readonly number[]) =>
    backend.upload<tf.Rank.R3>(Float32Array.from(values), [lanes, 1, 1]);
  if (n === 1) {
    return {
      squaredNorm: () => squaredNorms(b).map((norm, lane) => norm * squaredNorms(q)[lane]!),
      descend: (y, rate, x) => {
        const along = dots(x, q);
        return addScaled(y, column(rate.map((eta, lane) => -eta * along[lane]!)), b);
      },
      dispose: () => {},
    };
  }
  if (n < Math.min(outputs, q.shape[2])) {
    return {
      squaredNorm: () => read(tf.sum(mul(innerProducts(b, b), innerProducts(q, q)), [1, 2], true)),
      descend: (y, rate, x) => sub(y, product(mul(column(rate), innerProducts(x, q)), b)),
      dispose: () => {},
    };
  }
  const transposed = tf.keep(outerProducts(q, b));
  return {
    squaredNorm: () => squaredNorms(transposed),
    descend: (y, rate, x) => sub(y, product(x, mul(column(rate), transposed))),
    dispose: () => transposed.dispose(),
  };
}
