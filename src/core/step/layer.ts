/** One layer of the lanes of a step that have one at its distance. */
import type * as tf from '@tensorflow/tfjs-core';
import { joined } from '../ops.js';
import type { Chain } from './chain.js';
import type { DenseBlock } from './dense-block.js';

/** The layer at a distance, as the passes leave it; tensors are [active, n, m]. */
export interface Layer {
  /** f_l; g_l of an MLP. */
  readonly features: tf.Tensor3D;
  /** b_l; z_l of an MLP. */
  backward?: tf.Tensor3D;
  /** In the lanes that have a layer before this one; and in those that begin here. */
  readonly block?: Chain;
  readonly dense?: DenseBlock;
  readonly embedding?: Chain;
}

/**
 * Where phi is taken at the end of a layer, f_l and b_l before it; of others the features, and their backward pass. As new
 * tensors, or those of the step.
 */
export function preactivationsOf({ features, backward, block, embedding }: Layer): {
  features: tf.Tensor3D;
  backward: tf.Tensor3D;
} {
  const chains = [block, embedding].filter((chain) => chain !== undefined);
  if (chains.some(({ pieces }) => pieces.at(-1) !== 'phi')) return { features, backward: backward! };
  return {
    features: joined(chains.map(({ states }) => states.at(-2)!)),
    backward: joined(chains.map(({ descents }) => descents.at(-1)!.backward)),
  };
}
