/** Activations phi, with what one gradient step needs of them; entrywise on states. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { mapped, mappedPair, relu, reluDifference, reluTangent } from './ops.js';

export interface Activation {
  /** phi(f). */
  value(f: Tensor3D): Tensor3D;
  /** phi'(f) * t. */
  tangent(f: Tensor3D, t: Tensor3D): Tensor3D;
  /** phi(f + df) - phi(f), without cancellation: exact relative to the result, not to phi(f). */
  difference(f: Tensor3D, df: Tensor3D): Tensor3D;
  /** Whether phi is 0 on a half-line, so that a state may become zero; of the others only the range of float32 does that. */
  readonly closes: boolean;
  /** Whether phi(c x) = c phi(x) for c > 0, so that phi'' is zero wherever phi' exists. */
  readonly isHomogeneous: boolean;
}

/** Slope of `leaky` where f < 0. */
const LEAKY_SLOPE = 0.1;

/** erf(x) to 1e-15: its power series near 0, and the continued fraction of erfc beyond (Abramowitz and Stegun 7.1.5, 7.1.14). */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= -(x ** 2) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  return Math.sign(x) * (1 - erfcTail(z));
}

/** Nodes and weights of Gauss and Legendre on [0, 1], exact to degree 5. */
const QUADRATURE = [
  [(1 - Math.sqrt(3 / 5)) / 2, 5 / 18],
  [1 / 2, 8 / 18],
  [(1 + Math.sqrt(3 / 5)) / 2, 5 / 18],
] as const;
/** Up to this change the quadrature of phi' is exact to 1e-13 of the result, for every activation here but at a kink. */
const SMALL = 0.01;

/** phi(x + dx) - phi(x): a small one as the integral of phi', since a change below 1e-16 x is lost in the sum. */
function differenceOf(
  phi: (f: number) => number,
  slope: (f: number) => number,
  x: number,
  dx: number,
): number {
  const crossesKink = x > 0 !== x + dx > 0;
  if (Math.abs(dx) > SMALL || crossesKink) return phi(x + dx) - phi(x);
  let mean = 0;
  for (const [node, weight] of QUADRATURE) mean += weight * slope(x + node * dx);
  return mean * dx;
}

const normalDensity = (x: number) => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
/** erfc(z) for z >= 2.5, to 1e-15 of itself however small it is. */
function erfcTail(z: number): number {
  let fraction = z;
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.exp(-(z ** 2)) / (Math.sqrt(Math.PI) * fraction);
}

const normalCdf = (x: number) => {
  const z = x / Math.SQRT2;
  return z < -2.5 ? erfcTail(-z) / 2 : (1 + erf(z)) / 2;
};

/**
 * An activation by its formula, on the host in float64, where a plain difference is exact enough: its error is 1e-16 of
 * phi(f), against 1e-7 of the result for float32. Slower than tensors, some 20 ns an entry.
 */
function byFormula(
  phi: (f: number) => number,
  slope: (f: number) => number,
  isHomogeneous = false,
): Activation {
  return {
    value: (f) => mapped(f, phi),
    tangent: (f, t) => mappedPair(f, t, (x, y) => slope(x) * y),
    difference: (f, df) => mappedPair(f, df, (x, dx) => differenceOf(phi, slope, x, dx)),
    closes: false,
    isHomogeneous,
  };
}

export const ACTIVATIONS = {
  relu: { value: relu, tangent: reluTangent, difference: reluDifference, closes: true, isHomogeneous: true },
  linear: {
    value: (f) => f,
    tangent: (_f, t) => t,
    difference: (_f, df) => df,
    closes: false,
    isHomogeneous: true,
  },
  leaky: byFormula(
    (f) => (f > 0 ? f : LEAKY_SLOPE * f),
    (f) => (f > 0 ? 1 : LEAKY_SLOPE),
    true,
  ),
  tanh: byFormula(Math.tanh, (f) => 1 / Math.cosh(f) ** 2),
  erf: byFormula(erf, (f) => (2 / Math.sqrt(Math.PI)) * Math.exp(-(f ** 2))),
  gelu: byFormula(
    (f) => f * normalCdf(f),
    (f) => normalCdf(f) + f * normalDensity(f),
  ),
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATIONS;
