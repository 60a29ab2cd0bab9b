/** What is measured of a model: its layers at the present weights, under given or scale-invariant rates. */
import { sub, type Tensor } from '@tensorflow/tfjs-core';
import { backwardFeatureAngle, layerNorms } from '../core/measurements/measure.js';
import { scoped, velocitiesOf } from './derivatives/derivatives.js';
import {
  descentOf,
  gradientsOf,
  moveWeights,
  movingAveragesOf,
  optionsOf,
  type Problem,
  type Rates,
} from './descent.js';
import { forward, type Pass, zeroProbes } from './graph.js';
import { accuracyOfAll, lossChange, lossValue, readAll } from './loss.js';

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
  /** Whether features, backward pass and change are in the range of float32. */
  readonly isFinite: boolean;
}

export interface Measured {
  /** Before the step. */
  readonly loss: number;
  /** NaN where the targets are no classes. */
  readonly accuracy: number;
  readonly calls: readonly CallMeasure[];
  /** |G_l|^2 of each group of weights. */
  readonly squaredGradients: readonly number[];
  /** L: the groups that a gradient reaches. */
  readonly learning: number;
  /** eta_l; 0 for a group whose gradient is zero under rates that divide by it. */
  readonly rates: readonly number[];
  /** What a step that is taken does to the loss. */
  readonly lossChange: number | undefined;
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
    const { graph, inputs, targets, loss: name, outputs: about } = problem;
    const options = optionsOf(problem);
    const plain = forward(graph, inputs, options);
    const averages = movingAveragesOf(problem);
    const probes = zeroProbes(plain);
    const flat = probes.flat().filter((probe) => probe !== undefined);
    const { gradients, others, squares, learning } = gradientsOf(problem, { ...options, probes }, flat);
    const [before, y] = [readAll(plain.outputs), readAll(targets)];
    const loss = lossValue(name, before, y, about);
    const eta = typeof rates === 'function' ? rates({ squares, learning, loss }) : rates;
    const { velocities, scale } = descentOf(gradients, graph.groups, eta);
    const weights = graph.groups.flatMap((group) => group.weights);
    const change = (): readonly (readonly (Tensor | undefined)[])[] => {
      if (kind === 'velocity') {
        const outputs = () => probed(forward(graph, inputs, options), probes);
        return byProbe(probes, velocitiesOf(outputs, flat, weights, velocities));
      }
      const after = forward(graph, inputs, options);
      change_ = lossChange(name, before, readAll(after.outputs), y, about);
      return plain.features.map((outputs, i) =>
        outputs.map((output, j) => (probes[i]![j] ? sub(after.features[i]![j]!, output) : undefined)),
      );
    };
    let change_: number | undefined;
    const move = () => moveWeights(weights, velocities, stepSize * scale);
    if (kind === 'update') move();
    const [backward, changed] = [byProbe(probes, others), change()];
    if (kind === 'velocity' && movesWeights) move();
    // A step moves them once, however many passes it takes.
    averages.restore();
    const calls = plain.features.map((features, i) => {
      const f = joined(features, features);
      see(i, f);
      const duration = kind === 'update' ? stepSize : 1 / scale;
      return measureCall(f, features, backward[i]!, changed[i]!, 1 / duration);
    });
    return {
      loss,
      accuracy: accuracyOfAll(before, y),
      calls,
      squaredGradients: squares,
      learning,
      rates: eta,
      lossChange: change_,
    };
  });
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
  pace: number,
): CallMeasure {
  const b = joined(backward, outputs);
  const df = joined(change, outputs);
  const norms = layerNorms(f, b, df);
  return {
    shape: outputs[0]!.shape,
    size: f.length,
    featureNorm: norms.features,
    backwardNorm: norms.backward,
    speed: norms.change * pace,
    decay: -norms.overlap * pace,
    angle: backwardFeatureAngle(b, df, norms),
    isFinite: Number.isFinite(norms.features + norms.backward + norms.change),
  };
}

/** The features of a call, of all its outputs. */
export const featuresAt = ({ features }: Pass, call: number): Float32Array =>
  joined(features[call]!, features[call]!);

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
