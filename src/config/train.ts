/** The layers that learn, as a file names them and as a table tells them. */
import { z } from 'zod';
import { expecting, integer, list, oneOf } from './file/schema-parts.js';

const TRAIN = '"hidden", "all" or a list of layers';
const LAYER = '"input", "hidden", "output" or the number of a layer, from 1';
const GROUPS = ['input', 'hidden', 'output'] as const;

export type Train = 'hidden' | 'all' | readonly ((typeof GROUPS)[number] | number)[];

export const trainSchema = z.union(
  [
    oneOf(['hidden', 'all'], TRAIN),
    list(z.union([oneOf(GROUPS, LAYER), integer(1)], expecting(LAYER)), 'a list of layers, not empty'),
  ],
  expecting(TRAIN),
);

/** `hidden`, `all`, `input+output`, `input+3`: the same text for the same layers, in whatever order they are written. */
export function trainedLayers(train: Train): string {
  if (typeof train === 'string') return train;
  const has = (layer: (typeof GROUPS)[number]) =>
    train.includes(layer) || (layer === 'input' && train.includes(1));
  const groups = GROUPS.filter(has);
  if (groups.length === GROUPS.length) return 'all';
  const numbers = train.filter((layer): layer is number => typeof layer === 'number' && layer > 1);
  return [...groups, ...numbers.sort((a, b) => a - b)].join('+');
}

/** What makes layers that learn others than their neighbours: `["output", "input"]` are those of `["input", "output"]`. */
export function nameOfTrain(entry: unknown): unknown {
  return Array.isArray(entry) ? trainedLayers(entry) : entry;
}
