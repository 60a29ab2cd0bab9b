/**
 * The block of a layer with weights that are never formed, of one sample, by passes of the backend that are whole (see
 * `sampled-passes.as.ts`): what a `Chain` and the skip connection beside it do, from the same random numbers, and so with the
 * same results up to rounding. The sums that the passes come with are those of the proof and the measurements.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { keep, dispose as release } from '@tensorflow/tfjs-core';
import type { Piece } from '../../architectures/architecture.js';
import { filled, rememberDots, rememberSquares } from '../ops.js';
import {
  arrive,
  backward,
  change,
  emptySums,
  enter,
  enterChange,
  forward,
  hasSampledPasses,
  LANE_BYTES,
  type LayerForm,
  type Pass,
  SUM,
  SUMS,
  viewOf,
} from '../wasm/sampled-kernels.js';
import { normBoundOf, smallestOf } from '../weights/trained-weights.js';
import type { ChangeKind } from './chain.js';
import type { Train } from './lane.js';
import { type Learning, learning } from './learning.js';
import type { Network, NetworkSettings, Place } from './network.js';
import type { Proof } from './proof.js';

const BEGINS_WITH_PHI: readonly Piece[] = ['phi', 'hidden'];
const ENDS_WITH_PHI: readonly Piece[] = ['hidden', 'phi'];

/** How the layers are made, if the backend has passes for layers like that. */
function formOf({ architecture, activation }: NetworkSettings): LayerForm | undefined {
  const { block, hasSkip } = architecture;
  const is = (pieces: readonly Piece[]) => block.join() === pieces.join();
  const slope = activation.slopeBelow;
  if (slope === undefined || !(hasSkip ? is(BEGINS_WITH_PHI) : is(ENDS_WITH_PHI))) return undefined;
  return { slope, isInner: hasSkip };
}

/** A layer as it is when the passes have gone through it. */
interface Layer {
  readonly features: tf.Tensor3D;
  readonly backward?: tf.Tensor3D;
  readonly sampled?: SampledBlock;
}

/** What the blocks of a step share. */
export class SampledPasses {
  readonly sums: tf.Tensor3D[] = [];
  private readonly table: tf.Tensor3D;

  private constructor(
    readonly network: Network,
    readonly proof: Proof,
    /** By distance. */
    readonly layers: readonly Layer[],
    readonly form: LayerForm,
  ) {
    this.table = keep(
      filled([network.lanes.length, 1, LANE_BYTES / 4], ({ buffer, byteOffset }) => {
        network.lanes.forEach(({ seed, depth, sigma, branchScale }, lane) => {
          const { isInner } = form;
          const view = new DataView(buffer, byteOffset + lane * LANE_BYTES, LANE_BYTES);
          for (const [i, word] of [...seed, depth].entries()) view.setUint32(4 * i, word, true);
          view.setFloat64(24, branchScale * sigma.hidden, true);
          view.setFloat64(32, isInner ? network.skipOf(lane) : 0, true);
        });
      }),
    );
  }

  /** For a step of a network, if its backend has passes for layers like its own, and nothing asks for what is within them. */
  static of(
    network: Network,
    proof: Proof,
    layers: readonly Layer[],
    keepsStates = false,
  ): SampledPasses | undefined {
    const { settings, shape } = network;
    const isOfOneWidth = shape.samples === 1 && !shape.widths;
    const isPlain = isOfOneWidth && settings.weights === 'matrix-free' && !settings.isNormalized;
    if (!isPlain || keepsStates || network.hasDrawn || !hasSampledPasses()) return undefined;
    const form = formOf(settings);
    return form && new SampledPasses(network, proof, layers, form);
  }

  /** For a pass through the layer at a distance. */
  pass(distance: number): Pass {
    const { table, form, network } = this;
    return {
      form,
      table,
      sums: this.sumsAt(distance),
      sumsBefore: this.sumsAt(distance + 1),
      lanes: network.active(distance + 1),
      distance,
    };
  }

  sumsAt(distance: number): tf.Tensor3D {
    this.sums[distance] ??= keep(emptySums(this.network.active(distance)));
    return this.sums[distance];
  }

  dispose(): void {
    release([this.table, ...this.sums.filter((sums) => sums !== undefined)]);
  }
}

export class SampledBlock {
  learned: Learning = { rates: [], steps: [], contributions: [] };
  /** M q, and M^T b where that is not what comes back to the features. */
  private u: tf.Tensor3D | undefined;
  private t: tf.Tensor3D | undefined;
  readonly place: Place;

  constructor(
    private readonly passes: SampledPasses,
    private readonly distance: number,
  ) {
    this.place = passes.network.place('hidden', distance);
  }

  /** The features of this layer, of those before; the caller's. */
  forward(before: tf.Tensor3D): tf.Tensor3D {
    const { passes, distance } = this;
    const { network, form } = passes;
    const [first, end] = [network.active(distance + 2), network.active(distance + 1)];
    if (first < end) enter(form, passes.sumsAt(distance + 1), before, first, end);
    const [x, u] = forward(passes.pass(distance), before);
    this.u = keep(u);
    const sums = viewOf(passes.sumsAt(distance));
    rememberSquares(x, this.column(sums, SUM.features));
    if (!form.isInner) {
      rememberSquares(u, this.column(sums, SUM.image));
      passes.proof.finite(this.place, u);
    }
    return x;
  }

  /** What comes back to the features before, of z that has come back to those of this layer; the caller's. */
  backward(z: tf.Tensor3D): tf.Tensor3D {
    const { passes, distance, place } = this;
    const { network, form, layers } = passes;
    const [lanes, u] = [place.lanes.length, this.u!];
    if (distance === 1) {
      arrive(form, passes.sumsAt(1), { x: layers[1]!.features, u, z }, lanes);
    }
    const before = layers[distance + 1]!;
    const inner = network.active(distance + 2);
    const [t, back] = backward(passes.pass(distance), z, before.features, before.sampled?.u, inner);
    this.t = keep(t);
    rememberSquares(back, this.column(viewOf(passes.sumsAt(distance + 1)), SUM.featuresBackward));
    return back;
  }

  /** Sets the rate of its matrix, as `Chain.learnAt` does. */
  learnAt(train: Train, loss: (lane: number) => number, all = false): readonly number[] {
    const { passes, distance } = this;
    const before = viewOf(passes.sumsAt(distance + 1));
    const own = viewOf(passes.sumsAt(distance));
    const squaredNorm = () => {
      const squares = this.column(own, SUM.backward);
      for (let lane = 0; lane < squares.length; lane++) squares[lane]! *= before[lane * SUMS + SUM.input]!;
      return squares;
    };
    const matrices = [{ matrix: 'hidden', squaredNorm }] as const;
    const { learned, gradientNorms } = learning(passes.network, this.place, train, matrices, loss, all);
    this.learned = learned[0]!;
    return gradientNorms;
  }

  /** The change of the features of this layer, of that before; the caller's. */
  change(kind: ChangeKind, given: tf.Tensor3D): tf.Tensor3D {
    const { passes, distance } = this;
    const { network, form, layers } = passes;
    const isVelocity = kind === 'velocity';
    const [first, end] = [network.active(distance + 2), network.active(distance + 1)];
    if (first < end) {
      const tensors = { x: layers[distance + 1]!.features, t: this.t!, c: given };
      enterChange(form, isVelocity, passes.sumsAt(distance + 1), tensors, first, end);
    }
    const { features, backward } = layers[distance]!;
    const tensors = { given, x: features, u: this.u!, z: backward!, tNext: layers[distance - 1]?.sampled?.t };
    const rates = isVelocity ? this.learned.rates : this.learned.steps;
    const result = change(passes.pass(distance), isVelocity, rates, tensors);
    const sums = viewOf(passes.sumsAt(distance));
    rememberSquares(result, this.column(sums, SUM.change));
    rememberDots(backward!, result, this.column(sums, SUM.overlap));
    this.prove(kind, viewOf(passes.sumsAt(distance + 1)), sums);
    return result;
  }

  dispose(): void {
    this.u?.dispose();
    this.t?.dispose();
  }

  /** What the sums prove of this layer. */
  private prove(kind: ChangeKind, before: Float64Array, own: Float64Array): void {
    const { passes, place } = this;
    const { proof, network } = passes;
    const size = network.shape.width;
    const [b, q] = [this.column(own, SUM.backward), this.column(before, SUM.input)];
    const dq = this.column(before, SUM.inputChange);
    const sigma = (lane: number) => place.lanes[lane]!.branchScale * place.lanes[lane]!.sigma.hidden;
    const { rates, steps, contributions } = this.learned;
    const matrix = {
      rates,
      steps,
      contributions,
      place,
      inner: size,
      squares: { backward: b, input: q, inputChange: dq },
      weights: {
        normBound: (lane: number) => normBoundOf(sigma(lane), size, size),
        smallestProduct: (lane: number) => {
          const own = sigma(lane);
          const [ofQ, ofB] = [smallestOf(q[lane]!, size, own), smallestOf(b[lane]!, size, own)];
          return Math.min(ofQ, ofB, smallestOf(dq[lane]!, size, own));
        },
      },
    };
    proof.range(matrix);
    if (!network.settings.activation.closes) this.lose(before, own);
    if (kind === 'velocity') {
      const carried = this.column(before, SUM.change);
      proof.contribute(matrix, carried, (lane) => network.skipOf(lane));
    } else {
      const [back, fallen] = [this.column(before, SUM.transposed), this.column(own, SUM.fallen)];
      proof.updateWhole(matrix, back, fallen);
    }
  }

  /** An activation that never closes makes zero only of what float32 has rounded to it. */
  private lose(before: Float64Array, own: Float64Array): void {
    const { passes, place } = this;
    const pairs = passes.form.isInner
      ? ([
          [before, SUM.features, SUM.input],
          [before, SUM.change, SUM.inputChange],
        ] as const)
      : ([
          [own, SUM.image, SUM.features],
          [own, SUM.featuresBackward, SUM.backward],
        ] as const);
    for (const [sums, given, made] of pairs) {
      place.lanes.forEach((_, lane) => {
        const at = lane * SUMS;
        const distance = place.distance + (passes.form.isInner ? 1 : 0);
        if (sums[at + made] === 0 && sums[at + given]! > 0) passes.proof.lose(lane, distance, 0);
      });
    }
  }

  /** One of the sums, of each lane. */
  private column(sums: Float64Array, which: number): Float64Array {
    const count = this.place.lanes.length;
    const column = new Float64Array(count);
    for (let lane = 0, at = which; lane < count; lane++, at += SUMS) column[lane] = sums[at]!;
    return column;
  }
}
