/**
 * What is measured of a finished step, in float64 on the host: features f, backward pass b and change (velocity
 * fdot, or update df) of one layer of one lane, as flat arrays of n x m numbers.
 */

/** float32 of a backend, or float64 of a capture. */
type Numbers = Float32Array | Float64Array;

/** Norms and inner product of one layer. */
export interface LayerNorms {
  readonly features: number;
  readonly backward: number;
  readonly change: number;
  /** <b, change>. */
  readonly overlap: number;
}

/** l2 norms and the inner product that the measurements share. NaN or infinite after an overflow. */
export function layerNorms(f: Numbers, b: Numbers, change: Numbers): LayerNorms {
  let ff = 0;
  let bb = 0;
  let cc = 0;
  let bc = 0;
  for (let i = 0; i < f.length; i++) {
    ff += f[i]! * f[i]!;
    bb += b[i]! * b[i]!;
    cc += change[i]! * change[i]!;
    bc += b[i]! * change[i]!;
  }
  return { features: Math.sqrt(ff), backward: Math.sqrt(bb), change: Math.sqrt(cc), overlap: bc };
}

/** Share of the units, columns of the rows f, that are not above 0 in any row: where an activation that closes is 0, or was. */
export function shareOfDead(f: Numbers, width: number): number {
  let dead = 0;
  for (let j = 0; j < width; j++) {
    let isDead = true;
    for (let at = j; at < f.length && isDead; at += width) isDead = !(f[at]! > 0);
    if (isDead) dead += 1;
  }
  return dead / width;
}

/** |x|_2, summed in float64. */
export function norm(x: Numbers): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return Math.sqrt(sum);
}

/**
 * The backward-feature angle: between -b and the change of the features, in [0, pi] rad (Thm 2.1).
 *
 * As 2 atan2(|u - w|, |u + w|) of the unit vectors (Kahan): well conditioned at every angle, where the arccosine
 * loses half the digits near 0.
 *
 * @returns NaN when one of the two is zero or not finite: there is no angle then.
 */
export function backwardFeatureAngle(b: Numbers, change: Numbers, norms: LayerNorms): number {
  return angleOf(b, -1 / norms.backward, change, 1 / norms.change);
}

/**
 * The angle between x and y, in [0, pi] rad, from their norms and <x, y>: within 5e-8 rad near 0 and pi, and to rounding elsewhere,
 * if the sums are of float64. NaN when one of the two is zero or not finite.
 */
export function angleOfSums(x: number, y: number, overlap: number): number {
  const cosine = overlap / x / y;
  return 2 * Math.atan2(Math.sqrt(Math.max(0, 1 - cosine)), Math.sqrt(Math.max(0, 1 + cosine)));
}

/** The angle between x and y, in [0, pi] rad; NaN when one of the two is zero or not finite. */
export function angleBetween(x: Numbers, y: Numbers): number {
  return angleOf(x, 1 / norm(x), y, 1 / norm(y));
}

/** The angle between u x and w y, which have norm 1. */
function angleOf(x: ArrayLike<number>, u: number, y: ArrayLike<number>, w: number): number {
  let difference = 0;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const a = u * x[i]!;
    const b = w * y[i]!;
    difference += (a - b) ** 2;
    sum += (a + b) ** 2;
  }
  return 2 * Math.atan2(Math.sqrt(difference), Math.sqrt(sum));
}
