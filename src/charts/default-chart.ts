/** The chart of a table for which nobody has written a spec. */
import { max, min } from 'simple-statistics';
import { QUANTITIES, type Quantity } from '../quantities.js';
import { STEP_NUMBER, type Table, type Value } from '../results/table.js';
import type { VegaLiteSpec } from './spec.js';

/** A column along which the rows of a table vary. */
export interface Axis {
  readonly column: string;
  readonly title: string;
}

/** Values of a colour, or views, that can still be told from each other. */
const MOST_COLOURS = 10;
const MOST_VIEWS = 12;

/** From this quotient of the largest to the least value on, an axis is logarithmic. */
const WIDE = 20;

/** Quantities that theory gives, by what is measured. */
const THEORY: Readonly<Record<string, string>> = {
  bfa_rad: 'bfa_theory_rad',
  feature_rms: 'feature_rms_theory',
  sensitivity: 'sensitivity_theory',
  sensitivity_finite: 'sensitivity_theory',
};

/**
 * The first quantity against the first axis of numbers, coloured by the next axis, in columns of views by the one after, in
 * rows by the fourth: the median of the draws, a band from the least to the most, and theory where the table has it.
 *
 * @param axes in the order in which they count; those that say nothing new are left out.
 * @param quantities in the order in which they count.
 * @returns undefined for a table without a quantity that was measured.
 */
export function defaultChart(
  table: Table,
  axes: readonly Axis[],
  quantities: readonly string[] = table.columns,
): VegaLiteSpec | undefined {
  const values = (column: string) => distinct(table, column);
  const quantity = quantities.find(
    (column) => column !== STEP_NUMBER && isMeasured(column) && values(column).length > 0,
  );
  if (quantity === undefined) return undefined;
  const varied: Axis[] = [];
  for (const axis of axes) if (!isDetermined(table, axis, varied)) varied.push(axis);
  const x = varied.find(({ column }) => isNumeric(values(column))) ?? varied[0] ?? DRAWS;
  const [colour, ...others] = varied.filter((axis) => axis !== x);
  const views = others.filter(({ column }) => values(column).length <= MOST_VIEWS).slice(0, 2);
  const detail = others.filter((axis) => !views.includes(axis));
  const { title } = QUANTITIES[quantity as keyof typeof QUANTITIES] as Quantity;
  const theory = THEORY[quantity];
  const isWithTheory = theory !== undefined && values(theory).length > 0;
  const isOfDraws = values('draw').length > 1 && x !== DRAWS;
  const isCurve = isNumeric(values(x.column)) && x !== DRAWS;
  const y = (aggregate: string, field = quantity) => ({ aggregate, field, type: 'quantitative' });
  const tooltip = [x, ...varied.filter((axis) => axis !== x)].map(({ column, title: name }) => ({
    field: column,
    title: name,
  }));
  const chart = {
    encoding: {
      x: { field: x.column, title: x.title, ...abscissa(values(x.column)) },
      y: {
        type: 'quantitative',
        // In the small views one line would be longer than the axis.
        title: isOfDraws ? (views.length > 0 ? [title, MEDIAN] : `${title}, ${MEDIAN}`) : title,
        ...ordinate(quantity, values(quantity).map(Number)),
      },
      ...(colour && { color: colourOf(colour, values(colour.column), isCurve) }),
      ...(detail.length > 0 && { detail: detail.map(({ column }) => ({ field: column })) }),
    },
    layer: [
      ...(isOfDraws
        ? [
            {
              name: 'band',
              mark: isCurve ? { type: 'area', style: 'band' } : { type: 'rule', opacity: 0.4 },
              encoding: { y: y('min'), y2: { aggregate: 'max', field: quantity } },
            },
          ]
        : []),
      {
        name: 'measured',
        mark: isCurve ? { type: 'line', point: { size: 24 } } : { type: 'point', filled: true, opacity: 1 },
        encoding: {
          y: y('median'),
          ...(colour &&
            isCurve &&
            isNamed(values(colour.column)) && {
              strokeDash: { field: colour.column, title: colour.title, sort: values(colour.column) },
            }),
          tooltip: [...tooltip, { ...y('median'), title, format: '.4~g' }],
        },
      },
      ...(isWithTheory && isCurve
        ? [
            {
              name: 'theory',
              transform: [{ filter: `isValid(datum.${theory})` }],
              mark: { type: 'line', style: 'theory' },
              encoding: {
                y: y('mean', theory),
                color: null,
                detail: [colour, ...detail].flatMap((axis) => (axis ? [{ field: axis.column }] : [])),
              },
            },
          ]
        : []),
    ],
  };
  const description = `${title} against ${[x, colour, ...views].flatMap((axis) => axis?.title ?? []).join(', by ')}`;
  const head = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: `${description}${isOfDraws ? `; ${MEDIAN}, and from the least to the most` : ''}${isWithTheory ? '; thin lines are theory' : ''}`,
    data: { name: 'table' },
  };
  const width = isNumeric(values(x.column)) ? {} : { width: { step: 70 } };
  const [column, row] = views.map((view) => ({
    field: view.column,
    title: view.title,
    sort: values(view.column),
  }));
  if (column === undefined) return { ...head, ...width, ...chart };
  const facet = row === undefined ? { facet: column, columns: 3 } : { facet: { column, row } };
  return { ...head, ...facet, spec: { width: 220, height: 170, ...width, ...chart } };
}

const MEDIAN = 'median of the draws';

const DRAWS: Axis = { column: 'draw', title: 'draw' };

const isMeasured = (column: string): boolean =>
  column in QUANTITIES && !(QUANTITIES[column as keyof typeof QUANTITIES] as Quantity).isTheory;

/** The values of a column, each once, in the order in which they come; what is missing is none. */
function distinct(table: Table, column: string): readonly NonNullable<Value>[] {
  const at = table.columns.indexOf(column);
  if (at === -1) return [];
  const found = new Set(table.rows.map((row) => row[at] ?? null));
  return [...found].filter((value) => value !== null);
}

/** Whether a column has one value wherever others have one each, as a formula of theirs does. */
function isDetermined({ columns, rows }: Table, { column }: Axis, others: readonly Axis[]): boolean {
  const at = columns.indexOf(column);
  const places = others.map((other) => columns.indexOf(other.column));
  const seen = new Map<string, Value>();
  return rows.every((row) => {
    const key = JSON.stringify(places.map((place) => row[place]));
    const value = row[at] ?? null;
    if (!seen.has(key)) seen.set(key, value);
    return seen.get(key) === value;
  });
}

const isNumeric = (values: readonly unknown[]): values is readonly number[] =>
  values.every((value) => typeof value === 'number');

/** Whether values are told apart by name rather than by where they lie on a scale. */
const isNamed = (values: readonly unknown[]): boolean => !isNumeric(values) || values.length <= MOST_COLOURS;

/** Whether positive values are spaced by factors rather than by differences. */
function isGeometric(values: readonly number[]): boolean {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length < 3 || !(sorted[0]! > 0)) return false;
  const unevenness = (of: (value: number) => number): number => {
    const steps = sorted.slice(1).map((value, i) => of(value) - of(sorted[i]!));
    return max(steps) / min(steps);
  };
  return unevenness(Math.log) < unevenness((value) => value);
}

function abscissa(values: readonly unknown[]): object {
  if (!isNumeric(values)) return { type: 'nominal', sort: values, axis: { labelAngle: 0 } };
  if (!isGeometric(values)) {
    const isInteger = values.every(Number.isInteger);
    return { type: 'quantitative', scale: { zero: false }, ...(isInteger && { axis: { tickMinStep: 1 } }) };
  }
  const isShort = values.length <= 8 && values.every((value) => String(value).length <= 5);
  const isLong = max([...values]) / min([...values]) >= 100;
  return {
    type: 'quantitative',
    scale: { type: 'log', nice: false },
    axis: isShort ? { values, format: '~g' } : { style: isLong ? 'decades' : 'few' },
  };
}

function ordinate(quantity: string, values: readonly number[]): object {
  const [least, most] = [min([...values]), max([...values])];
  if ((QUANTITIES[quantity as keyof typeof QUANTITIES] as Quantity).unit === 'rad') {
    const quarters = [0, 1, 2, 3, 4]
      .map((i) => (i * Math.PI) / 4)
      .filter((angle, i) => i < 3 || angle <= most);
    return { axis: { style: 'pi', values: quarters } };
  }
  if (least > 0 && most / least >= WIDE) return { scale: { type: 'log' }, axis: { style: 'decades' } };
  return { scale: { zero: false } };
}

function colourOf({ column, title }: Axis, values: readonly unknown[], isCurve: boolean): object {
  const legend = { orient: 'right' };
  if (isNamed(values)) {
    const symbols = isCurve ? { symbolType: 'stroke', symbolSize: 300, symbolOpacity: 1 } : {};
    return { field: column, title, type: 'nominal', sort: values, legend: { ...legend, ...symbols } };
  }
  const isLog = isNumeric(values) && isGeometric(values);
  return {
    field: column,
    title,
    type: 'quantitative',
    scale: { scheme: 'viridis', ...(isLog && { type: 'log' }) },
    legend,
  };
}
