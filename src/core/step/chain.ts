/**
 * One layer in the course of a gradient step: the chain of its pieces (see `architectures/`), on the lanes that have it. With
 * x_0 what it takes, every piece i makes x_{i+1} of x_i, by a product with a matrix M or by phi:
 *
 *     forward    x_{i+1} = M x_i                              phi(x_i)
 *     backward   b_i = M^T b_{i+1},  G = b_{i+1} x_i^T        phi'(x_i) * b_{i+1}
 *     velocity   M xdot_i - eta G x_i                         phi'(x_i) * xdot_i
 *     update     M dx_i - dt eta G (x_i + dx_i)               phi(x_i + dx_i) - phi(x_i)
 *
 * Changes are written as differences, since two float32 forward passes subtracted are wrong by up to 0.2 rad.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayerGroup, MatrixName, Piece } from '../../architectures/architecture.js';
import { add, dots, squaredNorms } from '../ops.js';
import { type Gradient, gradient } from '../weights/gradient.js';
import type { TrainedWeights } from '../weights/trained-weights.js';
import type { Train } from './lane.js';
import { type Learning, learning } from './learning.js';
import type { Network, Place } from './network.js';
import type { MatrixStep, Proof } from './proof.js';

/** The chain of the layers at a distance that are of a group. */
export function chainOf(group: LayerGroup, network: Network, proof: Proof, distance: number): Chain {
  const { embedding, block, readout } = network.settings.architecture;
  const pieces = { input: embedding, hidden: block, output: readout }[group];
  return new Chain(network, proof, network.place(group, distance), pieces);
}

/** A velocity, or a finite step. */
export type ChangeKind = 'update' | 'velocity';

/** How one matrix learns: its gradient G = sum_i b_i q_i^T, and what that is multiplied by, for each lane. */
export interface Descent extends Learning {
  readonly matrix: MatrixName;
  readonly weights: TrainedWeights;
  readonly gradient: Gradient;
  /** b_l and q_{l-1}. */
  readonly backward: tf.Tensor3D;
  readonly input: tf.Tensor3D;
  /** M_l^T b_l, where it is kept. */
  readonly transposed?: tf.Tensor3D;
}

export class Chain {
  /** x_0, x_1, .. */
  readonly states: tf.Tensor3D[] = [];
  /** Of its matrices, in the order of the forward pass. */
  descents: Descent[] = [];
  private readonly owned: tf.Tensor3D[] = [];

  constructor(
    readonly network: Network,
    private readonly proof: Proof,
    /** The lanes that have it, and their distance from the readout. */
    readonly place: Place,
    readonly pieces: readonly Piece[],
  ) {}

  /** Of `input`, which must live as long as the chain; the result is the caller's. */
  forward(input: tf.Tensor3D): tf.Tensor3D {
    const { network, place, states } = this;
    states[0] = input;
    this.pieces.forEach((piece, i) => {
      const x = states[i]!;
      if (piece !== 'phi') states[i + 1] = network.propagate(piece, place, x);
      else {
        if (i > 0) this.proof.finite(place, squaredNorms(x));
        states[i + 1] = this.activated(i, x, network.settings.activation.value(x));
      }
    });
    for (const state of states.slice(1, -1)) if (state !== input) this.own(state);
    return states.at(-1)!;
  }

  /**
   * Of b at what the chain makes: the gradients of its matrices.
   *
   * @param b lives as long as the chain.
   * @param ends whether nothing comes before, so that the first product back is none.
   * @returns b at what the chain takes, the caller's; or nothing.
   */
  backward(b: tf.Tensor3D, keepsTransposed: boolean, ends = false): tf.Tensor3D | undefined {
    const { network, place, states } = this;
    let arriving = b;
    for (let i = this.pieces.length - 1; i >= 0; i--) {
      const piece = this.pieces[i]!;
      if (piece === 'phi') {
        arriving = this.activated(i, arriving, network.settings.activation.tangent(states[i]!, arriving));
        if (i > 0 && arriving !== b) this.own(arriving);
        continue;
      }
      const weights = network.weights(piece, place.distance);
      const own = weights.gradient(arriving, states[i]!);
      const transposed = ends && i === 0 ? undefined : weights.transposeTimes(arriving);
      this.descents.unshift({
        matrix: piece,
        weights,
        gradient: own,
        backward: arriving,
        input: states[i]!,
        rates: [],
        steps: [],
        contributions: [],
        ...(keepsTransposed && transposed && { transposed: this.own(transposed) }),
      });
      if (!transposed) return undefined;
      arriving = transposed;
    }
    return arriving;
  }

  /**
   * Sets the rates of its matrices.
   *
   * @param loss before the step, of all lanes of the batch.
   * @param all whether gradients are measured of lanes, too, in which the layer does not learn.
   * @returns |G_l|_F of each lane; NaN where it is not measured.
   */
  learnAt(train: Train, loss: (lane: number) => number, all = false): readonly number[] {
    const matrices = this.descents.map(({ matrix, gradient: own }) => ({
      matrix,
      squaredNorm: () => own.squaredNorm(),
    }));
    const { learned, gradientNorms } = learning(this.network, this.place, train, matrices, loss, all);
    this.descents = this.descents.map((descent, i) => ({ ...descent, ...learned[i]! }));
    return gradientNorms;
  }

  /**
   * The change of what the chain makes.
   *
   * @param given that of what it takes; none where nothing before moves.
   * @param carried what is carried on beside the chain.
   */
  change(kind: ChangeKind, given?: tf.Tensor3D, carried?: tf.Tensor3D): tf.Tensor3D {
    const { activation } = this.network.settings;
    const isVelocity = kind === 'velocity';
    let change = given;
    let matrices = 0;
    this.pieces.forEach((piece, i) => {
      const x = this.states[i]!;
      if (piece !== 'phi') {
        const isLast = i === this.pieces.length - 1;
        const after = isVelocity || !change ? x : add(x, change);
        change = this.moved(kind, this.descents[matrices++]!, change, after, isLast ? carried : undefined);
      } else if (change) {
        const moved = isVelocity ? activation.tangent(x, change) : activation.difference(x, change);
        change = this.activated(i, change, moved);
      }
    });
    return change!;
  }

  /** M dq - eta G x, times dt for an update, with the proof of it; x is q, or q + dq. */
  private moved(
    kind: ChangeKind,
    descent: Descent,
    dq: tf.Tensor3D | undefined,
    x: tf.Tensor3D,
    carried?: tf.Tensor3D,
  ): tf.Tensor3D {
    const { proof, network } = this;
    const product = dq && descent.weights.times(dq);
    const y = product ?? tf.zeros<tf.Rank.R3>(descent.backward.shape);
    const { gradient: own, rates, steps } = descent;
    const isLearning = rates.some((rate) => rate !== 0);
    const result = isLearning ? own.descend(y, kind === 'velocity' ? rates : steps, x) : y;
    const matrix = this.step(descent, dq);
    proof.range(matrix);
    if (kind === 'velocity') {
      proof.contribute(matrix, carried && squaredNorms(carried), (lane) => network.skipOf(lane));
    } else {
      const { backward, transposed } = descent;
      const back = transposed && dq && dots(transposed, dq);
      proof.update(matrix, product && dots(backward, product), back, dots(backward, result));
    }
    return result;
  }

  /** What the proof needs of a matrix, and of the change of what it takes. */
  private step(descent: Descent, dq?: tf.Tensor3D): MatrixStep {
    const { weights, backward, input, rates, steps, contributions } = descent;
    return {
      weights,
      rates,
      steps,
      contributions,
      place: this.place,
      inner: Math.max(input.shape[2], backward.shape[2]),
      squares: {
        backward: squaredNorms(backward),
        input: squaredNorms(input),
        inputChange: dq && squaredNorms(dq),
      },
    };
  }

  /**
   * The velocity of the backward pass, of `velocity` at what the chain makes: bdot_i = M^T bdot_{i+1} - eta G^T b_{i+1}, or
   * phi'(x_i) * bdot_{i+1}. The terms with phi'' are left out.
   *
   * @param ends whether nothing comes before, so that the first product back is none.
   * @param visit sees bdot_i.
   * @returns bdot at what the chain takes; or nothing.
   */
  backwardVelocity(
    velocity: tf.Tensor3D,
    ends = false,
    visit: (i: number, velocity: tf.Tensor3D) => void = () => {},
  ): tf.Tensor3D | undefined {
    const { activation } = this.network.settings;
    let bdot = velocity;
    let matrices = this.descents.length;
    for (let i = this.pieces.length - 1; i >= 0; i--) {
      if (this.pieces[i] === 'phi') bdot = activation.tangent(this.states[i]!, bdot);
      else if (ends && i === 0) return undefined;
      else {
        const descent = this.descents[--matrices]!;
        const { weights, backward, input, rates } = descent;
        const y = weights.transposeTimes(bdot);
        this.proof.range(this.step(descent));
        const transposed = gradient(input, backward);
        bdot = rates.every((rate) => rate === 0) ? y : transposed.descend(y, rates, backward);
        transposed.dispose();
      }
      visit(i, bdot);
    }
    return bdot;
  }

  dispose(): void {
    for (const { gradient: own } of this.descents) own.dispose();
    tf.dispose(this.owned);
  }

  /** Takes what it is given into its care. */
  own(tensor: tf.Tensor3D): tf.Tensor3D {
    this.owned.push(tf.keep(tensor));
    return tensor;
  }

  /** What an activation, piece i, makes of a state; if it never closes, a zero is one that float32 has rounded to it. */
  private activated(i: number, state: tf.Tensor3D, result: tf.Tensor3D): tf.Tensor3D {
    if (this.network.settings.activation.closes || result === state) return result;
    const { first, distance } = this.place;
    const given = squaredNorms(state);
    squaredNorms(result).forEach((square, lane) => {
      // The first piece takes what the layer before has made.
      if (square === 0 && given[lane]! > 0) this.proof.lose(first + lane, distance + (i === 0 ? 1 : 0), 0);
    });
    return result;
  }
}
