/** Section 4: the criterion for feature learning, loss decay and balanced contributions. */
import { defineClaim } from '../claim.js';
import type { Lab } from '../lab.js';
import {
  alongDepthAtRates,
  type Change,
  type Exponents,
  exponentChecks,
  relativeTo,
  type Sequence,
} from '../sequences.js';

const SATISFIED = 'Eqs. 7 and 8';

/** Sequences in L that satisfy Eqs. 7 and 8, or break one. */
const CASES = {
  [SATISFIED]: {},
  'not Eq. 7: |b_{L-1}|_rms = Theta(1/m)': { sigma: (_L: number, m: number) => ({ output: 1 / m }) },
  'not Eq. 8: eta_l = 1 / |G_l|^2': { rate: () => 1 },
  'not Eq. 8: eta_l = 2 l / (L^2 |G_l|^2)': { rate: (l: number, L: number) => (2 * l) / L ** 2 },
  'not Eq. 8: 2 / (L |G_l|^2) and 2 / (L^2 |G_l|^2) in turn': {
    rate: (l: number, L: number) => (l % 2 === 1 ? 2 / L : 2 / L ** 2),
  },
} as const satisfies Record<string, Change>;

type Case = keyof typeof CASES;
const NAMES = Object.keys(CASES) as Case[];

const HOLD: Exponents = { featureSpeed: 0, lossDecay: 0, imbalance: 0 };

/** The exponents in L that follow from Thm 2.1 with cos(theta_{L-1}) = Theta(L^(-1/2)). */
const LAW: Record<Case, Exponents> = {
  [SATISFIED]: HOLD,
  'not Eq. 7: |b_{L-1}|_rms = Theta(1/m)': { ...HOLD, featureSpeed: 0.5 },
  'not Eq. 8: eta_l = 1 / |G_l|^2': { ...HOLD, featureSpeed: 1, lossDecay: 1 },
  'not Eq. 8: eta_l = 2 l / (L^2 |G_l|^2)': { ...HOLD, imbalance: 1 },
  'not Eq. 8: 2 / (L |G_l|^2) and 2 / (L^2 |G_l|^2) in turn': { ...HOLD, imbalance: 1 },
};

/** Draws of the cases that are compared with the first on the same draws, which takes most of the noise away. */
const DRAWS_COMPARED = 8;
const WIDTH = 4096;

export const proposition41 = defineClaim<Record<Case, Sequence>, Record<Case, Exponents>>({
  id: 'prop-4.1',
  title: 'Criterion for feature learning, loss decay and balance',
  where: 'Proposition 4.1',
  statement:
    '(FL), (LD) and (BC) hold if and only if |b_{L-1}|_rms = Theta(1 / (m cos(theta_{L-1}))) (Eq. 7) and ' +
    'eta_l = Theta(1 / (L |G_l|^2)) (Eq. 8)',
  law: LAW,
  measure: (lab: Lab) => {
    const satisfied = alongDepthAtRates(lab, {}, {}, { at: WIDTH });
    const rest = NAMES.filter((name) => name !== SATISFIED).map((name) => {
      const changed = alongDepthAtRates(lab, CASES[name], {}, { at: WIDTH, draws: DRAWS_COMPARED });
      return [name, relativeTo(satisfied, changed)] as const;
    });
    return { [SATISFIED]: satisfied, ...Object.fromEntries(rest) } as Record<Case, Sequence>;
  },
  judge: (evidence, law) =>
    NAMES.flatMap((name) =>
      exponentChecks(name === SATISFIED ? name : `${name}, over the first`, 'L', evidence[name], law[name]),
    ),
  mutations: {
    'without the angle in Eq. 7': { 'not Eq. 7: |b_{L-1}|_rms = Theta(1/m)': HOLD },
    'without the L of Eq. 8': { 'not Eq. 8: eta_l = 1 / |G_l|^2': HOLD },
    'with any rates that sum to 1': { 'not Eq. 8: eta_l = 2 l / (L^2 |G_l|^2)': HOLD },
    'with contributions that alternate': { 'not Eq. 8: 2 / (L |G_l|^2) and 2 / (L^2 |G_l|^2) in turn': HOLD },
  },
});
