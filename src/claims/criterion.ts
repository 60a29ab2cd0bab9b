/** Section 4: the criterion for feature learning, loss decay and balanced contributions. */
import { defineClaim } from './claim.js';
import type { Lab } from './lab.js';
import { alongDepthAtRates, type Exponents, exponentChecks, type Sequence } from './sequences.js';

/** Sequences in L that satisfy Eqs. 7 and 8, or break one. */
const CASES = {
  'Eqs. 7 and 8': {},
  'not Eq. 7: |b_{L-1}|_rms = Theta(1/m)': { sigma: (_L: number, m: number) => ({ output: 1 / m }) },
  'not Eq. 8: eta_l = 1 / |G_l|^2': { rate: () => 1 },
  'not Eq. 8: eta_l = 2 l / (L^2 |G_l|^2)': { rate: (l: number, L: number) => (2 * l) / L ** 2 },
} as const;

type Case = keyof typeof CASES;

const SATISFIED: Exponents = { featureSpeed: 0, lossDecay: 0, imbalance: 0 };

/** The exponents in L that follow from Thm 2.1 with cos(theta_{L-1}) = Theta(L^(-1/2)). */
const LAW: Record<Case, Exponents> = {
  'Eqs. 7 and 8': SATISFIED,
  'not Eq. 7: |b_{L-1}|_rms = Theta(1/m)': { ...SATISFIED, featureSpeed: 0.5 },
  'not Eq. 8: eta_l = 1 / |G_l|^2': { ...SATISFIED, featureSpeed: 1, lossDecay: 1 },
  'not Eq. 8: eta_l = 2 l / (L^2 |G_l|^2)': { ...SATISFIED, imbalance: 1 },
};

export const proposition41 = defineClaim<Record<Case, Sequence>, Record<Case, Exponents>>({
  id: 'prop-4.1',
  title: 'Criterion for feature learning, loss decay and balance',
  where: 'Proposition 4.1',
  statement:
    '(FL), (LD) and (BC) hold if and only if |b_{L-1}|_rms = Theta(1 / (m cos(theta_{L-1}))) (Eq. 7) and ' +
    'eta_l = Theta(1 / (L |G_l|^2)) (Eq. 8)',
  law: LAW,
  measure: (lab: Lab) =>
    Object.fromEntries(
      Object.entries(CASES).map(([name, change]) => [name, alongDepthAtRates(lab, change)]),
    ) as Record<Case, Sequence>,
  judge: (evidence, law) =>
    (Object.keys(CASES) as Case[]).flatMap((name) => exponentChecks(name, 'L', evidence[name], law[name])),
  mutations: {
    'without the angle in Eq. 7': { 'not Eq. 7: |b_{L-1}|_rms = Theta(1/m)': SATISFIED },
    'without the L of Eq. 8': { 'not Eq. 8: eta_l = 1 / |G_l|^2': SATISFIED },
    'with any rates that sum to 1': { 'not Eq. 8: eta_l = 2 l / (L^2 |G_l|^2)': SATISFIED },
  },
});
