/** Table 1 along input and output width, and as printed. */

import type { ScalingName } from '../../config/scalings/scalings.js';
import { meanWithin } from '../checks.js';
import { type Check, defineClaim } from '../claim.js';
import { type Lab, SPARSE } from '../lab.js';
import { ALONG, along, type Exponents, exponentChecks, type Kind, type Sequence } from '../sequences.js';

/** What input and output widths must not change. */
const KEEP: Exponents = {
  smallestFeature: 0,
  featureSpeed: 0,
  lossDecay: 0,
  inputContribution: 0,
  hiddenContribution: 0,
  outputContribution: 0,
};

interface InWidths {
  readonly inInput: Sequence;
  readonly inOutput: Sequence;
}

interface WidthsLaw {
  /** Exponents in d and in k, by scaling. */
  readonly inInput: Partial<Record<ScalingName, Exponents>>;
  readonly inOutput: Partial<Record<ScalingName, Exponents>>;
}

/** The rows of Table 1 along input and output width. */
function acrossWidths(
  names: readonly ScalingName[],
  base: Kind,
  inputWidths: readonly number[],
  outputWidths: readonly number[],
): (lab: Lab) => Partial<Record<ScalingName, InWidths>> {
  const { inputWidth = 16, outputWidth = 16 } = base;
  return (lab) =>
    Object.fromEntries(
      names.map((scaling) => {
        const kind = { ...base, scaling };
        const inInput = along(lab, inputWidths, (d) => ({ ...kind, outputWidth, inputWidth: d }));
        const inOutput = along(lab, outputWidths, (k) => ({ ...kind, inputWidth, outputWidth: k }));
        return [scaling, { inInput, inOutput }];
      }),
    );
}

function judgeWidths(measured: Partial<Record<ScalingName, InWidths>>, law: WidthsLaw): Check[] {
  return (Object.entries(measured) as [ScalingName, InWidths][]).flatMap(([name, { inInput, inOutput }]) => [
    ...exponentChecks(name, 'd', inInput, law.inInput[name]!),
    ...exponentChecks(name, 'k', inOutput, law.inOutput[name]!),
  ]);
}

const keepAll = (names: readonly ScalingName[]) => Object.fromEntries(names.map((name) => [name, KEEP]));

const DENSE_ROWS: readonly ScalingName[] = ['FSC (Table 1)', 'MF+muP (Table 1)', 'NTK (Table 1)'];
const DENSE_LAW: WidthsLaw = {
  inInput: keepAll(DENSE_ROWS),
  // |b_{L-1}| falls with |b_L| = 1/sqrt(k) where sigma_L has no k, and the feature speed grows.
  inOutput: { ...keepAll(DENSE_ROWS), 'NTK (Table 1)': { ...KEEP, featureSpeed: 0.5 } },
};

export const table1Dense = defineClaim<Partial<Record<ScalingName, InWidths>>, WidthsLaw>({
  id: 'table-1-dense',
  title: 'Input and output widths, dense setting',
  where: 'Table 1, section 5.2',
  statement:
    'With |x|_2 = sqrt(d) and |b_L|_2 = 1/sqrt(k), neither d nor k changes features, feature speed, loss decay or ' +
    'contributions of FSC and MF+muP, nor, but for the feature speed, of NTK',
  note: 'NTK with a factor k in eta_1 and eta_hid, which Table 1 leaves out.',
  law: DENSE_LAW,
  measure: acrossWidths(DENSE_ROWS, {}, [4, 16, 64, 256], [4, 16, 64, 256]),
  judge: judgeWidths,
  mutations: {
    'contributions that fall as 1/k': {
      inOutput: { ...DENSE_LAW.inOutput, 'FSC (Table 1)': { ...KEEP, hiddenContribution: -1 } },
    },
    'an input contribution that grows with d': {
      inInput: { ...DENSE_LAW.inInput, 'FSC (Table 1)': { ...KEEP, inputContribution: 1 } },
    },
  },
});

const SPARSE_ROWS: readonly ScalingName[] = [
  'FSC (Table 1, sparse)',
  'MF+muP (Table 1, sparse)',
  'NTK (Table 1, sparse)',
];
const SPARSE_LAW: WidthsLaw = { inInput: keepAll(SPARSE_ROWS), inOutput: keepAll(SPARSE_ROWS) };

export const table1Sparse = defineClaim<Partial<Record<ScalingName, InWidths>>, WidthsLaw>({
  id: 'table-1-sparse',
  title: 'Input and output widths, sparse setting',
  where: 'Table 1, section 5.2',
  statement:
    'With one-hot inputs, one-hot targets and the cross-entropy, and 1 for d and k in Table 1, neither d nor k changes ' +
    'features, feature speed, loss decay or contributions',
  law: SPARSE_LAW,
  measure: acrossWidths(
    SPARSE_ROWS,
    { data: SPARSE, loss: 'cross-entropy', outputWidth: 64 },
    [4, 16, 64, 256],
    [32, 128, 512],
  ),
  judge: judgeWidths,
  mutations: {
    'the exponents of a linear loss': {
      inOutput: { ...SPARSE_LAW.inOutput, 'FSC (Table 1, sparse)': { ...KEEP, hiddenContribution: -1 } },
    },
    'an input contribution that grows with d': {
      inInput: { ...SPARSE_LAW.inInput, 'NTK (Table 1, sparse)': { ...KEEP, inputContribution: 1 } },
    },
  },
});

export const table1NtkPrinted = defineClaim<Sequence, { inOutput: Exponents }>({
  id: 'table-1-ntk-printed',
  title: 'The NTK row, as printed',
  where: 'Table 1',
  statement:
    'With eta_1 = 1/(L d), eta_hid = 1/(L m) and eta_L = k/(L m), contributions are balanced at any k',
  note: 'Input and hidden contributions fall as 1/k; eta_1 = k/(L d) and eta_hid = k/(L m) repair it.',
  law: { inOutput: { inputContribution: 0, hiddenContribution: 0, outputContribution: 0, imbalance: 0 } },
  measure: (lab) => {
    const [d, m, L] = [16, ALONG.width, ALONG.depth];
    return along(lab, [4, 16, 64, 256], (k) => ({
      scaling: 'NTK (Table 1)',
      inputWidth: d,
      outputWidth: k,
      learningRate: Array.from({ length: L + 1 }, (_, l) =>
        l === 1 ? 1 / (L * d) : (l === L ? k : 1) / (L * m),
      ),
    }));
  },
  judge: (measured, { inOutput }) => exponentChecks('NTK as printed', 'k', measured, inOutput),
  mutations: {
    'as measured': {
      inOutput: { inputContribution: -1, hiddenContribution: -1, outputContribution: 0, imbalance: 1 },
    },
  },
});

export const table1SigmaPrinted = defineClaim<number[], { growth: number }>({
  id: 'table-1-sigma-printed',
  title: 'The hidden scale, as printed',
  where: 'Table 1',
  statement: 'With sigma_hid = 2/sqrt(m), (SP) holds: log2 |f_v|_rms does not grow with v',
  note: 'Activations grow by sqrt(2) a layer, 2^((L-2)/2) in all; sigma_hid = sqrt(2/m) is meant, as in Prop 5.1.',
  law: { growth: 0 },
  measure: (lab) => {
    const [depth, width] = [16, 2048];
    return lab
      .measure({ depth, width, sigma: { hidden: 2 / Math.sqrt(width) } }, 24)
      .map(
        ({ values: { feature_rms } }) => Math.log2(feature_rms[depth - 2]! / feature_rms[0]!) / (depth - 2),
      );
  },
  judge: (growth, law) => [meanWithin('growth of log2 |f_v|_rms a layer', growth, law.growth, 0.05)],
  mutations: { 'as measured': { growth: 0.5 } },
});
