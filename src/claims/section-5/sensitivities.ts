/** Fig. 2: how the sensitivity grows with depth and width. */

import type { ExponentPoint } from '../../results/exponent.js';
import { exponentIs } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';
import {
  alongDepth,
  alongWidth,
  type Exponents,
  exponentChecks,
  type Kind,
  type Sequence,
} from '../sequences.js';

const MLP: Kind = { architecture: 'resnet', branchScale: 1, train: 'hidden' };

export const figure2a = defineClaim<
  { mf: Sequence; fsc: Sequence; ntk: Sequence },
  { mf: Exponents; fsc: Exponents; ntk: Exponents }
>({
  id: 'fig-2a',
  title: 'Sensitivity of MLPs',
  where: 'Fig. 2 (a)',
  statement: 'S_{L-1} is Theta(sqrt(L)) for MF+muP, Theta(1) for FSC, and Theta(1/sqrt(m)) for NTK',
  law: { mf: { sensitivity: 0.5 }, fsc: { sensitivity: 0 }, ntk: { sensitivity: -0.5 } },
  measure: (lab) => ({
    mf: alongDepth(lab, () => ({ ...MLP, scaling: 'MF+muP' })),
    fsc: alongDepth(lab, () => ({ ...MLP, scaling: 'FSC' })),
    ntk: alongWidth(lab, () => ({ ...MLP, scaling: 'NTK' })),
  }),
  judge: (measured, law) => [
    ...exponentChecks('MF+muP', 'L', measured.mf, law.mf),
    ...exponentChecks('FSC', 'L', measured.fsc, law.fsc),
    ...exponentChecks('NTK', 'm', measured.ntk, law.ntk),
  ],
  mutations: {
    'MF+muP does not grow': { mf: { sensitivity: 0 } },
    'FSC falls': { fsc: { sensitivity: -0.5 } },
    'NTK falls as 1/m': { ntk: { sensitivity: -1 } },
  },
});

const ntkInDepth = (lab: Lab) => alongDepth(lab, () => ({ ...MLP, scaling: 'NTK' }));

export const figure2Caption = defineClaim<Sequence, { inDepth: Exponents }>({
  id: 'fig-2a-caption',
  title: 'Sensitivity of NTK, as captioned',
  where: 'Fig. 2, caption',
  statement: 'S_{L-1} of NTK is constant with depth',
  note: 'It grows as sqrt(L/m), as the proof of Prop 5.3 (ii) has it.',
  law: { inDepth: { sensitivity: 0 } },
  measure: ntkInDepth,
  judge: (measured, { inDepth }) => exponentChecks('NTK', 'L', measured, inDepth),
  mutations: { 'as measured': { inDepth: { sensitivity: 0.5 } } },
});

/** Fig. 2b as it was drawn: 200 samples of law N(0, 1), d = 4, k = 2, y_i = cos(pi x_i), m = 50, a step of 0.01. */
const FIGURE_2B: Omit<Setup, 'depth'> = {
  architecture: 'resnet',
  width: 50,
  inputWidth: 4,
  outputWidth: 2,
  samples: 200,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'cosine' } },
  loss: 'squared',
  train: 'hidden',
  scaling: 'MF+muP',
  kind: 'update',
  stepSize: 0.01,
  weights: 'dense',
  layers: 'output',
};

/** S_{L-1} of one draw is known to a factor of 1.4, and an exponent to 0.3. */
const DRAWS = 72;

/** S_{L-1} as Fig. 2 has it, |df|_rms / |dloss|, at growing depth: of the same data at every depth. */
const sensitivities = (lab: Lab, branchScaleAt: (L: number) => number): ExponentPoint[] =>
  [20, 100].map((depth) => ({
    x: depth,
    y: lab
      .measure({ ...FIGURE_2B, depth, branchScale: branchScaleAt(depth) }, DRAWS)
      .map(({ values }) => values.sensitivity_finite[0]!),
  }));

export const figure2b = defineClaim<
  { root: ExponentPoint[]; inverse: ExponentPoint[] },
  { exponent: number }
>({
  id: 'fig-2b',
  title: 'Sensitivity of ResNets',
  where: 'Fig. 2 (b)',
  statement: 'With sigma_L = 1/m and beta = 1/sqrt(L) or 1/L, S_{L-1} becomes independent of depth',
  note: 'Measured at the settings of the figure, between L = 20 and 100, its range.',
  law: { exponent: 0 },
  measure: (lab) => ({
    root: sensitivities(lab, (L) => 1 / Math.sqrt(L)),
    inverse: sensitivities(lab, (L) => 1 / L),
  }),
  judge: ({ root, inverse }, { exponent }) => [
    exponentIs('beta = 1/sqrt(L): exponent of S_{L-1} in L', root, exponent, 0.25),
    exponentIs('beta = 1/L: exponent of S_{L-1} in L', inverse, exponent, 0.25),
  ],
  mutations: { 'it grows as that of an MLP': { exponent: 0.5 } },
});
