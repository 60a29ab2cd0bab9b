/**
 * The layers of networks with weights that are never formed, of one sample, by passes of the backend that are whole (see
 * `wasm/sampled/passes.as.ts`): what a `Chain` and the skip connection beside it do, from the same random numbers, and so with the
 * same results up to rounding. The sums that the passes come with are those of the proof and the measurements.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Piece } from '../../../architectures/architecture.js';
import { dots, rememberSquares, squaredNorms } from '../../ops.js';
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
} from '../../wasm/sampled/kernels.js';
import { SampledStates } from '../../wasm/sampled/states.js';
import { type Chain, type ChangeKind, chainOf } from '../chain.js';
import type { FinishedLayer } from '../finished-step.js';
import { learns, type Train } from '../lane.js';
import { type Learning, learning } from '../learning.js';
import type { Network, NetworkSettings, Place } from '../network.js';
import type { Passes, StepNotes } from '../passes.js';
import type { Proof } from '../proof.js';
import { column, SampledProof } from './sampled-proof.js';

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
  /** What has come back to it, if it learns. */
  z?: tf.Tensor3D;
}

const learnsIn = ({ place }: Chain, train: Train) => place.lanes.some(({ depth }) => learns(train, 1, depth));

export class SampledPasses implements Passes {
  private readonly states: SampledStates;
  /** By distance. */
  private readonly beginnings: Beginning[] = [];
  private readonly learned: Learning[] = [];
  private readonly owned: tf.Tensor3D[] = [];
  /** The lanes that have a layer before, by distance. */
  private readonly places: readonly Place[];
  private readonly proofOfSums: SampledProof;

  private constructor(
    private readonly network: Network,
    private readonly proof: Proof,
    private readonly step: StepNotes,
    private readonly form: LayerForm,
  ) {
    const counts = Array.from({ length: network.farthest + 1 }, (_, distance) => network.active(distance));
    this.states = new SampledStates(network.shape.width, counts, form.isInner);
    this.places = counts.map((_, distance) => network.place('hidden', distance));
    this.proofOfSums = new SampledProof(network, proof, form);
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
  static of(network: Network, proof: Proof, step: StepNotes): SampledPasses | undefined {
    const { settings, shape } = network;
    const isOfOneWidth = shape.samples === 1 && !shape.widths;
    const isPlain = isOfOneWidth && settings.weights === 'matrix-free' && !settings.isNormalized;
    if (!isPlain || step.settings.keepsStates || network.hasDrawn || !hasSampledPasses()) return undefined;
    const form = formOf(settings);
    return form && new SampledPasses(network, proof, step, form);
  }

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
        proof.finite(this.places[distance]!, column(sums, SUM.image, inner));
      }
      const all = { distance, first: 0, lanes: network.lanes };
      proof.finite(all, column(sums, SUM.features, network.active(distance)));
    }
    return this.own(this.tensor('x', 1, SUM.features));
  }

  backward(arriving: tf.Tensor3D): void {
    const { network, states, form, step } = this;
    const { train, measuresAllGradients } = step.settings;
    const last = states.at(1);
    states.set(last.z, this.own(arriving).dataSync<'float32'>());
    arrive(form, last, network.lanes.length, network.shape.width);
    this.remember(1, SUM.featuresBackward, squaredNorms(arriving));
    for (let distance = 1; distance <= network.farthest; distance++) {
      const beginning = this.beginnings[distance];
      if (beginning && (measuresAllGradients || learnsIn(beginning.chain, train))) {
        const { chain, first } = beginning;
        beginning.z = chain.own(this.tensor('z', distance, SUM.featuresBackward, first));
        step.through(chain, beginning.z, true);
      }
      const place = this.places[distance]!;
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

  change(kind: ChangeKind, visit: (layer: FinishedLayer) => void): tf.Tensor3D {
    const { network, states, proof } = this;
    const isVelocity = kind === 'velocity';
    for (let distance = network.farthest; distance >= 1; distance--) {
      const inner = network.active(distance + 1);
      if (inner > 0) {
        const { rates, steps } = this.learned[distance]!;
        const [given, out] = [states.change(distance + 1), states.change(distance)];
        change(this.pass(distance), isVelocity, isVelocity ? rates : steps, given, out);
        const [before, own] = [states.sums(distance + 1), states.sums(distance)];
        this.proofOfSums.change(kind, this.places[distance]!, this.learned[distance]!, before, own);
      }
      const beginning = this.beginnings[distance];
      if (beginning) this.changeFirst(beginning, kind);
      const finished = new SampledLayer(this, distance, network.active(distance));
      if (isVelocity) proof.velocity(distance, finished.sums.overlap);
      visit(finished);
      finished.dispose();
    }
    return this.tensor('change', 1, SUM.change);
  }

  /** The change of the first layer of lanes, and the end of it. */
  private changeFirst({ chain, first, z }: Beginning, kind: ChangeKind): void {
    const { network, states, form, proof } = this;
    const { place } = chain;
    const { distance } = place;
    const c = states.change(distance, first);
    const change = z && tf.tidy(() => chain.change(kind));
    if (change) states.set(c, change.dataSync<'float32'>());
    else {
      states.clear(c, place.lanes.length);
      proof.range({ weights: network.weights('input', distance), place });
    }
    const own = states.at(distance, first);
    enterChange(form, kind === 'velocity', own, c, place.lanes.length, network.shape.width);
    if (change) {
      this.remember(distance, SUM.change, squaredNorms(change), first);
      this.remember(distance, SUM.overlap, dots(z, change), first);
      change.dispose();
    }
    chain.dispose();
    network.release(distance);
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
    tf.dispose(this.owned);
  }

  private own(tensor: tf.Tensor3D): tf.Tensor3D {
    this.owned.push(tensor);
    return tensor;
  }

  /** The embedding of the lanes that begin at a distance. */
  private begin(distance: number): Chain {
    const { network, proof } = this;
    const chain = chainOf('input', network, proof, distance);
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
}

/** A layer that is finished; its states are tensors only where they are asked for, and as long as it is visited. */
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
