/** The passes of a step through the layers between the data and the readout: piece by piece, or whole where the backend can. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Chain, ChangeKind } from './chain.js';
import type { FinishedLayer } from './finished-step.js';
import type { Train } from './lane.js';
import type { Learning } from './learning.js';
import type { Place } from './network.js';

export interface Passes {
  /** The features of all layers; those of the last live as long as the passes. */
  forward(): Tensor3D;
  /**
   * The backward pass of all layers, with the gradients and rates of their matrices.
   *
   * @param arriving what has come back to the features of the last layers, which is theirs now.
   */
  backward(arriving: Tensor3D): void;
  /** The change of the features of all layers, each shown to `visit`, from the first to the last; the caller gets that of the last. */
  change(kind: ChangeKind, visit: (layer: FinishedLayer) => void): Tensor3D;
  /** Frees the states, if they are not free yet. */
  dispose(): void;
}

/** What they ask of the step that they are of. */
export interface StepNotes {
  readonly settings: {
    readonly kind: ChangeKind;
    readonly train: Train;
    readonly measuresAllGradients?: boolean;
    readonly keepsStates?: boolean;
  };
  /**
   * Passes b back through a chain, whose matrices get their rates, and notes |G_l| and C_l.
   *
   * @param ends whether nothing comes before.
   */
  through(chain: Chain, b: Tensor3D, ends?: boolean): Tensor3D | undefined;
  /** Notes |G_l|, and what the matrices of a layer add to its C_l. */
  note(place: Place, gradientNorms: readonly number[], matrices: readonly Learning[]): void;
  /** The loss before the step. */
  loss(lane: number): number;
}
