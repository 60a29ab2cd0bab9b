/**
 * The proof of a step by itself: identities that hold exactly, whatever the network, checked in every lane at every layer.
 * What is left of them is rounding, for which there is a bound; a lane beyond it is not a result.
 *
 *     Thm 2.1     <b_v, fdot_v> = - sum_{l <= v} C_l                              a velocity
 *     loss decay  d loss / dt = <b_L, fdot_L> = - sum_l C_l                       a velocity
 *     adjoint     <b_l, M_l dq_{l-1}> = <M_l^T b_l, dq_{l-1}>                     an update
 *     descent     <b_l, -dt eta_l G_l (q_{l-1} + dq_{l-1})> = - dt C_l (1 + rho)  an update; |rho| <= |b_l| |dq_{l-1}| / |G_l|
 *     Eq. 8       sum_l C_l = trained layers / L                                  scale-invariant rates
 *     Eq. 7       n m |b_{L-1}|_rms cos(theta_{L-1}) = 1                          scales of `auto`
 *     Euler       <bdot_v, f_v> + <b_v, fdot_v> is the same at every v            homogeneous activations
 *     range       no vector, and no product, lost digits below 2^-126             always
 *
 * The second line of an update is how its difference to the velocity shrinks: as dq, that is as dt.
 *
 * **Rounding.** Each term of the recursions is rounded to eps = 2^-24 of its own size, and a product of a matrix with
 * `inner` columns, summed in float32, to eps sqrt(inner) of |M| |x| at the most that was seen. So a layer adds to the
 * deviation of Thm 2.1 at the most
 *
 *     ROUNDING eps (1 + sqrt(inner) / 8) |b_l| ( a |fdot_{l-1}| + |M_l| |qdot_{l-1}| + eta_l |b_l| |q_{l-1}|^2 )
 *
 * which is nowhere compared with a sum that may cancel.
 */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { dots, squaredNorms } from '../ops.js';
import { SMALLEST, type TrainedWeights } from '../weights/trained-weights.js';
import type { Lane } from './lane.js';
import type { Learning } from './learning.js';
import type { Place } from './network.js';

export type Identity =
  | 'Thm 2.1'
  | 'loss decay'
  | 'adjoint'
  | 'descent'
  | 'Eq. 7'
  | 'Eq. 8'
  | 'Euler'
  | 'range';

/** An identity that a lane breaks. */
export interface Broken {
  readonly layer: number;
  readonly identity: Identity;
  /** How far its sides are apart, and how far rounding could drive them, as shares of what they are made of. */
  readonly deviation: number;
  readonly bound: number;
}

/** A matrix whose products were taken, on the lanes that have it. */
interface Products {
  readonly weights: Pick<TrainedWeights, 'normBound' | 'smallestProduct'>;
  /** The layer that it leads to. */
  readonly place: Place;
}

/** What it does in a step. */
export interface MatrixStep extends Products, Learning {
  /** The larger of its dimensions. */
  readonly inner: number;
  /** |b_l|^2 and |q_{l-1}|^2, and that of the change of q_{l-1}: none where nothing before it moves. */
  readonly squares: {
    readonly backward: ArrayLike<number>;
    readonly input: ArrayLike<number>;
    readonly inputChange?: ArrayLike<number> | undefined;
  };
}

/** 2^-24, half the distance of two neighbours near 1. */
const EPSILON = 1 / 16_777_216;

/**
 * Seven times what rounding was seen to do in 60 random experiments; and more than the 1e-6 of a vector by which a product that is
 * drawn may take it for known (`matrix-free-weights.ts`).
 */
const ROUNDING = 24;

/** Eq. 7 is solved for a b_L that is within 1e-5 rad of that of a pilot step, rounded as this one is. */
export const EQUATION_7 = 1e-4;
const EQUATION_8 = 1e-9;

export class Proof {
  /** By lane. */
  readonly broken: (Broken | undefined)[];
  /** The first layer at which a number was not finite, by lane. */
  readonly overflow: (number | undefined)[];
  /** sum_{l <= v} C_l so far, and what rounding may add to it. */
  private readonly decay: Float64Array;
  private readonly reach: Float64Array;
  /** <b_v, fdot_v> by distance, with what rounding may do to it. */
  private readonly passed: { overlaps: Float64Array; reach: Float64Array }[] = [];
  /** <bdot_L, f_L> + <b_L, fdot_L>, and what rounding may do to the same sum at the layers so far. */
  private euler = { sum: new Float64Array(), reach: new Float64Array() };

  constructor(
    private readonly lanes: readonly Lane[],
    /** C_l, by lane and layer. */
    private readonly contributions: readonly Float64Array[],
  ) {
    this.broken = lanes.map(() => undefined);
    this.overflow = lanes.map(() => undefined);
    this.decay = new Float64Array(lanes.length);
    this.reach = new Float64Array(lanes.length);
  }

  /** Adds what a matrix contributes to a velocity; `carried` is |x|^2 of that which goes on beside it, and `skip` its factor a. */
  contribute(matrix: MatrixStep, carried?: ArrayLike<number>, skip?: (lane: number) => number): void {
    const { backward: b, input: q, inputChange: dq } = matrix.squares;
    const rounding = roundingOf(matrix);
    this.eachLane(matrix, (lane, i) => {
      const norm = Math.sqrt(b[i]!);
      const moved = dq ? matrix.weights.normBound(i) * Math.sqrt(dq[i]!) : 0;
      const kept = carried && skip ? skip(lane) * Math.sqrt(carried[i]!) : 0;
      this.decay[lane]! += matrix.contributions[i]!;
      this.reach[lane]! += rounding * norm * (kept + moved + Math.abs(matrix.rates[i]!) * norm * q[i]!);
    });
  }

  /**
   * Thm 2.1 at the layers of a distance, all contributions up to them being added; and the loss decay at the last.
   *
   * @param overlaps <b_v, fdot_v>.
   */
  velocity(distance: number, overlaps: Float64Array): void {
    this.passed[distance] = { overlaps, reach: this.reach.slice(0, overlaps.length) };
    overlaps.forEach((overlap, lane) => {
      const identity = distance === 0 ? 'loss decay' : 'Thm 2.1';
      this.hold(lane, distance, identity, overlap + this.decay[lane]!, this.reach[lane]!, this.decay[lane]!);
    });
  }

  /**
   * Euler's theorem at the layers of a distance, which come from the last to the first, if the step was a velocity.
   *
   * @param features f_v, and `velocity` bdot_v; at distance 0 of the output.
   */
  backwardVelocity(distance: number, features: Tensor3D, velocity: Tensor3D): void {
    if (!this.passed[distance]) return;
    const { overlaps, reach } = this.passed[distance];
    const [f, bdot] = [features, velocity].map(squaredNorms);
    const sum = dots(features, velocity).map((dot, lane) => dot + overlaps[lane]!);
    if (distance === 0) this.euler = { sum, reach: this.reach.slice() };
    const rounding = ROUNDING * EPSILON * (1 + Math.sqrt(features.shape[2]) / 8);
    sum.forEach((value, lane) => {
      const size = Math.sqrt(f![lane]! * bdot![lane]!);
      this.euler.reach[lane]! += rounding * size;
      const bound = this.euler.reach[lane]! + reach[lane]!;
      this.hold(
        lane,
        distance,
        'Euler',
        value - this.euler.sum[lane]!,
        bound,
        size + Math.abs(overlaps[lane]!),
      );
    });
  }

  /**
   * The two identities of an update at one matrix, whose change d is M_l dq_{l-1} less dt eta_l G_l (q_{l-1} + dq_{l-1}).
   *
   * @param there <b_l, M_l dq_{l-1}>, and `back` <M_l^T b_l, dq_{l-1}>; none where nothing before moves.
   * @param fallen <b_l, d>.
   */
  update(
    matrix: MatrixStep,
    there: ArrayLike<number> | undefined,
    back: ArrayLike<number> | undefined,
    fallen: ArrayLike<number>,
  ): void {
    const { distance } = matrix.place;
    const rounding = roundingOf(matrix);
    this.eachLane(matrix, (lane, i) => {
      const size = productOf(matrix, i);
      if (there && back) {
        this.hold(lane, distance, 'adjoint', there[i]! - back[i]!, rounding * size, size);
      }
      if (matrix.rates[i] !== 0) {
        this.descent(matrix, lane, i, fallen[i]! - (there?.[i] ?? 0), size, rounding);
      }
    });
  }

  /** The same where <b_l, M_l dq_{l-1}> is known from the way back alone: both identities in one. */
  updateWhole(matrix: MatrixStep, back: ArrayLike<number>, fallen: ArrayLike<number>): void {
    const { distance } = matrix.place;
    const rounding = roundingOf(matrix);
    this.eachLane(matrix, (lane, i) => {
      const rest = fallen[i]! - back[i]!;
      const size = productOf(matrix, i);
      if (matrix.rates[i] === 0) this.hold(lane, distance, 'adjoint', rest, rounding * size, size);
      else this.descent(matrix, lane, i, rest, size, rounding);
    });
  }

  /** The descent at one matrix of a lane, by <b_l, -dt eta_l G_l (q_{l-1} + dq_{l-1})>; `size` is that of <b_l, M_l dq_{l-1}>. */
  private descent(
    matrix: MatrixStep,
    lane: number,
    i: number,
    fall: number,
    size: number,
    rounding: number,
  ): void {
    const { rates, steps, contributions, squares, place } = matrix;
    const b = squares.backward[i]!;
    const change = squares.inputChange?.[i] ?? 0;
    const decay = (contributions[i]! * steps[i]!) / rates[i]!;
    const curved = Math.sqrt(b * change * Math.abs(decay * steps[i]!));
    const summed = size + Math.abs(steps[i]!) * b * (squares.input[i]! + change);
    const bound = curved * (1 + 1e-6) + rounding * summed;
    this.hold(lane, place.distance, 'descent', fall + decay, bound, Math.abs(decay));
  }

  /** Eq. 8: what all layers that learn contribute, `trained` of them with a gradient. */
  balance(lane: number, trained: number): void {
    const { depth } = this.lanes[lane]!;
    let sum = 0;
    for (const c of this.contributions[lane]!) sum += c;
    const share = trained / depth;
    this.hold(lane, 0, 'Eq. 8', sum - share, EQUATION_8 * share, share);
  }

  /** Eq. 7 from |b_{L-1}|_rms cos(theta_{L-1}) n m. */
  normalization(lane: number, product: number): void {
    this.hold(lane, 1, 'Eq. 7', product - 1, EQUATION_7, 1);
  }

  /** Says that a lane lost numbers at the lower end of the range of float32: entries of size `typical` at a layer. */
  lose(lane: number, distance: number, typical: number): void {
    this.break(lane, distance, 'range', typical, SMALLEST);
  }

  /** Whether the products of a matrix stayed in range. */
  range(matrix: Products): void {
    this.eachLane(matrix, (lane, i) => {
      const smallest = matrix.weights.smallestProduct(i);
      if (smallest < SMALLEST) this.lose(lane, matrix.place.distance, smallest);
    });
  }

  /** Notes the lanes in which a state has an entry that is not finite, by its squared norm: that of float32 is, in float64. */
  finite({ distance, first, lanes }: Place, squares: Float64Array): void {
    for (let i = 0; i < squares.length; i++) {
      if (!Number.isFinite(squares[i]!)) this.overflow[first + i] ??= lanes[i]!.depth - distance;
    }
  }

  /** Notes an identity whose sides differ by more than rounding; the first of a lane stands. */
  hold(
    lane: number,
    distance: number,
    identity: Identity,
    deviation: number,
    bound: number,
    scale: number,
  ): void {
    if (Math.abs(deviation) <= bound) return;
    if (Number.isFinite(deviation) && Number.isFinite(bound)) {
      this.break(lane, distance, identity, Math.abs(deviation / scale), bound / scale);
    } else this.overflow[lane] ??= this.lanes[lane]!.depth - distance;
  }

  private break(lane: number, distance: number, identity: Identity, deviation: number, bound: number): void {
    this.broken[lane] ??= { layer: this.lanes[lane]!.depth - distance, identity, deviation, bound };
  }

  private eachLane({ place: { first, lanes } }: Products, visit: (lane: number, i: number) => void): void {
    for (let i = 0; i < lanes.length; i++) visit(first + i, i);
  }
}

/** Rounding of the products with a matrix, there and back, relative to |M| |x|. */
function roundingOf({ inner }: MatrixStep): number {
  return ROUNDING * EPSILON * (1 + Math.sqrt(inner) / 8);
}

/** |b_l| |M_l| |dq_{l-1}| at the most. */
function productOf({ squares, weights }: MatrixStep, i: number): number {
  const change = squares.inputChange?.[i] ?? 0;
  return Math.sqrt(squares.backward[i]!) * weights.normBound(i) * Math.sqrt(change);
}
