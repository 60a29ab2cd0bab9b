/**
 * Weights in the course of training: s V - sum_t rate_t G_t, from the initial V, a scale s for each lane, and the
 * gradients G_t of the steps that were taken. Of few steps nothing of it is formed, as the gradients are of rank n; of many the
 * matrix learns in place (`mutable-weights.ts`).
 */
import * as tf from '@tensorflow/tfjs-core';
import { dots, scaled, squaredNorms } from '../ops.js';
import { DenseWeights } from './dense-weights.js';
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
  /** b and q. */
  readonly factors: readonly [tf.Tensor3D, tf.Tensor3D];
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

/** How far a matrix has come, by lane: squared norms of the step dW that follows, of W - W_0 and of W_0, and <dW, W - W_0>. */
export interface MatrixDisplacement {
  readonly step: readonly number[];
  readonly displaced: readonly number[];
  /** NaN where the weights are never formed. */
  readonly first: readonly number[];
  readonly overlap: readonly number[];
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
  private path: number[];
  private hasLearned = false;

  constructor(
    private readonly law: WeightsLaw,
    private readonly initial: Weights,
  ) {
    this.smallest = law.lanes.map(() => Infinity);
    this.path = law.lanes.map(() => 0);
  }

  /** The gradient sum_i b_i q_i^T, in the form in which these weights learn by it. */
  gradient(b: tf.Tensor3D, q: tf.Tensor3D): Gradient {
    return this.initial instanceof MutableWeights ? formedGradient(b, q) : gradient(b, q);
  }

  times(q: tf.Tensor3D): tf.Tensor3D {
    return this.moved(q, this.rescaled(q, this.initial.times(q)));
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

  /** The matrices as they are, and their transposes, [lanes, outputs, inputs] and [lanes, inputs, outputs]; of dense weights before the first step. */
  get formed(): ReturnType<DenseWeights['formed']> | undefined {
    const isAsDrawn = this.isInitial && !this.isScaled;
    return isAsDrawn && this.initial instanceof DenseWeights ? this.initial.formed() : undefined;
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

  /** Notes a product with a state of this shape, by its |x|^2 of each lane. */
  note(squares: Float64Array, [, rows, size]: readonly [number, number, number]): void {
    squares.forEach((square, lane) => {
      const own = smallestOf(square / rows, size, this.sigma(lane));
      this.smallest[lane] = Math.min(this.smallest[lane]!, own);
    });
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
      return Math.min(initial + this.path[lane]!, Math.sqrt(this.initial.squaredNorms()[lane]!));
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
    this.path = this.path.map((sum, lane) => sum + Math.abs(rate[lane]!) * Math.sqrt(squares[lane]!));
    const { matrix, scale } = formed!();
    initial.move(
      rate.map((eta, lane) => -eta * scale[lane]!),
      matrix,
    );
  }

  /** How far the weights have come by the steps until now, and how the one that follows stands to that. */
  displacement({ backward, input, gradient: own, steps }: Learning): MatrixDisplacement {
    const lanes = steps.map((_, lane) => lane);
    const squares = own.squaredNorm();
    const first = this.initial.squaredNorms?.();
    const result = {
      step: lanes.map((lane) => squares[lane]! * steps[lane]! ** 2),
      first: lanes.map((lane) => (first ? first[lane]! * (this.scale?.[lane] ?? 1) ** 2 : Number.NaN)),
      displaced: lanes.map(() => 0),
      overlap: lanes.map(() => 0),
    };
    if (!this.hasLearned) return result;
    const { initial, scale } = this;
    tf.tidy(() => {
      if (initial instanceof MutableWeights) {
        const drawn = initial.drawn();
        const before = scale ? scaled(drawn, scale) : drawn;
        const moved = initial.minus(before);
        const { matrix, scale: unit } = own.formed!();
        const along = dots(matrix, moved);
        result.first = Array.from(squaredNorms(before));
        result.displaced = Array.from(squaredNorms(moved));
        result.overlap = lanes.map((lane) => -steps[lane]! * unit[lane]! * along[lane]!);
      } else {
        // The matrices are not formed: <sum_i b_i q_i^T, D> = sum_i <b_i, D q_i> with D the sum of the steps.
        const overlapOf = (b: tf.Tensor3D, q: tf.Tensor3D, rate: readonly number[]) => {
          const along = dots(b, this.moved(q, tf.zerosLike(b)));
          return lanes.map((lane) => -rate[lane]! * along[lane]!);
        };
        result.overlap = overlapOf(backward, input, steps);
        for (const { factors, rate } of this.steps) {
          const own = overlapOf(factors[0], factors[1], rate);
          result.displaced = lanes.map((lane) => result.displaced[lane]! + own[lane]!);
        }
      }
    });
    return result;
  }

  /** What a later run of the same training goes on from; of weights that learn in place. */
  get state(): MatrixState {
    const { initial, scale, path, smallest, hasLearned } = this;
    const values = initial instanceof MutableWeights && hasLearned ? initial.values() : undefined;
    return { values, scale, moved: [...path], smallest: [...smallest] };
  }

  restore({ values, scale, moved, smallest }: MatrixState): void {
    this.scale = scale;
    this.path = [...moved];
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

  /** y, less what the steps that are kept take from the product with q. */
  private moved(q: tf.Tensor3D, y: tf.Tensor3D): tf.Tensor3D {
    return this.steps.reduce((sum, step) => step.gradient.descend(sum, step.rate, q), y);
  }

  /** The product y of the initial weights with x, at their scale. */
  private rescaled(x: tf.Tensor3D, y: tf.Tensor3D): tf.Tensor3D {
    this.note(squaredNorms(x), x.shape);
    const isFolded = this.hasLearned && this.initial instanceof MutableWeights;
    return this.scale && !isFolded ? scaled(y, this.scale) : y;
  }

  /** Standard deviation of the entries of the initial weights, as scaled. */
  private sigma(lane: number): number {
    return this.law.lanes[lane]!.sigma * (this.scale?.[lane] ?? 1);
  }
}
