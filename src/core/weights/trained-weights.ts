/**
 * Weights in the course of training: s V - sum_t rate_t G_t, from the initial V, a scale s for each lane, and the
 * gradients G_t of the steps that were taken. Of few steps nothing of it is formed, as the gradients are of rank n; of many the
 * matrix learns in place (`mutable-weights.ts`).
 */
import * as tf from '@tensorflow/tfjs-core';
import { scaled, squaredNorms } from '../ops.js';
import { formedGradient, type Gradient, gradient } from './gradient.js';
import { MutableWeights } from './mutable-weights.js';
import type { Weights, WeightsLaw } from './weights.js';

/** The least number of float32 with all its digits, 2^-126: a state whose entries are smaller has lost some, or all. */
export const SMALLEST = 1.1754943508222875e-38;

/**
 * A bound on the operator norm of a Gaussian matrix, which it exceeds with probability exp(-8) at the most (Davidson and
 * Szarek 2001).
 */
export function normBoundOf(sigma: number, outputs: number, inputs: number): number {
  return sigma * (Math.sqrt(outputs) + Math.sqrt(inputs) + 4);
}

/** Typical size of the smallest entries of what a Gaussian matrix takes and gives, from |x|^2 of what it takes, or of its own. */
export function smallestOf(square: number, size: number, sigma: number): number {
  if (square === 0 || sigma === 0) return Infinity;
  const norm = Math.sqrt(square);
  return Math.min(norm / Math.sqrt(size), sigma * norm, sigma);
}

/** One step that was taken: its gradient and the transposed of it. */
interface Taken {
  readonly gradient: Gradient;
  readonly transposed: Gradient;
  readonly rate: readonly number[];
  readonly factors: readonly tf.Tensor[];
  /** |rate G|_F of each lane. */
  readonly norm: readonly number[];
}

/** How the matrix of a layer learns, by lane: what `TrainedWeights.learn` takes of a `Descent`. */
interface Learning {
  /** b and q, [lanes, n, outputs] and [lanes, n, inputs]. */
  readonly backward: tf.Tensor3D;
  readonly input: tf.Tensor3D;
  readonly gradient: Gradient;
  readonly steps: readonly number[];
}

/** All that a matrix that learns in place is in the course of training. */
export interface MatrixState {
  /** Absent where it has not moved: it is drawn again then. */
  readonly values?: Float32Array | undefined;
  readonly scale?: readonly number[] | undefined;
  readonly moved: readonly number[];
  readonly smallest: readonly number[];
}

export class TrainedWeights implements Weights {
  private readonly steps: Taken[] = [];
  private scale: readonly number[] | undefined;
  private smallest: number[];
  /** Sum of |rate G|_F over the steps, by lane. */
  private moved: number[];
  private hasLearned = false;

  constructor(
    private readonly law: WeightsLaw,
    private readonly initial: Weights,
  ) {
    this.smallest = law.lanes.map(() => Infinity);
    this.moved = law.lanes.map(() => 0);
  }

  /** The gradient sum_i b_i q_i^T, in the form in which these weights learn by it. */
  gradient(b: tf.Tensor3D, q: tf.Tensor3D): Gradient {
    return this.initial instanceof MutableWeights ? formedGradient(b, q) : gradient(b, q);
  }

  times(q: tf.Tensor3D): tf.Tensor3D {
    return this.steps.reduce(
      (y, step) => step.gradient.descend(y, step.rate, q),
      this.rescaled(q, this.initial.times(q)),
    );
  }

  transposeTimes(b: tf.Tensor3D): tf.Tensor3D {
    return this.steps.reduce(
      (y, step) => step.transposed.descend(y, step.rate, b),
      this.rescaled(b, this.initial.transposeTimes(b)),
    );
  }

  /** Whether `rescale` was called. */
  get isScaled(): boolean {
    return this.scale !== undefined;
  }

  /** Whether no step was taken. */
  get isInitial(): boolean {
    return !this.hasLearned;
  }

  /** Sets the scale of the initial weights, a number for each lane. */
  rescale(scale: readonly number[]): void {
    this.scale = scale;
  }

  /**
   * Typical size of the smallest entries that a product of a lane took or gave, or of the weights themselves. Below 2^-126
   * float32 has rounded them to few digits, or to zero though they are none, which does not show in the numbers.
   */
  smallestProduct(lane: number): number {
    return this.smallest[lane]!;
  }

  /** Until the returned function is called, what products lose is noted apart from the steps: it says what was the smallest, by lane. */
  aside(): () => readonly number[] {
    const ofSteps = this.smallest;
    const own = ofSteps.map(() => Infinity);
    this.smallest = own;
    return () => {
      this.smallest = ofSteps;
      return own;
    };
  }

  /**
   * A bound on the operator norm of a lane's matrix: that of the initial one, and the Frobenius norms of the steps; or the Frobenius
   * norm of the matrix, where it is there and that is less.
   */
  normBound(lane: number): number {
    const { outputs, inputs } = this.law;
    const initial = normBoundOf(this.sigma(lane), outputs, inputs);
    if (this.initial instanceof MutableWeights && this.hasLearned) {
      return Math.min(initial + this.moved[lane]!, this.initial.norm(lane));
    }
    return this.steps.reduce((sum, { norm }) => sum + norm[lane]!, initial);
  }

  /** Takes the step -rate sum_i b_i q_i^T, with a rate for each lane. */
  learn({ backward, input, gradient: own, steps: rate }: Learning): void {
    if (this.initial instanceof MutableWeights) {
      this.learnInPlace(this.initial, own, rate);
      return;
    }
    this.hasLearned = true;
    const [left, right] = [tf.keep(tf.clone(backward)), tf.keep(tf.clone(input))];
    const kept = gradient(left, right);
    const squares = kept.squaredNorm();
    this.steps.push({
      gradient: kept,
      transposed: gradient(right, left),
      rate,
      factors: [left, right],
      norm: rate.map((eta, lane) => Math.abs(eta) * Math.sqrt(squares[lane]!)),
    });
  }

  private learnInPlace(
    initial: MutableWeights,
    { formed, squaredNorm }: Gradient,
    rate: readonly number[],
  ): void {
    if (rate.every((eta) => eta === 0)) return;
    if (this.scale && !this.hasLearned) initial.rescale(this.scale);
    this.hasLearned = true;
    const squares = squaredNorm();
    this.moved = this.moved.map((sum, lane) => sum + Math.abs(rate[lane]!) * Math.sqrt(squares[lane]!));
    const { matrix, scale } = formed!();
    initial.move(
      rate.map((eta, lane) => -eta * scale[lane]!),
      matrix,
    );
  }

  /** What a later run of the same training goes on from; of weights that learn in place. */
  get state(): MatrixState {
    const { initial, scale, moved, smallest, hasLearned } = this;
    const values = initial instanceof MutableWeights && hasLearned ? initial.values() : undefined;
    return { values, scale, moved: [...moved], smallest: [...smallest] };
  }

  restore({ values, scale, moved, smallest }: MatrixState): void {
    this.scale = scale;
    this.moved = [...moved];
    this.smallest = [...smallest];
    if (!values || !(this.initial instanceof MutableWeights)) return;
    this.hasLearned = true;
    this.initial.restore(values);
  }

  dispose(): void {
    this.initial.dispose();
    for (const { gradient, transposed, factors } of this.steps) {
      gradient.dispose();
      transposed.dispose();
      tf.dispose([...factors]);
    }
  }

  /** The product y of the initial weights with x, at their scale. */
  private rescaled(x: tf.Tensor3D, y: tf.Tensor3D): tf.Tensor3D {
    const [, rows, size] = x.shape;
    squaredNorms(x).forEach((square, lane) => {
      const own = smallestOf(square / rows, size, this.sigma(lane));
      this.smallest[lane] = Math.min(this.smallest[lane]!, own);
    });
    const isFolded = this.hasLearned && this.initial instanceof MutableWeights;
    return this.scale && !isFolded ? scaled(y, this.scale) : y;
  }

  /** Standard deviation of the entries of the initial weights, as scaled. */
  private sigma(lane: number): number {
    return this.law.lanes[lane]!.sigma * (this.scale?.[lane] ?? 1);
  }
}
