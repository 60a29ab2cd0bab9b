/** Rows of data of a user: CSV files and arrays of NumPy. */
import { extname } from 'node:path';
import { nearest } from '../../nearest.js';
import { decodeText, ReadError } from '../../results/read-text.js';
import { csvRecords } from '../../results/table.js';
import { readWith } from '../files.js';
import { UserError } from '../user-error.js';
import { decodeNpy } from './npy.js';

/** Rows of numbers with the names of their columns, where the file has them. */
export interface Rows {
  readonly path: string;
  readonly columns: readonly string[] | undefined;
  /** Shape, the samples first. */
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** Cells of the columns that may hold words, by name. */
  readonly words: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads rows of a file .csv or .npy, as many as asked for.
 *
 * @param labels columns of a CSV file with names that may hold words: these are numbered in their order.
 * @throws UserError
 */
export function readRows(path: string, samples: number | undefined, labels: readonly string[] = []): Rows {
  const extension = extname(path).toLowerCase();
  if (extension !== '.csv' && extension !== '.npy') {
    throw new UserError(
      `${path}: expected data as .csv or .npy, got ${extension || 'a file without an extension'}`,
    );
  }
  const rows = readWith(path, (bytes): Rows => {
    if (extension === '.csv') return { path, ...readCsv(decodeText(bytes), labels) };
    const { shape, values } = decodeNpy(bytes);
    if (shape.length === 0)
      throw new ReadError('expected an array with the samples first, got a single number');
    return { path, columns: undefined, shape, values, words: new Map() };
  });
  const count = rows.shape[0]!;
  if (count === 0) throw new UserError(`${path}: there are no samples in it`);
  if (samples === undefined || samples === count) return rows;
  if (samples > count) throw new UserError(`${path}: expected ${samples} samples (--samples), got ${count}`);
  const size = (rows.values.length / count) * samples;
  return {
    ...rows,
    shape: [samples, ...rows.shape.slice(1)],
    values: Array.prototype.slice.call(rows.values, 0, size),
  };
}

function readCsv(text: string, labels: readonly string[]): Omit<Rows, 'path'> {
  const values: number[] = [];
  const words = new Map<string, string[]>();
  let columns: string[] | undefined;
  let width = 0;
  let count = 0;
  const isLabel = (at: number) => columns !== undefined && labels.includes(columns[at]!);
  for (const { record, line } of csvRecords(text)) {
    const numbers = record.map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
    const isWrong = (at: number) => !Number.isFinite(numbers[at]);
    if (width === 0) {
      width = record.length;
      if (record.some((_, at) => isWrong(at))) {
        columns = record.map((name) => name.trim());
        continue;
      }
    }
    if (record.length !== width) {
      throw new ReadError(`line ${line}: expected ${width} cells, got ${record.length}`);
    }
    const wrong = record.findIndex((cell, at) => isWrong(at) && !(isLabel(at) && cell.trim() !== ''));
    if (wrong >= 0) {
      throw new ReadError(
        `line ${line}${columns ? `, column ${columns[wrong]}` : ''}: expected a number, got ${JSON.stringify(record[wrong])}`,
      );
    }
    record.forEach((cell, at) => {
      if (!isLabel(at)) return;
      const own = words.get(columns![at]!) ?? [];
      own.push(cell.trim());
      words.set(columns![at]!, own);
    });
    for (const number of numbers) values.push(number);
    count += 1;
  }
  return { columns, shape: [count, width], values, words };
}

/**
 * Parts the columns that are named from the others.
 *
 * @throws UserError for a name that no column has.
 */
export function splitColumns(rows: Rows, names: readonly string[]): [Rows, Rows] {
  const { path, columns } = rows;
  if (!columns)
    throw new UserError(`${path}: has no line with names of columns, expected ${names.join(', ')}`);
  const wanted = names.map((name) => {
    const at = columns.indexOf(name.trim());
    if (at >= 0) return at;
    const meant = nearest(name, columns);
    throw new UserError(
      `${path}: has no column ${name}; it has ${columns.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    );
  });
  const pick = (places: readonly number[]): Rows => {
    const [count, width] = rows.shape as [number, number];
    const values = Array.from({ length: count }, (_, row) =>
      places.map((at) => rows.values[row * width + at]!),
    );
    return {
      path,
      columns: places.map((at) => columns[at]!),
      shape: [count, places.length],
      values: values.flat(),
      words: rows.words,
    };
  };
  return [pick(wanted), pick([...columns.keys()].filter((at) => !wanted.includes(at)))];
}
