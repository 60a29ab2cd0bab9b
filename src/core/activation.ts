/** Activations phi, with what one gradient step needs of them; entrywise on states. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { relu, reluDifference, reluTangent } from './ops.js';

export interface Activation {
  /** phi(f). */
  value(f: Tensor3D): Tensor3D;
  /** phi'(f) * t. */
  tangent(f: Tensor3D, t: Tensor3D): Tensor3D;
  /** phi(f + df) - phi(f), without cancellation: exact relative to the result, not to phi(f). */
  difference(f: Tensor3D, df: Tensor3D): Tensor3D;
}

export const ACTIVATIONS = {
  relu: { value: relu, tangent: reluTangent, difference: reluDifference },
  linear: { value: (f) => f, tangent: (_f, t) => t, difference: (_f, df) => df },
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATIONS;
