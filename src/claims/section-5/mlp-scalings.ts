/** Sections 5.1 and 5.2: signal, angle and scalings of deep ReLU MLPs. */

import { mean } from 'simple-statistics';
import type { ExponentPoint } from '../../results/exponent.js';
import { exponentIs, identity, meanWithin } from '../checks.js';
import { type Check, defineClaim } from '../claim.js';
import { dense, type Lab, limitOf } from '../lab.js';
import {
  along,
  alongDepth,
  alongLayers,
  alongWidth,
  type Exponents,
  exponentChecks,
  HOLD,
  type Kind,
  measureLayers,
  type Sequence,
} from '../sequences.js';

interface Signal {
  readonly inDepth: Sequence;
  readonly inWidth: Sequence;
  readonly inInput: Sequence;
  readonly inOutput: Sequence;
  /** cos(theta_v) against v, without what the exact law has beside a power; and over the law, by draw. */
  readonly cosines: readonly ExponentPoint[];
  readonly ratios: readonly number[];
}

export const proposition51 = defineClaim<
  Signal,
  {
    inDepth: Exponents;
    inWidth: Exponents;
    inInput: Exponents;
    inOutput: Exponents;
    angle: number;
    constant: number;
  }
>({
  id: 'prop-5.1',
  title: 'Signal and angle of MLPs of large width and depth',
  where: 'Proposition 5.1',
  statement:
    '|f_v|_rms = Theta(|x|_rms), |b_v|_2 = Theta(sqrt(m) sigma_L |b_L|_2), and under (BC) cos(theta_v) = Theta(v^(-1/2))',
  note: 'The constant is ours: tan(theta_v)^2 = (2 v^2 + 1) / (3 v) for g_v with all layers trained.',
  law: {
    inDepth: { smallestFeature: 0, largestFeature: 0, firstBackward: 0 },
    inWidth: { smallestFeature: 0, largestFeature: 0, firstBackward: 0.5 },
    inInput: { smallestFeature: 1, largestFeature: 1, firstBackward: 0 },
    inOutput: { smallestFeature: 0, largestFeature: 0, firstBackward: -0.5 },
    angle: -0.5,
    constant: 1,
  },
  measure: (lab) => {
    const kind: Kind = { sigma: { output: 0.01 } };
    const { depth, cells } = measureLayers(lab);
    const limit = limitOf({ depth, width: 1 })!;
    const cosines = alongLayers(
      cells,
      ({ bfa_rad }, v) =>
        (Math.cos(bfa_rad[v - 1]!) / Math.cos(limit.backwardFeatureAngle[v - 1]!)) * v ** -0.5,
    );
    return {
      inDepth: alongDepth(lab, () => kind),
      inWidth: alongWidth(lab, () => kind),
      inInput: along(lab, [0.1, 1, 10], (rms) => ({ ...kind, data: dense(10, rms) })),
      inOutput: along(lab, [4, 16, 64], (outputWidth) => ({ ...kind, outputWidth })),
      cosines,
      ratios: cells.map((_, draw) => mean(cosines.map(({ x, y }) => y[draw]! * Math.sqrt(x)))),
    };
  },
  judge: (signal, law) => [
    ...exponentChecks('features and backward pass', 'L', signal.inDepth, law.inDepth),
    ...exponentChecks('features and backward pass', 'm', signal.inWidth, law.inWidth),
    ...exponentChecks('features and backward pass', '|x|_rms', signal.inInput, law.inInput),
    ...exponentChecks('features and backward pass, |b_L|_2 = 1/sqrt(k)', 'k', signal.inOutput, law.inOutput),
    exponentIs('exponent of cos(theta_v) in v', signal.cosines, law.angle),
    meanWithin('cos(theta_v) over its limit at infinite width', signal.ratios, law.constant, 0.03),
  ],
  mutations: {
    'an angle that stays': { angle: 0 },
    'the angle 1/v': { angle: -1 },
    'an angle whose cosine is 10 % larger': { constant: 1.1 },
    'a backward pass without sqrt(m)': { inWidth: { firstBackward: 0 } },
    'a backward pass without |b_L|': { inOutput: { firstBackward: 0 } },
  },
});

/** Properties of a scaling with the rates of Table 1, along depth and width. */
interface Scaled {
  readonly inDepth: Sequence;
  readonly inWidth: Sequence;
}

interface ScaledLaw {
  readonly inDepth: Exponents;
  readonly inWidth: Exponents;
  /** C_l over what it is at infinite width. */
  readonly contribution: (l: number) => number;
}

/** Every C_l is what its exact law says. */
const EXACT = () => 1;
const ALTERNATING = (l: number) => (l % 2 === 0 ? 0.5 : 1.5);

/** What is special first, as `verify` shows the first check of a claim that holds. */
const LOSS_DECAY_FALLS: Exponents = {
  lossDecay: -0.5,
  featureSpeed: 0,
  imbalance: 0,
  smallestFeature: 0,
  largestFeature: 0,
};

const measureScaling =
  (kind: Kind) =>
  (lab: Lab): Scaled => ({
    inDepth: alongDepth(lab, () => kind, { draws: 48 }),
    inWidth: alongWidth(lab, () => kind),
  });

/** The largest deviation of a C_l, the mean over the draws, from its law: of all layers at all depths. */
function deviationsOf(measured: Sequence, { contribution }: ScaledLaw): number[] {
  return measured.flatMap(({ contributions, contributionLimits }) =>
    contributionLimits!.map(
      (limit, i) => mean(contributions.map((draw) => draw[i]!)) / (limit * contribution(i + 1)) - 1,
    ),
  );
}

const judgeScaling =
  (subject: string) =>
  (measured: Scaled, law: ScaledLaw): Check[] => [
    ...exponentChecks(subject, 'L', measured.inDepth, law.inDepth),
    ...exponentChecks(subject, 'm', measured.inWidth, law.inWidth),
    // Means of 48 draws have standard errors of 3 % or less.
    identity(
      `${subject}: (BC) C_l over its law, largest deviation of all layers`,
      deviationsOf(measured.inDepth, law),
      0.25,
    ),
  ];

export const proposition53i = defineClaim<Scaled, ScaledLaw>({
  id: 'prop-5.3-i',
  title: 'MF+muP: all but loss decay',
  where: 'Proposition 5.3 (i), Table 1',
  statement: 'MF+muP satisfies (SP), (BC), (FL) but not (LD): -dloss/dt = Theta(L^(-1/2))',
  note: 'With sigma_hid = sqrt(2/m), for the 2/sqrt(m) of Table 1.',
  law: { inDepth: LOSS_DECAY_FALLS, inWidth: HOLD, contribution: EXACT },
  measure: measureScaling({ scaling: 'MF+muP (Table 1)' }),
  judge: judgeScaling('MF+muP'),
  mutations: {
    'with (LD)': { inDepth: HOLD },
    'a loss decay of 1/L': { inDepth: { ...HOLD, lossDecay: -1 } },
    'contributions that alternate': { contribution: ALTERNATING },
  },
});

export const proposition53ii = defineClaim<Scaled, ScaledLaw>({
  id: 'prop-5.3-ii',
  title: 'NTK: all but feature learning',
  where: 'Proposition 5.3 (ii), Table 1',
  statement: 'NTK satisfies (SP), (BC), (LD) but not (FL): |fdot_{L-1}|_rms = Theta(sqrt(L/m))',
  note: 'With sigma_hid = sqrt(2/m), for the 2/sqrt(m) of Table 1.',
  law: {
    inDepth: { ...HOLD, featureSpeed: 0.5 },
    inWidth: { ...HOLD, featureSpeed: -0.5 },
    contribution: EXACT,
  },
  measure: measureScaling({ scaling: 'NTK (Table 1)' }),
  judge: judgeScaling('NTK'),
  mutations: {
    'with (FL)': { inWidth: HOLD },
    'constant with depth, as the caption of Fig. 2': { inDepth: HOLD },
    'contributions that alternate': { contribution: ALTERNATING },
  },
});

export const proposition53iii = defineClaim<Scaled, ScaledLaw>({
  id: 'prop-5.3-iii',
  title: 'FSC: all properties',
  where: 'Proposition 5.3 (iii), Table 1',
  statement: 'FSC satisfies (SP), (BC), (LD) and (FL); that no other scaling does is Prop 4.1',
  note: 'With sigma_hid = sqrt(2/m), for the 2/sqrt(m) of Table 1.',
  law: { inDepth: HOLD, inWidth: HOLD, contribution: EXACT },
  measure: measureScaling({ scaling: 'FSC (Table 1)' }),
  judge: judgeScaling('FSC'),
  mutations: {
    'without the sqrt(L) of sigma_L': { inDepth: { ...HOLD, featureSpeed: 0.5 } },
    'without (LD)': { inDepth: { ...HOLD, lossDecay: -0.5 } },
    'contributions that alternate': { contribution: ALTERNATING },
  },
});

export const zeroOutput = defineClaim<Sequence, { inDepth: Exponents; cosine: (L: number) => number }>({
  id: 'zero-output',
  title: 'Output weights initialized with zero',
  where: 'End of section 5.2',
  statement:
    'With W_L(0) = 0 and eta_L(0) = sqrt(L) / (m |b_L|^2), the second step satisfies (SP), (FL), (LD) and (BC), its angle ' +
    'being that of a random readout, cos(theta_{L-1}) = Theta(L^(-1/2))',
  note:
    'For a single input the b_{L-1} of the second step is parallel to the features, for which the angle is bounded away ' +
    'from pi/2: cos(theta_{L-1}) is about 0.9 at any depth, and the feature speed falls as L^(-1/2).',
  law: { inDepth: { ...HOLD, cosine: -0.5 }, cosine: (L) => Math.sqrt(3 / (2 * L)) },
  measure: (lab) =>
    // Eq. 8 gives eta_L = 1 / (L |G_L|^2) with |G_L|^2 = |b_L|^2 |g_{L-1}|^2 and |g_{L-1}|^2 = m/2: the step makes up for it.
    alongDepth(lab, (L) => ({ sigma: { output: 0 }, stepSize: L ** 1.5 / 2, steps: 2 }), {
      values: [10, 20, 40, 80],
      at: 4096,
    }),
  judge: (measured, { inDepth, cosine }) => {
    const { x: L, draws } = measured.at(-1)!;
    const cosines = draws.map((each) => each.cosine);
    return [
      // No exact law is known at finite depth: (L-1)/L of the layers are below f_{L-1}, an exponent of 0.03 from L = 10 on.
      ...exponentChecks('second step', 'L', measured, inDepth, 0.15),
      meanWithin(`second step: cos(theta_{L-1}) at L = ${L}`, cosines, cosine(L), 0.03),
    ];
  },
  mutations: {
    'as measured': { inDepth: { ...HOLD, featureSpeed: -0.5, cosine: 0 }, cosine: () => 0.9 },
  },
});
