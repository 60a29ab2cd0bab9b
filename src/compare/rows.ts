/** Two tables row by row: the k-th row of an identity before with the k-th of it after. */
import { identityColumns, quantityColumns } from '../config/columns.js';
import { twelveDigits } from '../quantities.js';
import { STEP_NUMBER, type Table, type Value } from '../results/table.js';

/** Which cell and layer a row is: its identity columns but for the experiment. */
export type Cell = Readonly<Record<string, Value>>;

/** A change is none while |after - before| <= atol + rtol |before|. */
export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

interface Change {
  readonly cell: Cell;
  /** null is missing. */
  readonly before: number | null;
  readonly after: number | null;
}

export interface QuantityChanges {
  readonly quantity: string;
  /** Rows in both tables that changed beyond the tolerance; a missing value is a change of a number. */
  readonly changed: number;
  /** The largest change of a number, or, where nothing else changed, the first value that came or went. */
  readonly largest: Change | null;
}

export interface RowsComparison {
  readonly added: number;
  readonly removed: number;
  readonly common: number;
  /** Rows in both tables of which any quantity changed. */
  readonly changed: number;
  readonly quantities: readonly QuantityChanges[];
}

/** Columns that name a row within an experiment; the step of several is a quantity of the tables that have it. */
export function cellColumns({ columns }: Table): string[] {
  const identity = identityColumns(columns).filter((column) => column !== 'experiment');
  return columns.includes(STEP_NUMBER) ? [...identity, STEP_NUMBER] : identity;
}

/** Quantities of a table, in its order. */
export function quantitiesOf({ columns }: Table): string[] {
  return quantityColumns(columns).filter((column) => column !== STEP_NUMBER);
}

/** Cell columns of both tables that tell rows of the two apart: all others have one value throughout. */
export function varyingColumns(before: Table, after: Table): string[] {
  const shared = cellColumns(after).filter((column) => before.columns.includes(column));
  return shared.filter((column) => {
    const values = [before, after].map((table) => ({ table, at: table.columns.indexOf(column) }));
    const first = values.find(({ table }) => table.rows.length > 0);
    if (!first) return false;
    const only = first.table.rows[0]![first.at];
    return values.some(({ table, at }) => table.rows.some((row) => row[at] !== only));
  });
}

/** For each row, its values in some columns as one text; numbers as this version identifies cells by them. */
export function keysOf({ columns, rows }: Table, by: readonly string[]): string[] {
  const at = by.map((column) => columns.indexOf(column));
  return rows.map((row) => {
    let key = '';
    for (const j of at) {
      const value = row[j] ?? '';
      key += `${typeof value === 'number' ? twelveDigits(value) : value}\u0001`;
    }
    return key;
  });
}

/** The cell of a row. */
export function cellOf(table: Table, row: number): Cell {
  const { columns, rows } = table;
  return Object.fromEntries(
    cellColumns(table).map((column) => [column, rows[row]![columns.indexOf(column)] ?? null]),
  );
}

/** Compares the quantities that both tables have; `varying` from `varyingColumns`. */
export function compareRows(
  before: Table,
  after: Table,
  varying: readonly string[],
  { atol, rtol }: Tolerance,
): RowsComparison {
  const pairs = matchRows(keysOf(before, varying), keysOf(after, varying));
  const hasChanged = new Uint8Array(pairs.length);
  const quantities = quantitiesOf(before).filter((quantity) => after.columns.includes(quantity));
  const changes = quantities.map((quantity): QuantityChanges => {
    const i = before.columns.indexOf(quantity);
    const j = after.columns.indexOf(quantity);
    let changed = 0;
    let size = -1;
    let largest: readonly [number, number] | undefined;
    for (const [k, pair] of pairs.entries()) {
      const a = before.rows[pair[0]]![i] as number | null;
      const b = after.rows[pair[1]]![j] as number | null;
      if (a === b) continue;
      const difference = a === null || b === null ? 0 : Math.abs(b - a);
      if (a !== null && b !== null && difference <= atol + rtol * Math.abs(a)) continue;
      changed += 1;
      hasChanged[k] = 1;
      if (difference > size) {
        size = difference;
        largest = pair;
      }
    }
    return {
      quantity,
      changed,
      largest: largest
        ? {
            cell: cellOf(after, largest[1]),
            before: before.rows[largest[0]]![i] as number | null,
            after: after.rows[largest[1]]![j] as number | null,
          }
        : null,
    };
  });
  return {
    added: after.rows.length - pairs.length,
    removed: before.rows.length - pairs.length,
    common: pairs.length,
    changed: hasChanged.reduce((sum, flag) => sum + flag, 0),
    quantities: changes,
  };
}

/** Rows before and after that have the same key; the k-th of a key goes with the k-th. */
function matchRows(before: readonly string[], after: readonly string[]): (readonly [number, number])[] {
  const first = new Map<string, number>();
  const next = new Int32Array(before.length).fill(-1);
  // From the end, so that the rows of a key are chained in their order.
  for (let row = before.length - 1; row >= 0; row--) {
    next[row] = first.get(before[row]!) ?? -1;
    first.set(before[row]!, row);
  }
  const pairs: (readonly [number, number])[] = [];
  for (const [row, key] of after.entries()) {
    const match = first.get(key) ?? -1;
    if (match === -1) continue;
    pairs.push([match, row]);
    first.set(key, next[match]!);
  }
  return pairs;
}
