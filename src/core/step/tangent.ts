/** The tangent of a layer and its transposed as operators, for rows of vectors: what the kernels are made of (`../kernels.ts`). */
import * as tf from '@tensorflow/tfjs-core';
import { addScaled, mul, squaredNorms } from '../ops.js';
import type { Chain } from './chain.js';

/**
 * The tangent of the chain for every row of z, of one sample: J z, and what its matrices add to it, eta |q|^2 b_j for the rows b_j
 * at the j-th of them.
 *
 * @param z none where nothing comes in.
 * @param from the first piece that is gone through.
 * @returns with the rows that each matrix took.
 */
export function push(chain: Chain, z: tf.Tensor3D | undefined, adds?: readonly tf.Tensor3D[], from = 0) {
  const inputs: (tf.Tensor3D | undefined)[] = [];
  let out = z;
  for (let i = from; i < chain.pieces.length; i++) {
    if (chain.pieces[i] === 'phi') out = out && gated(chain, i, out);
    else {
      const { weights, rates, input } = chain.descents[inputs.length]!;
      const own = adds?.[inputs.length];
      inputs.push(out);
      const y = out && weights.times(out);
      const eta = own && column(chain, rates, squaredNorms(input));
      if (!own) out = y;
      else out = y ? addScaled(y, eta!, own) : mul(eta!, own);
    }
  }
  return { out, inputs };
}

/**
 * The transposed of the chain for every row of b, of one sample: J^T b, and eta |b|^2 q_j for the rows q_j at the j-th matrix.
 *
 * @param ends whether the first product back is left out.
 * @returns with the rows that each matrix took.
 */
export function pull(
  chain: Chain,
  b: tf.Tensor3D,
  adds?: readonly (tf.Tensor3D | undefined)[],
  ends = false,
) {
  const outputs: tf.Tensor3D[] = [];
  let out = b;
  let matrices = chain.descents.length;
  for (let i = chain.pieces.length - 1; i >= 0; i--) {
    if (chain.pieces[i] === 'phi') out = gated(chain, i, out);
    else {
      const { weights, rates, backward } = chain.descents[--matrices]!;
      outputs.unshift(out);
      if (ends && i === 0) break;
      const own = adds?.[matrices];
      const y = weights.transposeTimes(out);
      out = own ? addScaled(y, column(chain, rates, squaredNorms(backward)), own) : y;
    }
  }
  return { out, outputs };
}

/** phi'(x_i) * t for every row of t, of one sample. */
export function gated({ states, network }: Chain, i: number, t: tf.Tensor3D): tf.Tensor3D {
  const state = tf.tile(states[i]!, [1, t.shape[1], 1]);
  return network.settings.activation.tangent(state, t);
}

/** eta |.|^2 of each lane, [lanes, 1, 1]. */
export function column({ network }: Chain, rates: readonly number[], norms: ArrayLike<number>): tf.Tensor3D {
  const values = Float32Array.from(rates, (rate, i) => rate * norms[i]!);
  return network.upload(values, rates.length, 1, 1);
}
