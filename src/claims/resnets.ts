/** Sections 5.1 and 5.3: signal, angle and scalings of ResNets. */
import type { ExponentPoint } from '../results/exponent.js';
import { conjecturedAngle } from '../theory/bfa.js';
import { exponentIs, meanIs } from './checks.js';
import { type Check, defineClaim } from './claim.js';
import type { Lab } from './lab.js';
import {
  ALONG,
  along,
  alongDepth,
  alongWidth,
  type Exponents,
  exponentChecks,
  HOLD,
  type Kind,
  type Sequence,
} from './sequences.js';

const LINEAR: Kind = { architecture: 'resnet', activation: 'linear' };

/** Branch scales of Prop 5.2, O(1/sqrt(L)). */
const BRANCH_SCALES = {
  '1/sqrt(L)': (L: number) => 1 / Math.sqrt(L),
  '2/sqrt(L)': (L: number) => 2 / Math.sqrt(L),
  '1/L': (L: number) => 1 / L,
} as const;

type BranchScaleName = keyof typeof BRANCH_SCALES;

export const proposition52 = defineClaim<
  { inDepth: Record<BranchScaleName, Sequence>; inWidth: Sequence },
  { inDepth: Exponents; inWidth: Exponents }
>({
  id: 'prop-5.2',
  title: 'Signal and angle of linear ResNets',
  where: 'Proposition 5.2',
  statement:
    'With beta = O(1/sqrt(L)): |f_v|_rms = Theta(|x|_rms), |b_v|_2 = Theta(sqrt(m) sigma_L |b_L|_2), and under (BC) ' +
    'cos(theta_v) = Theta(1)',
  law: {
    inDepth: { smallestFeature: 0, largestFeature: 0, firstBackward: 0, cosine: 0 },
    inWidth: { smallestFeature: 0, largestFeature: 0, firstBackward: 0.5, cosine: 0 },
  },
  measure: (lab) => {
    const kind: Kind = { ...LINEAR, sigma: { output: 0.01 } };
    return {
      inDepth: Object.fromEntries(
        Object.entries(BRANCH_SCALES).map(([name, at]) => [
          name,
          alongDepth(lab, (L) => ({ ...kind, branchScale: at(L) })),
        ]),
      ) as Record<BranchScaleName, Sequence>,
      inWidth: alongWidth(lab, () => ({ ...kind, branchScale: 1 / Math.sqrt(12) })),
    };
  },
  judge: ({ inDepth, inWidth }, law) => [
    ...Object.entries(inDepth).flatMap(([name, measured]) =>
      exponentChecks(`beta = ${name}`, 'L', measured, law.inDepth),
    ),
    ...exponentChecks('beta = 1/sqrt(L)', 'm', inWidth, law.inWidth),
  ],
  mutations: {
    'the angle of an MLP': { inDepth: { cosine: -0.5 } },
    'a backward pass without sqrt(m)': { inWidth: { firstBackward: 0 } },
  },
});

interface Table2 {
  readonly inDepth: Record<string, Sequence>;
  readonly inWidth: Sequence;
  readonly inInput: Sequence;
  readonly inOutput: Sequence;
  /** With the sigma_L = sqrt(k L) / m of an MLP. */
  readonly deeperOutput: Sequence;
}

export const proposition54 = defineClaim<
  Table2,
  { inDepth: Exponents; inWidths: Exponents; deeperOutput: Exponents }
>({
  id: 'prop-5.4',
  title: 'FSC of ResNets',
  where: 'Proposition 5.4, Table 2',
  statement:
    'With beta = O(1/sqrt(L)), Table 2 satisfies (SP), (BC), (LD) and (FL), and other scales do not: with the ' +
    'sigma_L = sqrt(k L)/m of an MLP features move as L^(-1/2)',
  note: 'Stated for a linear activation; it holds for ReLU too, with sigma_hid = sqrt(2/m).',
  law: {
    inDepth: HOLD,
    inWidths: { smallestFeature: 0, featureSpeed: 0, lossDecay: 0, imbalance: 0 },
    deeperOutput: { featureSpeed: -0.5 },
  },
  measure: (lab) => {
    const at = (activation: 'linear' | 'relu', name: BranchScaleName): ((L: number) => Kind) => {
      const branchScale = BRANCH_SCALES[name];
      return (L) => ({
        architecture: 'resnet',
        activation,
        scaling: 'FSC (Table 2)',
        branchScale: branchScale(L),
      });
    };
    const kind = at('linear', '1/sqrt(L)')(ALONG.depth);
    return {
      inDepth: {
        'linear, beta = 1/sqrt(L)': alongDepth(lab, at('linear', '1/sqrt(L)')),
        'relu, beta = 1/sqrt(L)': alongDepth(lab, at('relu', '1/sqrt(L)')),
        'linear, beta = 1/L': alongDepth(lab, at('linear', '1/L')),
      },
      inWidth: alongWidth(lab, () => kind),
      inInput: along(lab, [4, 16, 64, 256], (inputWidth) => ({ ...kind, inputWidth })),
      inOutput: along(lab, [4, 16, 64, 256], (outputWidth) => ({ ...kind, outputWidth })),
      deeperOutput: alongDepth(lab, (L) => ({ ...at('linear', '1/sqrt(L)')(L), scaling: 'FSC' })),
    };
  },
  judge: ({ inDepth, inWidth, inInput, inOutput, deeperOutput }, law) => [
    ...Object.entries(inDepth).flatMap(([name, measured]) =>
      exponentChecks(name, 'L', measured, law.inDepth),
    ),
    ...exponentChecks('linear', 'm', inWidth, law.inWidths),
    ...exponentChecks('linear', 'd', inInput, law.inWidths),
    ...exponentChecks('linear', 'k', inOutput, law.inWidths),
    ...exponentChecks('linear, sigma_L = sqrt(k L)/m', 'L', deeperOutput, law.deeperOutput),
  ],
  mutations: {
    'without the 1/L of the rates': { inDepth: { ...HOLD, lossDecay: 1 } },
    'the output scale does not matter': { deeperOutput: { featureSpeed: 0 } },
    'contributions that fall as 1/k': { inWidths: { ...HOLD, lossDecay: -1 } },
  },
});

interface Conjecture {
  /** theta_{L-1} along L at each c, and along c at the largest L. */
  readonly inDepth: readonly { readonly c: number; readonly angles: readonly ExponentPoint[] }[];
  readonly cosines: readonly ExponentPoint[];
}

/** Output angles of ReLU ResNets with beta = c / sqrt(L), hidden layers trained. */
function outputAngles(lab: Lab, L: number, width: number, cs: readonly number[], draws: number): number[][] {
  return cs.map((c) =>
    lab
      .measure(
        {
          architecture: 'resnet',
          branchScale: c / Math.sqrt(L),
          depth: L,
          width,
          train: 'hidden',
          layers: 'output',
        },
        draws,
      )
      .map(({ values }) => values.bfa_rad[0]!),
  );
}

/** cos(theta_{L-1}) at large c. */
function cosinesAlongC(lab: Lab): ExponentPoint[] {
  const cs = [4, 8, 16];
  return outputAngles(lab, 1000, 8192, cs, 8).map((angles, i) => ({ x: cs[i]!, y: angles.map(Math.cos) }));
}

export const conjecture = defineClaim<Conjecture, { angle: (c: number) => number; exponent: number }>({
  id: 'conjecture',
  title: 'The angle is a function of sqrt(L) beta',
  where: 'Section 5.1, numerical experiments',
  statement: 'With beta = c/sqrt(L) the angle theta_{L-1} of a ReLU ResNet converges to some phi(c)',
  note: 'Ours: phi is the solution of a Volterra equation; phi(c) ~ sqrt(2/3) c at small c and cos(phi(c)) ~ 1/c at large c.',
  law: { angle: conjecturedAngle, exponent: -1 },
  measure: (lab) => {
    const cs = [0.5, 1, 2, 4];
    const depths = [50, 100, 200, 400];
    const angles = depths.map((L) => outputAngles(lab, L, 8192, cs, 3));
    return {
      inDepth: cs.map((c, i) => ({ c, angles: depths.map((x, j) => ({ x, y: angles[j]![i]! })) })),
      cosines: cosinesAlongC(lab),
    };
  },
  judge: ({ inDepth, cosines }, { angle, exponent }): Check[] => [
    ...inDepth.flatMap(({ c, angles }) => [
      exponentIs(`c = ${c}: exponent of theta_{L-1} in L`, angles, 0, 0.05),
      meanIs(
        `c = ${c}: theta_{L-1} / phi(c) at L = ${angles.at(-1)!.x}`,
        angles.at(-1)!.y.map((theta) => theta / angle(c)),
        1,
        0.02,
      ),
    ]),
    exponentIs('exponent of cos(theta_{L-1}) in c, L = 1000', cosines, exponent),
  ],
  mutations: {
    'phi of a linear ResNet': { angle: (c) => Math.atan(Math.sqrt((2 * c ** 2) / 3)) },
    'the exponent -1/2': { exponent: -0.5 },
  },
});

export const conjecturePrinted = defineClaim<ExponentPoint[], { exponent: number }>({
  id: 'conjecture-printed',
  title: 'The angle at large branch scales, as printed',
  where: 'Section 5.1, numerical experiments',
  statement: 'cos(phi(c)) ~ c^(-1/2) for large c',
  note: 'The exponent is -1: theory and the picture in the code of the authors, which draws 1/c, agree.',
  law: { exponent: -0.5 },
  measure: cosinesAlongC,
  judge: (cosines, { exponent }) => [
    exponentIs('exponent of cos(theta_{L-1}) in c, L = 1000', cosines, exponent),
  ],
  mutations: { 'as measured': { exponent: -1 } },
});
