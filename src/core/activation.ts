/** Activations phi on the states of a batch, with what one gradient step needs of them. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import {
  ACTIVATION_NAMES,
  type ActivationEntry,
  type ActivationName,
  activationEntry,
  isHomogeneous,
  slopeBelow,
} from '../activations.js';
import {
  kinkedDifference,
  kinkedTangent,
  mapped,
  mappedPair,
  ofActivation,
  relu,
  reluDifference,
  reluTangent,
} from './ops.js';

export interface Activation {
  /** phi(f). */
  value(f: Tensor3D): Tensor3D;
  /** phi'(f) * t. */
  tangent(f: Tensor3D, t: Tensor3D): Tensor3D;
  /** phi''(f) * t; none where phi'' is 0 wherever phi' exists. */
  readonly bend: ((f: Tensor3D, t: Tensor3D) => Tensor3D) | undefined;
  /** phi(f + df) - phi(f), without cancellation: exact relative to the result, not to phi(f). */
  difference(f: Tensor3D, df: Tensor3D): Tensor3D;
  /** Whether phi is 0 on a half-line, so that a state may become zero; of the others only the range of float32 does that. */
  readonly closes: boolean;
  /** Whether phi(c x) = c phi(x) for c > 0, so that phi'' is zero wherever phi' exists. */
  readonly isHomogeneous: boolean;
  /** phi(f) / f where f < 0, if phi(f) = f elsewhere and phi never falls. */
  readonly slopeBelow: number | undefined;
}

type Operations = Pick<Activation, 'value' | 'tangent' | 'difference' | 'bend'>;

/** Nodes and weights of Gauss and Legendre on [0, 1], exact to degree 5. */
const QUADRATURE = [
  [(1 - Math.sqrt(3 / 5)) / 2, 5 / 18],
  [1 / 2, 8 / 18],
  [(1 + Math.sqrt(3 / 5)) / 2, 5 / 18],
] as const;
/** Up to this change the quadrature of phi' is exact to 1e-13 of the result, for every activation here but at a kink. */
const SMALL = 0.01;

/**
 * phi(x + dx) - phi(x): a small one as the integral of phi', since a change below 1e-16 x is lost in the sum. Across 0, where
 * every activation here changes its sign, nothing cancels.
 */
function differenceOf({ phi, slope, rise }: ActivationEntry, x: number, dx: number): number {
  if (x > 0 !== x + dx > 0) return phi(x + dx) - phi(x);
  if (!(Math.abs(dx) <= SMALL)) return rise(x, dx);
  let mean = 0;
  for (const [node, weight] of QUADRATURE) mean += weight * slope(x + node * dx);
  return mean * dx;
}

/**
 * An activation by its formulas, on the host in float64, where a plain difference is exact enough: its error is 1e-16 of
 * phi(f), against 1e-7 of the result for float32. Slower than a kernel, 40 ns an entry and more.
 */
function byFormula(entry: ActivationEntry): Operations {
  const { phi, slope, bend } = entry;
  return {
    value: (f) => mapped(f, phi),
    tangent: (f, t) => mappedPair(f, t, (x, y) => slope(x) * y),
    bend: bend && ((f, t) => mappedPair(f, t, (x, y) => bend(x) * y)),
    difference: (f, df) => mappedPair(f, df, (x, dx) => differenceOf(entry, x, dx)),
  };
}

/** One that the backend may have a kernel for. */
function smooth(name: ActivationName, { value, tangent, bend, difference }: Operations): Operations {
  return {
    value: (f) => ofActivation(name, 'value', f) ?? value(f),
    tangent: (f, t) => ofActivation(name, 'tangent', f, t) ?? tangent(f, t),
    bend: bend && ((f, t) => ofActivation(name, 'bend', f, t) ?? bend(f, t)),
    difference: (f, df) => ofActivation(name, 'difference', f, df) ?? difference(f, df),
  };
}

/** One that is linear on either side of 0, in one sweep where the backend can. */
function kinked(slope: number, elsewhere: Operations): Operations {
  return {
    ...elsewhere,
    value: (f) => kinkedTangent(f, f, slope) ?? elsewhere.value(f),
    tangent: (f, t) => kinkedTangent(f, t, slope) ?? elsewhere.tangent(f, t),
    difference: (f, df) => kinkedDifference(f, df, slope) ?? elsewhere.difference(f, df),
  };
}

/** Those that tensors have whole. */
const ON_TENSORS: Partial<Record<ActivationName, Operations>> = {
  relu: { value: relu, tangent: reluTangent, bend: undefined, difference: reluDifference },
  linear: { value: (f) => f, tangent: (_f, t) => t, bend: undefined, difference: (_f, df) => df },
};

export const ACTIVATIONS = Object.fromEntries(
  ACTIVATION_NAMES.map((name): [string, Activation] => {
    const entry = activationEntry(name);
    const slope = slopeBelow(name);
    const formula = byFormula(entry);
    return [
      name,
      {
        ...(ON_TENSORS[name] ?? (slope === undefined ? smooth(name, formula) : kinked(slope, formula))),
        closes: entry.closes === true,
        isHomogeneous: isHomogeneous(name),
        slopeBelow: slope,
      },
    ];
  }),
) as Readonly<Record<ActivationName, Activation>>;
