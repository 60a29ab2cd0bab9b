/**
 * Losses of the outputs of a model, the same as of the built-in networks: on tensors, so that the library differentiates them, and by
 * those of the built-in networks in float64 of outputs that were read.
 */
import {
  add,
  log,
  logSoftmax,
  mean,
  mul,
  neg,
  reshape,
  type Scalar,
  square,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { LOSSES } from '../core/loss.js';
import { accuracyOf } from '../core/training.js';
import type { ModelLoss } from './loss-names.js';

/** What is told of an output, before the loss of it. */
export interface Output {
  /** Whether its last layer makes probabilities, as softmax does; a cross-entropy takes their logarithm then. */
  readonly isProbability: boolean;
}

type Term = (output: Tensor, target: Tensor, about: Output) => Tensor;

const TERMS: Readonly<Record<ModelLoss, Term>> = {
  // |f - y|^2 / (2 k n), where k n is the number of entries
  squared: (f, y) => mul(mean(square(sub(f, y))), 0.5),
  // <y, f> / (k n)
  linear: (f, y) => mean(mul(f, y)),
  // -sum_j y_j log p_j, the mean over rows of the last axis
  'cross-entropy': (f, y, { isProbability }) => {
    const k = f.shape.at(-1)!;
    const rows = reshape(f, [-1, k]);
    const surprise = neg(isProbability ? log(rows) : logSoftmax(rows));
    return mean(sum(mul(reshape(y, [-1, k]), surprise), 1));
  },
};

/** The loss of all outputs, the sum where there are several. */
export function lossOf(
  name: ModelLoss,
  outputs: readonly Tensor[],
  targets: readonly Tensor[],
  about: readonly Output[],
): Scalar {
  return outputs
    .map((output, i) => TERMS[name](output, targets[i]!, about[i]!))
    .reduce((a, b) => add(a, b)) as Scalar;
}

/** An output, or a target, that was read: rows of its last axis. */
export interface Read {
  readonly values: Float32Array;
  /** Entries of a row. */
  readonly k: number;
}

/** Reads tensors; those of a batch after those of another are one, joined. */
export function readAll(tensors: readonly Tensor[]): Read[] {
  return tensors.map((tensor) => ({
    values: Float32Array.from(tensor.dataSync()),
    k: tensor.shape.at(-1) ?? 1,
  }));
}

/** The outputs of several batches as those of one. */
export function joinedReads(batches: readonly (readonly Read[])[]): Read[] {
  return batches[0]!.map(({ k }, i) => {
    const parts = batches.map((batch) => batch[i]!.values);
    const values = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part, at);
      at += part.length;
    }
    return { values, k };
  });
}

const shapeOf = ({ values, k }: Read) => ({ samples: values.length / k, outputWidth: k });

/** What the losses of the built-in networks take: logits, as which logarithms of probabilities do. */
const logits = (name: ModelLoss, { values }: Read, { isProbability }: Output): ArrayLike<number> =>
  name === 'cross-entropy' && isProbability ? Float64Array.from(values, Math.log) : values;

/** The loss in float64, the sum over outputs. */
export function lossValue(
  name: ModelLoss,
  outputs: readonly Read[],
  targets: readonly Read[],
  about: readonly Output[],
): number {
  const value = (f: Read, i: number) =>
    LOSSES[name].value(logits(name, f, about[i]!), targets[i]!.values, shapeOf(f));
  return outputs.reduce((total, f, i) => total + value(f, i), 0);
}

/** How the loss changes between outputs before and after, without cancellation. */
export function lossChange(
  name: ModelLoss,
  before: readonly Read[],
  after: readonly Read[],
  targets: readonly Read[],
  about: readonly Output[],
): number {
  const change = (read: Read, i: number) => {
    const [f, g] = [read, after[i]!].map((each) => logits(name, each, about[i]!));
    const df = Float64Array.from(f!, (value, j) => g![j]! - value);
    return LOSSES[name].change(f!, df, targets[i]!.values, shapeOf(read));
  };
  return before.reduce((total, f, i) => total + change(f, i), 0);
}

/** Share of the rows of all outputs whose largest entry is that of their class; NaN where targets are no classes. */
export function accuracyOfAll(outputs: readonly Read[], targets: readonly Read[]): number {
  let [right, rows] = [0, 0];
  outputs.forEach((f, i) => {
    const { samples } = shapeOf(f);
    right += accuracyOf(f.values, targets[i]!.values, f.k) * samples;
    rows += samples;
  });
  return right / rows;
}
