/** How what was measured agrees with the pictures of the paper and with theory, curve by curve. */
import { median } from 'simple-statistics';
import type { tab10 } from '../charts/theme.js';
import type { Table, Value } from '../results/table.js';
import { PUBLISHED } from './published.js';
import { type Estimate, estimateMean, zScore } from './statistics.js';

/** A row of a table by the names of its columns. */
export type Row = Readonly<Record<string, Value>>;

/** One curve of a chart, or one cloud of points. */
export interface Series {
  /** What its rows have in the chart's field `seriesField`. */
  readonly value: string | number;
  /** In plain text. */
  readonly label: string;
  /** The name and formula that the label is set from, where it is one. */
  readonly formula?: readonly [name: string, formula: string | number];
  readonly color: keyof typeof tab10;
}

/** One line of the comparison: a number of the paper's picture, ours, and the limit of infinite width. */
export interface AgreementRow {
  readonly label: string;
  readonly series?: Series;
  /** As many digits as were read off. */
  readonly published: string | null;
  readonly measured: Estimate;
  readonly theory: number | null;
  /** Standard errors between measurement and theory. */
  readonly z: number | null;
}

/** What of a figure is compared. */
export interface Compared {
  readonly name: keyof typeof PUBLISHED;
  readonly yColumn: string;
  readonly theoryColumn: string | null;
  /** Series of a row, by its `value`. */
  readonly seriesOf: (row: Row) => string | number;
}

/** The rows of a table as records. */
export function rowsOf({ columns, rows }: Table): readonly Row[] {
  return rows.map((row) => Object.fromEntries(columns.map((column, j) => [column, row[j] ?? null])));
}

/** Rows of the last layer that has features, which is what all figures but 1a plot. */
export const atOutput = (rows: readonly Row[]): readonly Row[] =>
  rows.filter((row) => row.layer === Number(row.depth) - 1);

/** Numbers of a column, of the rows that have all of `columns`. */
const complete = (rows: readonly Row[], columns: readonly string[]): readonly (readonly number[])[] =>
  rows
    .filter((row) => columns.every((column) => typeof row[column] === 'number'))
    .map((row) => columns.map((column) => row[column] as number));

/**
 * Compares for each series the mean of a column with the mean of its theory, and with the paper.
 *
 * Where the rows of a series are of different settings, what is spread around theory is the error.
 */
export function compareMeans(
  figure: Compared,
  rows: readonly Row[],
  series: readonly Series[],
): readonly AgreementRow[] {
  const { yColumn, theoryColumn, name } = figure;
  const published: Readonly<Record<string, string>> = PUBLISHED[name];
  return series.flatMap((each): AgreementRow[] => {
    const own = rows.filter((row) => figure.seriesOf(row) === each.value);
    const pairs = theoryColumn === null ? [] : complete(own, [yColumn, theoryColumn]);
    const hasTheory = pairs.length > 0;
    const values = hasTheory ? pairs.map(([y]) => y!) : complete(own, [yColumn]).map(([y]) => y!);
    const expected = hasTheory ? pairs.map(([, theory]) => theory!) : undefined;
    const measured = estimateMean(values, expected);
    if (measured === null) return [];
    const theory = expected ? (estimateMean(expected)?.value ?? null) : null;
    return [
      {
        label: each.label,
        series: each,
        published: published[each.label] ?? null,
        measured,
        theory,
        z: theory === null ? null : zScore(measured, theory),
      },
    ];
  });
}

/** Depths at which all published points of MF+muP can be read: at L = 5 they lie on the frame, from 14 on some are cut off. */
export const MF_DEPTHS = { from: 6, to: 13 };

/** Of Fig. 2a. */
export function compareScaling(rows: readonly Row[], series: Series): readonly AgreementRow[] {
  const isMf = series.value === 'MF+muP';
  const isShown = (depth: number) => !isMf || (depth >= MF_DEPTHS.from && depth <= MF_DEPTHS.to);
  const own = atOutput(rows).filter((row) => row.scaling === series.value && isShown(Number(row.depth)));
  const pairs = complete(own, ['sensitivity_finite', 'sensitivity_theory']);
  const values = pairs.map(([sensitivity]) => sensitivity!);
  const expected = pairs.map(([, theory]) => theory!);
  const estimate = estimateMean(values, expected);
  if (estimate === null) return [];
  const isMedian = series.value === 'NTK';
  const statistic = isMedian ? 'median' : isMf ? `mean, L = ${MF_DEPTHS.from} to ${MF_DEPTHS.to}` : 'mean';
  const published: Readonly<Record<string, string>> = PUBLISHED['figure-2a'];
  const measured = isMedian ? { ...estimate, value: median(values), standardError: null } : estimate;
  const theory = isMedian ? median(expected) : estimateMean(expected)!.value;
  // Residuals of NTK are of order 1 but random: theory, which is for |f - y| = 1, is no expectation of its median.
  const z = isMedian ? null : zScore(measured, theory);
  return [
    {
      label: `${series.label}, ${statistic}`,
      series,
      published: published[series.value] ?? null,
      measured,
      theory,
      z,
    },
  ];
}

/** With n = k = 1, S |f_L - y| is the sensitivity at unit residual, and |f_L - y| = sqrt(2 loss). */
export function compareAtUnitResidual(rows: readonly Row[], series: Series): readonly AgreementRow[] {
  const own = atOutput(rows).filter(
    (row) => row.scaling === series.value && row.samples === 1 && row.output_width === 1,
  );
  const triples = complete(own, ['sensitivity_finite', 'sensitivity_theory', 'loss']);
  const measured = estimateMean(
    triples.map(([sensitivity, theory, loss]) => (sensitivity! * Math.sqrt(2 * loss!)) / theory!),
  );
  if (measured === null) return [];
  return [
    {
      label: `${series.label} at unit residual / theory`,
      series,
      published: null,
      measured,
      theory: 1,
      z: zScore(measured, 1),
    },
  ];
}
