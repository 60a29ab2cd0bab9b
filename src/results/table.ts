/** The table: tidy, one row for each cell and recorded layer; columns and their order are the contract. */
import { CsvError, parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import {
  axisOfColumn,
  COLUMNS_OF_SOME,
  identityColumns,
  LAYER_NAME,
  REQUIRED_COLUMNS,
  TEXT_COLUMNS,
} from '../config/columns.js';
import { decodeText, ReadError } from './read-text.js';

/** A value of the table; null is a missing one, an empty cell. */
export type Value = string | number | null;

/** The step of several that a row is of; the tables of experiments with one step are without it. */
export const STEP_NUMBER = 'step_number';

export interface Table {
  readonly columns: readonly string[];
  /** One array for each row, in the order of the columns. */
  readonly rows: readonly (readonly Value[])[];
}

/** The values of a column, in the order of the rows; none of a table without it. */
export function column({ columns, rows }: Table, name: string): readonly Value[] | undefined {
  const at = columns.indexOf(name);
  return at === -1 ? undefined : rows.map((row) => row[at] ?? null);
}

/**
 * The table as CSV: a header, LF, `.` decimal, shortest numbers that read back the same, missing as empty.
 *
 * @throws Error for a number that is not finite: whatever made it must decide what it means.
 */
export function toCsv({ columns, rows }: Table): string {
  for (const row of rows) {
    for (const value of row) {
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new Error(`the table cannot hold ${value}`);
    }
  }
  return csvText([columns, ...rows]);
}

/** Records as CSV text with LF; those with nothing to be quoted, which most are, are put together by hand, 6 times as fast. */
export function csvText(records: readonly (readonly Value[])[]): string {
  const isPlain = (value: Value) => typeof value !== 'string' || !/[",\r\n]/.test(value);
  return records
    .map((record) => (record.every(isPlain) ? `${record.join()}\n` : stringify([record as Value[]])))
    .join('');
}

/** What `Number` would also take, a blank as 0 and 0x10 as 16, is no number of a table. */
const NUMBER = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads a table file: the bytes that `toCsv` wrote, with LF or CRLF.
 *
 * @throws ReadError, with line and column, for what is no text in UTF-8 (see `decodeText`), no table (see `fromCsv`), or
 * lacks a column that says which cell a row is.
 */
export function readTable(bytes: Uint8Array): Table {
  return fromCsv(decodeText(bytes), REQUIRED_COLUMNS);
}

/**
 * Reads a table that `toCsv` wrote; `required` columns are those that it must have.
 *
 * @throws ReadError that names line and column of what is no table: a row of another length, a number that is none, a
 * column that comes twice or is missing, a last line without its end, a row without values, and, where there are all
 * columns that say which cell a row is, a row that does not say it or says it as another does.
 */
export function fromCsv(text: string, required: readonly string[] = []): Table {
  const lines = csvRecords(text);
  const header = lines.next();
  if (header.done) throw new ReadError('line 1: expected a header, got an empty file');
  const columns = header.value.record;
  checkHeader(columns, required);
  if (!text.endsWith('\n')) {
    const last = text.split('\n').length;
    throw new ReadError(`line ${last}: expected the end of a line, got the end of the file; it is cut off`);
  }
  const readers = columns.map((column) => (TEXT_COLUMNS.has(column) ? wordReader() : numberReader()));
  const rows: Value[][] = [];
  for (const { record, line } of lines) {
    if (record.every((value) => value === '')) {
      const got = record.length === 1 ? 'a blank line' : 'one of commas alone';
      throw new ReadError(`line ${line}: expected a row with values, got ${got}`);
    }
    if (record.length !== columns.length) {
      const at = columns[record.length] ?? columns.at(-1);
      throw new ReadError(
        `line ${line}, column ${at}: expected ${columns.length} values, got ${record.length}`,
      );
    }
    rows.push(
      record.map((value, j) => {
        if (value === '') return null;
        const read = readers[j]!(value);
        if (read === undefined) {
          throw new ReadError(`line ${line}, column ${columns[j]}: expected a number, got ${brief(value)}`);
        }
        return read;
      }),
    );
  }
  const table = { columns, rows };
  checkIdentities(table, text);
  return table;
}

/** A step size is that of an update; velocities have none. Networks of a user's own are without some axes. */
const mayBeEmpty = (column: string, step: Value | undefined, isOfModel: boolean) =>
  COLUMNS_OF_SOME.has(column) ||
  (column === 'step_size' && step === 'velocity') ||
  (isOfModel && axisOfColumn(column) !== undefined);

/** Makes sure that the rows are a set, each known by its identity columns: draws are counted by them, and means taken. */
function checkIdentities({ columns, rows }: Table, text: string): void {
  if (!REQUIRED_COLUMNS.every((name) => columns.includes(name))) return;
  const names = [...identityColumns(columns), ...(columns.includes(STEP_NUMBER) ? [STEP_NUMBER] : [])];
  const identity = names.map((name) => columns.indexOf(name));
  const step = columns.indexOf('step');
  const isOfModel = columns.includes(LAYER_NAME);
  const hasGaps = identity.some((j) => rows.some((row) => row[j] === null));
  // What is the same throughout tells no rows apart, and most columns are.
  const varying = identity.filter((j) => rows.some((row) => row[j] !== rows[0]![j]));
  const first = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    if (hasGaps) {
      const gap = identity.find((j) => row[j] === null && !mayBeEmpty(columns[j]!, row[step], isOfModel));
      if (gap !== undefined) {
        throw new ReadError(
          `line ${lineOf(i, text)}, column ${columns[gap]}: expected what the row is of, got an empty cell`,
        );
      }
    }
    let key = '';
    for (const j of varying) key += `${row[j]}\u0001`;
    const other = first.get(key);
    if (other !== undefined) {
      const [line, before] = [lineOf(i, text), lineOf(other, text)];
      const same = rows[other]!.every((value, j) => value === row[j]);
      throw new ReadError(
        `line ${line}: expected each row once, got ${same ? 'that' : 'another of the cell and layer'} of line ${before} again`,
      );
    }
    first.set(key, i);
  }
}

/** Line of a row of the table, counted from 0; rows with texts of several lines are why it is not i + 2. */
function lineOf(row: number, text: string): number {
  let i = -1;
  for (const { line } of csvRecords(text)) if (i++ === row) return line;
  return row + 2;
}

function checkHeader(columns: readonly string[], required: readonly string[]): void {
  const got = brief(columns.join());
  const missing = required.filter((column) => !columns.includes(column));
  if (missing.length > 0 && missing.length === required.length) {
    throw new ReadError(
      `line 1: expected the header of a table, ${required.slice(0, 3).join()},..., got ${got}`,
    );
  }
  if (missing.length > 0) throw new ReadError(`line 1: expected a column ${missing.join(', ')}, got ${got}`);
  const twice = columns.find((column, j) => columns.indexOf(column) < j);
  if (twice !== undefined) {
    throw new ReadError(`line 1, column ${brief(twice)}: expected it once, got it twice`);
  }
}

/** Reads the words of one column; one that repeats from row to row is kept once, a sixth of the memory of a table. */
function wordReader(): (value: string) => string {
  let last = '';
  return (value) => {
    if (value !== last) last = value;
    return last;
  };
}

/** Reads the numbers of one column; identities repeat from row to row, and are not read again. */
function numberReader(): (value: string) => number | undefined {
  let last = '';
  let lastNumber: number | undefined;
  return (value) => {
    if (value === last) return lastNumber;
    const number = NUMBER.test(value) ? Number(value) : Number.NaN;
    last = value;
    lastNumber = Number.isFinite(number) ? number : undefined;
    return lastNumber;
  };
}

interface CsvRecord {
  readonly record: string[];
  /** Where it begins. */
  readonly line: number;
}

/**
 * Records of a CSV text with LF or CRLF, one at a time, the header first; one blank line at the end, which editors
 * leave, is none.
 *
 * Text without quotes, which is what most tables are, is cut by hand, 4 times as fast.
 *
 * @throws ReadError for quotes that do not match and for line ends that are mixed up.
 */
export function* csvRecords(marked: string): Generator<CsvRecord, undefined> {
  const text = marked.slice(marked.charCodeAt(0) === 0xfeff ? 1 : 0).replace(/\n\r?\n$/, '\n');
  const isWindows = text.indexOf('\r\n') !== -1;
  if (text.includes('"') || (text.includes('\r') && !isWindows)) return yield* quotedRecordsOf(text);
  let line = 1;
  for (let start = 0; start < text.length; line++) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    const last = isWindows && text.charCodeAt(end - 1) === CARRIAGE_RETURN ? end - 1 : end;
    const record = text.slice(start, Math.max(start, last)).split(',');
    if (isWindows && record.some((value) => value.includes('\r'))) {
      throw new ReadError(`line ${line}: expected a line end LF or CRLF, got CR`);
    }
    yield { record, line };
    start = end + 1;
  }
}

const CARRIAGE_RETURN = 13;

/** The same with quotes; the header comes first, so that what is no table is refused for that and not for its quotes. */
function* quotedRecordsOf(text: string): Generator<CsvRecord, undefined> {
  for (const { record } of parseCsv(text, 1)) yield { record, line: 1 };
  let line = 1;
  for (const [i, { record, info }] of parseCsv(text).entries()) {
    if (i > 0) yield { record, line };
    line = info.lines + 1;
  }
}

interface ParsedRecord {
  readonly record: string[];
  /** Lines up to the end of the record, which may have several. */
  readonly info: { readonly lines: number };
}

function parseCsv(text: string, to?: number): ParsedRecord[] {
  const options = { info: true, relax_column_count: true, record_delimiter: ['\r\n', '\n'], to };
  try {
    return parse(text, options) as unknown as ParsedRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (to === 1) {
      throw new ReadError(`line 1: expected the header of a table, got ${brief(text.split('\n', 1)[0]!)}`);
    }
    const { lines = '?' } = error as CsvError & { lines?: number };
    throw new ReadError(`line ${lines}: ${brief(error.message)}`);
  }
}

const brief = (value: string): string =>
  JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}\u2026` : value);
