/** What an entry of the glossary says of a quantity. */

export interface Quantity {
  /** Symbol in plain text, as the paper writes it. */
  readonly symbol: string;
  /** Unit; `1` is dimensionless. */
  readonly unit: string;
  /** What it is, in one line. */
  readonly meaning: string;
  /** Where the paper defines it, or a README for what the paper lacks. */
  readonly equation: string;
  /** Title of an axis that shows it. */
  readonly title: string;
  /** Computed and not measured: of the limit of infinite width, but for the size of features. */
  readonly isTheory?: true;
  /** What is done for it in a step, besides what every step does. */
  readonly needs?: Need;
  /** The steps that have it, where not all have, and why. */
  readonly only?: {
    readonly steps: 'updates' | 'velocities' | 'several' | 'finite';
    readonly because: string;
  };
  /** Whether it exists only where features move. */
  readonly isOfMotion?: true;
  /** Built-in networks are without it. */
  readonly isOfModels?: true;
  /** How far float32 may put it, where that is no share of itself: the accuracy that is asked of angles in rad, and rounding of residuals. */
  readonly rounding?: number;
}

/**
 * The velocity of the backward pass (`core/step/backward-velocity.ts`); the gradients of layers that do not learn; the features
 * before the first step; the outputs for samples that are held out; the features themselves, and not their norms alone; how far
 * weights have come, and from where (`core/step/displacement.ts`); the largest eigenvalue of the Hessian, of the loss by itself and
 * of the step (`core/curvature/sharpness.ts`).
 */
export type Need =
  | 'backward velocity'
  | 'all gradients'
  | 'first features'
  | 'held-out outputs'
  | 'features'
  | 'displaced weights'
  | 'first weights'
  | 'curvature'
  | 'curvature of the step';

/** What weights that are never formed do not have. */
export const OF_MATRICES: readonly Need[] = ['first weights', 'curvature', 'curvature of the step'];
