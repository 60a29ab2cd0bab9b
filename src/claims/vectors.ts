/** Vectors of the lanes of a state, on the host. */
import type * as tf from '@tensorflow/tfjs-core';

/** The part of every lane of a state [lanes, n, m], as a flat array of n x m. */
export function lanesOf(state: tf.Tensor3D): Float32Array[] {
  const values = state.dataSync<'float32'>();
  const size = values.length / state.shape[0];
  return Array.from({ length: state.shape[0] }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** <x, y>, summed in float64. */
export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** |x|_2. */
export const length = (x: ArrayLike<number>): number => Math.sqrt(dot(x, x));

/** The cosine of the angle between x and y; rounding does not take it beyond 1. */
export const cosine = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
  Math.max(-1, Math.min(1, dot(x, y) / (length(x) * length(y))));

/** The square root of the mean of squares. */
export const rms = (x: ArrayLike<number>): number => length(x) / Math.sqrt(x.length);
