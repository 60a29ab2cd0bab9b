/** Keys of the file that are of a network of the user's own, and what stands for its axes. */
import { z } from 'zod';
import { type AxisName, entryOf } from './axes.js';
import { expecting, notEmpty, number, oneOf } from './file/schema-parts.js';

const text = z.string(expecting('a text')).check(notEmpty(expecting('a text, not empty')));
const argument = z.union(
  [number('a number').any(), z.string(), z.boolean()],
  expecting('a number, a text, true or false'),
);

/** Keys of `network`. */
export const ofModels = {
  model: text
    .optional()
    .describe(
      "a network of the user's own: a JavaScript module that makes it, which is a program and is run, or a model.json; its path from here",
    ),
  parameters: z
    .record(z.string(), argument, expecting('an object { ... }'))
    .optional()
    .describe('further arguments of the module of a model, by name'),
  batchNorm: oneOf(['inference', 'batch'])
    .optional()
    .describe(
      'of a model; batch: batch normalisation is over the samples of a step, whose moving averages are for what is held out; inference: by its moving averages, which stay; default batch where data.batch, data.heldOut or record.steps is there, else inference',
    ),
};

/** What stands for axes of a model where the file says nothing: it may be without a depth, and a width. */
export const USUAL_OF_MODELS: Readonly<Partial<Record<AxisName, unknown>>> = {
  depth: null,
  width: null,
  branchScale: null,
  scaling: { name: 'scale-invariant' },
};

/** The value of an axis that a model decides, whose name stands for the architecture; null where it has none. */
export function valueOfModel(axis: AxisName, model: string): readonly unknown[] | undefined {
  if (axis === 'architecture') return [model];
  if (axis === 'train') return ['all'];
  return entryOf(axis).notOfModels === undefined ? undefined : [null];
}

/** The initial scales of a model are its own. */
export const NO_SCALES = { sigmaInput: 1, sigmaInner: 1, sigmaHidden: 1, sigmaOutput: 1 };
