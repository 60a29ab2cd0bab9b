/** Columns of tables, as the table of axes has them: which there are, what they hold, and which tell a row from another. */
import { QUANTITY_NAMES } from '../quantities.js';
import { AXIS_NAMES, type AxisName, entryOf } from './axes.js';

/** The last column before the quantities. */
const LAYER = 'layer';

/** Names the layer of a model, whose number says little; before the quantities, and no part of what tells rows apart. */
export const LAYER_NAME = 'layer_name';

const ENTRIES = AXIS_NAMES.map(entryOf);

/** Formula columns that are part of the identity, where a table has them. */
const TELLING_FORMULAS = ENTRIES.flatMap(({ formulaColumn, isToldByFormula }) =>
  formulaColumn && isToldByFormula ? [formulaColumn] : [],
);

const columnsOf = (axes: readonly AxisName[], told: readonly string[]) =>
  axes.map(entryOf).flatMap(({ column, formulaColumn, isToldByFormula }) => {
    const isThere = formulaColumn && (!isToldByFormula || told.includes(formulaColumn));
    return isThere ? [column, formulaColumn] : [column];
  });

const of = (part: 'network' | 'step') => AXIS_NAMES.filter((axis) => entryOf(axis).of === part);

/**
 * Columns that say which cell and layer a row is.
 *
 * @param told axes and columns of formulas that the table tells for certain: some are there only then.
 * @param parameters columns of their own, after those of the step.
 */
export function rowColumns(told: readonly string[], parameters: readonly string[]): string[] {
  const isThere = (axis: AxisName) => !entryOf(axis).isOptional || told.includes(axis);
  return [
    'experiment',
    'draw',
    ...columnsOf(of('network').filter(isThere), told),
    'weights',
    'step',
    ...columnsOf(of('step').filter(isThere), told),
    ...parameters,
    LAYER,
  ];
}

/** Columns of what not all architectures have, empty of the others. */
export const COLUMNS_OF_SOME: ReadonlySet<string> = new Set(
  ENTRIES.flatMap(({ column, isOf }) => (isOf ? [column] : [])),
);

/** Columns of every table there ever was: what a table must have. */
export const REQUIRED_COLUMNS: readonly string[] = rowColumns([], []).filter(
  (column) => !ENTRIES.some(({ formulaColumn }) => formulaColumn === column),
);

/** Columns that hold text; all others hold numbers. */
export const TEXT_COLUMNS: ReadonlySet<string> = new Set([
  'experiment',
  'weights',
  'step',
  LAYER_NAME,
  ...ENTRIES.flatMap(({ column, holds, formulaColumn }) => [
    ...(holds === 'text' ? [column] : []),
    ...(formulaColumn ? [formulaColumn] : []),
  ]),
]);

/** Columns that name a value as a file writes it, which tables of earlier versions are without. */
const LABEL_COLUMNS: ReadonlySet<string> = new Set([
  LAYER_NAME,
  ...ENTRIES.flatMap(({ formulaColumn, isToldByFormula }) => (isToldByFormula ? [] : (formulaColumn ?? []))),
]);

/** Whether a column is such a name: it tells no rows apart that others do not. */
export const isLabelColumn = (column: string): boolean => LABEL_COLUMNS.has(column);

const AXIS_COLUMNS: ReadonlySet<string> = new Set([
  ...rowColumns([...AXIS_NAMES, ...TELLING_FORMULAS], []),
  LAYER_NAME,
]);
const QUANTITY_COLUMNS: ReadonlySet<string> = new Set(QUANTITY_NAMES);

/** Columns of slopes.csv that are of the slope, and not of the networks. */
export const SLOPE_COLUMNS = [
  'step_number',
  'quantity',
  'axis',
  'slope',
  'low',
  'high',
  'expected',
  'margin',
  'verdict',
] as const;

/** Columns of optima.csv that are of the optimum, and not of the networks. */
export const OPTIMUM_COLUMNS = [
  'quantity',
  'from_step',
  'to_step',
  'along',
  'optimum',
  'low',
  'high',
  'quantity_at_optimum',
  'censored',
  'regret',
] as const;

const FITTED: ReadonlySet<string> = new Set([...SLOPE_COLUMNS, ...OPTIMUM_COLUMNS]);

/** Whether results have a column of this name that is no parameter. */
export function isColumn(name: string): boolean {
  return AXIS_COLUMNS.has(name) || QUANTITY_COLUMNS.has(name) || FITTED.has(name);
}

/** Columns of a table that hold a parameter: those before the layer that have no other meaning. */
export function parameterColumns(columns: readonly string[]): string[] {
  return columns.slice(0, Math.max(0, columns.indexOf(LAYER))).filter((column) => !isColumn(column));
}

/** Columns of a table that tell its rows apart, those of labels left out. */
export function identityColumns(columns: readonly string[]): string[] {
  const parameters = parameterColumns(columns);
  return columns.filter(
    (column) => (AXIS_COLUMNS.has(column) && !LABEL_COLUMNS.has(column)) || parameters.includes(column),
  );
}

/** Quantities of a table, in its order: the columns that are neither of the identity nor labels. */
export function quantityColumns(columns: readonly string[]): string[] {
  const parameters = parameterColumns(columns);
  return columns.filter((column) => !AXIS_COLUMNS.has(column) && !parameters.includes(column));
}

/** The axis that a column is of. */
export function axisOfColumn(column: string): AxisName | undefined {
  return AXIS_NAMES.find((axis) => entryOf(axis).column === column);
}

/** The column that tells the networks of an axis apart: that of its formulas where it is told by them. */
export function identityColumn(axis: AxisName, columns: readonly string[]): string {
  const { column, formulaColumn, isToldByFormula } = entryOf(axis);
  return formulaColumn && isToldByFormula && columns.includes(formulaColumn) ? formulaColumn : column;
}
