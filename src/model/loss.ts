/** Losses of the outputs of a model, on tensors, so that the library differentiates them; the same as of the built-in networks. */
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
