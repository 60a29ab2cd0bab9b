/**
 * The activations phi, each in one entry: its formulas, numbers to numbers in float64, and what scalings say of it.
 *
 * How one is applied to the states of a batch follows from its entry (`core/activation.ts`), and so do the schema of
 * experiment files, the hidden scale, the remarks on the tables and the snippets for PyTorch.
 */
export interface ActivationEntry {
  readonly phi: (f: number) => number;
  /** phi'. */
  readonly slope: (f: number) => number;
  /** phi'', of a phi that is not homogeneous; of the others it is 0 wherever phi' exists. */
  readonly bend?: (f: number) => number;
  /** phi(x + dx) - phi(x), exact relative to itself where x and x + dx are on one side of 0 and dx is not small. */
  readonly rise: (x: number, dx: number) => number;
  /**
   * sigma_hid that keeps the size of features of rms 1, 1/sqrt(m E phi(z)^2) with z ~ N(0, 1); of features of any size where
   * phi is homogeneous.
   */
  readonly sigmaHidden: string;
  /** Of a homogeneous phi, phi(c x) = c phi(x) for c > 0: growth of an MLP's features at sigma_hid = 2/sqrt(m), 4 E phi(z)^2 a layer, squared. */
  readonly growth?: string;
  /** Of another: the factor of |b|^2 from layer to layer of an MLP at `sigmaHidden`, E phi'(z)^2 / E phi(z)^2; of homogeneous ones it is 1. */
  readonly backwardFactor?: number;
  /** phi is 0 on a half-line, so that a state may become zero; of the others only the range of float32 does that. */
  readonly closes?: true;
  /** Its name in messages, where that is another. */
  readonly title?: string;
  /** phi in PyTorch. */
  readonly torch: string;
}

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

/** erfc(z) for z >= 2.5, to 1e-15 of itself however small it is. */
function erfcTail(z: number): number {
  let fraction = z;
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.exp(-(z ** 2)) / (Math.sqrt(Math.PI) * fraction);
}

/** 1 - erf(x) for x of any sign. */
const erfc = (x: number) => (x < 2.5 ? 1 - erf(x) : erfcTail(x));
const normalCdf = (x: number) => erfc(-x / Math.SQRT2) / 2;
const normalDensity = (x: number) => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const logisticDensity = (x: number) => logistic(x) * logistic(-x);

type Formulas = Pick<ActivationEntry, 'phi' | 'slope' | 'bend' | 'rise'>;

/** Linear on either side of 0, with slope 1 above. */
function kinked(below: number): Formulas {
  const slope = (f: number) => (f > 0 ? 1 : below);
  return { phi: (f) => slope(f) * f, slope, rise: (x, dx) => slope(x) * dx };
}

/** The rise of an odd phi that tends to 1, by what it lacks: rest(x) = 1 - phi(x) for x >= 0. */
const riseToOne = (rest: (x: number) => number) => (x: number, dx: number) =>
  (x > 0 ? 1 : -1) * (rest(Math.abs(x)) - rest(Math.abs(x + dx)));

/** phi(x) = x P(x) with a symmetric distribution function P; x P(x) = x - x P(-x), whose last is bounded where x is large. */
function gated(
  cdf: (x: number) => number,
  density: (x: number) => number,
  densitySlope: (x: number) => number,
): Formulas {
  return {
    phi: (f) => f * cdf(f),
    slope: (f) => cdf(f) + f * density(f),
    bend: (f) => 2 * density(f) + f * densitySlope(f),
    rise: (x, dx) => {
      const y = x + dx;
      return x > 0 ? dx + x * cdf(-x) - y * cdf(-y) : y * cdf(y) - x * cdf(x);
    },
  };
}

const ACTIVATIONS = {
  relu: {
    ...kinked(0),
    closes: true,
    sigmaHidden: 'sqrt(2/m)',
    growth: '2^((L-2)/2)',
    title: 'ReLU',
    torch: 'torch.relu',
  },
  linear: { ...kinked(1), sigmaHidden: '1/sqrt(m)', growth: '2^(L-2)', torch: 'lambda x: x' },
  leaky: {
    ...kinked(0.1),
    sigmaHidden: 'sqrt(2/(1.01*m))',
    growth: '2.02^((L-2)/2)',
    torch: 'lambda x: nn.functional.leaky_relu(x, 0.1)',
  },
  tanh: {
    phi: Math.tanh,
    slope: (f) => 1 / Math.cosh(f) ** 2,
    bend: (f) => (-2 * Math.tanh(f)) / Math.cosh(f) ** 2,
    rise: riseToOne((x) => 2 / (Math.exp(2 * x) + 1)),
    sigmaHidden: 'sqrt(1/(0.394294490398*m))',
    backwardFactor: 1.178,
    torch: 'torch.tanh',
  },
  erf: {
    phi: erf,
    slope: (f) => (2 / Math.sqrt(Math.PI)) * Math.exp(-(f ** 2)),
    bend: (f) => (-4 / Math.sqrt(Math.PI)) * f * Math.exp(-(f ** 2)),
    rise: riseToOne(erfc),
    sigmaHidden: 'sqrt(1/(0.46455905439754*m))',
    backwardFactor: 1.226,
    torch: 'torch.erf',
  },
  gelu: {
    ...gated(normalCdf, normalDensity, (x) => -x * normalDensity(x)),
    sigmaHidden: 'sqrt(1/(0.4252214825703*m))',
    backwardFactor: 1.072,
    torch: 'nn.functional.gelu',
  },
  silu: {
    ...gated(logistic, logisticDensity, (x) => -Math.tanh(x / 2) * logisticDensity(x)),
    sigmaHidden: 'sqrt(1/(0.355775519817333*m))',
    backwardFactor: 1.067,
    torch: 'nn.functional.silu',
  },
} as const satisfies Record<string, ActivationEntry>;

export type ActivationName = keyof typeof ACTIVATIONS;

export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as [ActivationName, ...ActivationName[]];

/** The entry of an activation, whichever it is. */
export const activationEntry = (name: ActivationName): ActivationEntry => ACTIVATIONS[name];

/** Whether phi(c x) = c phi(x) for c > 0, so that phi'' is zero wherever phi' exists. */
export const isHomogeneous = (name: ActivationName): boolean => activationEntry(name).growth !== undefined;

/** phi(f) / f where f < 0, of a homogeneous phi that is f elsewhere and never falls; undefined of the others. */
export function slopeBelow(name: ActivationName): number | undefined {
  const { slope } = activationEntry(name);
  return isHomogeneous(name) && slope(1) === 1 && slope(-1) >= 0 ? slope(-1) : undefined;
}
