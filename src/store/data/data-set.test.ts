import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { dataReader } from './data-set.js';

const folder = mkdtempSync(join(tmpdir(), 'data-set-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (
  text: string | Buffer,
  target: string | number | { column: string; kind: 'classes' | 'numbers' },
  name = 'x.csv',
) => {
  writeFileSync(join(folder, name), text);
  return dataReader(join(folder, 'experiment.json'))({ file: name, target });
};
const setOf = (...args: Parameters<typeof read>) => {
  const result = read(...args);
  if (!('set' in result)) throw new Error(result.message);
  return { ...result.set, inputs: Array.from(result.set.inputs), targets: Array.from(result.set.targets) };
};

test('integers that count from 0 are classes, and every other number is one', () => {
  expect(setOf('a,y\n5,1\n6,0\n', 'y')).toMatchObject({
    rows: 2,
    inputWidth: 1,
    outputWidth: 2,
    hasClasses: true,
    inputs: [5, 6],
    targets: [0, 1, 1, 0],
  });
  expect(setOf('a,y\n5,1\n6,2.5\n', 'y')).toMatchObject({ hasClasses: false, targets: [1, 2.5] });
});

test('words are classes in their order, and the config may say otherwise of numbers', () => {
  const words = setOf('y,a\nrose,1\nash,2\nrose,3\n', 'y');
  expect(words).toMatchObject({ outputWidth: 2, targets: [0, 1, 1, 0, 0, 1], inputs: [1, 2, 3] });
  expect(setOf('a,y\n5,1\n6,0\n', { column: 'y', kind: 'numbers' })).toMatchObject({ hasClasses: false });
  expect(setOf('a,y\n5,10\n6,2\n', { column: 'y', kind: 'classes' })).toMatchObject({
    targets: [0, 1, 1, 0],
  });
});

test('columns without names have numbers, as those of an array of NumPy', () => {
  const header = `${"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117)}\n`;
  const bytes = Buffer.alloc(48);
  [1, 2, 0, 3, 4, 1].forEach((value, i) => {
    bytes.writeDoubleLE(value, 8 * i);
  });
  const npy = Buffer.concat([Buffer.from('\u0093NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(header), bytes]);
  expect(setOf(npy, 2, 'x.npy')).toMatchObject({
    inputWidth: 2,
    inputs: [1, 2, 3, 4],
    targets: [1, 0, 0, 1],
  });
  expect(setOf('1,2,0\n3,4,1\n', 2)).toMatchObject({ inputs: [1, 2, 3, 4], targets: [1, 0, 0, 1] });
});

test('what is missing or no number is refused with its place', () => {
  expect(read('a,y\n1,0\n2,1\n', 'label')).toMatchObject({
    key: 'target',
    message: /has no column label; it has a, y/,
  });
  expect(read('a,y\n1,0\nx,1\n', 'y')).toMatchObject({
    key: 'file',
    message: /line 3, column a: expected a number, got "x"/,
  });
  expect(read('a,y\n1,0\n2,0\n', 'y')).toMatchObject({
    key: 'target',
    message: expect.stringMatching(/expected two classes or more/),
  });
  expect(read('y\n1\n0\n', 'y')).toMatchObject({
    key: 'target',
    message: expect.stringMatching(/no column is left for x/),
  });
  expect(read('a,y\n1,one\n', { column: 'y', kind: 'numbers' })).toMatchObject({
    message: /expected numbers, got "one"/,
  });
  const missing = dataReader(join(folder, 'e.json'))({ file: 'none.csv', target: 'y' });
  expect(missing).toMatchObject({ key: 'file', message: expect.stringMatching(/no such file/) });
});
