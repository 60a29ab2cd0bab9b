/**
 * The learning rates that follow from the gradients, each by its equation; besides them a rate is a given number.
 *
 * `square` is |G_l|^2 at the step that is taken, and `first` at the first step.
 */

export interface RateFacts {
  /** L. */
  readonly depth: number;
  readonly square: number;
  /** NaN for a rate that is not held. */
  readonly first: number;
  /** The loss before the step. */
  readonly loss: number;
}

const RATES = {
  /** Eq. 8, taken anew at every step: eta_l = 1 / (L |G_l|^2). */
  'scale-invariant': ({ depth, square }) => 1 / (depth * square),
  /** Eq. 8 at the first step, and the same rates from there on: eta_l = 1 / (L |G_l(1)|^2). */
  held: ({ depth, first }) => 1 / (depth * first),
  /**
   * Section 4.2, steps -eta~_l G_l / |G_l| with eta~_l = 1 / (L |G_l(1)|) as adaptive methods have it, held: eta_l = eta~_l / |G_l|.
   * Taken anew at every step eta~_l / |G_l| is Eq. 8 itself.
   */
  normalized: ({ depth, square, first }) => 1 / (depth * Math.sqrt(square) * Math.sqrt(first)),
  /** Section 4.2, the step size of Polyak by layers: eta_l = loss / (L |G_l|^2). */
  polyak: ({ depth, square, loss }) => loss / (depth * square),
} as const satisfies Record<string, (facts: RateFacts) => number>;

export type RateName = keyof typeof RATES;

/** Whether a rate is held, and divides by the first gradient. */
export const isHeld = (name: RateName) => name === 'held' || name === 'normalized';

/** eta_l; 0 where there is no gradient to divide by. */
export function rateOf(name: RateName, facts: RateFacts): number {
  const isStill = facts.square === 0 || (isHeld(name) && facts.first === 0);
  return isStill ? 0 : RATES[name](facts);
}
