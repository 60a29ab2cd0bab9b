/** Sections 5.1 and 5.3: signal, angle and scalings of ResNets. */
import type { ExponentPoint } from '../../results/exponent.js';
import { bfaLimit, conjecturedAngle } from '../../theory/bfa.js';
import { exponentIs, identity, meanWithin } from '../checks.js';
import { type Check, defineClaim } from '../claim.js';
import type { Lab } from '../lab.js';
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
} from '../sequences.js';

const LINEAR: Kind = { architecture: 'resnet', activation: 'linear' };

/** Norms of a ResNet fluctuate by beta^2 L / m alone, which needs neither width nor many draws. */
const NARROW = { values: [8, 16, 32, 64], at: 1024, draws: 16 };

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
          alongDepth(lab, (L) => ({ ...kind, branchScale: at(L) }), NARROW),
        ]),
      ) as Record<BranchScaleName, Sequence>,
      inWidth: alongWidth(lab, () => ({ ...kind, branchScale: 1 / Math.sqrt(6) }), { draws: 16 }),
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
        'linear, beta = 1/sqrt(L)': alongDepth(lab, at('linear', '1/sqrt(L)'), NARROW),
        'relu, beta = 1/sqrt(L)': alongDepth(lab, at('relu', '1/sqrt(L)'), NARROW),
        'linear, beta = 1/L': alongDepth(lab, at('linear', '1/L'), NARROW),
      },
      inWidth: alongWidth(lab, () => kind, { draws: 16 }),
      inInput: along(lab, [4, 16, 64, 256], (inputWidth) => ({ ...kind, inputWidth })),
      inOutput: along(lab, [4, 16, 64, 256], (outputWidth) => ({ ...kind, outputWidth })),
      deeperOutput: alongDepth(lab, (L) => ({ ...at('linear', '1/sqrt(L)')(L), scaling: 'FSC' }), NARROW),
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

/** theta_{L-1} of ReLU ResNets with beta = c / sqrt(L), hidden layers trained; by draw. */
const outputAngles = (lab: Lab, c: number, depth: number, width: number, draws: number): number[] =>
  lab
    .measure(
      {
        architecture: 'resnet',
        branchScale: c / Math.sqrt(depth),
        depth,
        width,
        train: 'hidden',
        layers: 'output',
      },
      draws,
    )
    .map(({ values }) => values.bfa_rad[0]!);

/** The same at infinite width: exact at every depth. */
const exactAngle = (c: number, depth: number) =>
  bfaLimit({ activation: 'relu', depth, branchScale: c / Math.sqrt(depth) })[depth - 1]!;

const LARGE_SCALES = 'angles at large branch scales';

/**
 * cos(theta_{L-1}) at large c, for the two claims on it. What the exact law at this depth has beside 1/c is divided out; that
 * phi itself has it far out is the theory's.
 */
const cosinesAlongC = (lab: Lab): ExponentPoint[] =>
  lab.once(LARGE_SCALES, (own) => {
    const depth = 128;
    return [2, 4, 8].map((c) => {
      const factor = Math.cos(exactAngle(c, depth)) * c;
      return { x: c, y: outputAngles(own, c, depth, 8192, 24).map((theta) => Math.cos(theta) / factor) };
    });
  });

/** Depths of the exact law, of which the last are beyond what is measured. */
const MEASURED = [25, 50, 100];
const FAR = [1000, 4000];

interface Angles {
  readonly c: number;
  /** theta_{L-1} over the exact law at each of the depths that are measured, by draw. */
  readonly ratios: readonly ExponentPoint[];
  /** The exact law at the depths beyond. */
  readonly far: readonly number[];
}

export const conjecture = defineClaim<
  { angles: Angles[]; cosines: ExponentPoint[] },
  { angle: (c: number) => number; exponent: number; scale: number }
>({
  id: 'conjecture',
  shares: LARGE_SCALES,
  title: 'The angle is a function of sqrt(L) beta',
  where: 'Section 5.1, numerical experiments',
  statement: 'With beta = c/sqrt(L) the angle theta_{L-1} of a ReLU ResNet converges to some phi(c)',
  note:
    'Ours: phi is the solution of a Volterra equation; phi(c) ~ sqrt(2/3) c at small c and cos(phi(c)) ~ 1/c at large c. ' +
    'Networks are held against the exact law at their depth, and that law at large depth against phi.',
  law: { angle: conjecturedAngle, exponent: -1, scale: 1 },
  measure: (lab) => ({
    angles: [0.5, 1, 2, 4].map(
      (c): Angles => ({
        c,
        ratios: MEASURED.map((x) => {
          const exact = exactAngle(c, x);
          return { x, y: outputAngles(lab, c, x, 4096, 16).map((theta) => theta / exact) };
        }),
        far: FAR.map((L) => exactAngle(c, L)),
      }),
    ),
    cosines: cosinesAlongC(lab),
  }),
  judge: ({ angles, cosines }, { angle, exponent, scale }): Check[] => [
    ...angles.flatMap(({ c, ratios, far }) => [
      ...ratios.map(({ x, y }) =>
        meanWithin(`c = ${c}: theta_{L-1} over its exact law at L = ${x}`, y, scale, 0.03),
      ),
      identity(
        `c = ${c}: the exact law at L = ${FAR.join(' and ')} over phi(c), extrapolated in 1/L, less 1`,
        [extrapolated(far) / angle(c) - 1],
        1e-3,
      ),
    ]),
    exponentIs('exponent of cos(theta_{L-1}) in c, L = 128', cosines, exponent, 0.15),
  ],
  mutations: {
    'phi of a linear ResNet': { angle: (c) => Math.atan(Math.sqrt((2 * c ** 2) / 3)) },
    'an angle that is 5 % larger': { scale: 1.05 },
    'the exponent -1/2': { exponent: -0.5 },
  },
});

/** The limit of a + b/L from its values at the two depths beyond. */
function extrapolated([near, far]: readonly number[]): number {
  const [x, y] = FAR.map((L) => 1 / L);
  return far! - ((near! - far!) * y!) / (x! - y!);
}

export const conjecturePrinted = defineClaim<ExponentPoint[], { exponent: number }>({
  id: 'conjecture-printed',
  shares: LARGE_SCALES,
  title: 'The angle at large branch scales, as printed',
  where: 'Section 5.1, numerical experiments',
  statement: 'cos(phi(c)) ~ c^(-1/2) for large c',
  note:
    'The exponent is -1: theory and the picture in the code of the authors, which draws 1/c, agree. Measured on the same ' +
    'draws as that of the conjecture.',
  law: { exponent: -0.5 },
  measure: cosinesAlongC,
  judge: (cosines, { exponent }) => [
    exponentIs('exponent of cos(theta_{L-1}) in c, L = 128', cosines, exponent, 0.15),
  ],
  mutations: { 'as measured': { exponent: -1 } },
});
