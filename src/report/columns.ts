/** Tables as they stand in the page: by columns, which repeat little, with numbers as exact as a picture can show. */
import { identityColumns } from '../config/columns.js';
import { column, type Table, type Value } from '../results/table.js';

/** One column: its values, or for a column that repeats itself the different ones and where they stand. */
export type PackedColumn =
  | readonly Value[]
  | { readonly of: readonly Value[]; readonly at: readonly number[] };

export interface PackedTable {
  readonly rows: number;
  readonly columns: Readonly<Record<string, PackedColumn>>;
}

/** Half a pixel of a chart is 1/600 of an axis, and a tooltip shows four decimals. */
const DIGITS = 5;

/**
 * The columns that are wanted, of those that the table has.
 *
 * Quantities are rounded to 5 digits. What says which cell a row is stays exact: charts compare it with formulas.
 */
export function packTable(table: Table, wanted: readonly string[]): PackedTable {
  const identity = new Set(identityColumns(table.columns));
  const columns = wanted.flatMap((name) => {
    const values = column(table, name);
    if (!values) return [];
    const rounded = (value: Value) =>
      typeof value === 'number' && !identity.has(name) ? Number(value.toPrecision(DIGITS)) : value;
    return [[name, packColumn(values.map(rounded))] as const];
  });
  return { rows: table.rows.length, columns: Object.fromEntries(columns) };
}

function packColumn(values: readonly Value[]): PackedColumn {
  const places = new Map<Value, number>();
  const at = values.map((value) => {
    const place = places.get(value) ?? places.size;
    places.set(value, place);
    return place;
  });
  return places.size <= values.length / 3 ? { of: [...places.keys()], at } : values;
}
