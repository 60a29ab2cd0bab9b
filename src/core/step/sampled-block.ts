/**
 * The layers of networks with weights that are never formed, of one sample, by passes of the backend that are whole (see
 * `sampled-passes.as.ts`): what a `Chain` and the skip connection beside it do, from the same random numbers, and so with the
 * same results up to rounding. The sums that the passes come with are those of the proof and the measurements.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Piece } from '../../architectures/architecture.js';
import { dots, rememberSquares, squaredNorms } from '../ops.js';
import {
  arrive,
  backward,
  change,
  enter,
  enterChange,
  forward,
  hasSampledPasses,
  LANE_BYTES,
  type LayerForm,
  type Pass,
  SUM,
  SUMS,
} from '../wasm/sampled-kernels.js';
import { SampledStates } from '../wasm/sampled-states.js';
import { normBoundOf, smallestOf } from '../weights/trained-weights.js';
import { Chain, type ChangeKind } from './chain.js';
import type { FinishedLayer } from './finished-step.js';
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

/** The first layer of the lanes that begin at a distance. */
interface Beginning {
  readonly chain: Chain;
  /** The first of the lanes. */
  readonly first: number;
  /** What has come back to it. */
  z?: tf.Tensor3D;
}

/** What the passes ask of the step that they are of. */
export interface OwnStep {
  /** Passes b back through a chain with nothing before it, and notes what its matrices learn. */
  end(chain: Chain, b: tf.Tensor3D): void;
  /** Notes |G_l| and C_l. */
  note(place: Place, gradientNorms: readonly number[], learned: readonly Learning[]): void;
  /** The loss before the step. */
  loss(lane: number): number;
  readonly settings: { readonly train: Train; readonly measuresAllGradients?: boolean };
}

export class SampledPasses {
  private readonly states: SampledStates;
  /** By distance. */
  private readonly beginnings: Beginning[] = [];
  private readonly learned: Learning[] = [];

  private constructor(
    private readonly network: Network,
    private readonly proof: Proof,
    private readonly form: LayerForm,
  ) {
    const counts = Array.from({ length: network.farthest + 1 }, (_, distance) => network.active(distance));
    this.states = new SampledStates(network.shape.width, counts, form.isInner);
    const table = this.states.lanes();
    network.lanes.forEach(({ seed, depth, sigma, branchScale }, lane) => {
      const at = lane * LANE_BYTES;
      for (let i = 0; i < 4; i++) table.setUint32(at + 4 * i, seed[i]!, true);
      table.setUint32(at + 16, depth, true);
      table.setFloat64(at + 24, branchScale * sigma.hidden, true);
      table.setFloat64(at + 32, form.isInner ? network.skipOf(lane) : 0, true);
    });
  }

  /** For a step of a network, if its backend has passes for layers like its own, and nothing asks for what is within them. */
  static of(network: Network, proof: Proof, keepsStates = false): SampledPasses | undefined {
    const { settings, shape } = network;
    const isOfOneWidth = shape.samples === 1 && !shape.widths;
    const isPlain = isOfOneWidth && settings.weights === 'matrix-free' && !settings.isNormalized;
    if (!isPlain || keepsStates || network.hasDrawn || !hasSampledPasses()) return undefined;
    const form = formOf(settings);
    return form && new SampledPasses(network, proof, form);
  }

  /** The features of all layers; the caller gets those of the last. */
  forward(): tf.Tensor3D {
    const { network, states, form, proof } = this;
    const { width } = network.shape;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const inner = network.active(distance + 1);
      if (inner > 0) forward(this.pass(distance));
      if (network.active(distance) > inner) {
        const chain = this.begin(distance);
        const features = tf.tidy(() => chain.forward(network.input(distance)));
        const own = states.at(distance, inner);
        states.set(own.x, features.dataSync<'float32'>());
        enter(form, own, chain.place.lanes.length, width);
        this.remember(distance, SUM.features, squaredNorms(features), inner);
        features.dispose();
      }
      const sums = states.sums(distance);
      if (!form.isInner && inner > 0) {
        proof.finite(network.place('hidden', distance), column(sums, SUM.image, inner));
      }
      const all = { distance, first: 0, lanes: network.lanes };
      proof.finite(all, column(sums, SUM.features, network.active(distance)));
    }
    return this.tensor('x', 1, SUM.features);
  }

  /** The backward pass of all layers, of what has come back to the last, with the gradients and rates of their matrices. */
  backward(arriving: tf.Tensor3D, step: OwnStep): void {
    const { network, states, form } = this;
    const { train, measuresAllGradients } = step.settings;
    const last = states.at(1);
    states.set(last.z, arriving.dataSync<'float32'>());
    arrive(form, last, network.lanes.length, network.shape.width);
    this.remember(1, SUM.featuresBackward, squaredNorms(arriving));
    for (let distance = 1; distance <= network.farthest; distance++) {
      const beginning = this.beginnings[distance];
      if (beginning) {
        const { chain, first } = beginning;
        beginning.z = chain.own(this.tensor('z', distance, SUM.featuresBackward, first));
        step.end(chain, beginning.z);
      }
      const place = network.place('hidden', distance);
      if (place.lanes.length === 0) continue;
      backward(this.pass(distance), network.active(distance + 2));
      const squaredNorm = () => {
        const squares = column(states.sums(distance), SUM.backward, place.lanes.length);
        const before = states.sums(distance + 1);
        for (let i = 0; i < squares.length; i++) squares[i]! *= before[i * SUMS + SUM.input]!;
        return squares;
      };
      const matrices = [{ matrix: 'hidden', squaredNorm }] as const;
      const loss = (lane: number) => step.loss(lane);
      const result = learning(network, place, train, matrices, loss, measuresAllGradients);
      this.learned[distance] = result.learned[0]!;
      step.note(place, result.gradientNorms, result.learned);
    }
  }

  /** The change of the features of all layers, each shown to `visit`; the caller gets that of the last. */
  change(kind: ChangeKind, visit: (layer: FinishedLayer) => void): tf.Tensor3D {
    const { network, states, form, proof } = this;
    const isVelocity = kind === 'velocity';
    const { width } = network.shape;
    for (let distance = network.farthest; distance >= 1; distance--) {
      const inner = network.active(distance + 1);
      if (inner > 0) {
        const { rates, steps } = this.learned[distance]!;
        const [given, out] = [states.change(distance + 1), states.change(distance)];
        change(this.pass(distance), isVelocity, isVelocity ? rates : steps, given, out);
        this.prove(kind, distance);
      }
      const beginning = this.beginnings[distance];
      if (beginning) {
        const { chain, z } = beginning;
        const begun = tf.tidy(() => chain.change(kind));
        const [own, c] = [states.at(distance, inner), states.change(distance, inner)];
        states.set(c, begun.dataSync<'float32'>());
        enterChange(form, isVelocity, own, c, chain.place.lanes.length, width);
        this.remember(distance, SUM.change, squaredNorms(begun), inner);
        this.remember(distance, SUM.overlap, dots(z!, begun), inner);
        begun.dispose();
        chain.dispose();
      }
      const finished = new SampledLayer(this, distance, network.active(distance));
      if (isVelocity) proof.velocity(distance, finished.sums.overlap);
      visit(finished);
      finished.dispose();
    }
    return this.tensor('change', 1, SUM.change);
  }

  /** A state of a layer, from a lane on, with its squared norms; the caller's. */
  tensor(state: 'x' | 'z' | 'change', distance: number, squares: number, first = 0): tf.Tensor3D {
    const { states, network } = this;
    const at = state === 'change' ? states.change(distance, first) : states.at(distance, first)[state];
    const tensor = tf.keep(states.tensor(at, network.active(distance) - first));
    rememberSquares(tensor, this.sums(distance, squares).subarray(first));
    return tensor;
  }

  /** One of the sums of a layer, of each lane. */
  sums(distance: number, which: number): Float64Array {
    return column(this.states.sums(distance), which, this.network.active(distance));
  }

  dispose(): void {
    this.states.dispose();
  }

  /** The embedding of the lanes that begin at a distance. */
  private begin(distance: number): Chain {
    const { network, proof } = this;
    const { embedding } = network.settings.architecture;
    const chain = new Chain(network, proof, network.place('input', distance), embedding);
    this.beginnings[distance] = { chain, first: network.active(distance + 1) };
    return chain;
  }

  /** For a pass through the layer at a distance, of the lanes that have one before. */
  private pass(distance: number): Pass {
    const { form, network, states } = this;
    return {
      form,
      size: network.shape.width,
      lanes: network.active(distance + 1),
      distance,
      table: states.table,
      own: states.at(distance),
      before: states.at(distance + 1),
    };
  }

  /** Writes a sum of a layer, of lanes from `first` on. */
  private remember(distance: number, which: number, values: Float64Array, first = 0): void {
    const sums = this.states.sums(distance);
    values.forEach((value, i) => {
      sums[(first + i) * SUMS + which] = value;
    });
  }

  /** What the sums prove of a layer. */
  private prove(kind: ChangeKind, distance: number): void {
    const { proof, network, states } = this;
    const place = network.place('hidden', distance);
    const size = network.shape.width;
    const count = place.lanes.length;
    const [before, own] = [states.sums(distance + 1), states.sums(distance)];
    const [b, q] = [column(own, SUM.backward, count), column(before, SUM.input, count)];
    const dq = column(before, SUM.inputChange, count);
    const sigma = (lane: number) => place.lanes[lane]!.branchScale * place.lanes[lane]!.sigma.hidden;
    const matrix = {
      ...this.learned[distance]!,
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
    if (!network.settings.activation.closes) this.lose(place, before, own);
    if (kind === 'velocity') {
      proof.contribute(matrix, column(before, SUM.change, count), (lane) => network.skipOf(lane));
    } else {
      proof.updateWhole(matrix, column(before, SUM.transposed, count), column(own, SUM.fallen, count));
    }
  }

  /** An activation that never closes makes zero only of what float32 has rounded to it. */
  private lose(place: Place, before: Float64Array, own: Float64Array): void {
    const { isInner } = this.form;
    const pairs = isInner
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
        const distance = place.distance + (isInner ? 1 : 0);
        if (sums[at + made] === 0 && sums[at + given]! > 0) this.proof.lose(lane, distance, 0);
      });
    }
  }
}

/** A layer that is finished. Its states are tensors only where they are asked for, and as long as it is visited. */
class SampledLayer implements FinishedLayer {
  readonly sums;
  private readonly tensors = new Map<string, tf.Tensor3D>();

  constructor(
    private readonly passes: SampledPasses,
    readonly distance: number,
    readonly active: number,
  ) {
    this.sums = {
      features: passes.sums(distance, SUM.features),
      backward: passes.sums(distance, SUM.featuresBackward),
      change: passes.sums(distance, SUM.change),
      overlap: passes.sums(distance, SUM.overlap),
    };
  }

  get features(): tf.Tensor3D {
    return this.tensor('x', SUM.features);
  }

  get backward(): tf.Tensor3D {
    return this.tensor('z', SUM.featuresBackward);
  }

  get change(): tf.Tensor3D {
    return this.tensor('change', SUM.change);
  }

  dispose(): void {
    tf.dispose([...this.tensors.values()]);
  }

  private tensor(state: 'x' | 'z' | 'change', squares: number): tf.Tensor3D {
    const tensor = this.tensors.get(state) ?? this.passes.tensor(state, this.distance, squares);
    this.tensors.set(state, tensor);
    return tensor;
  }
}

/** One of the sums, of the first `count` lanes. */
function column(sums: Float64Array, which: number, count: number): Float64Array {
  const column = new Float64Array(count);
  for (let lane = 0, at = which; lane < count; lane++, at += SUMS) column[lane] = sums[at]!;
  return column;
}
