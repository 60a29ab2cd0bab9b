/** The figures of the paper: what each shows, its curves, and how what was measured agrees with the paper and with theory. */

import type { Value } from '../results/table.js';
import {
  type AgreementRow,
  atOutput,
  type Compared,
  compareAtUnitResidual,
  compareMeans,
  compareScaling,
  MF_DEPTHS,
  type Row,
  type Series,
} from './agreement.js';
import { PUBLISHED } from './published.js';
import { ratioOf } from './statistics.js';

export interface Figure extends Compared {
  /** As the paper numbers it. */
  readonly number: string;
  readonly title: string;
  /** What there is to see, in two or three sentences. */
  readonly shows: string;
  readonly xTitle: string;
  readonly xColumn: string;
  /** The abscissa of a row. */
  readonly x: (row: Row) => number;
  readonly yTitle: string;
  /** Column, or field that the spec computes, by which the chart tells its series apart. */
  readonly seriesField: string;
  /** All series that may be there, in the order of the legend. */
  readonly series: readonly Series[];
  /** What is compared, in words. */
  readonly comparison: string;
  readonly agreement: (rows: readonly Row[], series: readonly Series[]) => readonly AgreementRow[];
}

/** The series of a figure that its rows have, in the order of the legend. */
export function seriesPresent(figure: Figure, rows: readonly Row[]): readonly Series[] {
  const present = new Set(rows.map(figure.seriesOf));
  return figure.series.filter(({ value }) => present.has(value));
}

const branchScale = (
  label: string,
  formula: string | number | undefined,
  color: Series['color'],
): Series => ({
  value: label,
  label,
  ...(formula === undefined ? {} : { formula: ['beta', formula] as const }),
  color,
});

const BRANCH_SCALES: readonly Series[] = [
  branchScale('β = 1', 1, 'purple'),
  branchScale('β = 2/√L', '2/sqrt(L)', 'red'),
  branchScale('β = 1/√L', '1/sqrt(L)', 'green'),
  branchScale('β = 1/(2√L)', '1/(2*sqrt(L))', 'orange'),
  branchScale('β = 1/L', '1/L', 'blue'),
  branchScale('other β', undefined, 'grey'),
];

/** Labels of the charts by the formula of the config: 0.999 counts as 1, as in the paper's code of Fig. 1b. */
const LABELS: ReadonlyMap<Value | undefined, string> = new Map(
  BRANCH_SCALES.flatMap(({ label, formula }) => (formula ? [[String(formula[1]), label]] : [])),
).set('0.999', 'β = 1');

const branchScaleLabel = (row: Row): string => LABELS.get(row.branch_scale_formula) ?? 'other β';

const branchScaled = {
  seriesField: 'label',
  series: BRANCH_SCALES,
  seriesOf: branchScaleLabel,
} as const;

const FIGURE_1A: Figure = {
  ...branchScaled,
  name: 'figure-1a',
  number: '1a',
  title: 'The angle at every layer',
  shows:
    'After one gradient step, the backward-feature angle θ between the change of the features of layer v and the direction that lowers the loss. Without a skip connection (β = 1) features soon move almost at a right angle to it. With β of the order of 1/√L the angle settles strictly between 0 and π/2 at every layer; with β = 1/L it stays near 0.',
  xTitle: 'Layer index v',
  xColumn: 'layer',
  x: (row) => Number(row.layer),
  yColumn: 'bfa_rad',
  yTitle: 'BFA θ (rad)',
  theoryColumn: 'bfa_theory_rad',
  comparison: 'Angle at the last layer, v = L − 1, in radians: mean over the draws.',
  agreement: (rows, series) => compareMeans(FIGURE_1A, atOutput(rows), series),
};

/** Depths from which the curves of Fig. 1b are flat enough to be read off as one number. */
const DEEP = 50;

const FIGURE_1B: Figure = {
  ...branchScaled,
  name: 'figure-1b',
  number: '1b',
  title: 'The angle at the output, against depth',
  shows:
    'The angle at the last layer for networks of growing depth, one network for each dot. It does not depend on the depth when β is proportional to 1/√L, the only such choice: it tends to π/2 for β = 1 and to 0 for β = 1/L.',
  xTitle: 'Depth L',
  xColumn: 'depth',
  x: (row) => Number(row.depth),
  yColumn: 'bfa_rad',
  yTitle: 'Output BFA θ (rad)',
  theoryColumn: 'bfa_theory_rad',
  comparison: `Angle at the last layer, in radians: mean over the depths L ≥ ${DEEP}.`,
  agreement: (rows, series) =>
    compareMeans(
      FIGURE_1B,
      atOutput(rows).filter((row) => Number(row.depth) >= DEEP),
      series,
    ),
};

const FIGURE_1C: Figure = {
  name: 'figure-1c',
  number: '1c',
  title: 'The angle at the output, against √L β',
  shows:
    'The angle at the last layer against the branch scale in units of 1/√L. Networks of three depths fall on one curve, so that the limit depends on √L β alone; the dotted line is β = 1/√L.',
  xTitle: 'Normalized branch scale √L · β',
  xColumn: 'branch_scale',
  x: (row) => Math.sqrt(Number(row.depth)) * Number(row.branch_scale),
  yColumn: 'bfa_rad',
  yTitle: 'Output BFA θ (rad)',
  theoryColumn: 'bfa_theory_rad',
  seriesField: 'depth',
  series: [
    { value: 500, label: 'L = 500', formula: ['L', 500], color: 'blue' },
    { value: 100, label: 'L = 100', formula: ['L', 100], color: 'orange' },
    { value: 30, label: 'L = 30', formula: ['L', 30], color: 'green' },
  ],
  seriesOf: (row) => Number(row.depth),
  comparison: 'Angle at the right end of each curve, β = 1, in radians: mean over the draws.',
  agreement: (rows, series) =>
    compareMeans(
      FIGURE_1C,
      atOutput(rows).filter((row) => row.branch_scale === 1),
      series,
    ),
};

const FIGURE_2A: Figure = {
  name: 'figure-2a',
  number: '2a',
  title: 'Sensitivity of an MLP, by scaling',
  shows:
    'How far the features of the last layer move for each unit by which the loss falls. It grows as √L under MF+μP, is small under NTK and vanishes with the width, and does not depend on the depth under FSC, the scaling that the paper arrives at.',
  xTitle: 'Depth L',
  xColumn: 'depth',
  x: (row) => Number(row.depth),
  yColumn: 'sensitivity_finite',
  yTitle: 'Sensitivity of the output features',
  theoryColumn: 'sensitivity_theory',
  seriesField: 'scaling',
  series: [
    { value: 'NTK', label: 'NTK', color: 'blue' },
    { value: 'MF+muP', label: 'MF+μP', color: 'orange' },
    { value: 'FSC', label: 'FSC', color: 'green' },
  ],
  seriesOf: (row) => String(row.scaling),
  comparison: `Sensitivity: for NTK the median, which the few points far above the others do not move; for MF+μP the mean over L = ${MF_DEPTHS.from} to ${MF_DEPTHS.to}, where all published points can be seen; for FSC the mean. “At unit residual” multiplies each point by |f − y|, since theory is for a residual of 1, and divides it by theory. A finite step moves features most under MF+μP, which is why its quotient is the largest.`,
  agreement: (rows, series) => [
    ...series.flatMap((each) => compareScaling(rows, each)),
    ...series.flatMap((each) => compareAtUnitResidual(rows, each)),
  ],
};

const FIGURE_2B: Figure = {
  name: 'figure-2b',
  number: '2b',
  title: 'Sensitivity of a ResNet, by branch scale',
  shows:
    'The sensitivity of the last layer of ResNets trained on 200 inputs, two draws for each depth. For both branch scales it falls at first and then stays at a level away from 0.',
  xTitle: 'Depth L',
  xColumn: 'depth',
  x: (row) => Number(row.depth),
  yColumn: 'sensitivity_finite',
  yTitle: 'Sensitivity of the output features',
  theoryColumn: null,
  seriesField: 'label',
  series: [
    branchScale('β = 1/√L', '1/sqrt(L)', 'blue'),
    branchScale('β = 1/L', '1/L', 'orange'),
    branchScale('β = 1', 1, 'purple'),
    branchScale('β = 2/√L', '2/sqrt(L)', 'red'),
    branchScale('β = 1/(2√L)', '1/(2*sqrt(L))', 'green'),
    branchScale('other β', undefined, 'grey'),
  ],
  seriesOf: branchScaleLabel,
  comparison:
    'Sensitivity: mean over all depths and draws, and the quotient of the two means. There is no closed form for 200 inputs. The level depends on the inputs that are drawn, which the standard error over networks does not see; the quotient does not.',
  agreement: (rows, series) => {
    const means = compareMeans(FIGURE_2B, atOutput(rows), series);
    const of = (label: string) => means.find((row) => row.label === label)?.measured;
    const [root, full] = [of('β = 1/√L'), of('β = 1/L')];
    if (!root || !full) return means;
    return [
      ...means,
      {
        label: 'quotient of the means',
        published: PUBLISHED['figure-2b'].quotient,
        measured: ratioOf(root, full),
        theory: null,
        z: null,
      },
    ];
  },
};

/** In the order of the paper. */
export const FIGURES: readonly Figure[] = [FIGURE_1A, FIGURE_1B, FIGURE_1C, FIGURE_2A, FIGURE_2B];
