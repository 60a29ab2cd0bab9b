/** What an experiment file asks to be fitted: slopes of its quantities, and optima. */
import { z } from 'zod';
import { QUANTITY_NAMES, type QuantityName } from '../../quantities.js';
import { expecting, integer, list, number, object, oneOf } from './schema-parts.js';

export const quantities = QUANTITY_NAMES as [QuantityName, ...QuantityName[]];

const EXPONENT = 'an exponent, or an object with one for each scaling';
const exponent = number(EXPONENT).any();

/** Axes of positive numbers whose cells draw random numbers of their own. */
export const SLOPE_AXES = ['depth', 'width', 'inputWidth', 'outputWidth', 'samples'] as const;

export const slope = object({
  quantity: oneOf(quantities, 'the name of a quantity').describe('what grows; of those that are recorded'),
  axis: oneOf(SLOPE_AXES).describe('with what it grows; an axis of the sweep'),
  expected: z
    .union([exponent, z.record(z.string(), exponent, expecting(EXPONENT))], expecting(EXPONENT))
    .optional()
    .describe('exponent of the theory, one for all or by scaling; default none, and no verdict'),
  margin: number('a number > 0')
    .above(0)
    .optional()
    .describe('how far from the expected exponent still counts as it; default 0.1'),
});

/** What an optimum may drift with: axes, and the length of training. */
export const DRIFT_AXES = ['depth', 'width', 'steps'] as const;

const drift = number('an exponent').any();

const stepsThatCount = object({
  from: integer(1).describe('first step'),
  to: integer(1).describe('last step, included'),
});
const LENGTHS = 'lengths of training: integers >= 1, or {"from", "to"}';

export const optimum = object({
  quantity: oneOf(quantities, 'the name of a quantity').describe(
    'what is to be small; of those that are recorded',
  ),
  along: z
    .string(expecting('stepSize, or a parameter of the sweep'))
    .describe('where it is sought: stepSize, or a parameter of the sweep'),
  steps: z
    .union(
      [
        stepsThatCount,
        list(z.union([integer(1), stepsThatCount], expecting(LENGTHS)), `a list of ${LENGTHS}`),
      ],
      expecting(`{"from", "to"}, or a list of ${LENGTHS}`),
    )
    .optional()
    .describe(
      'recorded steps whose mean of log quantity counts; in a list the lengths of training, each with an optimum of its own; default all',
    ),
  drift: object({ depth: drift.optional(), width: drift.optional(), steps: drift.optional() })
    .optional()
    .describe(
      'exponents of the optimum with depth, width and the length of training, as expected; fitted in slopes.csv',
    ),
  margin: number('a number > 0')
    .above(0)
    .optional()
    .describe('how far from the expected exponent still counts as it; default 0.1'),
});
