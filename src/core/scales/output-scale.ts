/**
 * The scale s of W_L at which Eq. 7 holds, n m |b_{L-1}|_rms cos(theta_{L-1}) = 1, found with few velocity steps.
 *
 * Features and gates do not depend on s, and b_{L-1} = s W_L^T b_L with b_L = loss'(s f) is linear in b_L. With rates of Eq. 8,
 * as with given ones, the angle does not depend on the length of b_L but on its direction u = b_L / |b_L|. So the left side is
 *
 *     H(s) = s |b_L(s)|_2 rho(u(s)),     rho(u) = sqrt(n m) |W_L^T u|_2 cos theta_{L-1}(u)
 *
 * where the first factors are known without a network, and rho, which is a velocity step, changes only as u turns. For one
 * output and one sample, and for a linear loss, u does not turn, and one step gives rho for all s.
 */
import { angleBetween, norm } from '../measurements/measure.js';

/** What a velocity step with b_L = `direction` tells. */
export interface Pilot {
  /** u, [n x k], of norm 1. */
  readonly direction: Float64Array;
  /** rho(u); 0 where no feature moves. */
  readonly rho: number;
}

/** The scale, and H there: 1, or the most that was found where Eq. 7 has no solution; NaN after an overflow. */
export interface OutputScale {
  readonly scale: number;
  readonly reached: number;
}

/** Scales that float32 holds. */
const SMALLEST = 1e-37;
const LARGEST = 1e37;

/** Turn of u, in rad, over which rho counts as the same: the error of H is of this size. */
const SAME_DIRECTION = 1e-5;

/** Turn of u, in rad, up to which rho is good enough to walk on with near H = 1; farther below, where less is at stake, more. */
const LARGEST_TURN = 0.05;

/** Steps of a search; ten are many. Rounding in float32 may keep one from its end. */
const MOST_PILOTS = 60;

/** By how much s rises at least: two solutions that are closer may be missed. */
const SMALLEST_FACTOR = 1.001;

/** A scale with what is known there without a step. */
interface Point {
  readonly s: number;
  /** s |b_L|_2. */
  readonly size: number;
  readonly direction: Float64Array;
}

/**
 * Finds the smallest s > 0 with H(s) = 1, asking for a velocity step wherever u has turned too far to trust the steps before.
 *
 * s rises from the smallest number by factors of up to 1 / H, over which H does not pass 1 unseen as long as rho stays: |b_L(s f)|
 * has no maximum between two scales (for a squared loss it is convex). Where H only grazes 1, within some 1 %, the search may pass it.
 *
 * @param slope b_L at the outputs s f, [n x k].
 * @param first a step in any direction; that of b_L at s = 0 is the one to need no other, often.
 * @yields directions u, to be answered by rho(u).
 */
export function* findOutputScale(
  slope: (s: number) => Float64Array,
  first: Pilot,
): Generator<Float64Array, OutputScale, number> {
  const pilots = [{ ...first, s: 0 }];
  const pointAt = (s: number): Point => {
    const b = slope(s);
    const length = norm(b);
    return { s, size: s * length, direction: b.map((x) => x / length) };
  };
  /** H by the two steps around a point, or before it, and how far u is from the nearer of them; rho is linear in the turn. */
  const estimate = ({ s, size, direction }: Point) => {
    const next = pilots.findIndex((pilot) => pilot.s > s);
    const [a, b] = pilots.slice(next < 0 ? -2 : next - 1);
    const fromA = turn(direction, a!.direction);
    if (!b) return { h: size * a!.rho, turn: fromA };
    const fromB = turn(direction, b.direction);
    // Beyond the last step no farther than near H = 1, where it makes the search converge faster.
    const beyond = fromB <= LARGEST_TURN ? Math.min(1, fromB / turn(a!.direction, b.direction)) : 0;
    const share = next < 0 ? 1 + beyond : fromA / (fromA + fromB);
    return { h: size * (a!.rho + (share || 0) * (b.rho - a!.rho)), turn: Math.min(fromA, fromB) };
  };
  /** Whether Eq. 7 holds here by the estimate, or the estimate is none. */
  const stops = (point: Point) => {
    const { h, turn } = estimate(point);
    return h >= 1 || turn > Math.max(LARGEST_TURN, (1 - h) / 4);
  };

  let best = { scale: 1, reached: 0 };
  let below = 0;
  for (let s = SMALLEST; s <= LARGEST; ) {
    const point = pointAt(s);
    if (point.size > 0 && stops(point)) {
      const stop = firstBetween(below, point, pointAt, stops);
      const { h, turn } = estimate(stop);
      const isFound = h >= 1 && turn <= SAME_DIRECTION;
      if (isFound || pilots.length === MOST_PILOTS) return { scale: stop.s, reached: h };
      const rho = yield stop.direction;
      pilots.push({ s: stop.s, direction: stop.direction, rho });
      pilots.sort((a, b) => a.s - b.s);
      below = pilots[pilots.findIndex((pilot) => pilot.s === stop.s) - 1]!.s;
      s = Math.max(below, SMALLEST);
    } else {
      // Where b_L is zero it has no direction.
      const { h } = point.size === 0 ? { h: 0 } : estimate(point);
      if (Number.isNaN(h)) return { scale: 1, reached: h };
      if (h > best.reached) best = { scale: s, reached: h };
      below = s;
      s *= Math.min(Math.max(1 / h, SMALLEST_FACTOR), h > 0.1 ? 1.1 : 4);
    }
  }
  return best;
}

/** The first point after `below` where the walk stops, to nine digits, given that it does at `above`. */
function firstBetween(
  below: number,
  above: Point,
  pointAt: (s: number) => Point,
  stops: (point: Point) => boolean,
): Point {
  let [low, high] = [below, above];
  while (low > 0 && high.s > low * (1 + 1e-9)) {
    const middle = pointAt(Math.sqrt(low * high.s));
    if (stops(middle)) high = middle;
    else low = middle.s;
  }
  return high;
}

/** The angle between two directions up to their signs, which no angle and no norm depends on. */
function turn(u: Float64Array, w: Float64Array): number {
  const angle = angleBetween(u, w);
  return Math.min(angle, Math.PI - angle);
}
