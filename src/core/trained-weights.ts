/**
 * Weights in the course of training: s V - sum_t rate_t G_t, from the initial V, a scale s for each lane, and the
 * gradients G_t of the steps that were taken. Nothing of it is formed, as the gradients are of rank n.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Backend } from './backend.js';
import { type Gradient, gradient } from './gradient.js';
import { mul } from './ops.js';
import type { Weights } from './weights.js';

/** One step that was taken: its gradient and the transposed of it. */
interface Taken {
  readonly gradient: Gradient;
  readonly transposed: Gradient;
  readonly rate: readonly number[];
  readonly factors: readonly tf.Tensor[];
}

export class TrainedWeights implements Weights {
  private readonly steps: Taken[] = [];
  /** [lanes, 1, 1]. */
  private scale: tf.Tensor3D | undefined;

  constructor(
    private readonly backend: Backend,
    private readonly initial: Weights,
  ) {}

  times(q: tf.Tensor3D): tf.Tensor3D {
    return this.steps.reduce(
      (y, step) => step.gradient.descend(y, step.rate, q),
      this.scaled(this.initial.times(q)),
    );
  }

  transposeTimes(b: tf.Tensor3D): tf.Tensor3D {
    const y = this.scaled(this.initial.transposeTimes(b));
    return this.steps.reduce((y, step) => step.transposed.descend(y, step.rate, b), y);
  }

  /** Whether `rescale` was called. */
  get isScaled(): boolean {
    return this.scale !== undefined;
  }

  /** Sets the scale of the initial weights, a number for each lane. */
  rescale(scale: readonly number[]): void {
    this.scale?.dispose();
    this.scale = tf.keep(this.backend.upload<tf.Rank.R3>(Float32Array.from(scale), [scale.length, 1, 1]));
  }

  /** Takes the step -rate sum_i b_i q_i^T, with a rate for each lane; b is [lanes, n, outputs], q [lanes, n, inputs]. */
  learn(b: tf.Tensor3D, q: tf.Tensor3D, rate: readonly number[]): void {
    const [left, right] = [tf.keep(tf.clone(b)), tf.keep(tf.clone(q))];
    this.steps.push({
      gradient: gradient(this.backend, left, right),
      transposed: gradient(this.backend, right, left),
      rate,
      factors: [left, right],
    });
  }

  dispose(): void {
    this.initial.dispose();
    this.scale?.dispose();
    for (const { gradient, transposed, factors } of this.steps) {
      gradient.dispose();
      transposed.dispose();
      tf.dispose([...factors]);
    }
  }

  private scaled(y: tf.Tensor3D): tf.Tensor3D {
    return this.scale ? mul(this.scale, y) : y;
  }
}
