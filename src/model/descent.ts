/** Gradient descent of a model: the gradients of its layers, the rates that follow from them, and the step that moves its weights. */
import { add, mul, scalar, slice, type Tensor, tensor, type Variable } from '@tensorflow/tfjs-core';
import { rateOf } from '../core/step/rates.js';
import type { Evaluation } from '../core/training.js';
import { derivativesOf, scoped } from './derivatives/derivatives.js';
import {
  type ForwardOptions,
  forward,
  type Graph,
  isBatchNorm,
  type Pass,
  type WeightGroup,
} from './graph.js';
import { accuracyOfAll, joinedReads, lossOf, lossValue, type Output, type Read, readAll } from './loss.js';
import type { ModelLoss } from './loss-names.js';

/** A model with the data that it is measured on. */
export interface Problem {
  readonly graph: Graph;
  readonly inputs: readonly Tensor[];
  readonly targets: readonly Tensor[];
  readonly outputs: readonly Output[];
  readonly loss: ModelLoss;
  readonly overBatch: boolean;
  /** A factor between a call and what takes its outputs. */
  readonly multiplier?: { readonly call: number; readonly factor: number };
}

/** What rates follow from. */
export interface GradientFacts {
  /** |G_l|^2 of each group of weights; 0 for one that no gradient reaches. */
  readonly squares: readonly number[];
  /** L: the groups that a gradient reaches, were it zero. */
  readonly learning: number;
  /** The loss before the step. */
  readonly loss: number;
}

/** Rates of the layers with trained weights, in the order of the groups: as given, or by a rule. */
export type Rates = readonly number[] | ((facts: GradientFacts) => readonly number[]);

/** Eq. 8: eta_l = 1 / (L |G_l|^2). */
export const scaleInvariant = ({ squares, learning, loss }: GradientFacts): readonly number[] =>
  squares.map((square) => rateOf('scale-invariant', { depth: learning, square, first: square, loss }));

/** What the rates of a model follow from. */
export function gradientFactsOf(problem: Problem): GradientFacts {
  return scoped(() => ({ ...gradientsOf(problem, optionsOf(problem), []), loss: Number.NaN }));
}

/** Derivatives of the loss by the weights of each group, and by others, with the outputs. */
export function gradientsOf(
  problem: Problem,
  options: ForwardOptions,
  xs: readonly Tensor[],
  see: (pass: Pass) => void = () => {},
) {
  const { graph, inputs } = problem;
  const weights = graph.groups.flatMap((group) => group.weights);
  let read: readonly Read[] = [];
  const derivatives = derivativesOf(() => {
    const pass = forward(graph, inputs, options);
    read = readAll(pass.outputs);
    see(pass);
    return problemLoss(problem, pass);
  }, [...weights, ...xs]);
  const gradients = graph.groups.map((group) =>
    group.weights.map((weight) => derivatives[weights.indexOf(weight)]),
  );
  return {
    gradients,
    others: derivatives.slice(weights.length),
    squares: gradients.map(squaredNorm),
    learning: gradients.filter((own) => own.some((gradient) => gradient !== undefined)).length,
    read,
  };
}

export const optionsOf = ({ overBatch, multiplier }: Problem): ForwardOptions => ({
  overBatch,
  multiplier: multiplier && { call: multiplier.call, factor: scalar(multiplier.factor) },
});

export const problemLoss = ({ loss, targets, outputs }: Problem, pass: Pass) =>
  lossOf(loss, pass.outputs, targets, outputs);

/**
 * The velocities -eta_l G_l of all weights, divided by `scale`: of any size as rates and gradients are, they are brought near 1.
 */
export function descentOf(
  gradients: readonly (readonly (Tensor | undefined)[])[],
  groups: readonly WeightGroup[],
  rates: readonly number[],
): { readonly velocities: readonly Tensor[]; readonly scale: number } {
  const longest = gradients.reduce(
    (most, each, l) => Math.max(most, rates[l]! * Math.sqrt(squaredNorm(each))),
    0,
  );
  const scale = longest > 0 ? longest : 1;
  const velocities = groups.flatMap(({ weights }, l) =>
    weights.map((weight, i) => {
      const factor = -rates[l]! / scale;
      const values = gradients[l]![i]?.dataSync<'float32'>() ?? new Float32Array(weight.size);
      return tensor(
        values.map((value) => factor * value),
        weight.shape,
        'float32',
      );
    }),
  );
  return { velocities, scale };
}

/** |G|^2 of the tensors of a group, in float64. */
export function squaredNorm(tensors: readonly (Tensor | undefined)[]): number {
  let square = 0;
  for (const each of tensors) {
    const values = each?.dataSync<'float32'>() ?? [];
    for (let i = 0; i < values.length; i++) square += values[i]! * values[i]!;
  }
  return square;
}

/** Adds to each weight its velocity times a duration. */
export function moveWeights(
  weights: readonly Tensor[],
  velocities: readonly Tensor[],
  duration: number,
): void {
  weights.forEach((weight, i) => {
    (weight as Variable).assign(add(weight, mul(velocities[i]!, scalar(duration))));
  });
}

/** What is known of a step that is not measured. */
interface Descended {
  /** Before the step. */
  readonly loss: number;
  /** |G_l|^2 of each group of weights. */
  readonly squares: readonly number[];
}

/**
 * A step that nobody measures: a forward and a backward pass, after which the weights move.
 *
 * @param see is shown the forward pass.
 */
export function descend(
  problem: Problem,
  rates: Rates,
  stepSize: number,
  see?: (pass: Pass) => void,
): Descended {
  return scoped(() => {
    const { graph, targets, loss: name, outputs: about } = problem;
    const { gradients, squares, learning, read } = gradientsOf(problem, optionsOf(problem), [], see);
    const loss = lossValue(name, read, readAll(targets), about);
    const eta = typeof rates === 'function' ? rates({ squares, learning, loss }) : rates;
    const { velocities, scale } = descentOf(gradients, graph.groups, eta);
    const weights = graph.groups.flatMap((group) => group.weights);
    moveWeights(weights, velocities, stepSize * scale);
    return { loss, squares };
  });
}

/** Outputs for data, `batch` samples at a time, as they are used: batch normalisation by its moving averages. */
export function evaluate(problem: Problem, batch: number): Evaluation {
  const { graph, inputs, targets, loss, outputs: about } = problem;
  const options = optionsOf({ ...problem, overBatch: false });
  const all = inputs[0]!.shape[0]!;
  const parts = [];
  for (let first = 0; first < all; first += batch) {
    const part = (x: Tensor) => slice(x, first, Math.min(batch, all - first));
    parts.push(scoped(() => readAll(forward(graph, inputs.map(part), options).outputs)));
  }
  const [f, y] = [joinedReads(parts), readAll(targets)];
  return { loss: lossValue(loss, f, y, about), accuracy: accuracyOfAll(f, y) };
}

/** Moving averages of batch normalisation, as they are now; none where it takes no batch. */
export function movingAveragesOf({ graph, overBatch }: Problem): { restore(): void } {
  if (!overBatch) return { restore: () => {} };
  const layers = new Set(graph.calls.map(({ layer }) => layer).filter(isBatchNorm));
  const averages = [...layers]
    .flatMap((layer) => layer.nonTrainableWeights)
    .map((weight) => weight.read() as Variable)
    .map((variable) => ({ variable, value: variable.clone() }));
  return {
    restore: () => {
      for (const { variable, value } of averages) variable.assign(value);
    },
  };
}
