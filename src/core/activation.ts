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

const leakySlope = (f: number) => (f > 0 ? 1 : 0.1);

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

/** An activation by its formulas, numbers to numbers. */
interface Formula {
  readonly phi: (f: number) => number;
  readonly slope: (f: number) => number;
  /** phi(x + dx) - phi(x), exact relative to itself where x and x + dx are on one side of 0 and dx is not small. */
  readonly rise: (x: number, dx: number) => number;
}

/**
 * phi(x + dx) - phi(x): a small one as the integral of phi', since a change below 1e-16 x is lost in the sum. Across 0, where
 * every activation here changes its sign, nothing cancels.
 */
function differenceOf({ phi, slope, rise }: Formula, x: number, dx: number): number {
  if (x > 0 !== x + dx > 0) return phi(x + dx) - phi(x);
  if (!(Math.abs(dx) <= SMALL)) return rise(x, dx);
  let mean = 0;
  for (const [node, weight] of QUADRATURE) mean += weight * slope(x + node * dx);
  return mean * dx;
}

/** The rise of an odd phi that tends to 1, by what it lacks: rest(x) = 1 - phi(x) for x >= 0. */
const riseToOne = (rest: (x: number) => number) => (x: number, dx: number) =>
  (x > 0 ? 1 : -1) * (rest(Math.abs(x)) - rest(Math.abs(x + dx)));

const normalDensity = (x: number) => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
/** erfc(z) for z >= 2.5, to 1e-15 of itself however small it is. */
function erfcTail(z: number): number {
  let fraction = z;
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.exp(-(z ** 2)) / (Math.sqrt(Math.PI) * fraction);
}

/** 1 - erf(x) for x of any sign. */
const erfc = (x: number) => (x < 2.5 ? 1 - erf(x) : erfcTail(x));
const normalCdf = (x: number) => erfc(-x / Math.SQRT2) / 2;

/**
 * An activation by its formula, on the host in float64, where a plain difference is exact enough: its error is 1e-16 of
 * phi(f), against 1e-7 of the result for float32. Slower than tensors, some 20 ns an entry.
 */
function byFormula(formula: Formula, isHomogeneous = false): Activation {
  const { phi, slope } = formula;
  return {
    value: (f) => mapped(f, phi),
    tangent: (f, t) => mappedPair(f, t, (x, y) => slope(x) * y),
    difference: (f, df) => mappedPair(f, df, (x, dx) => differenceOf(formula, x, dx)),
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
    {
      phi: (f) => leakySlope(f) * f,
      slope: leakySlope,
      rise: (x, dx) => leakySlope(x) * dx,
    },
    true,
  ),
  tanh: byFormula({
    phi: Math.tanh,
    slope: (f) => 1 / Math.cosh(f) ** 2,
    rise: riseToOne((x) => 2 / (Math.exp(2 * x) + 1)),
  }),
  erf: byFormula({
    phi: erf,
    slope: (f) => (2 / Math.sqrt(Math.PI)) * Math.exp(-(f ** 2)),
    rise: riseToOne(erfc),
  }),
  gelu: byFormula({
    phi: (f) => f * normalCdf(f),
    slope: (f) => normalCdf(f) + f * normalDensity(f),
    // x Phi(x) = x - x Phi(-x): what is bounded may be subtracted where x is large.
    rise: (x, dx) => {
      const y = x + dx;
      return x > 0 ? dx + x * normalCdf(-x) - y * normalCdf(-y) : y * normalCdf(y) - x * normalCdf(x);
    },
  }),
} as const satisfies Record<string, Activation>;

export type ActivationName = keyof typeof ACTIVATIONS;
