/** Shards: the cells of an experiment dealt out to several machines, by their keys alone. */
import { createHash } from 'node:crypto';
import type { Cell } from './cell.js';

/** One of `count` parts, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** More machines than a cluster has, and few enough to be listed in a message. */
const MOST_SHARDS = 100_000;

/** Reads `i/n` with 1 <= i <= n; undefined for anything else. */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (index === undefined || count === undefined) return undefined;
  return 1 <= index && index <= count && count <= MOST_SHARDS ? { index, count } : undefined;
}

/** `i/n`. */
export function formatShard({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/**
 * The shard that a cell belongs to: the first 48 bits of the key's SHA-256, modulo n, plus 1.
 *
 * It depends on nothing else, so that a cell stays where it is when others are added to the experiment. Shares are even
 * up to chance: of N cells each shard gets N/n, give or take sqrt(N/n).
 */
export function shardOf(key: string, count: number): number {
  return (createHash('sha256').update(key).digest().readUIntBE(0, 6) % count) + 1;
}

/** The cells of a shard, in the order of the plan; all of them where there is no shard. */
export function cellsOfShard(cells: readonly Cell[], shard: Shard | undefined): readonly Cell[] {
  return shard ? cells.filter(({ key }) => shardOf(key, shard.count) === shard.index) : cells;
}
