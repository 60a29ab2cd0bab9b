/** Section 4: the scale of the output, and rules for scales and rates. */
import type { ExponentPoint } from '../../results/exponent.js';
import { between, exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';
import { rms } from '../vectors.js';

/** float32. */
const ROUNDING = 1e-4;

interface Output {
  readonly output: readonly ExponentPoint[];
  /** min_l C_l. */
  readonly contribution: readonly ExponentPoint[];
}

export const outputScale = defineClaim<Output, { output: number; contribution: number }>({
  id: 'section-4.1-output',
  title: 'An output that vanishes with width',
  where: 'Section 4.1, after (BC)',
  statement:
    '|f_L|_rms = o(1) does not lead to vanishing gradients: with FSC |f_L|_rms = Theta(m^(-1/2)), and no contribution falls',
  law: { output: -0.5, contribution: 0 },
  measure: (lab) => {
    const points = [1024, 4096, 16_384, 65_536].map((width) =>
      lab.withStep(
        { depth: 4, width, outputWidth: 64, scaling: 'FSC (Table 1)' },
        24,
        ({ output }, { contributions }) => ({
          x: width,
          output: contributions.map((_, i) => rms(output.values.subarray(i * 64, (i + 1) * 64))),
          contribution: contributions.map((values) => Math.min(...values.subarray(1))),
        }),
      ),
    );
    return {
      output: points.map(({ x, output }) => ({ x, y: output })),
      contribution: points.map(({ x, contribution }) => ({ x, y: contribution })),
    };
  },
  judge: (measured, law) => [
    exponentIs('exponent of |f_L|_rms in m, k = 64', measured.output, law.output),
    exponentIs('exponent of min_l C_l in m', measured.contribution, law.contribution),
  ],
  mutations: {
    'an output that stays': { output: 0 },
    'contributions that fall with the output': { contribution: -0.5 },
  },
});

interface Normalized {
  readonly first: number;
  readonly smallest: number;
  readonly largest: number;
  readonly lossDecay: number;
  readonly speed: number;
  readonly cosine: number;
  readonly depth: number;
}

const AUTO: readonly Setup[] = [
  { depth: 6, width: 128 },
  { activation: 'tanh', depth: 12, width: 128 },
  { architecture: 'resnet', branchScale: 0.3, depth: 12, width: 128 },
  { architecture: 'resnet', activation: 'gelu', branchScale: 0.5, depth: 24, width: 128 },
];

export const automatic = defineClaim<Normalized[], { speed: (of: Normalized) => number }>({
  id: 'section-4.2-auto',
  title: 'Scales and rates that adjust themselves',
  where: 'Section 4.2',
  statement:
    'In any architecture forward layer normalization enforces (SP), backward layer normalization with a measured angle (FL), ' +
    'and Eq. 8 (BC) and (LD): |fdot_{L-1}|_rms = (L-1)/L and -dloss/dt = 1',
  law: { speed: ({ depth }) => (depth - 1) / depth },
  measure: (lab) =>
    AUTO.flatMap((setup) =>
      lab.measure({ ...setup, scaling: 'auto', loss: 'squared' }, 8).map(({ values }) => ({
        first: values.feature_rms[0]!,
        smallest: Math.min(...values.feature_rms),
        largest: Math.max(...values.feature_rms),
        lossDecay: -values.loss_change[0]!,
        speed: values.feature_speed_rms.at(-1)!,
        cosine: Math.cos(values.bfa_rad.at(-1)!),
        depth: setup.depth,
      })),
    ),
  judge: (all, { speed }) => [
    identity(
      `(FL) largest deviation of |fdot_{L-1}|_rms / ((L-1)/L) of ${all.length} networks`,
      all.map((of) => of.speed / speed(of) - 1),
      1e-3,
    ),
    identity(
      '(LD) largest deviation of -dloss/dt',
      all.map(({ lossDecay }) => lossDecay - 1),
      ROUNDING,
    ),
    between('(SP) min_v |f_v|_rms', Math.min(...all.map(({ smallest }) => smallest)), 0.4, 2),
    between('(SP) max_v |f_v|_rms', Math.max(...all.map(({ largest }) => largest)), 0.4, 2),
  ],
  mutations: {
    'without the angle in Eq. 7': { speed: ({ depth, cosine }) => (depth - 1) / (depth * cosine) },
    'with W_L among the layers that move features': { speed: () => 1 },
  },
});

/** What a rule for the rates gives: eta_l from |G_l|, L, the loss, and sum_l |G_l|^2. */
type Rule = (of: { norm: number; L: number; loss: number; total: number }) => number;

interface Ruled {
  /** -dloss/dt by the tangent pass, and max C_l / min C_l. */
  readonly lossDecay: number;
  readonly imbalance: number;
  readonly loss: number;
}

/** Networks whose gradients differ in size from layer to layer. */
const UNEQUAL: readonly Setup[] = [
  { depth: 8, width: 64, scaling: 'NTK', loss: 'squared', data: dataOf(3) },
  {
    architecture: 'resnet',
    branchScale: 0.4,
    depth: 12,
    width: 64,
    scaling: 'NTK',
    loss: 'squared',
    data: dataOf(2),
  },
];

/** Inputs of norm sqrt(d), and a target that the first outputs do not meet. */
function dataOf(target: number): NonNullable<Setup['data']> {
  return {
    input: { law: 'normal', scale: Math.sqrt(10), normalize: 'unit-norm' },
    target: { law: 'constant', value: target },
  };
}

/** Takes a step at the rates of a rule. */
function stepsBy(lab: Lab, rule: Rule): Ruled[] {
  return UNEQUAL.flatMap((setup) => {
    const L = setup.depth;
    const draws = 8;
    const losses = lab.measure({ ...setup, layers: 'output' }, draws).map(({ values }) => values.loss[0]!);
    const rates = lab.gradientNorms(setup, draws).map((squares, i) => {
      const total = squares.slice(1).reduce((sum, square) => sum + square, 0);
      return squares.map((square, l) =>
        l === 0 ? 0 : rule({ norm: Math.sqrt(square), L, loss: losses[i]!, total }),
      );
    });
    return lab.measureEach(rates.map((learningRate) => ({ ...setup, learningRate }))).map(({ values }) => ({
      lossDecay: -values.loss_change[0]!,
      imbalance: values.contribution_balance[0]!,
      loss: values.loss[0]!,
    }));
  });
}

const stepsByEach = <Name extends string>(lab: Lab, rules: Readonly<Record<Name, Rule>>) =>
  Object.fromEntries(Object.entries<Rule>(rules).map(([name, rule]) => [name, stepsBy(lab, rule)])) as Record<
    Name,
    Ruled[]
  >;

/** Rules eta~_l for dW_l = -eta~_l G_l / |G_l|, as rates of G_l. */
const NORMALIZED_RULES = {
  '1 / (L |G_l|)': ({ norm, L }) => 1 / (L * norm) / norm,
  '1 / (L |G_l|^2)': ({ norm, L }) => 1 / (L * norm ** 2) / norm,
  '1 / L': ({ norm, L }) => 1 / L / norm,
  '1 / |G_l|': ({ norm }) => 1 / norm / norm,
} as const satisfies Record<string, Rule>;

type NormalizedRule = keyof typeof NORMALIZED_RULES;

export const normalizedGradients = defineClaim<Record<NormalizedRule, Ruled[]>, { rule: NormalizedRule }>({
  id: 'section-4.2-normalized',
  title: 'Rates for normalized gradients',
  where: 'Section 4.2, interplay with adaptive methods',
  statement: 'For dW_l = -eta~_l G_l / |G_l|, the rates eta~_l = 1 / (L |G_l|) satisfy (BC) and (LD)',
  law: { rule: '1 / (L |G_l|)' },
  measure: (lab) => stepsByEach(lab, NORMALIZED_RULES),
  judge: (measured, { rule }) => [
    identity(
      `(LD) eta~_l = ${rule}: largest deviation of -dloss/dt from 1`,
      measured[rule].map(({ lossDecay }) => lossDecay - 1),
      ROUNDING,
    ),
    identity(
      `(BC) eta~_l = ${rule}: largest deviation of max C_l / min C_l from 1`,
      measured[rule].map(({ imbalance }) => imbalance - 1),
      ROUNDING,
    ),
  ],
  mutations: {
    'Eq. 8 as it stands': { rule: '1 / (L |G_l|^2)' },
    'rates that know no gradient': { rule: '1 / L' },
    'without L': { rule: '1 / |G_l|' },
  },
});

const POLYAK_RULES = {
  'loss / (L |G_l|^2)': ({ norm, L, loss }) => loss / (L * norm ** 2),
  'loss / sum_l |G_l|^2': ({ loss, total }) => loss / total,
  'loss / |G_l|^2': ({ norm, loss }) => loss / norm ** 2,
} as const satisfies Record<string, Rule>;

type PolyakRule = keyof typeof POLYAK_RULES;

export const polyak = defineClaim<Record<PolyakRule, Ruled[]>, { rule: PolyakRule }>({
  id: 'section-4.2-polyak',
  title: 'Eq. 8 as a layerwise Polyak step size',
  where: 'Section 4.2, link with Polyak step-size',
  statement:
    'The layerwise version of the Polyak step size, eta_l = loss / (L |G_l|^2), is Eq. 8 at a loss of Theta(1): it satisfies ' +
    '(BC), and like that of all parameters together it has -dloss/dt = loss',
  law: { rule: 'loss / (L |G_l|^2)' },
  measure: (lab) => stepsByEach(lab, POLYAK_RULES),
  judge: (measured, { rule }) => [
    identity(
      `eta_l = ${rule}: largest deviation of -dloss/dt / loss from 1`,
      measured[rule].map(({ lossDecay, loss }) => lossDecay / loss - 1),
      ROUNDING,
    ),
    identity(
      `(BC) eta_l = ${rule}: largest deviation of max C_l / min C_l from 1`,
      measured[rule].map(({ imbalance }) => imbalance - 1),
      ROUNDING,
    ),
    identity(
      'eta = loss / sum_l |G_l|^2: largest deviation of -dloss/dt / loss from 1',
      measured['loss / sum_l |G_l|^2'].map(({ lossDecay, loss }) => lossDecay / loss - 1),
      ROUNDING,
    ),
  ],
  mutations: {
    'one step size for all parameters is balanced': { rule: 'loss / sum_l |G_l|^2' },
    'without L': { rule: 'loss / |G_l|^2' },
  },
});
