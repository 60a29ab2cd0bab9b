/** Options that several commands have, and how values of the command line are read. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { BACKEND_CHOICES } from '../../plan/backend.js';
import { parseShard } from '../../plan/shard.js';

export const collect = (value: string, previous: string[]) => [...previous, value];

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 256) {
    throw new InvalidArgumentError('expected an integer from 1 to 256');
  }
  return value;
}

/** A number as a number, and anything else as it stands, for a command that tells all problems at once. */
export const numberOrText = (text: string): number | string => {
  const value = /^[-+\d.e]+$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : text;
};

/** Reads an integer. */
export const atLeast = (least: number) => (text: string) => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= 1e12)) {
    throw new InvalidArgumentError(`expected an integer from ${least} to 1e12`);
  }
  return value;
};

export function factor(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number > 0');
  return value;
}

export const out = () => new Option('-o, --out <dir>', 'folder of the results').default('results');
export const set = () =>
  new Option('--set <path=value>', 'change a value of the configs; repeatable')
    .argParser(collect)
    .default([] as string[]);
export const weights = () =>
  new Option('--weights <kind>', 'how weights are represented')
    .choices(['auto', 'dense', 'matrix-free'] as const)
    .default('auto' as const);
export const backend = () =>
  new Option(
    '--backend <name>',
    'tensor backend; auto: wasm, or native where it loads and is faster (dense weights, many samples)',
  )
    .choices(BACKEND_CHOICES)
    .default('auto' as const);
export const workers = () =>
  new Option(
    '--workers <n>',
    'threads, or processes on native; default: one for each core, 8 at most, and as few as fit into memory',
  ).argParser(count);
export const shard = () =>
  new Option('--shard <i/n>', 'only the cells that fall into part i of n, by their keys').argParser(
    (text) => {
      const shard = parseShard(text);
      if (!shard) throw new InvalidArgumentError('expected i/n with 1 <= i <= n, such as 2/8');
      return shard;
    },
  );
export const fresh = () =>
  new Option(
    '--fresh',
    'discard what an earlier run has measured and not finished, also of another config, and replace another result',
  );
export const takeOver = () =>
  new Option(
    '--take-over',
    'take the folder of a run on another machine, or in another container, that is no more',
  );
export const json = () => new Option('--json', 'print a JSON document for programs');
export const quiet = () => new Option('--quiet', 'print nothing but errors');
