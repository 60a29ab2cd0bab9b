/** What a step gives: the states of a layer to whoever measures them, and the scalars of every lane. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Broken } from './proof.js';

/** The finished step at one layer of every active lane. Tensors are [active, n, m] and freed after the visit. */
export interface FinishedLayer {
  /** L - l, the same for all lanes. */
  readonly distance: number;
  /** Number of active lanes: those with depth > distance. */
  readonly active: number;
  /** f_l; g_l of an MLP. */
  readonly features: Tensor3D;
  /** b_l; z_l of an MLP. */
  readonly backward: Tensor3D;
  /** The velocity of the features, or their update. */
  readonly change: Tensor3D;
  readonly sums: LayerSums;
}

/** Squared norms of the states of a layer, and <b_l, change>: a number for each lane. */
interface LayerSums {
  readonly features: Float64Array;
  readonly backward: Float64Array;
  readonly change: Float64Array;
  readonly overlap: Float64Array;
}

/** The scalars of a finished step, an entry for each lane. */
export interface FinishedStep {
  readonly loss: Float64Array;
  /** dloss of the update, or d loss / dt. */
  readonly lossChange: Float64Array;
  /** contributions[lane][l] = C_l = eta_l |G_l|^2 for l = 1 .. L; 0 where a layer does not learn. */
  readonly contributions: readonly Float64Array[];
  /** gradientNorms[lane][l] = |G_l|_F; NaN where it is not measured. */
  readonly gradientNorms: readonly Float64Array[];
  /** The first layer at which a number is not finite; undefined when all are. */
  readonly overflow: readonly (number | undefined)[];
  /** An identity that the lane breaks: then its numbers are not to be trusted. */
  readonly broken: readonly (Broken | undefined)[];
}
