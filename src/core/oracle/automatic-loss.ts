/** The loss of a network as a function of its weights, written down for automatic differentiation: for tests. */
import type { ActivationName } from '../../activations.js';
import type { ArchitectureName } from '../../architectures/architectures.js';
import type { LossName } from '../loss.js';
import type { Shape } from '../step/lane.js';
import { type Node, Tape } from './autodiff.js';

/** Every trained matrix, row major, without beta; by layer U_l and V_l of a block of two, else one. */
export type Weights = readonly (readonly Float64Array[])[];

export interface AutomaticNetwork {
  readonly architecture: ArchitectureName;
  readonly activation: ActivationName;
  readonly loss: LossName;
  readonly shape: Shape;
  readonly branchScale: number;
  readonly input: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

type Vector = readonly Node[];

/**
 * The loss, its gradient in the weights, and the product of its Hessian with a direction.
 *
 * @param weights of layer l at index l - 1.
 * @param direction of the same shape; 0 where none is given.
 */
export function differentiate(network: AutomaticNetwork, weights: Weights, direction?: Weights) {
  const tape = new Tape();
  const inputs = weights.map((layer, l) =>
    layer.map((matrix, k) =>
      Array.from(matrix, (value, i) => tape.input(value, direction?.[l]?.[k]?.[i] ?? 0)),
    ),
  );
  const { samples: n, inputWidth: d, outputWidth: k } = network.shape;
  const rows = Array.from({ length: n }, (_, t) => {
    const x = Array.from({ length: d }, (_, j) => tape.input(network.input[t * d + j]!));
    const y = Array.from({ length: k }, (_, j) => network.target[t * k + j]!);
    return lossOf(tape, network, outputsOf(tape, network, inputs, x), y);
  });
  const loss = tape.scaled(tape.sum(rows), 1 / n);
  const { gradient, product } = tape.differentiate(loss);
  const take = (from: Float64Array): Weights =>
    inputs.map((layer) => layer.map((matrix) => Float64Array.from(matrix, (node) => from[node]!)));
  return { loss: tape.value(loss), gradient: take(gradient), product: take(product) };
}

function outputsOf(
  tape: Tape,
  { architecture, activation, branchScale }: AutomaticNetwork,
  weights: readonly (readonly Vector[])[],
  x: Vector,
): Vector {
  const phi = (f: Vector) => f.map((value) => activated(tape, activation, value));
  const times = (W: Vector, v: Vector) =>
    Array.from({ length: W.length / v.length }, (_, i) =>
      tape.sum(v.map((value, j) => tape.times(W[i * v.length + j]!, value))),
    );
  const isMlp = architecture === 'mlp';
  let f = times(weights[0]![0]!, x);
  for (const [first, second] of weights.slice(1, -1) as [Vector, Vector?][]) {
    const inner = second ? phi(times(first, f)) : phi(f);
    const branch = times(second ?? first, inner);
    const a = Math.sqrt(1 - branchScale ** 2);
    f = isMlp
      ? branch
      : branch.map((value, i) => tape.add(tape.scaled(value, branchScale), tape.scaled(f[i]!, a)));
  }
  return times(weights.at(-1)![0]!, isMlp ? phi(f) : f);
}

/** Of one sample. */
function lossOf(tape: Tape, { loss }: AutomaticNetwork, f: Vector, y: readonly number[]): Node {
  switch (loss) {
    case 'squared': {
      const errors = f.map((value, j) => tape.shifted(value, -y[j]!));
      return tape.scaled(tape.sum(errors.map((e) => tape.times(e, e))), 1 / (2 * f.length));
    }
    case 'linear':
      return tape.scaled(tape.sum(f.map((value, j) => tape.scaled(value, y[j]!))), 1 / f.length);
    case 'cross-entropy': {
      const total = tape.sum(f.map((value) => tape.apply('exp', value)));
      const chosen = tape.sum(f.map((value, j) => tape.scaled(value, -y[j]!)));
      return tape.add(tape.apply('log', total), chosen);
    }
  }
}

function activated(tape: Tape, name: ActivationName, x: Node): Node {
  const logistic = (of: Node) =>
    tape.apply('inverse', tape.shifted(tape.apply('exp', tape.scaled(of, -1)), 1));
  switch (name) {
    case 'linear':
      return x;
    case 'relu':
      return tape.apply('positive', x);
    case 'leaky':
      return tape.add(tape.scaled(tape.apply('positive', x), 0.9), tape.scaled(x, 0.1));
    case 'tanh':
      return tape.shifted(tape.scaled(logistic(tape.scaled(x, 2)), 2), -1);
    case 'erf':
      return tape.apply('erf', x);
    case 'gelu':
      return tape.times(
        x,
        tape.shifted(tape.scaled(tape.apply('erf', tape.scaled(x, Math.SQRT1_2)), 0.5), 0.5),
      );
    case 'silu':
      return tape.times(x, logistic(x));
  }
}
