/**
 * The gradient of a weight matrix, G = sum_i b_i q_i^T: rank n, and never larger than its factors.
 *
 * Rows are samples: b is [lanes, n, outputs], q [lanes, n, inputs].
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  balanced,
  dots,
  gramProducts,
  innerProducts,
  outerProducts,
  plus,
  product,
  squaredNorms,
} from '../ops.js';

export interface Gradient {
  /** G itself, where it is formed: `scale` times a matrix [lanes, outputs, inputs]. */
  readonly formed?: () => { readonly matrix: tf.Tensor3D; readonly scale: Float64Array };
  /** |G|_F^2 of each lane. */
  squaredNorm(): Float64Array;
  /** y - rate G x for each row, with a rate for each lane: y is [lanes, n, outputs], x [lanes, n, inputs]. */
  descend(y: tf.Tensor3D, rate: readonly number[], x: tf.Tensor3D): tf.Tensor3D;
  /** Frees what it holds beyond b and q. */
  dispose(): void;
}

/** Whether the gradient of a matrix is kept as its factors, of n samples. */
export const isFactored = (n: number, outputs: number, inputs: number) => n < Math.min(outputs, inputs);

/**
 * The gradient of V_l. Kept as its factors while n < min(outputs, inputs), with |G|^2 = <B^T B, Q^T Q> by two n x n
 * Gram matrices; with more samples than units the matrix itself is smaller and its products are fewer.
 *
 * b and q are borrowed: they must live as long as the gradient is used. They, and x, may be of any size that float32 holds:
 * what is multiplied with what is brought near norm 1 before.
 */
export function gradient(b: tf.Tensor3D, q: tf.Tensor3D): Gradient {
  const [, n, outputs] = b.shape;
  if (n === 1) {
    return {
      squaredNorm: () => squaredNorms(b).map((norm, lane) => norm * squaredNorms(q)[lane]!),
      descend: (y, rate, x) => {
        const along = dots(x, q);
        return plus(
          y,
          along.map((dot, lane) => -rate[lane]! * dot),
          b,
        );
      },
      dispose: () => {},
    };
  }
  const kept: tf.Tensor[] = [];
  const keep = (tensor: tf.Tensor3D): tf.Tensor3D => {
    if (tensor === b || tensor === q) return tensor;
    kept.push(tf.keep(tensor));
    return tensor;
  };
  let scale!: Float64Array;
  /** G x but for the scale, by the factors of G or by the matrix. */
  let times!: (x: tf.Tensor3D) => tf.Tensor3D;
  let squared!: () => Float64Array;
  tf.tidy(() => {
    const [left, right] = [balanced(b), balanced(q)];
    scale = left.scale.map((factor, lane) => factor * right.scale[lane]!);
    if (isFactored(n, outputs, q.shape[2])) {
      const [B, Q] = [keep(left.state), keep(right.state)];
      times = (x) => product(innerProducts(x, Q), B);
      squared = () => gramProducts(B, Q);
    } else {
      const transposed = keep(outerProducts(right.state, left.state));
      times = (x) => product(x, transposed);
      squared = () => squaredNorms(transposed);
    }
  });
  return {
    squaredNorm: () => {
      let squares!: Float64Array;
      tf.tidy(() => {
        squares = squared().map((square, lane) => square * scale[lane]! ** 2);
      });
      return squares;
    },
    descend: (y, rate, x) => {
      const own = balanced(x);
      return plus(
        y,
        rate.map((eta, lane) => -eta * scale[lane]! * own.scale[lane]!),
        times(own.state),
      );
    },
    dispose: () => tf.dispose(kept),
  };
}

/** The gradient as the matrix that it is, formed when it is first asked for; for weights that it is taken from in place. */
export function formedGradient(b: tf.Tensor3D, q: tf.Tensor3D): Gradient {
  let made: { readonly matrix: tf.Tensor3D; readonly scale: Float64Array } | undefined;
  const formed = () => {
    if (!made) {
      tf.tidy(() => {
        const [left, right] = [balanced(b), balanced(q)];
        const scale = left.scale.map((factor, lane) => factor * right.scale[lane]!);
        made = { matrix: tf.keep(outerProducts(left.state, right.state)), scale };
      });
    }
    return made!;
  };
  return {
    formed,
    squaredNorm: () => {
      const { matrix, scale } = formed();
      return squaredNorms(matrix).map((square, lane) => square * scale[lane]! ** 2);
    },
    descend: (y, rate, x) => {
      const { matrix, scale } = formed();
      const own = balanced(x);
      const factors = rate.map((eta, lane) => -eta * scale[lane]! * own.scale[lane]!);
      return plus(y, factors, innerProducts(own.state, matrix));
    },
    dispose: () => made?.matrix.dispose(),
  };
}
