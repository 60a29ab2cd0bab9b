import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Manifest, readManifest } from './manifest.js';
import { ReadError } from './read-text.js';

const MANIFEST: Manifest = {
  name: 'smoke',
  title: 'Everything once',
  status: 'complete',
  shard: null,
  digest: 'abc',
  seed: 2024,
  experiment: { draws: 2 },
  commit: null,
  dirty: null,
  commit_problem: 'git: not a git repository (or any of the parent directories): .git',
  versions: { node: 'v20' },
  backend: 'wasm',
  precision: 'float32',
  weights_choice: 'auto',
  weights: ['dense'],
  workers: 2,
  counts: { cells: 8, measured: 7, rows: 24, batches: 1, diverged: 0, failed: 0 },
  diverged: [],
  failed: [{ cell: 'L=3', reason: 'out of memory' }],
  started: '2024-01-01T00:00:00.000Z',
  elapsed_ms: 12,
};
const TEXT = `${JSON.stringify(MANIFEST, null, 2)}\n`;
const RUNS = process.env.FEATURE_SPEED_SLOW ? 10_000 : 300;

const read = (text: string) => readManifest(Buffer.from(text));

test('a manifest reads back the same, with what a later version adds', () => {
  expect(read(TEXT)).toEqual(MANIFEST);
  expect(read(TEXT.replace('"seed"', '"later": "1/3", "seed"'))).toEqual({ ...MANIFEST, later: '1/3' });
  expect(read(`\ufeff${TEXT.replaceAll('\n', '\r\n')}`)).toEqual(MANIFEST);
});

describe('what is no manifest is refused at its line and column', () => {
  test.each([
    ['an empty file', '', 'got an empty file'],
    ['a truncated file', TEXT.slice(0, 60), 'line 4, column 3: not JSON: UnexpectedEndOfString'],
    ['a table', 'experiment,draw\n', 'line 1, column 1: not JSON: InvalidSymbol'],
    ['a list', '[]', 'line 1, column 1: Invalid input: expected object, received array'],
    ['NaN', TEXT.replace('2024,', 'NaN,'), 'line 7, column 11: not JSON: InvalidSymbol'],
    ['a comment', TEXT.replace('{', '{ // a comment'), 'line 1, column 3: not JSON: InvalidCommentToken'],
    [
      'a seed in words',
      TEXT.replace('2024,', '"x",'),
      'line 7, column 11 seed: Invalid input: expected number',
    ],
    [
      'a key twice',
      TEXT.replace('"title"', '"name"'),
      'line 3, column 3: expected the key "name" once, got it twice',
    ],
    ['a missing key', TEXT.replace('"digest"', '"digets"'), 'line 1, column 1 digest: Invalid input'],
    ['a missing count', TEXT.replace('"rows"', '"lines"'), 'column 13 counts.rows: Invalid input'],
    ['a deep nest', '['.repeat(1e6), 'got JSON nested deeper than 100'],
    ['NUL bytes', TEXT.replace('smoke', 'smo\0ke'), 'line 2: expected text in UTF-8, got a NUL byte'],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(ReadError);
    expect(() => read(text)).toThrow(message);
  });

  test('all that is missing is told at once', () => {
    expect(() => read(TEXT.replace('"digest"', '"a"').replace('"backend"', '"b"'))).toThrow(
      / digest: .*\n.* backend: /,
    );
  });
});

test('whatever happens to a manifest, it reads as one or is refused', () => {
  const mangled = fc
    .tuple(fc.nat(TEXT.length), fc.nat(40), fc.oneof(fc.string({ maxLength: 8 }), fc.json()))
    .map(([at, length, text]) => TEXT.slice(0, at) + text + TEXT.slice(at + length));
  const anything = fc.oneof(
    mangled.map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(anything, (bytes) => {
      try {
        expect(readManifest(bytes)).toMatchObject({ name: expect.any(String), seed: expect.any(Number) });
      } catch (error) {
        expect(error).toBeInstanceOf(ReadError);
      }
    }),
    { numRuns: RUNS },
  );
});
