/** "Only if" of Prop 5.3 (iii) and Prop 5.4, and what Tables 1 and 2 say at fixed depth and for sparse data. */
import { determinant, Matrix } from 'ml-matrix';
import { mean } from 'simple-statistics';
import { type ExponentPoint, exponentOf } from '../../results/exponent.js';
import { between, exponentIs } from '../checks.js';
import { type Check, defineClaim } from '../claim.js';
import { type Lab, type Setup, SPARSE } from '../lab.js';
import {
  ALONG,
  along,
  alongDepth,
  type Exponents,
  exponentChecks,
  HOLD,
  type Kind,
  type Sequence,
} from '../sequences.js';

/** What a scale or a rate is multiplied by. */
const FACTORS = [1, 2, 4, 8];

/** The six hyper-parameters: the scales, sigma_hid by the product over its layers, and the rates over those of Eq. 8. */
const HYPER_PARAMETERS = ['sigma_1', 'sigma_hid^(L-2)', 'sigma_L', 'eta_1', 'eta_hid', 'eta_L'] as const;
type HyperParameter = (typeof HYPER_PARAMETERS)[number];

/** What (SP), (FL), (BC) and (LD) fix. */
const FIXED = ['|f_1|_rms', '|f_{L-1}|_rms', '|fdot_{L-1}|_rms', 'C_1', 'C_hid', 'C_L'] as const;
type Fixed = (typeof FIXED)[number];

/** Each of the fixed numbers against the factor of one hyper-parameter; ratios to the networks at factor 1, of the same weights. */
type Response = Record<Fixed, ExponentPoint[]>;

const changedScales = (
  name: HyperParameter,
  factor: number,
  { depth, width }: Setup,
): NonNullable<Setup['sigma']> => ({
  input: (name === 'sigma_1' ? factor : 1) / Math.sqrt(10),
  hidden: Math.sqrt(2 / width) * (name === 'sigma_hid^(L-2)' ? factor ** (1 / (depth - 2)) : 1),
  output: (name === 'sigma_L' ? factor : 1) * (Math.sqrt(depth) / width),
});

function responses(lab: Lab, setup: Setup, draws: number): Record<HyperParameter, Response> {
  const L = setup.depth;
  const measured = (name: HyperParameter, factor: number): Record<Fixed, number[]> => {
    const changed = { ...setup, sigma: changedScales(name, factor, setup) };
    const raised = { eta_1: [1, 1], eta_hid: [2, L - 1], eta_L: [L, L] }[name as string];
    const rates = lab
      .gradientNorms(changed, draws)
      .map((norms) =>
        norms.map((square, l) =>
          l === 0 ? 0 : (raised && l >= raised[0]! && l <= raised[1]! ? factor : 1) / (L * square),
        ),
      );
    const cells = lab.measureEach(rates.map((learningRate) => ({ ...changed, learningRate })));
    const each = (read: (values: (typeof cells)[number]['values']) => number) =>
      cells.map(({ values }) => read(values));
    return {
      '|f_1|_rms': each(({ feature_rms }) => feature_rms[0]!),
      '|f_{L-1}|_rms': each(({ feature_rms }) => feature_rms.at(-1)!),
      '|fdot_{L-1}|_rms': each(({ feature_speed_rms }) => feature_speed_rms.at(-1)!),
      C_1: each(({ contribution }) => contribution[0]!),
      C_hid: each(({ contribution }) => mean(Array.from(contribution.subarray(1)))),
      C_L: each(
        ({ contribution, loss_change }) => -loss_change[0]! - contribution.reduce((sum, c) => sum + c, 0),
      ),
    };
  };
  const base = measured('sigma_1', 1);
  const response = (name: HyperParameter): Response => {
    const points = FACTORS.map((x) => ({ x, values: measured(name, x) }));
    return Object.fromEntries(
      FIXED.map((fixed): [Fixed, ExponentPoint[]] => [
        fixed,
        points.map(({ x, values }) => ({ x, y: values[fixed].map((value, i) => value / base[fixed][i]!) })),
      ]),
    ) as Response;
  };
  return Object.fromEntries(
    HYPER_PARAMETERS.map((name): [HyperParameter, Response] => [name, response(name)]),
  ) as Record<HyperParameter, Response>;
}

/** Exponents in the factor of each hyper-parameter; what is not said is not checked: the speed at unbalanced contributions. */
type ResponseLaw = Record<HyperParameter, Partial<Record<Fixed, number>>>;

const KEPT = { C_1: 0, C_hid: 0, C_L: 0 };
const RESPONSE_LAW: ResponseLaw = {
  sigma_1: { '|f_1|_rms': 1, '|f_{L-1}|_rms': 1, '|fdot_{L-1}|_rms': 0, ...KEPT },
  'sigma_hid^(L-2)': { '|f_1|_rms': 0, '|f_{L-1}|_rms': 1, '|fdot_{L-1}|_rms': 0, ...KEPT },
  sigma_L: { '|f_1|_rms': 0, '|f_{L-1}|_rms': 0, '|fdot_{L-1}|_rms': -1, ...KEPT },
  eta_1: { '|f_1|_rms': 0, '|f_{L-1}|_rms': 0, ...KEPT, C_1: 1 },
  eta_hid: { '|f_1|_rms': 0, '|f_{L-1}|_rms': 0, ...KEPT, C_hid: 1 },
  eta_L: { '|f_1|_rms': 0, '|f_{L-1}|_rms': 0, ...KEPT, C_L: 1 },
};

export const proposition53OnlyIf = defineClaim<
  Record<HyperParameter, Response>,
  ResponseLaw & { size: number }
>({
  id: 'prop-5.3-iii-only-if',
  title: 'No other scaling than FSC',
  where: 'Proposition 5.3 (iii)',
  statement:
    '(SP), (BC), (LD) and (FL) hold only if the scaling is FSC: they fix |f_1|, |f_{L-1}|, |fdot_{L-1}|, C_1, C_hid and C_L, which ' +
    'answer to the three scales and the three rates with a matrix of exponents that has an inverse',
  note: 'sigma_hid by its product over the layers, and rates over those of Eq. 8. The determinant is -1, so no other choice will do.',
  law: { ...RESPONSE_LAW, size: 1 },
  measure: (lab) => responses(lab, { depth: 12, width: 1024 }, 4),
  judge: (measured, { size, ...law }) => {
    const exponents = HYPER_PARAMETERS.map((name) =>
      FIXED.map((fixed) => exponentOf(measured[name][fixed]).slope),
    );
    return [
      between(
        'absolute determinant of the exponents',
        Math.abs(determinant(new Matrix(exponents))),
        0.9 * size,
        1.1 * size,
      ),
      ...HYPER_PARAMETERS.flatMap((name, i) =>
        FIXED.flatMap((fixed, j): Check[] => {
          const expected = law[name][fixed];
          if (expected === undefined) return [];
          return [
            between(`exponent of ${fixed} in ${name}`, exponents[i]![j]!, expected - 0.01, expected + 0.01),
          ];
        }),
      ),
    ];
  },
  mutations: {
    'a combination is free': { size: 0 },
    'the output scale does not matter': { sigma_L: { ...RESPONSE_LAW.sigma_L, '|fdot_{L-1}|_rms': 0 } },
    'the hidden scale does not matter': {
      'sigma_hid^(L-2)': { ...RESPONSE_LAW['sigma_hid^(L-2)'], '|f_{L-1}|_rms': 0 },
    },
  },
});

/** Hidden scales and branch scales of linear ResNets with the rest of Table 2. */
const OTHER_SCALES = {
  'sigma_hid = 1/sqrt(m L), beta = 1/sqrt(L)': (L: number) => ({
    hidden: 1 / Math.sqrt(L),
    branchScale: 1 / Math.sqrt(L),
  }),
  'sigma_hid = sqrt(L/m), beta = 1/L': (L: number) => ({ hidden: Math.sqrt(L), branchScale: 1 / L }),
} as const;

type OtherScale = keyof typeof OTHER_SCALES;

export const proposition54OnlyIf = defineClaim<
  Record<OtherScale, { x: number; values: Record<string, number[]> }[]>,
  { least: number; most: number }
>({
  id: 'prop-5.4-only-if',
  title: 'No other scaling than that of Table 2, as stated',
  where: 'Proposition 5.4, "only if"',
  statement:
    'With beta = O(1/sqrt(L)) one of (SP), (BC), (LD) and (FL) is broken where sigma_hid is not Theta(1/sqrt(m))',
  note:
    'What the properties fix is beta sigma_hid sqrt(m L) = O(1). A hidden scale that is smaller by any factor, as one that is larger with a ' +
    'smaller beta, leaves every one of them, since the skip connection carries the signal.',
  law: { least: 0.25, most: Infinity },
  measure: (lab) =>
    Object.fromEntries(
      Object.entries(OTHER_SCALES).map(
        ([name, at]): [string, { x: number; values: Record<string, number[]> }[]] => [
          name,
          [16, 128].map((L) => {
            const width = 2048;
            const { hidden, branchScale } = at(L);
            const setup: Setup = {
              architecture: 'resnet',
              activation: 'linear',
              scaling: 'FSC (Table 2)',
              depth: L,
              width,
              branchScale,
              sigma: { hidden: hidden / Math.sqrt(width) },
            };
            const cells = lab.measure(setup, 4).map(({ values }) => values);
            return {
              x: L,
              values: {
                '(SP) min_v |f_v|_rms': cells.map(({ feature_rms }) => Math.min(...feature_rms)),
                '(SP) max_v |f_v|_rms': cells.map(({ feature_rms }) => Math.max(...feature_rms)),
                '(FL) |fdot_{L-1}|_rms': cells.map(({ feature_speed_rms }) => feature_speed_rms.at(-1)!),
                '(LD) -dloss/dt': cells.map(({ loss_change }) => -loss_change[0]!),
                '(BC) max C_l / min C_l': cells.map(({ contribution_balance }) => contribution_balance[0]!),
              },
            };
          }),
        ],
      ),
    ) as Record<OtherScale, { x: number; values: Record<string, number[]> }[]>,
  judge: (measured, { least, most }) =>
    (Object.keys(OTHER_SCALES) as OtherScale[]).map((name) => {
      const points = measured[name];
      const exponents = Object.keys(points[0]!.values).map((property) =>
        Math.abs(exponentOf(points.map(({ x, values }) => ({ x, y: values[property]! }))).slope),
      );
      return between(`${name}: largest exponent in L of a property`, Math.max(...exponents), least, most);
    }),
  mutations: { 'as measured': { least: 0, most: 0.2 } },
});

/** The rates of Eq. 8 by group of layers, at growing width. */
type Rates = Record<'eta_1' | 'eta_hid' | 'eta_L', ExponentPoint[]>;

export const table1MuP = defineClaim<{ FSC: Rates; 'MF+muP': Rates }, Record<keyof Rates, number>>({
  id: 'table-1-mup',
  title: 'muP at fixed depth',
  where: 'Table 1, caption',
  statement:
    'For L fixed both MF+muP and FSC coincide with muP: with sigma_L = Theta(1/m) the balanced rates are eta_1 = Theta(m), ' +
    'eta_hid = Theta(1) and eta_L = Theta(1/m)',
  law: { eta_1: 1, eta_hid: 0, eta_L: -1 },
  measure: (lab) => {
    const L = 5;
    const rates = (scaling: 'FSC' | 'MF+muP'): Rates => {
      const points = [1024, 16_384].map((width) => ({
        x: width,
        norms: lab.gradientNorms({ depth: L, width, scaling }, 24),
      }));
      const at = (squares: (norms: number[]) => number) =>
        points.map(({ x, norms }) => ({ x, y: norms.map((own) => 1 / (L * squares(own))) }));
      return {
        eta_1: at((norms) => norms[1]!),
        eta_hid: at((norms) => mean(norms.slice(2, L))),
        eta_L: at((norms) => norms[L]!),
      };
    };
    return { FSC: rates('FSC'), 'MF+muP': rates('MF+muP') };
  },
  judge: (measured, law) =>
    (['FSC', 'MF+muP'] as const).flatMap((name) =>
      (['eta_1', 'eta_hid', 'eta_L'] as const).map((which) =>
        exponentIs(`${name}, L = 5: exponent of ${which} of Eq. 8 in m`, measured[name][which], law[which]),
      ),
    ),
  mutations: {
    'the rates of NTK': { eta_1: 0, eta_hid: -1 },
    'one rate for all layers': { eta_1: 0, eta_hid: 0, eta_L: 0 },
  },
});

/** What input and output widths must not change. */
const KEEP: Exponents = { ...HOLD, inputContribution: 0, hiddenContribution: 0, outputContribution: 0 };

export const table2Sparse = defineClaim<
  { inInput: Sequence; inOutput: Sequence; inDepth: Sequence },
  { inInput: Exponents; inOutput: Exponents; inDepth: Exponents }
>({
  id: 'table-2-sparse',
  title: 'FSC of ResNets, sparse setting',
  where: 'Table 2, section 5.2',
  statement:
    'With one-hot inputs, one-hot targets and the cross-entropy, and 1 for d and k in Table 2, (SP), (FL), (LD) and (BC) hold in depth, ' +
    'input and output width',
  note: 'Table 1 says how it is to be read in the sparse setting; that Table 2 is read alike is ours.',
  law: { inInput: KEEP, inOutput: KEEP, inDepth: HOLD },
  measure: (lab) => {
    const kind: Kind = {
      architecture: 'resnet',
      activation: 'linear',
      scaling: 'FSC (Table 2, sparse)',
      data: SPARSE,
      loss: 'cross-entropy',
      branchScale: 1 / Math.sqrt(ALONG.depth),
      inputWidth: 16,
      outputWidth: 64,
    };
    return {
      inInput: along(lab, [4, 256], (inputWidth) => ({ ...kind, inputWidth })),
      inOutput: along(lab, [32, 512], (outputWidth) => ({ ...kind, outputWidth })),
      inDepth: alongDepth(lab, (L) => ({ ...kind, branchScale: 1 / Math.sqrt(L) }), {
        values: [10, 40, 160],
        at: 4096,
        draws: 8,
      }),
    };
  },
  judge: ({ inInput, inOutput, inDepth }, law) => [
    ...exponentChecks('linear ResNet', 'd', inInput, law.inInput),
    ...exponentChecks('linear ResNet', 'k', inOutput, law.inOutput),
    ...exponentChecks('linear ResNet', 'L', inDepth, law.inDepth),
  ],
  mutations: {
    'contributions that fall as 1/k': { inOutput: { ...KEEP, hiddenContribution: -1 } },
    'an input contribution that grows with d': { inInput: { ...KEEP, inputContribution: 1 } },
    'without the 1/L of the rates': { inDepth: { ...HOLD, lossDecay: 1 } },
  },
});
