/** What is measured of a model: its layers at the present weights, under given or scale-invariant rates. */
import { add, mul, scalar, sub, type Tensor, tensor, type Variable } from '@tensorflow/tfjs-core';
import { backwardFeatureAngle, layerNorms } from '../core/measure.js';
import { derivativesOf, scoped, velocitiesOf } from './derivatives/derivatives.js';
import {
  type ForwardOptions,
  forward,
  type Graph,
  type Pass,
  type WeightGroup,
  zeroProbes,
} from './graph.js';
import { lossOf, type Output } from './loss.js';
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

/** Rates of the layers with trained weights: as given, in the order of the groups, or those of Eq. 8 for these gradients. */
export type Rates = readonly number[] | 'scale-invariant';

/** What is measured at one call. */
interface CallMeasure {
  /** Shape of the features, the samples first; of the first output. */
  readonly shape: readonly number[];
  /** Entries of the features, m_v. */
  readonly size: number;
  readonly featureNorm: number;
  readonly backwardNorm: number;
  readonly speed: number;
  /** -<b_v, fdot_v>, the loss decay that passes here. */
  readonly decay: number;
  /** theta_v in rad; NaN where there is none. */
  readonly angle: number;
}

export interface Measured {
  readonly loss: number;
  readonly calls: readonly CallMeasure[];
  /** |G_l|^2 of each group of weights. */
  readonly squaredGradients: readonly number[];
  /** eta_l; 0 for a group that no gradient reaches under rates of Eq. 8. */
  readonly rates: readonly number[];
  /** The loss after a step that is taken. */
  readonly lossAfter: number | undefined;
}

/** A step along the descent: what is measured as the change of the features, and whether the weights move. */
export interface Move {
  /** Of an update the change is a difference of float32 features: rounding is some 1e-7 |f| / |df| of it. */
  readonly kind: 'velocity' | 'update';
  readonly stepSize: number;
  /** An update always moves them. */
  readonly movesWeights: boolean;
}

const STAY: Move = { kind: 'velocity', stepSize: 1, movesWeights: false };

/**
 * Measures all calls, once in each direction.
 *
 * @param see is shown the features of each call before the step.
 */
export function measureModel(
  problem: Problem,
  rates: Rates,
  { kind, stepSize, movesWeights }: Move = STAY,
  see: (call: number, features: Float32Array) => void = () => {},
): Measured {
  return scoped(() => {
    const { graph, inputs } = problem;
    const options = optionsOf(problem);
    const plain = forward(graph, inputs, options);
    const probes = zeroProbes(plain);
    const flat = probes.flat().filter((probe) => probe !== undefined);
    const { gradients, others } = gradientsOf(problem, { ...options, probes }, flat);
    const squaredGradients = gradients.map(squaredNorm);
    const eta = ratesOf(rates, squaredGradients);
    const { velocities, scale } = descentOf(gradients, graph.groups, eta);
    const weights = graph.groups.flatMap((group) => group.weights);
    const loss = problemLoss(problem, plain).dataSync()[0]!;
    const change = (): readonly (readonly (Tensor | undefined)[])[] => {
      if (kind === 'velocity') {
        const outputs = () => probed(forward(graph, inputs, options), probes);
        return byProbe(probes, velocitiesOf(outputs, flat, weights, velocities));
      }
      const after = forward(graph, inputs, options);
      lossAfter = problemLoss(problem, after).dataSync()[0]!;
      return plain.features.map((outputs, i) =>
        outputs.map((output, j) => (probes[i]![j] ? sub(after.features[i]![j]!, output) : undefined)),
      );
    };
    let lossAfter: number | undefined;
    const move = () => moveWeights(weights, velocities, stepSize * scale);
    if (kind === 'update') move();
    const [backward, changed] = [byProbe(probes, others), change()];
    if (kind === 'velocity' && movesWeights) move();
    const calls = plain.features.map((features, i) => {
      const f = joined(features, features);
      see(i, f);
      const duration = kind === 'update' ? stepSize : 1 / scale;
      return measureCall(f, features, backward[i]!, changed[i]!, 1 / duration);
    });
    return { loss, calls, squaredGradients, rates: eta, lossAfter };
  });
}

/** Adds to each weight its velocity times a duration. */
function moveWeights(weights: readonly Tensor[], velocities: readonly Tensor[], duration: number): void {
  weights.forEach((weight, i) => {
    (weight as Variable).assign(add(weight, mul(velocities[i]!, scalar(duration))));
  });
}

/** |G_l|^2 of each group of weights. */
export function squaredGradientsOf(problem: Problem): number[] {
  return scoped(() => gradientsOf(problem, optionsOf(problem), []).gradients.map(squaredNorm));
}

/** Derivatives of the loss by the weights of each group, and by others. */
function gradientsOf(problem: Problem, options: ForwardOptions, xs: readonly Tensor[]) {
  const { graph, inputs } = problem;
  const weights = graph.groups.flatMap((group) => group.weights);
  const derivatives = derivativesOf(
    () => problemLoss(problem, forward(graph, inputs, options)),
    [...weights, ...xs],
  );
  return {
    gradients: graph.groups.map((group) =>
      group.weights.map((weight) => derivatives[weights.indexOf(weight)]),
    ),
    others: derivatives.slice(weights.length),
  };
}

export const optionsOf = ({ overBatch, multiplier }: Problem): ForwardOptions => ({
  overBatch,
  multiplier: multiplier && { call: multiplier.call, factor: scalar(multiplier.factor) },
});

export const problemLoss = ({ loss, targets, outputs }: Problem, pass: Pass) =>
  lossOf(loss, pass.outputs, targets, outputs);

/** Eq. 8: eta_l = 1 / (L |G_l|^2) over the L layers that learn. */
export function ratesOf(rates: Rates, squaredGradients: readonly number[]): readonly number[] {
  if (rates !== 'scale-invariant') return rates;
  const learning = squaredGradients.filter((square) => square > 0).length;
  return squaredGradients.map((square) => (square > 0 ? 1 / (learning * square) : 0));
}

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
  for (const each of tensors) for (const value of each?.dataSync<'float32'>() ?? []) square += value * value;
  return square;
}

/** The outputs that have a probe. */
const probed = ({ features }: Pass, probes: readonly (readonly (Tensor | undefined)[])[]): Tensor[] =>
  features.flatMap((outputs, i) => outputs.filter((_, j) => probes[i]![j] !== undefined));

/** Brings a list with an entry for each probe into the shape of the probes. */
function byProbe<T>(
  probes: readonly (readonly (Tensor | undefined)[])[],
  list: readonly T[],
): (T | undefined)[][] {
  let next = 0;
  return probes.map((outputs) => outputs.map((probe) => (probe ? list[next++] : undefined)));
}

/** All outputs of a call are its features, one after the other. */
function measureCall(
  f: Float32Array,
  outputs: readonly Tensor[],
  backward: readonly (Tensor | undefined)[],
  change: readonly (Tensor | undefined)[],
  scale: number,
): CallMeasure {
  const b = joined(backward, outputs);
  const df = joined(change, outputs);
  const norms = layerNorms(f, b, df);
  return {
    shape: outputs[0]!.shape,
    size: f.length,
    featureNorm: norms.features,
    backwardNorm: norms.backward,
    speed: norms.change * scale,
    decay: -norms.overlap * scale,
    angle: backwardFeatureAngle(b, df, norms),
  };
}

/** The numbers of tensors in a row; zeros for one that is missing, of the size of its output. */
function joined(tensors: readonly (Tensor | undefined)[], outputs: readonly Tensor[]): Float32Array {
  const values = new Float32Array(outputs.reduce((size, output) => size + output.size, 0));
  let at = 0;
  outputs.forEach((output, i) => {
    const own = tensors[i]?.dataSync();
    if (own) values.set(own as Float32Array, at);
    at += output.size;
  });
  return values;
}
