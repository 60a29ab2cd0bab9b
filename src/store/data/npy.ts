/** Arrays of NumPy: files `.npy`. */
import { ReadError } from '../../results/read-text.js';

/** Numbers with the shape of their array, row major. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

const MAGIC = '\u0093NUMPY';

/**
 * Numbers of one kind, little-endian, as an array of them.
 *
 * @returns undefined for a kind that is not known.
 */
export function decodeNumbers(kind: string, bytes: Uint8Array): Float32Array | Float64Array | undefined {
  const reader = READERS[kind];
  if (!reader) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [size, read] = reader;
  const count = Math.floor(bytes.byteLength / size);
  const values = kind === 'f4' || size < 4 ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * size);
  return values;
}

/** Bytes of a number, and how it is read, by the kind in NumPy's letters. */
const READERS: Readonly<Record<string, readonly [number, (view: DataView, at: number) => number]>> = {
  f8: [8, (view, at) => view.getFloat64(at, true)],
  f4: [4, (view, at) => view.getFloat32(at, true)],
  f2: [2, (view, at) => halfOf(view.getUint16(at, true))],
  bf2: [2, (view, at) => upperHalfOf(view.getUint16(at, true))],
  i8: [8, (view, at) => Number(view.getBigInt64(at, true))],
  u8: [8, (view, at) => Number(view.getBigUint64(at, true))],
  i4: [4, (view, at) => view.getInt32(at, true)],
  u4: [4, (view, at) => view.getUint32(at, true)],
  i2: [2, (view, at) => view.getInt16(at, true)],
  u2: [2, (view, at) => view.getUint16(at, true)],
  i1: [1, (view, at) => view.getInt8(at)],
  u1: [1, (view, at) => view.getUint8(at)],
  b1: [1, (view, at) => view.getUint8(at)],
};

/** A number of 16 bits: 5 of the exponent, 10 of the fraction. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/** A bfloat16: the first 16 bits of a float32. */
function upperHalfOf(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

/**
 * The array of a file `.npy` of version 1, 2 or 3, of real numbers in C order.
 *
 * @throws ReadError
 */
export function decodeNpy(bytes: Uint8Array): NumberArray {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text.subarray(0, 6).toString('latin1') !== MAGIC || bytes.length < 12) {
    throw new ReadError('expected an array of NumPy (.npy), got something else');
  }
  const isFirst = text[6] === 1;
  const start = isFirst ? 10 : 12;
  const length = isFirst ? text.readUInt16LE(8) : text.readUInt32LE(8);
  const header = text.subarray(start, start + length).toString('latin1');
  const kind = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (kind === undefined || order === undefined || shape === undefined) {
    throw new ReadError(
      'expected a header with descr, fortran_order and shape, of an array of plain numbers',
    );
  }
  if (order === 'True') {
    throw new ReadError('expected an array in C order, got Fortran order; save numpy.ascontiguousarray(x)');
  }
  const lengths = shape
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const values = /^[<|=]/.test(kind)
    ? decodeNumbers(kind.slice(1), bytes.subarray(start + length))
    : undefined;
  if (!values) {
    throw new ReadError(`expected numbers of one kind, little-endian, got ${kind}; save x.astype("float32")`);
  }
  const size = lengths.reduce((product, count) => product * count, 1);
  if (values.length !== size) {
    throw new ReadError(`expected ${size} numbers by the header, got ${values.length}; the file is cut off`);
  }
  return { shape: lengths, values };
}
