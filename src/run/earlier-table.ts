/** Tables of earlier versions, which are without columns that came later. */
import type { AxisName } from '../config/axes.js';
import { identityColumn, isLabelColumn } from '../config/columns.js';
import type { Experiment } from '../config/resolve.js';
import { expandCells, keyNames, keyOf } from '../plan/cell.js';
import { twelveDigits } from '../quantities.js';
import type { Table, Value } from '../results/table.js';
import { columnsOf, identitiesOf } from './rows.js';

/**
 * A table with the labels that its experiment knows: `branch_scale_formula`, where it is without. What a label is of comes from
 * the cell of the row, and not from its numbers.
 */
export function withLabels(experiment: Experiment, table: Table): Table {
  const columns = columnsOf(experiment);
  const missing = columns.filter((column) => isLabelColumn(column) && !table.columns.includes(column));
  if (missing.length === 0) return table;
  const identityOf = identitiesOf(experiment);
  const labels = new Map(
    expandCells(experiment).map((cell) => {
      const identity = identityOf(cell, '');
      return [cell.key, missing.map((column) => identity[columns.indexOf(column)]!)];
    }),
  );
  const keyOfRow = keyReader(experiment, table.columns);
  const unknown = missing.map(() => null);
  const whole = [...table.columns, ...missing];
  // In the order of this version; columns that it does not know stay behind those that it does.
  const order = [
    ...columns.filter((column) => whole.includes(column)),
    ...whole.filter((column) => !columns.includes(column)),
  ];
  const from = order.map((column) => whole.indexOf(column));
  return {
    columns: order,
    rows: table.rows.map((row) => {
      const all = [...row, ...(labels.get(keyOfRow(row)) ?? unknown)];
      return from.map((j) => all[j]!);
    }),
  };
}

/** Reads the key of the cell off a row of a table. */
export function keyReader(
  experiment: Experiment,
  columns: readonly string[],
): (row: readonly Value[]) => string {
  const names = keyNames(experiment);
  const places = new Map(columns.map((column, j) => [column, j]));
  return (row) => {
    const at = (column: string) => rounded(row[places.get(column)!] ?? null);
    const axis = (name: AxisName) => at(identityColumn(name, columns));
    return keyOf(names, { axis, parameter: at }, at('draw'));
  };
}

/** Tables of earlier versions have all digits. */
export const rounded = (value: Value): Value => (typeof value === 'number' ? twelveDigits(value) : value);
