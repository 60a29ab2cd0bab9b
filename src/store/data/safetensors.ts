/** Tensors by name: files `.safetensors`, which PyTorch, JAX and NumPy write. */
import { ReadError } from '../../results/read-text.js';
import { decodeNumbers, type NumberArray } from './npy.js';

export interface NamedTensors {
  readonly tensors: ReadonlyMap<string, NumberArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Record<string, string>> = {
  F64: 'f8',
  F32: 'f4',
  F16: 'f2',
  BF16: 'bf2',
  I64: 'i8',
  I32: 'i4',
  I16: 'i2',
  I8: 'i1',
  U8: 'u1',
  BOOL: 'b1',
};

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * A length of 8 bytes, a header of JSON, and the numbers.
 *
 * @throws ReadError
 */
export function decodeSafetensors(bytes: Uint8Array): NamedTensors {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = buffer.length < 8 ? Number.NaN : Number(buffer.readBigUInt64LE(0));
  if (!(8 + length <= buffer.length))
    throw new ReadError('expected a file of safetensors, got something else');
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(buffer.subarray(8, 8 + length).toString('utf8'));
  } catch {
    throw new ReadError('expected a file of safetensors, whose header is JSON, got something else');
  }
  const { __metadata__: metadata = {}, ...entries } = header;
  const data = buffer.subarray(8 + length);
  const tensors = new Map(
    Object.entries(entries as Record<string, Entry>).map(([name, entry]) => [
      name,
      arrayOf(name, entry, data),
    ]),
  );
  return { tensors, metadata: metadata as Record<string, string> };
}

function arrayOf(name: string, { dtype, shape, data_offsets: offsets }: Entry, data: Buffer): NumberArray {
  const [start, end] = offsets ?? [];
  if (start === undefined || end === undefined || !Array.isArray(shape) || !(start <= end)) {
    throw new ReadError(`tensor ${name}: expected dtype, shape and data_offsets`);
  }
  if (end > data.length) throw new ReadError(`tensor ${name}: its numbers are missing; the file is cut off`);
  const values = decodeNumbers(KINDS[dtype] ?? '', data.subarray(start, end));
  if (!values)
    throw new ReadError(`tensor ${name}: expected one of ${Object.keys(KINDS).join(', ')}, got ${dtype}`);
  const size = shape.reduce((product, count) => product * count, 1);
  if (values.length !== size) {
    throw new ReadError(`tensor ${name}: expected ${size} numbers by its shape, got ${values.length}`);
  }
  return { shape, values };
}
