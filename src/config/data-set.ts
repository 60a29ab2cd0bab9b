/** Data of the user that an experiment learns from, as a config names them and as they were read. */
import { z } from 'zod';
import { expecting, integer, notEmpty, object, oneOf } from './file/schema-parts.js';

const COLUMN = 'the name of a column, or its number from 0 where columns have no names';
const column = z.union(
  [z.string(expecting(COLUMN)).check(notEmpty(expecting(COLUMN))), integer(0)],
  expecting(COLUMN),
);

/** `data.target` beside `data.file`. */
export const targetColumn = z.union(
  [
    ...column.options,
    object({
      column: column.describe('the column of the target'),
      kind: oneOf(['classes', 'numbers']).describe('classes are one-hot, y = e_j; numbers are y'),
    }),
  ],
  expecting(COLUMN),
);

/** What is to be read. */
interface DataRequest {
  /** As the config has it, relative to its folder. */
  readonly file: string;
  readonly target: z.infer<typeof targetColumn>;
}

/** Rows of data, row major. */
export interface DataSet {
  readonly rows: number;
  /** d and k. */
  readonly inputWidth: number;
  readonly outputWidth: number;
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  /** Whether the targets are classes, and one-hot. */
  readonly hasClasses: boolean;
  /** SHA-256 of the file. */
  readonly sha256: string;
}

/** Reads a data set, or says what is wrong with which key. */
export type ReadData = (
  request: DataRequest,
) => { readonly set: DataSet } | { readonly key: 'file' | 'target'; readonly message: string };
