import { expect, test } from 'vitest';
import { decodeNpy } from './npy.js';
import { decodeSafetensors } from './safetensors.js';

function npy(header: string, numbers: ArrayBufferView): Uint8Array {
  const text = Buffer.from(header, 'latin1');
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([start, text, Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)]);
}
const header = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

test('arrays of NumPy are read with their shape', () => {
  expect(decodeNpy(npy(header('<f4', '(2, 2)'), Float32Array.of(1, -2, 0.5, 4)))).toEqual({
    shape: [2, 2],
    values: Float32Array.of(1, -2, 0.5, 4),
  });
  expect(decodeNpy(npy(header('<i8', '(2,)'), BigInt64Array.of(7n, -1n))).values).toEqual(
    Float64Array.of(7, -1),
  );
  // 1, -2 and the largest of 16 bits.
  const halves = decodeNpy(npy(header('<f2', '(3,)'), Uint16Array.of(0x3c00, 0xc000, 0x7bff)));
  expect([...halves.values]).toEqual([1, -2, 65504]);
});

test('other files are refused with their reason', () => {
  const numbers = Float32Array.of(1, 2);
  expect(() => decodeNpy(Buffer.from('no array at all'))).toThrow('expected an array of NumPy');
  expect(() => decodeNpy(npy(header('<f4', '(3,)'), numbers))).toThrow(
    'expected 3 numbers by the header, got 2',
  );
  expect(() => decodeNpy(npy(header('<f4', '(2,)', 'True'), numbers))).toThrow('Fortran order');
  expect(() => decodeNpy(npy(header('>f4', '(2,)'), numbers))).toThrow('little-endian, got >f4');
});

function safetensors(entries: object, numbers: Float32Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(entries));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.from(numbers.buffer)]);
}

test('safetensors are read by name, with their metadata, and refused where numbers are missing', () => {
  const entry = (shape: number[], end: number) => ({ a: { dtype: 'F32', shape, data_offsets: [0, end] } });
  const file = safetensors({ __metadata__: { format: 'x' }, ...entry([2, 1], 8) }, Float32Array.of(3, 4));
  const { tensors, metadata } = decodeSafetensors(file);
  expect(metadata).toEqual({ format: 'x' });
  expect(tensors.get('a')).toEqual({ shape: [2, 1], values: Float32Array.of(3, 4) });
  expect(() => decodeSafetensors(safetensors(entry([4], 16), Float32Array.of(1)))).toThrow(
    'the file is cut off',
  );
  expect(() => decodeSafetensors(safetensors(entry([3], 8), Float32Array.of(1, 2)))).toThrow(
    'expected 3 numbers by its shape',
  );
  expect(() => decodeSafetensors(Buffer.from('short'))).toThrow('expected a file of safetensors');
});
