/** Proposition 6.2 and appendix B: what scales of homogeneous networks do not change. */

import type { ExponentPoint } from '../../results/exponent.js';
import { between, exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Setup } from '../lab.js';

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
