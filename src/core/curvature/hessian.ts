/**
 * Products with the Hessian H of the loss in the weights, at a step that was taken with its states kept: the derivative R of
 * the backward pass along a direction of the weights, forward over backward (Pearlmutter 1994), exact but for rounding. With Z
 * the direction of a matrix M, and the states of `step/chain.ts`, every piece of a layer has
 *
 *     forward    R x_{i+1} = M R x_i + Z x_i                    phi'(x_i) * R x_i
 *     backward   R b_i = M^T R b_{i+1} + Z^T b_{i+1}            phi'(x_i) * R b_{i+1} + phi''(x_i) * R x_i * b_{i+1}
 *     gradient   R G = R b_{i+1} x_i^T + b_{i+1} (R x_i)^T
 *
 * from R f_1 = Z x on, and back from R b_L = (d^2 loss / d f_L^2) R f_L. Where phi is linear on either side of a kink, phi'' is 0:
 * H is that of the linear piece that the features are on.
 *
 * The operator is P H P with a factor of every matrix in P, so that directions are of unit size whatever the scales of the layers.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  add,
  balanced,
  innerProducts,
  joined,
  lanesOf,
  mul,
  outerProducts,
  plus,
  product,
  read,
  scaled,
  squaredNorms,
} from '../ops.js';
import type { Chain, Descent } from '../step/chain.js';
import type { Step } from '../step/step.js';
import { SMALLEST } from '../weights/trained-weights.js';
import type { Block, Image, Operator } from './lanczos.js';

/** A matrix with its factor in P, by its lanes. */
interface Matrix {
  readonly chain: Chain;
  readonly descent: Descent;
  readonly factors: readonly number[];
}

export class Hessian implements Operator {
  readonly lanes: number;
  /** As in the descents of the step. */
  readonly matrices: readonly Matrix[];
  /** Whether a lane has lost numbers below the range of float32, in any product so far. */
  readonly isLost: boolean[];
  private readonly tangents = new Map<Chain, ChainTangent>();

  /**
   * @param step that was taken, with its states kept; they must live as long as this. Of weights that are formed.
   * @param factorsOf the factor of a matrix in P, by its lanes; 0 where it is left out.
   */
  constructor(
    private readonly step: Step,
    factorsOf: (descent: Descent, chain: Chain) => readonly number[],
  ) {
    const { network, layers, readout } = step;
    this.lanes = network.lanes.length;
    this.isLost = network.lanes.map(() => false);
    const ofLayers = layers.flatMap(({ block, embedding, backward }) => [
      [block, () => lanesOf(backward!, 0, block!.place.lanes.length)] as const,
      [embedding, () => lanesOf(backward!, embedding!.place.first)] as const,
    ]);
    const all: Matrix[] = [];
    for (const [chain, b] of [[readout, () => readout.descents[0]!.backward] as const, ...ofLayers]) {
      if (!chain) continue;
      const own = chain.descents.map((descent) => ({ chain, descent, factors: factorsOf(descent, chain) }));
      this.tangents.set(chain, new ChainTangent(chain, b, own, all.length, this.isLost));
      for (const matrix of own) all.push(matrix);
    }
    this.matrices = all;
  }

  get blocks(): readonly Block[] {
    return this.matrices.map(({ chain: { place } }) => ({ first: place.first, lanes: place.lanes.length }));
  }

  times(direction: readonly tf.Tensor3D[]): Image[] {
    const images: Image[] = new Array(direction.length);
    const asides = this.step.descents.map(({ weights }) => weights.aside());
    tf.tidy(() => {
      this.backward(this.forward(direction), direction, images);
    });
    asides.forEach((end, i) => {
      end().forEach((smallest, lane) => {
        if (smallest < SMALLEST) this.isLost[this.matrices[i]!.chain.place.first + lane] = true;
      });
    });
    return images;
  }

  dispose(): void {
    for (const tangent of this.tangents.values()) tangent.dispose();
  }

  /** R f_L. */
  private forward(direction: readonly tf.Tensor3D[]): tf.Tensor3D {
    const { network, layers, readout } = this.step;
    let moved: tf.Tensor3D | undefined;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const { block, embedding } = layers[distance]!;
      const parts: tf.Tensor3D[] = [];
      if (block) parts.push(network.addSkip(this.at(block).forward(moved, direction), moved!));
      if (embedding) parts.push(this.at(embedding).forward(undefined, direction));
      moved = joined(parts);
    }
    return this.at(readout).forward(moved, direction);
  }

  private backward(moved: tf.Tensor3D, direction: readonly tf.Tensor3D[], images: Image[]): void {
    const { network, layers, readout, output } = this.step;
    const { samples, outputWidth } = network.shape;
    const change = read(moved);
    const curvature = output.eachLane((loss, _, own) =>
      loss.curvature(own(output.values), own(change), network.shape),
    );
    const size = samples * outputWidth;
    network.lanes.forEach((_, lane) => {
      const own = curvature.subarray(lane * size, (lane + 1) * size);
      const rms = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / size);
      if (rms > 0 && rms < SMALLEST) this.isLost[lane] = true;
    });
    const slope = Float32Array.from(curvature);
    let arriving = this.at(readout).backward(
      network.upload(slope, network.lanes.length, samples, outputWidth),
      direction,
      images,
    )!;
    for (let distance = 1; ; distance++) {
      const { block, embedding } = layers[distance]!;
      const continuing = network.active(distance + 1);
      if (embedding) this.at(embedding).backward(lanesOf(arriving, continuing), direction, images, true);
      if (!block) return;
      const own = lanesOf(arriving, 0, continuing);
      arriving = network.addSkip(this.at(block).backward(own, direction, images)!, own);
    }
  }

  private at(chain: Chain): ChainTangent {
    return this.tangents.get(chain)!;
  }
}

/** What a direction of the weights does to one layer. */
class ChainTangent {
  /** R x_i; none where nothing before moves. */
  private moved: (tf.Tensor3D | undefined)[] = [];
  /** phi''(x_i) * b_{i+1}, where it is not 0 throughout. */
  private readonly bends: (tf.Tensor3D | undefined)[] = [];

  /**
   * @param b at what the chain makes.
   * @param offset of its first matrix, among those of all chains.
   */
  constructor(
    private readonly chain: Chain,
    b: () => tf.Tensor3D,
    private readonly matrices: readonly Matrix[],
    private readonly offset: number,
    private readonly isLost: boolean[],
  ) {
    const { pieces, states, network } = chain;
    const { bend } = network.settings.activation;
    if (!bend) return;
    tf.tidy(() => {
      let matrix = matrices.length;
      let arriving = b();
      for (let i = pieces.length - 1; i >= 0; i--) {
        if (pieces[i] === 'phi') this.bends[i] = tf.keep(bend(states[i]!, arriving));
        else {
          const { weights, backward } = matrices[--matrix]!.descent;
          const end = weights.aside();
          if (pieces[i - 1] === 'phi') arriving = weights.transposeTimes(backward);
          end();
        }
      }
    });
  }

  forward(moved: tf.Tensor3D | undefined, direction: readonly tf.Tensor3D[]): tf.Tensor3D {
    const { pieces, states, network } = this.chain;
    this.moved = [moved];
    let matrix = 0;
    pieces.forEach((piece, i) => {
      const dx = this.moved[i];
      if (piece === 'phi') this.moved[i + 1] = dx && network.settings.activation.tangent(states[i]!, dx);
      else {
        const { descent, factors } = this.matrices[matrix]!;
        const z = direction[this.offset + matrix++]!;
        const y = dx
          ? descent.weights.times(dx)
          : tf.zeros<tf.Rank.R3>([factors.length, states[i]!.shape[1], z.shape[1]]);
        this.moved[i + 1] = this.added(y, factors, states[i]!, (x) => innerProducts(x, z));
      }
    });
    return this.moved.at(-1)!;
  }

  /** @returns R b at what the chain takes; nothing where nothing comes before. */
  backward(
    slope: tf.Tensor3D,
    direction: readonly tf.Tensor3D[],
    images: Image[],
    ends = false,
  ): tf.Tensor3D | undefined {
    const { pieces, states, network } = this.chain;
    let db = slope;
    let matrix = this.matrices.length;
    for (let i = pieces.length - 1; i >= 0; i--) {
      const dx = this.moved[i];
      if (pieces[i] === 'phi') {
        const bent = this.bends[i];
        const passed = network.settings.activation.tangent(states[i]!, db);
        db = bent && dx ? add(passed, mul(bent, dx)) : passed;
        continue;
      }
      const { descent, factors } = this.matrices[--matrix]!;
      const { backward, weights } = descent;
      const products = [[db, states[i]!] as const, ...(dx ? [[backward, dx] as const] : [])];
      images[this.offset + matrix] = imageOf(products, factors);
      if (ends && i === 0) return undefined;
      const z = direction[this.offset + matrix]!;
      db = this.added(weights.transposeTimes(db), factors, backward, (b) => product(b, z));
    }
    return db;
  }

  dispose(): void {
    tf.dispose(this.bends.filter((bend) => bend !== undefined));
  }

  /** y + factor Z x of each lane, whatever the size of x; noted where float32 does not hold it. */
  private added(
    y: tf.Tensor3D,
    factors: readonly number[],
    x: tf.Tensor3D,
    times: (x: tf.Tensor3D) => tf.Tensor3D,
  ): tf.Tensor3D {
    const { state, scale } = balanced(x);
    const moved = times(state);
    const own = factors.map((factor, i) => factor * scale[i]!);
    const sum = plus(y, own, moved);
    const size = sum.shape[1] * sum.shape[2];
    const [before, after] = [squaredNorms(moved), squaredNorms(sum)];
    own.forEach((factor, i) => {
      const isMoved = after[i]! > 0 || factor * Math.sqrt(before[i]!) > 0;
      if (isMoved && Math.sqrt(after[i]! / size) < SMALLEST) this.isLost[this.chain.place.first + i] = true;
    });
    return sum;
  }
}

/** factor (b x^T + b' x'^T) of each lane, as a matrix and its scale. */
function imageOf(pairs: readonly (readonly [tf.Tensor3D, tf.Tensor3D])[], factors: readonly number[]): Image {
  let scale = new Float64Array(factors.length);
  const state = tf.tidy(() => {
    const terms = pairs.map(([b, x]) => {
      const [left, right] = [balanced(b), balanced(x)];
      const own = left.scale.map((each, i) => each * right.scale[i]! * factors[i]!);
      return { matrix: outerProducts(left.state, right.state), own };
    });
    scale = terms[0]!.own.map((own, i) => Math.max(own, terms[1]?.own[i] ?? 0) || 1);
    const shares = terms.map(({ own }) => own.map((each, i) => each / scale[i]!));
    const first = scaled(terms[0]!.matrix, shares[0]!);
    return tf.keep(terms[1] ? plus(first, shares[1]!, terms[1].matrix) : first);
  });
  return { state, scale };
}
