/** Spec and table brought together: what is read, and whether the two fit. */
import { nearest } from '../nearest.js';
import { QUANTITIES } from '../quantities.js';
import { csvRecords, csvText } from '../results/table.js';
import { addressesIn } from './addresses.js';
import {
  brief,
  curvesIn,
  type DataName,
  dataName,
  isObject,
  isOver,
  mentionedColumns,
  misshapenView,
  missingFields,
  type VegaLiteSpec,
} from './spec.js';

const NO_ROWS = 'chart: the table has no rows; there is nothing to draw';

/** The columns of a table that a chart reads. */
interface DrawnColumns {
  /** CSV text, cells as they were. */
  readonly csv: string;
  /** Those that have a number or nothing in every cell. */
  readonly numeric: readonly string[];
  /** Quantities that are measured or computed, and have no value in any row. */
  readonly empty: readonly string[];
}

/** What a chart reads, of all data that it is drawn over. */
export type DrawnData = Readonly<Partial<Record<DataName, DrawnColumns>>>;

/**
 * The columns that the spec reads, alone: with all of them, 100,000 rows of a figure take 150 MB more.
 *
 * @throws Error with one message if the spec is none over this table, or the table has no rows.
 */
export async function readData(table: string, spec: VegaLiteSpec): Promise<DrawnData> {
  if (!isObject(spec))
    throw new Error(`chart: expected a Vega-Lite spec (a JSON object), got ${brief(spec)}`);
  if (!dataName(spec.data)) {
    throw new Error(
      `chart: data: expected {"name": "table"}, or {"name": "curves"} of optima, got ${brief(spec.data)}; a chart is a spec over its table`,
    );
  }
  return {
    ...(isOver(spec, 'table') && { table: await readColumns('table', table, spec) }),
    ...(isOver(spec, 'curves') && { curves: await readColumns('curves', curvesIn(spec), spec) }),
  };
}

async function readColumns(name: DataName, table: string, spec: VegaLiteSpec): Promise<DrawnColumns> {
  const records = csvRecords(table);
  const columns = records.next().value?.record ?? [];
  check(spec, name, columns);
  const used = mentionedColumns(spec, columns);
  const places = used.map((column) => columns.indexOf(column));
  const rows = Array.from(records, ({ record }) => places.map((place) => record[place] ?? ''));
  if (rows.length === 0) throw new Error(NO_ROWS);
  return {
    csv: csvText([used, ...rows]),
    numeric: used.filter((_, j) => rows.every((row) => !Number.isNaN(Number(row[j])))),
    empty: used.filter((column, j) => column in QUANTITIES && rows.every((row) => row[j] === '')),
  };
}

function check(spec: VegaLiteSpec, name: DataName, columns: readonly string[]): void {
  const misshapen = misshapenView(spec);
  if (misshapen !== undefined) throw new Error(`chart: ${misshapen}`);
  const addresses = addressesIn(spec);
  if (addresses.length > 0) throw new Error(`chart: ${addresses.join('; ')}`);
  if (columns.length === 0) throw new Error(NO_ROWS);
  const missing = missingFields(spec, columns, name);
  if (missing.length > 0) {
    throw new Error(
      `chart: the spec refers to ${missing.map((field) => wanted(field, columns)).join(', ')}, which the table ` +
        `lacks; its columns are ${columns.join(', ')}`,
    );
  }
}

function wanted(field: string, columns: readonly string[]): string {
  const near = nearest(field, columns);
  return near === undefined ? brief(field) : `${brief(field)} (did you mean ${brief(near)}?)`;
}
