/** What the operations of a step take, as they were measured. */
import type { Setting } from '../config/settings.js';

/** Measured times, ns, where `REFERENCE_NORMAL_NS` is what the sampler takes for a number. */
export const NS = {
  /** An entry of a state, in all passes of a step; besides what follows. */
  entry: 26,
  /** The same in whole passes. */
  wholeEntry: 8,
  /** The same in whole passes of weights that are formed, whose products come besides. */
  blockEntry: 5.7,
  /** A normal number. */
  normal: 1.1,
  /** An entry of a matrix: to transpose it, and to multiply it with a vector; with each of many vectors. */
  transposed: 3.8,
  vectorProduct: 0.7,
  manyProduct: 0.048,
  innerProduct: 0.14,
  /** An entry of a direction, in a product of another vector. */
  direction: 0.9,
  /** A lane of a layer, in what the host computes of its norms and identities. */
  lane: 5_600,
  wholeLane: 4_000,
  /** A call of the backend, for however many lanes. */
  call: 11_000,
  /** An output on the host, by a plain loss, and by one with exponentials. */
  output: 70,
  softmax: 440,
} as const;

/** Time of a normal number, ns, that the times here are relative to: a slower machine, or one with much to do, takes more. */
export const REFERENCE_NORMAL_NS: number = NS.normal;

/** An entry of a state through an activation, ns, on average of the three a step, of which a finite difference takes most. */
export const ACTIVATION_NS: Readonly<Partial<Record<Setting['activation'], number>>> = {
  relu: 0.5,
  linear: 0,
  leaky: 0.5,
  tanh: 5,
  silu: 5,
  erf: 7,
  gelu: 9,
};
/** That of one that has no kernel. */
export const FORMULA_NS = 100;
