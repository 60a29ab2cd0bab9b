/** A file of data as an experiment learns from it: inputs, and targets that are classes or numbers. */
import { createHash } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { configDirectories, isThere, readWith, shown } from '../files.js';
import { UserError } from '../user-error.js';
import { type Rows, readRows, splitColumns } from './data-rows.js';

interface DataRequest {
  readonly file: string;
  readonly target:
    | string
    | number
    | { readonly column: string | number; readonly kind: 'classes' | 'numbers' };
}

interface DataSet {
  readonly rows: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  readonly hasClasses: boolean;
  readonly sha256: string;
}

type Read = { readonly set: DataSet } | { readonly key: 'file' | 'target'; readonly message: string };

/**
 * Reads the data that a config names: beside the config; those of an experiment that has no file of its own, or lies elsewhere as in
 * a manifest, in the folders of configs and in the working directory.
 *
 * @param config its path, if it has one.
 */
export function dataReader(config?: string): (request: DataRequest) => Read {
  const folders = [...(config === undefined ? [] : [dirname(config)]), ...configDirectories(), process.cwd()];
  return ({ file, target }) => {
    const paths = isAbsolute(file) ? [file] : folders.map((folder) => join(folder, file));
    const path = paths.find((each) => isThere(each));
    if (path === undefined) {
      return { key: 'file', message: `no such file as ${paths.slice(0, 1).map(shown)[0]}` };
    }
    const named = typeof target === 'object' ? target.column : target;
    let rows: Rows;
    try {
      rows = flat(readRows(path, undefined, [String(named)]));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { key: 'file', message: error.message };
    }
    try {
      const [own, others] = splitColumns(rows, [String(named)]);
      if (others.shape[1] === 0) return { key: 'target', message: `${shown(path)}: no column is left for x` };
      const targets = targetsOf(own, typeof target === 'object' ? target.kind : undefined);
      const inputs = Float32Array.from(others.values);
      const wrong = inputs.findIndex((x) => !Number.isFinite(x));
      if (wrong >= 0) {
        const row = Math.floor(wrong / others.shape[1]!) + 1;
        return { key: 'file', message: `${shown(path)}: row ${row} has a number beyond float32` };
      }
      const sha256 = createHash('sha256')
        .update(readWith(path, (bytes) => bytes))
        .digest('hex');
      return { set: { rows: rows.shape[0]!, inputWidth: others.shape[1]!, inputs, ...targets, sha256 } };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { key: 'target', message: error.message };
    }
  };
}

/** Rows of numbers, a column each; those without a name are named by their number. */
function flat(rows: Rows): Rows {
  const [count, ...own] = rows.shape as [number, ...number[]];
  const width = own.reduce((size, length) => size * length, 1);
  const columns = rows.columns ?? Array.from({ length: width }, (_, j) => String(j));
  return { ...rows, columns, shape: [count, width] };
}

type Targets = Pick<DataSet, 'outputWidth' | 'targets' | 'hasClasses'>;

/**
 * Classes, one-hot, for words and for the integers 0 .. k-1, all of which occur; else numbers.
 *
 * @throws UserError for words that are asked for as numbers, numbers that are none, and one class alone.
 */
function targetsOf({ path, columns, values, words }: Rows, kind: 'classes' | 'numbers' | undefined): Targets {
  const name = columns![0]!;
  const numbers = Array.from(values);
  const isNumeric = numbers.every(Number.isFinite);
  if (kind === 'numbers' && !isNumeric) {
    const word = words.get(name)?.find((_, i) => !Number.isFinite(numbers[i]));
    throw new UserError(`${shown(path)}: column ${name}: expected numbers, got ${JSON.stringify(word)}`);
  }
  const names = isNumeric ? numbers.map(String) : (words.get(name) ?? numbers.map(String));
  const classes = [...new Set(names)].sort((a, b) =>
    isNumeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0,
  );
  const isCounted = isNumeric && classes.every((value, j) => Number(value) === j);
  if (kind === 'numbers' || (kind === undefined && isNumeric && !isCounted)) {
    return { outputWidth: 1, targets: Float32Array.from(numbers), hasClasses: false };
  }
  if (classes.length < 2) {
    throw new UserError(
      `${shown(path)}: column ${name}: expected two classes or more, got ${names[0]} alone`,
    );
  }
  const place = new Map(classes.map((value, j) => [value, j]));
  const targets = new Float32Array(names.length * classes.length);
  names.forEach((value, i) => {
    targets[i * classes.length + place.get(value)!] = 1;
  });
  return { outputWidth: classes.length, targets, hasClasses: true };
}
