/**
 * The experiment file, as it is written: what may stand where, and what the message says when something else does.
 *
 * Defaults are not filled in here but in `resolve.ts`; what several keys must fulfil together is in `checks.ts`. What a sweep
 * can run over comes from the table of axes. `configs/schema.json` is made from this schema, so descriptions here are the help
 * that editors show.
 */
import { z } from 'zod';
import { QUANTITIES, QUANTITY_NAMES } from '../../quantities.js';
import { AXES, AXIS_NAMES, type Axes, type AxisName, entryOf } from '../axes.js';
import { targetColumn } from '../data-set.js';
import { VARIABLE_NAMES } from '../expression.js';
import { ofModels } from '../model-keys.js';
import { PARAMETER_PATTERN } from '../parameters.js';
import { optimum, quantities, slope } from './fits.js';
import {
  expecting,
  expression,
  integer,
  list,
  listOrRange,
  notEmpty,
  number,
  object,
  oneOf,
} from './schema-parts.js';

/** Cells that an experiment may have. */
export const MOST_CELLS = 1e6;

/** Keys of a section of the file that give the value of an axis which is not swept. */
type FixedIn<Section extends string> = {
  [A in AxisName as Axes[A]['path'] extends readonly [Section, infer Key extends string]
    ? Key
    : never]: z.ZodOptional<ReturnType<Axes[A]['schema']>>;
};

function fixedIn<Section extends string>(
  section: Section,
  parameters: readonly string[],
  isOfModel: boolean,
): FixedIn<Section> {
  const shape = AXIS_NAMES.map(entryOf)
    .filter(({ path }) => path[0] === section && path.length === 2)
    .map(({ path, schema, help }) => [path[1], schema(parameters, isOfModel).optional().describe(help)]);
  return Object.fromEntries(shape);
}

/** The same for keys that stand at the top. */
const fixed = <A extends AxisName>(axis: A, parameters: readonly string[]) =>
  AXES[axis].schema(parameters).optional().describe(AXES[axis].help) as z.ZodOptional<
    ReturnType<Axes[A]['schema']>
  >;

type Swept = { [A in AxisName]: z.ZodOptional<ReturnType<Axes[A]['sweep']>> };

function swept(parameters: readonly string[], isOfModel: boolean): Swept {
  const shape = AXIS_NAMES.map((axis) => {
    const { sweep, sweepHelp } = entryOf(axis);
    return [axis, sweep(parameters, isOfModel).optional().describe(sweepHelp)];
  });
  return Object.fromEntries(shape);
}

const finite = number('a number');
const parameter = listOrRange(finite.any(), finite.any(), 'numbers').describe(
  'values of a parameter of this name, which expressions use as they use L: a list, or a range',
);

const target = z.discriminatedUnion(
  'law',
  [
    object({ law: z.literal('normal').describe('y = N(0, 1)') }),
    object({
      law: z.literal('constant').describe('every y the same'),
      value: number('a number').any().describe('the value of every y'),
    }),
    object({ law: z.literal('cosine').describe('y_i = cos(pi x_i), i = 1 .. k; needs k <= d') }),
    object({ law: z.literal('one-hot').describe('y = e_j, j uniform in 1 .. k') }),
  ],
  expecting('"normal", "constant", "cosine" or "one-hot"'),
);

/** Steps of one cell. */
const MOST_STEPS = 100_000;

/** Steps that are kept, as factors of the weights; more are learnt in place, as are those of which some are recorded. */
export const MOST_KEPT_STEPS = 100;

const recordedStep = integer(1);
const HELD_OUT = 'a number of samples, or a share of the rows of data.file between 0 and 1';
const heldOut = number(HELD_OUT).between(0, Number.MAX_SAFE_INTEGER);

const nonEmptyText = z.string(expecting('a text')).check(notEmpty(expecting('a text, not empty')));

/**
 * @param parameters names of the sweep that are no axes, which expressions may use.
 * @param isOfModel whether the network is the user's own.
 */
export function experimentSchema(parameters: readonly string[] = [], isOfModel = false) {
  const names = [...VARIABLE_NAMES, ...parameters];
  return object({
    $schema: z.string(expecting('the address of a schema')).optional().describe('the schema, for editors'),
    title: nonEmptyText.optional().describe('what the experiment shows; default: its name'),
    figure: nonEmptyText.optional().describe('figure of the paper that this experiment redraws, such as 1a'),
    network: object({
      ...ofModels,
      ...fixedIn('network', parameters, isOfModel),
    }).describe('the network; what the sweep also names, the sweep decides'),
    scaling: fixed('scaling', parameters),
    loss: fixed('loss', parameters),
    data: object({
      ...fixedIn('data', parameters, isOfModel),
      input: object({
        law: oneOf(['normal', 'one-hot'])
          .optional()
          .describe(
            'normal: entries N(0, scale^2); one-hot: scale e_i, i uniform; needed unless there is data.file',
          ),
        columns: oneOf(['standardized', 'raw'])
          .optional()
          .describe(
            'of data.file; standardized: mean 0 and standard deviation 1 over the samples that are learnt from; raw: as they are; default standardized',
          ),
        scale: expression(names)
          .optional()
          .describe(
            'standard deviation of the entries, size of the one, norm of a sample, or factor of data.file; default 1',
          ),
        normalize: oneOf(['none', 'unit-norm'])
          .optional()
          .describe('unit-norm: every sample has the norm `scale`; default none'),
      })
        .optional()
        .describe('x; default N(0, 1)'),
      text: nonEmptyText
        .optional()
        .describe(
          'of a model of tokens: a file of text, whose characters are tokens, each to be told from those before; samples are windows of it, drawn anew at every step; its path from here',
        ),
      file: nonEmptyText
        .optional()
        .describe(
          'rows that x and y are taken from, a file .csv or .npy beside the config; default: they are drawn',
        ),
      target: z
        .union([target, ...targetColumn.options], expecting('a law, or with data.file the name of a column'))
        .optional()
        .describe('y; default N(0, 1); with data.file its column: classes, which are one-hot, or numbers'),
      heldOut: heldOut.optional().describe(`samples that are not learnt from: ${HELD_OUT}; default none`),
      batch: integer(1)
        .optional()
        .describe('samples of a step, drawn from the n in epochs without replacement; default all'),
    })
      .optional()
      .describe('inputs and targets'),
    step: object({
      kind: oneOf(['update', 'velocity'])
        .optional()
        .describe('update: one finite step, as the figures; velocity: its limit as dt -> 0; default update'),
      ...fixedIn('step', parameters, isOfModel),
      count: integer(1)
        .max(MOST_STEPS, expecting(`an integer from 1 to ${MOST_STEPS}`))
        .optional()
        .describe('T, steps that are taken, one after the other; default 1'),
    })
      .optional()
      .describe('the gradient step'),
    sweep: object(swept(parameters, isOfModel))
      .catchall(parameter)
      .meta({ propertyNames: { pattern: PARAMETER_PATTERN } })
      .optional()
      .describe(
        'every combination of these values; the first key is the outermost loop; a key that is no axis is a parameter',
      ),
    commonRandomNumbers: list(oneOf([...AXIS_NAMES, ...parameters]), 'a list of axes, not empty')
      .optional()
      .describe(
        'axes of the sweep whose cells draw the same random numbers, so that they differ by nothing else',
      ),
    draws: integer(1).optional().describe('independent networks at every setting; default 1'),
    seed: z
      .int(expecting(`an integer from 0 to ${Number.MAX_SAFE_INTEGER}`))
      .min(0, expecting(`an integer from 0 to ${Number.MAX_SAFE_INTEGER}`))
      .optional()
      .describe('of all random numbers; default 1'),
    record: object({
      layers: oneOf(['all', 'output']).optional().describe('all: v = 1 .. L-1; output: v = L-1; default all'),
      quantities: list(
        oneOf(quantities, 'the name of a quantity').describe(
          QUANTITY_NAMES.map((name) => `${name}: ${QUANTITIES[name].meaning}`).join('\n'),
        ),
        'a list of quantities, not empty',
      ).describe('columns of the table'),
      steps: listOrRange(recordedStep, number('a number >= 1').between(1, MOST_STEPS), 'integers >= 1')
        .optional()
        .describe(
          'numbers of the steps that are measured: a list, or a range that is rounded to integers; the weights learn in place then; default all',
        ),
    }).describe('what is written to the table'),
    slopes: list(slope, 'a list of slopes, not empty')
      .optional()
      .describe(
        'exponents to be fitted: slope of log |quantity| against log of an axis at the last layer, in slopes.csv',
      ),
    optima: list(optimum, 'a list of optima, not empty')
      .optional()
      .describe('where along a parameter a quantity is smallest, for every setting, in optima.csv'),
  }).meta({
    title: 'feature-speed experiment',
    description: 'One gradient step of random networks: what to measure, where, and how often.',
  });
}

/** An experiment file that the schema accepts; defaults are still missing. */
export type ExperimentFile = Omit<z.infer<ReturnType<typeof experimentSchema>>, 'sweep'> & {
  sweep?: Sweep | undefined;
};

/** The sweep of a file: axes and, under any other key, lists and ranges of numbers. */
export type Sweep = { [A in AxisName]?: z.infer<ReturnType<Axes[A]['sweep']>> | undefined } & {
  readonly [parameter: string]: unknown;
};

/** The JSON schema (draft-07) of the experiment file: the content of `configs/schema.json`. */
export function experimentJsonSchema(): z.core.JSONSchema.JSONSchema {
  // Editors do not know which of the two a file is of.
  return z.toJSONSchema(experimentSchema([], true), { target: 'draft-07' });
}
