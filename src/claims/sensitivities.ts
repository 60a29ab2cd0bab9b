/** Fig. 2: how the sensitivity grows with depth and width. */
import { defineClaim } from './claim.js';
import type { Lab } from './lab.js';
import {
  alongDepth,
  alongWidth,
  type Exponents,
  exponentChecks,
  type Kind,
  type Sequence,
} from './sequences.js';

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

export const figure2b = defineClaim<{ root: Sequence; inverse: Sequence }, { inDepth: Exponents }>({
  id: 'fig-2b',
  title: 'Sensitivity of ResNets',
  where: 'Fig. 2 (b)',
  statement: 'With sigma_L = 1/m and beta = 1/sqrt(L) or 1/L, S_{L-1} becomes independent of depth',
  law: { inDepth: { sensitivity: 0 } },
  measure: (lab) => {
    const kind: Kind = { ...MLP, scaling: 'MF+muP' };
    return {
      root: alongDepth(lab, (L) => ({ ...kind, branchScale: 1 / Math.sqrt(L) })),
      inverse: alongDepth(lab, (L) => ({ ...kind, branchScale: 1 / L })),
    };
  },
  judge: ({ root, inverse }, { inDepth }) => [
    ...exponentChecks('beta = 1/sqrt(L)', 'L', root, inDepth),
    ...exponentChecks('beta = 1/L', 'L', inverse, inDepth),
  ],
  mutations: { 'it grows as that of an MLP': { inDepth: { sensitivity: 0.5 } } },
});
