/** A lane: one network with its data, as the batch that it runs in sees it. */
import type { Seed } from './random.js';

/** One network with its data. Arrays are row major, a row for each sample. */
export interface Lane {
  readonly seed: Seed;
  /** L >= 3; counts the embedding and the readout. */
  readonly depth: number;
  /** beta in [0, 1]. */
  readonly branchScale: number;
  /** Standard deviations of the entries of W_1, V_l and W_L. */
  readonly sigma: { readonly input: number; readonly hidden: number; readonly output: number };
  /** eta of the hidden layers, or Eq. 8: eta_l = 1 / (L |G_l|^2). */
  readonly learningRate: 'scale-invariant' | number;
  /** dt of an update; a velocity has none. */
  readonly stepSize: number;
  /** x, [n, d]. */
  readonly input: Float32Array;
  /** y, [n, k]. */
  readonly target: Float32Array;
}

/** What the lanes of a batch have in common. */
export interface Shape {
  readonly samples: number;
  readonly width: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
}
