/** Data of a user for a model: CSV and arrays of NumPy. */
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ModelLoss, oneHotRows, shownShape } from '../../model/index.js';
import { type Rows, readRows, splitColumns } from '../../store/data/data-rows.js';
import { UserError } from '../../store/user-error.js';

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
