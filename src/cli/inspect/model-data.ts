/** Data of a user for a model: CSV and arrays of NumPy. */
import { extname } from 'node:path';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ModelLoss, oneHotRows, shownShape } from '../../model/index.js';
import { nearest } from '../../nearest.js';
import { decodeText, ReadError } from '../../results/read-text.js';
import { csvRecords } from '../../results/table.js';
import { readWith } from '../../store/files.js';
import { decodeNpy } from '../../store/npy.js';
import { UserError } from '../../store/user-error.js';

/** Rows of numbers with the names of their columns, where the file has them. */
interface Rows {
  readonly path: string;
  readonly columns: readonly string[] | undefined;
  /** Shape, the samples first. */
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

export interface GivenData {
  readonly inputs: readonly Tensor[] | undefined;
  readonly targets: readonly Tensor[] | undefined;
}

export interface DataRequest {
  /** A file for each input. */
  readonly data: readonly string[];
  /** A file for each output, or columns of the CSV file of the input, with commas between them. */
  readonly target: readonly string[];
  readonly samples: number | undefined;
  readonly loss: ModelLoss;
}

/**
 * Reads data, as many samples as asked for; rows of a CSV file are put into the shape of the input.
 *
 * @throws UserError
 */
export function readModelData(model: LayersModel, { data, target, samples, loss }: DataRequest): GivenData {
  const files = data.map((path) => readRows(path, samples));
  const isFile = (text: string) => /\.(csv|npy)$/i.test(text);
  const named = target.filter((text) => !isFile(text));
  if (named.length > 0 && (files.length !== 1 || target.length !== 1)) {
    throw new UserError(
      `--target ${named[0]}: expected a file .csv or .npy for each output, or columns of the one CSV file of --data`,
    );
  }
  if (named.length === 0) {
    const targets = target.map((path) => readRows(path, samples));
    return {
      inputs: files.length > 0 ? files.map((rows, i) => inputOf(model, i, rows)) : undefined,
      targets: targets.length > 0 ? targets.map((rows, i) => targetOf(model, i, rows, loss)) : undefined,
    };
  }
  const [own, rest] = splitColumns(files[0]!, named[0]!.split(','));
  return { inputs: [inputOf(model, 0, rest)], targets: [targetOf(model, 0, own, loss)] };
}

function readRows(path: string, samples: number | undefined): Rows {
  const extension = extname(path).toLowerCase();
  if (extension !== '.csv' && extension !== '.npy') {
    throw new UserError(
      `${path}: expected data as .csv or .npy, got ${extension || 'a file without an extension'}`,
    );
  }
  const rows = readWith(path, (bytes): Rows => {
    if (extension === '.csv') return { path, ...readCsv(decodeText(bytes)) };
    const { shape, values } = decodeNpy(bytes);
    if (shape.length === 0)
      throw new ReadError('expected an array with the samples first, got a single number');
    return { path, columns: undefined, shape, values };
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

function readCsv(text: string): Omit<Rows, 'path'> {
  const values: number[] = [];
  let columns: string[] | undefined;
  let width = 0;
  let count = 0;
  for (const { record, line } of csvRecords(text)) {
    const numbers = record.map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell)));
    const wrong = numbers.findIndex((number) => !Number.isFinite(number));
    if (width === 0) {
      width = record.length;
      if (wrong >= 0) {
        columns = record.map((name) => name.trim());
        continue;
      }
    }
    if (record.length !== width) {
      throw new ReadError(`line ${line}: expected ${width} cells, got ${record.length}`);
    }
    if (wrong >= 0)
      throw new ReadError(`line ${line}: expected a number, got ${JSON.stringify(record[wrong])}`);
    for (const number of numbers) values.push(number);
    count += 1;
  }
  return { columns, shape: [count, width], values };
}

/** Parts the columns that are named from the others. */
function splitColumns(rows: Rows, names: readonly string[]): [Rows, Rows] {
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
    };
  };
  return [pick(wanted), pick([...columns.keys()].filter((at) => !wanted.includes(at)))];
}

function inputOf(model: LayersModel, i: number, rows: Rows): Tensor {
  const input = model.inputs[i];
  // Of more files than inputs the check of the data tells.
  if (!input) return tensor(Float32Array.from(rows.values), [...rows.shape]);
  return shaped(
    rows,
    input.shape.slice(1),
    input.dtype === 'int32' ? 'int32' : 'float32',
    `input ${input.name}`,
  );
}

function targetOf(model: LayersModel, i: number, rows: Rows, loss: ModelLoss): Tensor {
  const shape = (model.outputs[i]?.shape ?? []).slice(1);
  const k = shape.at(-1) ?? 1;
  const size = sizeOf(shape);
  const [count, ...own] = rows.shape as [number, ...number[]];
  // A class stands for a one-hot row.
  const isClass =
    size === undefined ? rows.shape.length === shape.length : (rows.values.length / count) * k === size;
  if (loss === 'cross-entropy' && k > 1 && isClass) {
    return oneHotRows(rows.values, [
      count,
      ...(size === undefined ? own : (shape.slice(0, -1) as number[])),
      k,
    ]);
  }
  return shaped(rows, shape, 'float32', `output ${model.outputNames[i] ?? i + 1}`);
}

/** The number of entries of a shape; undefined where a length is open. */
function sizeOf(shape: readonly (number | null)[]): number | undefined {
  return shape.some((length) => length === null)
    ? undefined
    : (shape as number[]).reduce((size, length) => size * length, 1);
}

function shaped(
  rows: Rows,
  shape: readonly (number | null)[],
  dtype: 'int32' | 'float32',
  what: string,
): Tensor {
  const broken = dtype === 'int32' ? Array.from(rows.values).find((x) => !Number.isInteger(x)) : undefined;
  if (broken !== undefined) {
    throw new UserError(`${rows.path}: ${what} takes integers, got ${broken}`);
  }
  const values = dtype === 'int32' ? Int32Array.from(rows.values) : Float32Array.from(rows.values);
  const [count, ...own] = rows.shape as [number, ...number[]];
  const size = sizeOf(shape);
  // A flat row takes the shape of the model.
  const fits = size === values.length / count && own.length <= 1;
  if (own.length <= 1 && size !== undefined && !fits) {
    throw new UserError(
      `${rows.path}: ${what} has the shape ${shownShape(shape)}, ${size} numbers for each sample, got ${values.length / count} columns`,
    );
  }
  return tensor(values, fits ? [count, ...(shape as number[])] : [...rows.shape], dtype);
}
