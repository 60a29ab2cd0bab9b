import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cell } from './cell.js';
import { cellsOfShard, formatShard, parseShard, shardOf } from './shard.js';

const cellOf = (key: string) => ({ key }) as Cell;
const counts = fc.integer({ min: 1, max: 50 });
const keys = fc.array(fc.string(), { maxLength: 60 });

describe('shards', () => {
  test('have every cell once, in the order of the plan', () => {
    fc.assert(
      fc.property(keys, counts, (names, count) => {
        const cells = names.map(cellOf);
        const shards = Array.from({ length: count }, (_, i) => cellsOfShard(cells, { index: i + 1, count }));
        const at = (cell: Cell) => cells.indexOf(cell);
        for (const shard of shards) expect(shard.map(at)).toEqual(shard.map(at).sort((a, b) => a - b));
        expect(
          shards
            .flat()
            .map(at)
            .sort((a, b) => a - b),
        ).toEqual(cells.map(at));
      }),
    );
  });

  test('are chosen by the key of a cell and by nothing else', () => {
    fc.assert(
      fc.property(keys, fc.string(), counts, (others, key, count) => {
        const index = shardOf(key, count);
        const cells = [...others.map(cellOf), cellOf(key)];
        expect(cellsOfShard(cells, { index, count })).toContain(cells.at(-1));
      }),
    );
  });

  test('are even up to chance: 10,000 cells over 8 shards, within four standard deviations', () => {
    const sizes = new Array<number>(8).fill(0);
    for (let draw = 0; draw < 10_000; draw++) sizes[shardOf(`resnet relu L=10 draw=${draw}`, 8) - 1]! += 1;
    for (const size of sizes) expect(Math.abs(size - 1250)).toBeLessThan(4 * Math.sqrt(1250 * (7 / 8)));
  });

  test('stay what they are: shards of two versions must fit together', () => {
    const key = 'resnet relu L=4 m=16 d=10 k=1 n=1 beta=1 scaling=NTK draw=0';
    expect([2, 3, 4, 5, 1000].map((count) => shardOf(key, count))).toEqual([1, 3, 1, 4, 129]);
  });
});

describe('i/n', () => {
  test('reads back what is written', () => {
    expect(parseShard('3/8')).toEqual({ index: 3, count: 8 });
    expect(formatShard({ index: 3, count: 8 })).toBe('3/8');
  });

  test.each(['', '3', '0/3', '4/3', '1/0', '-1/3', '1.5/3', '1/3/5', ' 1/3', '1 /3', '1e1/20', '1/9999999'])(
    'is not "%s"',
    (text) => {
      expect(parseShard(text)).toBeUndefined();
    },
  );
});
