import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CellFile, decodeCells, encodeCells, type RecordedCell } from './cell-file.js';
import { Checkpoint, ForeignCheckpoint, removeCheckpoint } from './checkpoint.js';
import { thisProcess } from './process-identity.js';
import { labelOf } from './write-file.js';

const ORIGIN = { digest: 'abc', backend: 'wasm' };

const cellOf = (values: readonly number[], divergedAt?: number): RecordedCell => ({
  layers: values.map((_, i) => i + 1),
  divergedAt,
  inexact: undefined,
  values: { bfa_rad: Float64Array.from(values), loss: Float64Array.from(values, (value) => -value) },
});

const numbers = fc.oneof(
  fc.double(),
  fc.constantFrom(Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.MIN_VALUE, Number.MAX_VALUE, 0.1 + 0.2),
);
const cells = fc.array(
  fc.tuple(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(fc.array(numbers, { maxLength: 20 }), fc.option(fc.nat(), { nil: undefined }))
      .map(([values, divergedAt]) => cellOf(values, divergedAt)),
  ),
  { maxLength: 8 },
);

describe('the file of a batch', () => {
  test('reads back the same, to the last bit', () => {
    fc.assert(
      fc.property(cells, fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (some, elapsedMs) => {
        const file: CellFile = { origin: ORIGIN, elapsedMs, cells: some };
        expect(decodeCells(encodeCells(file))).toEqual(file);
      }),
    );
  });

  test('is refused when a bit of it is changed, and when it is cut off', () => {
    const bytes = encodeCells({ origin: ORIGIN, elapsedMs: 3, cells: [['L=3', cellOf([1, Number.NaN, 3])]] });
    expect(() => decodeCells(Buffer.alloc(0))).toThrow();
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      expect(() => decodeCells(changed), `${at}`).toThrow();
      expect(() => decodeCells(bytes.subarray(0, at)), `${at}`).toThrow();
    }
  });
});

describe('a checkpoint', () => {
  let folder: string;
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'feature-speed-')), 'partial');
  });
  afterEach(() => {
    rmSync(join(folder, '..'), { recursive: true });
  });

  test('makes no folder before there is a batch, and leaves none when it is removed', async () => {
    const checkpoint = Checkpoint.open(folder, ORIGIN);
    expect(readdirSync(join(folder, '..'))).toEqual([]);
    await checkpoint.save([['a', cellOf([1])]], 5);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.cells$/)]);
    removeCheckpoint(folder);
    expect(readdirSync(join(folder, '..'))).toEqual([]);
  });

  test('has the cells of all batches, and the time that they took', async () => {
    const checkpoint = Checkpoint.open(folder, ORIGIN);
    await Promise.all([
      checkpoint.save(
        [
          ['a', cellOf([1])],
          ['b', cellOf([2, 3], 1)],
        ],
        5,
      ),
      checkpoint.save([['c', cellOf([Number.NaN])]], 7),
    ]);
    const { cells, elapsedMs, damaged } = Checkpoint.open(folder, ORIGIN);
    expect(new Map([...cells].sort())).toEqual(
      new Map([
        ['a', cellOf([1])],
        ['b', cellOf([2, 3], 1)],
        ['c', cellOf([Number.NaN])],
      ]),
    );
    expect({ elapsedMs, damaged }).toEqual({ elapsedMs: 12, damaged: 0 });
  });

  test.each([
    ['another config', { ...ORIGIN, digest: 'def' }],
    ['another backend', { ...ORIGIN, backend: 'cpu' }],
  ])('is not mixed with that of %s', async (_, origin) => {
    await Checkpoint.open(folder, origin).save([['a', cellOf([1])]], 5);
    expect(() => Checkpoint.open(folder, ORIGIN)).toThrow(ForeignCheckpoint);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('leaves out damaged files, and removes what was not written to its end', async () => {
    const checkpoint = Checkpoint.open(folder, ORIGIN);
    await checkpoint.save([['a', cellOf([1])]], 5);
    await checkpoint.save([['b', cellOf([2])]], 5);
    const [first] = readdirSync(folder).map((name) => join(folder, name));
    writeFileSync(first!, readFileSync(first!).subarray(0, -3));
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    const half = labelOf({ ...thisProcess(), pid: ended });
    writeFileSync(join(folder, `.unfinished-0-${half}`), 'half');
    writeFileSync(join(folder, 'empty.cells'), '');
    const opened = Checkpoint.open(folder, ORIGIN);
    expect([opened.cells.size, opened.damaged]).toEqual([1, 2]);
    expect(readdirSync(folder).filter((name) => !name.endsWith('.cells'))).toEqual([]);
  });

  test('is refused at once where a pipe or a folder is in the place of a file', async () => {
    await Checkpoint.open(folder, ORIGIN).save([['a', cellOf([1])]], 5);
    execFileSync('mkfifo', [join(folder, 'pipe.cells')]);
    expect(() => Checkpoint.open(folder, ORIGIN)).toThrow(
      /pipe\.cells: expected a file, found a pipe; remove it/,
    );
    rmSync(join(folder, 'pipe.cells'));
    mkdirSync(join(folder, 'x.cells'));
    expect(() => Checkpoint.open(folder, ORIGIN)).toThrow(
      /x\.cells: expected a file, found a folder; remove it/,
    );
  });

  test('takes nothing more when its run may write no more', async () => {
    let isLost = false;
    const checkpoint = Checkpoint.open(folder, ORIGIN, () => {
      if (isLost) throw new Error('taken over');
    });
    await checkpoint.save([['a', cellOf([1])]], 5);
    isLost = true;
    await expect(checkpoint.save([['b', cellOf([2])]], 5)).rejects.toThrow('taken over');
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('says where it could not write, and has no part of the batch then', async () => {
    const checkpoint = Checkpoint.open(folder, ORIGIN);
    writeFileSync(folder, 'a file in the place of the folder');
    await expect(checkpoint.save([['a', cellOf([1])]], 5)).rejects.toMatchObject({ path: folder });
    rmSync(folder);
    await checkpoint.save([['a', cellOf([1])]], 5);
    const [name] = readdirSync(folder);
    rmSync(join(folder, name!));
    mkdirSync(join(folder, name!));
    await expect(checkpoint.save([['a', cellOf([1])]], 5)).rejects.toMatchObject({
      path: join(folder, name!),
    });
    expect(readdirSync(folder)).toEqual([name]);
  });
});
