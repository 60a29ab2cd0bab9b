/** Section 6 and appendix B: stability and invariance of homogeneous networks. */

import { backwardVelocity } from '../core/backward-velocity.js';
import type { ExponentPoint } from '../results/exponent.js';
import { between, exponentIs, identity } from './checks.js';
import { defineClaim } from './claim.js';
import type { Lab, Setup } from './lab.js';
import {
  alongDepthAtRates,
  type Change,
  type Exponents,
  exponentChecks,
  relativeTo,
  type Sequence,
} from './sequences.js';

/** The terms of the backward speed formula at one layer. */
interface BackwardSpeed {
  readonly speed: number;
  readonly features: number;
  readonly cosine: number;
  /** f_L^T (d^2 loss / d f_L^2) fdot_L. */
  readonly curvature: number;
  /** sum_{l > v} C_l, and that with C_v. */
  readonly after: number;
  readonly from: number;
}

/** Homogeneous networks of both architectures. */
const NETWORKS: readonly Setup[] = [
  { architecture: 'mlp', depth: 10, width: 64, outputWidth: 3, scaling: 'NTK' },
  { architecture: 'mlp', activation: 'leaky', depth: 6, width: 64, scaling: 'NTK' },
  { architecture: 'resnet', branchScale: 0.4, depth: 16, width: 64, scaling: 'NTK' },
  { architecture: 'resnet', activation: 'linear', branchScale: 0.3, depth: 16, width: 64, scaling: 'NTK' },
];

function backwardSpeeds(lab: Lab, loss: 'linear' | 'squared'): BackwardSpeed[] {
  const draws = 16;
  return NETWORKS.flatMap((network) => {
    const setup = { ...network, loss };
    return lab.withStep(setup, draws, (step, { contributions }) => {
      const size = step.network.shape.outputWidth;
      const second = step.eachLane((of, _, own) =>
        of.curvature(own(step.output), own(step.outputChange), step.network.shape),
      );
      const speeds: BackwardSpeed[] = [];
      backwardVelocity(step, ({ distance, features, velocity }) => {
        const [f, bdot] = [features, velocity].map((state) => state.dataSync<'float32'>());
        const m = setup.width;
        for (let i = 0; i < draws; i++) {
          let [ff, bb, fb] = [0, 0, 0];
          for (let j = i * m; j < (i + 1) * m; j++) {
            ff += f![j]! ** 2;
            bb += bdot![j]! ** 2;
            fb += f![j]! * bdot![j]!;
          }
          let curvature = 0;
          for (let j = 0; j < size; j++) curvature += step.output[i * size + j]! * second[i * size + j]!;
          const own = contributions[i]!;
          const layer = setup.depth - distance;
          const after = own.slice(layer + 1).reduce((sum, c) => sum + c, 0);
          speeds.push({
            speed: Math.sqrt(bb),
            features: Math.sqrt(ff),
            // The last layer's bdot is parallel to its f, and rounding may take the cosine beyond 1.
            cosine: Math.max(-1, Math.min(1, -fb / Math.sqrt(ff * bb))),
            curvature,
            after,
            from: after + own[layer]!,
          });
        }
      });
      return speeds;
    });
  });
}

const SPEEDS = 'backward speeds';

/** Shared by Prop 6.1 and the range that it gives its angle. */
const withSquaredLoss = (lab: Lab) => lab.once(SPEEDS, (own) => backwardSpeeds(own, 'squared'));

export const proposition61 = defineClaim<
  { linear: BackwardSpeed[]; squared: BackwardSpeed[] },
  { numerator: (of: BackwardSpeed) => number }
>({
  id: 'prop-6.1',
  shares: SPEEDS,
  title: 'Backward speed formula',
  where: 'Proposition 6.1',
  statement:
    '|bdot_v|_2 cos(theta~_v) |f_v|_2 = -f_L^T H fdot_L + sum_{l>v} eta_l |G_l|^2, and theta~_v, between f_v ' +
    'and -bdot_v, is in [0, pi/2] for a linear loss',
  note: 'Stated with the angle to bdot_v; its proof has -bdot_v.',
  law: { numerator: ({ after, curvature }) => after - curvature },
  measure: (lab) => ({ linear: backwardSpeeds(lab, 'linear'), squared: withSquaredLoss(lab) }),
  judge: ({ linear, squared }, { numerator }) => {
    const deviation = (each: BackwardSpeed) =>
      (each.speed * each.cosine * each.features - numerator(each)) / (each.from + Math.abs(each.curvature));
    const angles = linear.map(({ cosine }) => Math.acos(cosine));
    return [
      identity(`linear loss: largest residual of ${linear.length} layers`, linear.map(deviation), 1e-4),
      identity(`squared loss: largest residual of ${squared.length} layers`, squared.map(deviation), 1e-4),
      between('linear loss: largest theta~_v in rad', Math.max(...angles), 0, Math.PI / 2),
    ];
  },
  mutations: {
    'the other sign of the curvature': { numerator: ({ after, curvature }) => after + curvature },
    'the sum from l = v': { numerator: ({ from, curvature }) => from - curvature },
  },
});

export const proposition61Range = defineClaim<BackwardSpeed[], { largest: number }>({
  id: 'prop-6.1-range',
  shares: SPEEDS,
  title: 'Range of the feature-backward angle',
  where: 'Proposition 6.1',
  statement: 'theta~_v is in [0, pi/2] whatever the loss',
  note:
    'Only where the numerator is not negative: for a linear loss always, for a squared one not when ' +
    'f_L^T H fdot_L exceeds the contributions of the layers that follow. The draws are those of prop-6.1.',
  law: { largest: Math.PI / 2 },
  measure: withSquaredLoss,
  judge: (layers, { largest }) => [
    between(
      `squared loss: largest theta~_v of ${layers.length} layers in rad`,
      Math.max(...layers.map(({ cosine }) => Math.acos(cosine))),
      0,
      largest,
    ),
  ],
  mutations: { 'the range of every angle': { largest: Math.PI } },
});

type Rates = 'scale-invariant' | 'constant';

/** Factors of W_1, of every V_l, and of W_L but for what makes the product of all what it is to be. */
const FACTORS = {
  /** Multiplications by powers of 2 are exact: all that float32 rounds it rounds alike, at every step. */
  'powers of 2': { input: 4, hidden: 0.5, steps: 5, bound: 1e-6 },
  /**
   * A step is rounded to 1e-7 for each of L layers in each of three passes, and moves the loss by some tens of itself: below
   * 1e-4 in all. The gate of an entry within 1e-7 of 0 may be another one, which happens in one of 3000 verdicts; after
   * more steps errors of a squared loss are chaos.
   */
  '3 and 0.7': { input: 3, hidden: 0.7, steps: 1, bound: 1e-4 },
} as const;

type FactorName = keyof typeof FACTORS;

interface Invariance {
  readonly factors: FactorName;
  readonly rates: Rates;
  readonly product: number;
  /** Largest difference of the losses of all steps before and after the rescaling, relative to the largest, of each draw. */
  readonly differences: readonly number[];
}

export const proposition62 = defineClaim<Invariance[], { rates: Rates; product: number }>({
  id: 'prop-6.2',
  title: 'Invariance under rescaling of blocks',
  where: 'Proposition 6.2',
  statement:
    'With the rates of Eq. 8, factors of the layers whose product is 1 leave the loss of every step unchanged; with ' +
    'constant rates they do not',
  law: { rates: 'scale-invariant', product: 1 },
  measure: (lab) => {
    const [L, m, draws] = [6, 64, 4];
    const sigma = { input: 1 / Math.sqrt(10), hidden: Math.sqrt(2 / m), output: 1 / Math.sqrt(m) };
    const base: Setup = {
      depth: L,
      width: m,
      loss: 'squared',
      kind: 'update',
      stepSize: 0.1,
      // The same matrices before and after: those that are never formed are the same in law only.
      weights: 'dense',
    };
    /** Losses before each step, of each draw. */
    const losses = (setup: Setup) =>
      lab.measure({ ...base, ...setup }, draws).map(({ layers, values: { loss } }) => {
        const count = Math.max(...layers);
        return Array.from(loss).filter((_, i) => i % count === 0);
      });
    const constant = new Array<number>(L + 1).fill(0.05);
    return (Object.keys(FACTORS) as FactorName[]).flatMap((factors) => {
      const { input, hidden, steps } = FACTORS[factors];
      return ([1, 2] as const).flatMap((product) =>
        (['scale-invariant', 'constant'] as const).map((rates): Invariance => {
          const setup: Setup = {
            ...base,
            steps: steps + 1,
            learningRate: rates === 'constant' ? constant : rates,
          };
          const before = losses({ ...setup, sigma });
          const after = losses({
            ...setup,
            sigma: {
              input: sigma.input * input,
              hidden: sigma.hidden * hidden,
              output: (sigma.output * product) / (input * hidden ** (L - 2)),
            },
          });
          const differences = before.map((own, draw) => {
            const difference = Math.max(...own.map((loss, t) => Math.abs(after[draw]![t]! - loss)));
            return Number.isFinite(difference) ? difference / Math.max(...own) : Infinity;
          });
          return { factors, rates, product, differences };
        }),
      );
    });
  },
  judge: (all, { rates, product }) =>
    (Object.keys(FACTORS) as FactorName[]).flatMap((factors) => {
      const { steps, bound } = FACTORS[factors];
      const differences = (which: Rates, by: number) =>
        all.find((each) => each.factors === factors && each.rates === which && each.product === by)!
          .differences;
      return [
        identity(
          `factors ${factors}: largest difference of the losses after up to ${steps} steps, relative to the largest, with ${rates} rates`,
          differences(rates, product),
          bound,
        ),
        between(
          'the same with constant rates, largest of the draws',
          Math.max(...differences('constant', 1)),
          0.01,
          Infinity,
        ),
      ];
    }),
  mutations: { 'at constant rates': { rates: 'constant' }, 'factors of product 2': { product: 2 } },
});

const SATISFIED = 'sigma_L = sqrt(L)/m, C_l = 1/L';

/** A factor of all hidden layers together, shared by them. */
const hiddenTimes = (factor: number, L: number, m: number) => Math.sqrt(2 / m) * factor ** (1 / (L - 2));

/** Scalings and contributions of Theorem 6.3, all of ReLU MLPs with a linear loss. */
const GRID = {
  [SATISFIED]: {},
  'sigma_1 times 4, sigma_L over 4': {
    sigma: (L: number, m: number) => ({ input: 4 / Math.sqrt(10), output: Math.sqrt(L) / (4 * m) }),
  },
  'sigma_hid^(L-2) times 4, sigma_L over 4': {
    sigma: (L: number, m: number) => ({ hidden: hiddenTimes(4, L, m), output: Math.sqrt(L) / (4 * m) }),
  },
  'sigma_L = 1/m': { sigma: (_L: number, m: number) => ({ output: 1 / m }) },
  'sigma_L = L/m': { sigma: (L: number, m: number) => ({ output: L / m }) },
  'sigma_hid^(L-2) over sqrt(L)': {
    sigma: (L: number, m: number) => ({ hidden: hiddenTimes(1 / Math.sqrt(L), L, m) }),
  },
  'C_L = L': { rate: (l: number, L: number) => (l === L ? L : 1 / L) },
  'C_1 + C_hid = sqrt(L)': { rate: (l: number, L: number) => (l === L ? 1 : 1 / Math.sqrt(L)) },
  'C_1 + C_hid = 1/sqrt(L), C_L = 1': { rate: (l: number, L: number) => (l === L ? 1 : L ** -1.5) },
  'the same with sigma_L = 1/m': {
    rate: (l: number, L: number) => (l === L ? 1 : L ** -1.5),
    sigma: (_L: number, m: number) => ({ output: 1 / m }),
  },
} as const satisfies Record<string, Change>;

type Corner = keyof typeof GRID;
const CORNERS = Object.keys(GRID) as Corner[];

const DESIDERATA: Exponents = {
  relativeSpeed: 0,
  lossDecay: 0,
  forwardInstability: { atMost: 0 },
  backwardInstability: { atMost: 0 },
};

/** Everything moves faster by sqrt(L), as far as sigma_L alone decides. */
const FASTER: Exponents = {
  ...DESIDERATA,
  relativeSpeed: 0.5,
  forwardInstability: 0.5,
  backwardInstability: 0.5,
};

/** Draws of the corners that are compared with the first on the same draws, which takes most of the noise away. */
const DRAWS_COMPARED = 6;
const WIDTH = 4096; // with all states kept a step takes longer

export const theorem63 = defineClaim<Record<Corner, Sequence>, Record<Corner, Exponents>>({
  id: 'thm-6.3',
  title: 'Minimal desiderata of MLPs',
  where: 'Theorem 6.3',
  statement:
    '(RFL), (LD), (FS) and (BS) hold if and only if (sqrt(d) sigma_1) (sqrt(m/2) sigma_hid)^(L-2) sigma_L = ' +
    'Theta(sqrt(L)/m), C_1 + C_hid = Theta(1) and C_L = O(1)',
  law: {
    [SATISFIED]: DESIDERATA,
    'sigma_1 times 4, sigma_L over 4': DESIDERATA,
    'sigma_hid^(L-2) times 4, sigma_L over 4': DESIDERATA,
    'sigma_L = 1/m': FASTER,
    'sigma_L = L/m': { ...DESIDERATA, relativeSpeed: -0.5 },
    'sigma_hid^(L-2) over sqrt(L)': FASTER,
    'C_L = L': { ...DESIDERATA, lossDecay: 1, backwardInstability: 1 },
    'C_1 + C_hid = sqrt(L)': { ...FASTER, lossDecay: 0.5 },
    'C_1 + C_hid = 1/sqrt(L), C_L = 1': { ...DESIDERATA, relativeSpeed: -0.5 },
    'the same with sigma_L = 1/m': { ...DESIDERATA, backwardInstability: 0.5 },
  },
  measure: (lab) => {
    const base = { measuresBackward: true };
    const satisfied = alongDepthAtRates(lab, {}, base, { at: WIDTH });
    const rest = CORNERS.filter((name) => name !== SATISFIED).map((name) => {
      const changed = alongDepthAtRates(lab, GRID[name], base, { at: WIDTH, draws: DRAWS_COMPARED });
      return [name, relativeTo(satisfied, changed)] as const;
    });
    return { [SATISFIED]: satisfied, ...Object.fromEntries(rest) } as Record<Corner, Sequence>;
  },
  judge: (evidence, law) =>
    CORNERS.flatMap((name) =>
      exponentChecks(name === SATISFIED ? name : `${name}, over the first`, 'L', evidence[name], law[name]),
    ),
  mutations: {
    'sigma_L = 1/m would do': { 'sigma_L = 1/m': DESIDERATA },
    'sigma_L = L/m would do': { 'sigma_L = L/m': DESIDERATA },
    'sigma_hid does not matter': { 'sigma_hid^(L-2) over sqrt(L)': DESIDERATA },
    'C_L = L would keep (BS)': { 'C_L = L': { ...DESIDERATA, lossDecay: 1 } },
    'C_1 + C_hid = 1/sqrt(L) would keep (RFL)': { 'C_1 + C_hid = 1/sqrt(L), C_L = 1': DESIDERATA },
    'sigma_L = 1/m would repair it': { 'the same with sigma_L = 1/m': DESIDERATA },
  },
});

interface Homogeneity {
  /** eta_1 = |G_1|^-power |G_L|^other. */
  readonly power: number;
  readonly other: number;
  /** -dloss/dt by the step of W_1, where W_1 is scaled by x and W_L by 1/x. */
  readonly decays: readonly ExponentPoint[];
}

export const propositionB1 = defineClaim<
  Homogeneity[],
  { exponent: (of: { power: number; other: number }) => number }
>({
  id: 'prop-b.1',
  title: 'Rates that are invariant under reparameterization',
  where: 'Proposition B.1',
  statement:
    'A step does not depend on the scale of its parameters if and only if eta_l is (-2)-homogeneous in G_l and ' +
    '0-homogeneous in the others: with eta_1 = |G_1|^(-p) |G_L|^q, -dloss/dt = |G_1|^(2-p) |G_L|^q',
  law: { exponent: ({ power, other }) => power - 2 + other },
  measure: (lab) => {
    const [L, m, d] = [5, 256, 10];
    const [input, output] = [1 / Math.sqrt(d), 1 / Math.sqrt(m)];
    return [
      { power: 2, other: 0 },
      { power: 1, other: 0 },
      { power: 3, other: 0 },
      { power: 2, other: 1 },
    ].map(({ power, other }): Homogeneity => {
      const decays = [0.25, 1, 4].map((x) => {
        const setup: Setup = { depth: L, width: m, sigma: { input: x * input, output: output / x } };
        const rates = lab
          .gradientNorms(setup, 8)
          .map((norms) => norms[1]! ** (-power / 2) * norms[L]! ** (other / 2));
        const cells = lab.measureEach(
          rates.map((eta) => ({
            ...setup,
            train: ['input'],
            learningRate: Array.from({ length: L + 1 }, () => eta),
          })),
        );
        return { x, y: cells.map(({ values }) => -values.loss_change[0]!) };
      });
      return { power, other, decays };
    });
  },
  judge: (all, { exponent }) =>
    all.map((each) =>
      exponentIs(
        `p = ${each.power}, q = ${each.other}: exponent of -dloss/dt in the factor of W_1`,
        each.decays,
        exponent(each),
      ),
    ),
  mutations: {
    'rates of homogeneity -1': { exponent: ({ power, other }) => power - 1 + other },
    'the other gradients do not matter': { exponent: ({ power }) => power - 2 },
  },
});
