/** Fig. 1 as captioned, and what W_1 adds to the angle. */
import { mean, median } from 'simple-statistics';
import type { ExponentPoint } from '../../results/exponent.js';
import { bfaLimit } from '../../theory/bfa.js';
import { between, type Exponent, exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';

/** The ReLU networks of Fig. 1 by branch scale. */
const FIGURE: Omit<Setup, 'depth' | 'width'> = { architecture: 'resnet', train: 'hidden', scaling: 'MF+muP' };

const BRANCH_SCALES_1A = {
  '1/L': (L: number) => 1 / L,
  '1/(2 sqrt(L))': (L: number) => 1 / (2 * Math.sqrt(L)),
  '1/sqrt(L)': (L: number) => 1 / Math.sqrt(L),
  '2/sqrt(L)': (L: number) => 2 / Math.sqrt(L),
  '1, an MLP': () => 1,
} as const;

interface HalfWay {
  readonly branchScale: number;
  readonly name: string;
  /** theta_{L/2} / theta_{L-1}, by draw. */
  readonly ratios: readonly number[];
}

const DEPTH_1A = 200;

export const figure1aCaption = defineClaim<HalfWay[], { ratio: (branchScale: number) => number }>({
  id: 'fig-1a-caption',
  title: 'The angle along the layers, as captioned',
  where: 'Fig. 1 (a), caption',
  statement: 'For all architectures theta_v varies in the first few layers and then stabilizes',
  note:
    'The angle of a ResNet with beta = c/sqrt(L) grows with v all the way, at first as sqrt(2 v / 3) beta; half way it is 0.7 ' +
    'to 0.9 of that at the output, as the figure shows. That of an MLP does stabilize, at pi/2.',
  law: { ratio: () => 1 },
  measure: (lab) =>
    Object.entries(BRANCH_SCALES_1A).map(([name, at]) => {
      const branchScale = at(DEPTH_1A);
      const cells = lab.measure({ ...FIGURE, branchScale, depth: DEPTH_1A, width: 1000 }, 6);
      return {
        name,
        branchScale,
        ratios: cells.map(({ values: { bfa_rad } }) => bfa_rad[DEPTH_1A / 2 - 1]! / bfa_rad[DEPTH_1A - 2]!),
      };
    }),
  judge: (measured, { ratio }) =>
    measured.map(({ name, branchScale, ratios }) =>
      between(
        `beta = ${name}: theta_{L/2} / theta_{L-1}, mean of ${ratios.length}`,
        mean([...ratios]),
        ratio(branchScale) - 0.1,
        ratio(branchScale) + 0.1,
      ),
    ),
  mutations: {
    'as the limit of infinite width has it': {
      ratio: (branchScale) => {
        const angles = bfaLimit({ activation: 'relu', depth: DEPTH_1A, branchScale });
        return angles[DEPTH_1A / 2]! / angles[DEPTH_1A - 1]!;
      },
    },
  },
});

/** Branch scales in L, from one that loses the angle to that of an MLP. */
const BRANCH_SCALES_1B = {
  '1/L': (L: number) => 1 / L,
  'L^(-3/4)': (L: number) => L ** -0.75,
  '1/sqrt(L)': (L: number) => 1 / Math.sqrt(L),
  'L^(-1/4)': (L: number) => L ** -0.25,
  '1, an MLP': () => 1,
} as const;

type BranchScaleName = keyof typeof BRANCH_SCALES_1B;

/** theta_{L-1} and its cosine at growing depth. */
type OutputAngle = Record<'angle' | 'cosine', ExponentPoint[]>;
type OutputLaw = Record<'angle' | 'cosine', Exponent>;

/** A non-trivial angle: neither it nor its cosine vanishes. */
const NON_TRIVIAL: OutputLaw = { angle: 0, cosine: 0 };

export const figure1b = defineClaim<
  Record<BranchScaleName, OutputAngle>,
  Record<BranchScaleName, Partial<OutputLaw>>
>({
  id: 'fig-1b',
  title: 'The branch scales with an angle of their own',
  where: 'Fig. 1 (b), caption',
  statement:
    'theta_{L-1} is asymptotically independent of depth, and non-trivial only when beta ~ 1/sqrt(L): it vanishes with smaller ' +
    'branch scales, and its cosine with larger ones',
  law: {
    '1/L': { angle: -0.5, cosine: 0 },
    'L^(-3/4)': { angle: -0.25, cosine: 0 },
    '1/sqrt(L)': NON_TRIVIAL,
    'L^(-1/4)': { angle: 0, cosine: -0.25 },
    '1, an MLP': { angle: 0, cosine: -0.5 },
  },
  measure: (lab) =>
    Object.fromEntries(
      Object.entries(BRANCH_SCALES_1B).map(([name, at]): [string, OutputAngle] => {
        const points = [16, 128].map((depth) => ({
          x: depth,
          angles: lab
            .measure({ ...FIGURE, branchScale: at(depth), depth, width: 4096, layers: 'output' }, 12)
            .map(({ values }) => values.bfa_rad[0]!),
        }));
        return [
          name,
          {
            angle: points.map(({ x, angles }) => ({ x, y: angles })),
            cosine: points.map(({ x, angles }) => ({ x, y: angles.map(Math.cos) })),
          },
        ];
      }),
    ) as Record<BranchScaleName, OutputAngle>,
  judge: (measured, law) =>
    (Object.keys(BRANCH_SCALES_1B) as BranchScaleName[]).flatMap((name) =>
      (Object.entries(law[name]) as ['angle' | 'cosine', Exponent][]).map(([which, exponent]) =>
        exponentIs(
          `beta = ${name}: exponent of ${which === 'angle' ? 'theta_{L-1}' : 'cos(theta_{L-1})'} in L`,
          measured[name][which],
          exponent,
          0.15,
        ),
      ),
    ),
  mutations: {
    '1/L would do': { '1/L': NON_TRIVIAL },
    'L^(-3/4) would do': { 'L^(-3/4)': NON_TRIVIAL },
    'L^(-1/4) would do': { 'L^(-1/4)': NON_TRIVIAL },
    'an MLP would do': { '1, an MLP': NON_TRIVIAL },
  },
});

/** theta_{L-1} of an infinitesimal step less that of a finite one, in absolute value by draw, at each branch scale of Fig. 1 (a). */
type Differences = readonly { readonly name: string; readonly differences: readonly number[] }[];

const STEPS = { 'dt = 0.001': 0.001, 'dt = 1': 1 } as const;

export const finiteAngle = defineClaim<Record<keyof typeof STEPS, Differences>, { step: keyof typeof STEPS }>(
  {
    id: 'section-5.1-step',
    title: 'The angle by a finite step',
    where: 'Section 5.1, numerical experiments',
    statement:
      'theta_v is approximately the angle between -b_v and the change of f_v after one step of dt = 0.001',
    note: 'To 0.001 rad in a ResNet, and to 0.01 rad in an MLP, in the median; single MLPs of the figure are off by 0.1.',
    law: { step: 'dt = 0.001' },
    measure: (lab) => {
      const anglesAt = (change: Pick<Setup, 'kind' | 'stepSize'>) =>
        Object.values(BRANCH_SCALES_1A).map((at) => {
          const network = { ...FIGURE, branchScale: at(DEPTH_1A), depth: DEPTH_1A, width: 200 } as const;
          return lab
            .measure({ ...network, ...change, loss: 'squared', layers: 'output' }, 21)
            .map(({ values }) => values.bfa_rad[0]!);
        });
      const velocities = anglesAt({ kind: 'velocity' });
      const differencesAt = (stepSize: number): Differences => {
        const updates = anglesAt({ kind: 'update', stepSize });
        return Object.keys(BRANCH_SCALES_1A).map((name, i) => ({
          name,
          differences: velocities[i]!.map((angle, draw) => Math.abs(angle - updates[i]![draw]!)),
        }));
      };
      return { 'dt = 0.001': differencesAt(0.001), 'dt = 1': differencesAt(1) };
    },
    judge: (measured, { step }) =>
      measured[step].map(({ name, differences }) =>
        identity(
          `${step}, beta = ${name}: median difference in rad`,
          [median([...differences])],
          name.endsWith('MLP') ? 0.1 : 0.005,
        ),
      ),
    mutations: { 'a step of 1 would do': { step: 'dt = 1' } },
  },
);

/** cos(theta_{L-1}) of networks with and without W_1 trained, of the same weights. */
function inputShare(lab: Lab): ExponentPoint[] {
  return [8, 16, 32, 64].map((depth) => {
    const [all, hidden] = (['all', 'hidden'] as const).map((train) =>
      lab
        .measure({ depth, width: 8192, train, layers: 'output' }, 6)
        .map(({ values }) => Math.cos(values.bfa_rad[0]!)),
    );
    return { x: depth, y: all!.map((cosine, i) => hidden![i]! / cosine - 1) };
  });
}

export const inputContribution = defineClaim<ExponentPoint[], { exponent: number }>({
  id: 'proof-5.1-input',
  title: 'What the input layer adds to the angle',
  where: 'Proof of Proposition 5.1',
  statement:
    'Under (BC) the contribution of w_1 to the BFK is asymptotically negligible: without it cos(theta_{L-1}) changes by 1/(2 L)',
  note: 'The rate is ours; the paper states none.',
  law: { exponent: -1 },
  measure: inputShare,
  judge: (measured, { exponent }) => [
    exponentIs(
      'exponent in L of the relative change of cos(theta_{L-1}) without W_1',
      measured,
      exponent,
      0.2,
    ),
  ],
  mutations: { 'a share that stays': { exponent: 0 }, 'a share of 1/sqrt(L)': { exponent: -0.5 } },
});
