/** Theorem 6.3: which scales and contributions are stable, of homogeneous networks. */

import { defineClaim } from '../claim.js';
import {
  alongDepthAtRates,
  type Change,
  type Exponents,
  exponentChecks,
  relativeTo,
  type Sequence,
} from '../sequences.js';

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
