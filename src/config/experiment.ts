/**
 * The experiment file, as it is written: what may stand where, and what the message says when something else does.
 *
 * Defaults are not filled in here but in `resolve.ts`; what several keys must fulfil together is in `checks.ts`.
 * `configs/schema.json` is made from this schema, so descriptions here are the help that editors show.
 */
import { z } from 'zod';
import { nearest } from '../nearest.js';
import { QUANTITIES, QUANTITY_NAMES, type QuantityName } from '../quantities.js';
import { compileExpression, ExpressionError, VARIABLE_NAMES, type VariableName } from './expression.js';
import { expected, show } from './problem.js';
import { ACTIVATION_NAMES, type ActivationName, SCALING_NAMES, type ScalingName } from './scalings.js';

/** Axes that a sweep can run over. */
export const AXIS_NAMES = ['branchScale', 'depth', 'width', 'scaling', 'architecture', 'activation'] as const;

export type AxisName = (typeof AXIS_NAMES)[number];

/** Cells that an experiment may have, and values that an axis may have. */
export const MOST_CELLS = 1e6;

/** `a, b or c`. */
function listed(values: readonly unknown[]): string {
  const texts = values.map(show);
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** The message of a problem, for zod to call. */
function expecting(what: string, advice: string | ((value: unknown) => string) = '') {
  return {
    error: (issue: z.core.$ZodRawIssue): string => {
      const { input, discriminator } = issue as { input: unknown; discriminator?: string };
      const value = discriminator === undefined ? input : (input as Record<string, unknown>)[discriminator];
      return expected(what, value, typeof advice === 'string' ? advice : advice(value));
    },
  };
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T, what = listed(values)) {
  const suggestion = (value: unknown): string => {
    const near = typeof value === 'string' ? nearest(value, values) : undefined;
    return near === undefined ? '' : `did you mean "${near}"?`;
  };
  return z.enum(values, expecting(what, suggestion));
}

function object<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, expecting('an object { ... }'));
}

function integer(least: number, advice = '') {
  const error = expecting(`an integer >= ${least}`, advice);
  return z.int(error).min(least, error);
}

function number(what: string, advice = '') {
  const error = expecting(what, advice);
  return {
    above: (bound: number) => z.number(error).gt(bound, error),
    between: (least: number, most: number) => z.number(error).min(least, error).max(most, error),
    any: () => z.number(error),
  };
}

/** A number, or a formula in the given names. */
function expression(
  names: readonly VariableName[] = VARIABLE_NAMES,
  what = `a number or an expression in ${names.join(', ')}`,
) {
  const error = expecting(what);
  const formula = z.string(error).check((context) => {
    try {
      compileExpression(context.value, names);
    } catch (cause) {
      if (!(cause instanceof ExpressionError)) throw cause;
      const message = expected(what, context.value, cause.message);
      context.issues.push({ code: 'custom', message, input: context.value });
    }
  });
  return z.union([z.number(error), formula], error);
}

/** Of texts and lists alone: zod compares whatever is the `length` of a value, and `{"length": {}}` has one without order. */
function notEmpty(error: ReturnType<typeof expecting>) {
  const check = z.minLength(1, error);
  check._zod.def.when = ({ value }) => typeof value === 'string' || Array.isArray(value);
  return check;
}

/** A list with something in it and nothing twice. */
function list<T extends z.ZodType>(item: T, what: string) {
  const error = expecting(what);
  const nothingTwice = z.check<unknown[]>(({ value, issues }) => {
    const seen = new Set<unknown>();
    value.forEach((element, index) => {
      const identity = nameOf(element);
      if (seen.has(identity)) {
        const message = expected('every value once', identity, 'it is in the list before');
        issues.push({ code: 'custom', message, input: element, path: [index] });
      }
      seen.add(identity);
    });
  });
  // Also when some of the elements are not what they should be.
  nothingTwice._zod.def.when = ({ value }) => Array.isArray(value);
  return z.array(item, error).check(notEmpty(error), nothingTwice).meta({ uniqueItems: true });
}

/** What makes an element of a list another than its neighbours: an object's name, and other values themselves. */
function nameOf(element: unknown): unknown {
  return typeof element === 'object' && element !== null && 'name' in element ? element.name : element;
}

/**
 * Number of values of a range, before rounding to integers makes some the same. A range by step may end a rounding
 * error short of `to` and still include it.
 */
export function rangeLength(range: Range): number {
  return 'count' in range ? range.count : Math.floor((range.to - range.from) / range.step + 1e-9) + 1;
}

/** A list of values, or a range of them. */
function axis<I extends z.ZodType>(item: I, bound: z.ZodNumber, values: string) {
  const ends = { from: bound.describe('first value'), to: bound.describe('last value, included') };
  const checkRange = (context: z.core.ParsePayload<Range>) => {
    const { value: range, issues } = context;
    const refuse = (key: string | undefined, message: string) =>
      issues.push({ code: 'custom', message, input: range, path: key === undefined ? [] : [key] });
    if (range.to < range.from) refuse('to', expected(`a number >= from = ${range.from}`, range.to));
    if ('count' in range && range.scale === 'log' && range.from <= 0) {
      refuse('from', expected('a number > 0', range.from, 'the scale is logarithmic'));
    }
    const length = rangeLength(range);
    // A step that is not positive has its own message.
    const hasLength = 'count' in range || range.step > 0;
    if (hasLength && length > MOST_CELLS) {
      refuse(undefined, `expected at most ${MOST_CELLS} values, got ${length}`);
    }
  };
  const step = number('a number > 0').above(0).describe('difference of two successive values');
  const count = integer(2).describe('number of values');
  const scale = oneOf(['linear', 'log']).optional().describe('spacing; default linear');
  return z.union(
    [
      list(item, `a list of ${values}, not empty`),
      object({ ...ends, step }).check(checkRange),
      object({ ...ends, count, scale }).check(checkRange),
    ],
    expecting(`a list of ${values}, {"from", "to", "step"} or {"from", "to", "count", "scale"}`),
  );
}

const DEPTH_ADVICE = 'L counts the embedding and the readout';
const depth = integer(3, DEPTH_ADVICE);
const width = integer(1);
const branchScale = expression(['L', 'm', 'd', 'k', 'n']);

/** Ends of a range of integers, which need not be integers themselves. */
const integerEnd = (least: number, advice = '') =>
  number(`a number >= ${least}`, advice).between(least, Number.MAX_SAFE_INTEGER);

const sigma = expression().optional();

const HIDDEN = '"critical", a number or an expression';
/** `critical` depends on the activation, which may be swept. */
const sigmaHidden = z
  .union([z.literal('critical'), ...expression(VARIABLE_NAMES, HIDDEN).options], expecting(HIDDEN))
  .optional();

const architecture = oneOf(['resnet', 'mlp']);
const activation = oneOf(ACTIVATION_NAMES as [ActivationName, ...ActivationName[]]);

const RATE = '"scale-invariant", a number, an expression, or {"input", "hidden", "output"} with one each';
// Unions stay flat: which member was meant is told by which one the value's type fits.
const rate = expression(VARIABLE_NAMES, RATE);

const SCALING =
  '"NTK", "MF+muP", "FSC", "auto", a row of Table 1 or 2 such as "FSC (Table 1)", or an object with a "name"';

const scaling = z.union(
  [
    oneOf(SCALING_NAMES as [ScalingName, ...ScalingName[]], SCALING),
    object({
      name: z
        .string(expecting('a name'))
        .check(notEmpty(expecting('a name')))
        .max(60, expecting('a name of at most 60 characters'))
        .regex(
          /^[\p{L}\p{N}][^\p{C}\p{Zl}\p{Zp}]*$/u,
          expecting(
            'a name that begins with a letter or digit and has no control characters',
            'tables, spreadsheets and terminals read it',
          ),
        )
        .describe('how tables and charts call it'),
      sigmaInput: sigma.describe('standard deviation of W_1; default 1/sqrt(d)'),
      sigmaHidden: sigmaHidden.describe(
        'standard deviation of V_l; default "critical": keeps the size of the features, sqrt(2/m) for relu',
      ),
      sigmaOutput: sigma.describe('standard deviation of W_L; default 1/m'),
      learningRate: z
        .union(
          [
            z.literal('scale-invariant'),
            ...rate.options,
            object({
              input: expression().describe('eta_1'),
              hidden: expression().describe('eta_2 .. eta_{L-1}'),
              output: expression().describe('eta_L'),
            }),
          ],
          expecting(RATE),
        )
        .optional()
        .describe('eta_l of the layers that learn; default "scale-invariant": 1/(L |G_l|^2) (Eq. 8)'),
    }),
  ],
  expecting(SCALING),
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

const TRAIN = '"hidden", "all" or a list of layers';
const LAYER = '"input", "hidden", "output" or the number of a layer, from 1';
/** Steps of one cell: all are kept, as factors of the weights. */
const MOST_STEPS = 100;

const nonEmptyText = z.string(expecting('a text')).check(notEmpty(expecting('a text, not empty')));

const quantities = QUANTITY_NAMES as [QuantityName, ...QuantityName[]];

const EXPONENT = 'an exponent, or an object with one for each scaling';
const exponent = number(EXPONENT).any();

const slope = object({
  quantity: oneOf(quantities, 'the name of a quantity').describe('what grows; of those that are recorded'),
  axis: oneOf(['depth', 'width']).describe('with what it grows; an axis of the sweep'),
  expected: z
    .union([exponent, z.record(z.string(), exponent, expecting(EXPONENT))], expecting(EXPONENT))
    .optional()
    .describe('exponent of the theory, one for all or by scaling; default none, and no verdict'),
  margin: number('a number > 0')
    .above(0)
    .optional()
    .describe('how far from the expected exponent still counts as it; default 0.1'),
});

export const experimentSchema = object({
  $schema: z.string(expecting('the address of a schema')).optional().describe('the schema, for editors'),
  title: nonEmptyText.optional().describe('what the experiment shows; default: its name'),
  figure: nonEmptyText.optional().describe('figure of the paper that this experiment redraws, such as 1a'),
  network: object({
    architecture: architecture
      .optional()
      .describe(
        'resnet: Eq. 12, f_l = sqrt(1 - beta^2) f_{l-1} + beta V_l phi(f_{l-1}) with features f_l, at beta = 1 an MLP; ' +
          'mlp: Eq. 10, with features g_l = phi(f_l), and phi before W_L; default resnet',
      ),
    activation: activation.optional().describe('phi; leaky has slope 0.1 below 0; default relu'),
    depth: depth.optional().describe('L >= 3, counting the embedding and the readout; needed unless swept'),
    width: width.optional().describe('m >= 1; needed unless swept'),
    inputWidth: integer(1).optional().describe('d; default 10'),
    outputWidth: integer(1).optional().describe('k; default 1'),
    branchScale: branchScale
      .optional()
      .describe('beta in 0 .. 1 of a resnet, or an expression in L, m, d, k, n; default 1'),
  }).describe('the network; what the sweep also names, the sweep decides'),
  scaling: scaling.optional().describe('initial scales and learning rates; needed unless swept'),
  loss: oneOf(['squared', 'linear', 'cross-entropy'])
    .optional()
    .describe(
      'squared: |f_L - y|^2 / (2 k n); linear: <y, f_L> / (k n); cross-entropy: of softmax(f_L) with y one-hot, / n; ' +
        'default squared',
    ),
  data: object({
    samples: integer(1).optional().describe('n; default 1'),
    input: object({
      law: oneOf(['normal', 'one-hot']).describe(
        'normal: entries N(0, scale^2); one-hot: scale e_i, i uniform',
      ),
      scale: expression()
        .optional()
        .describe('standard deviation of the entries, size of the one, or norm of a sample; default 1'),
      normalize: oneOf(['none', 'unit-norm'])
        .optional()
        .describe('unit-norm: every sample has the norm `scale`; default none'),
    })
      .optional()
      .describe('x; default N(0, 1)'),
    target: target.optional().describe('y; default N(0, 1)'),
  })
    .optional()
    .describe('inputs and targets'),
  step: object({
    kind: oneOf(['update', 'velocity'])
      .optional()
      .describe('update: one finite step, as the figures; velocity: its limit as dt -> 0; default update'),
    size: expression()
      .optional()
      .describe('dt > 0: a number or an expression in L, m, d, k, n, beta; default 0.001'),
    train: z
      .union(
        [
          oneOf(['hidden', 'all'], TRAIN),
          list(
            z.union([oneOf(['input', 'hidden', 'output'], LAYER), integer(1)], expecting(LAYER)),
            'a list of layers, not empty',
          ),
        ],
        expecting(TRAIN),
      )
      .optional()
      .describe('layers that learn; hidden: V_2 .. V_{L-1}; default hidden'),
    count: integer(1)
      .max(MOST_STEPS, expecting(`an integer from 1 to ${MOST_STEPS}`))
      .optional()
      .describe('steps that are taken and measured, one after the other; default 1'),
  })
    .optional()
    .describe('the gradient step'),
  sweep: object({
    branchScale: axis(branchScale, number('a number from 0 to 1').between(0, 1), 'numbers or expressions')
      .optional()
      .describe('values of beta: a list, or a range'),
    depth: axis(depth, integerEnd(3, DEPTH_ADVICE), 'integers >= 3')
      .optional()
      .describe('values of L: a list, or a range that is rounded to integers'),
    width: axis(width, integerEnd(1), 'integers >= 1')
      .optional()
      .describe('values of m: a list, or a range that is rounded to integers'),
    scaling: list(scaling, 'a list of scalings, not empty').optional().describe('scalings'),
    architecture: list(architecture, 'a list of architectures, not empty')
      .optional()
      .describe(
        'architectures; with an mlp, which has no branches, there is one branch scale, of the resnets',
      ),
    activation: list(activation, 'a list of activations, not empty').optional().describe('activations'),
  })
    .optional()
    .describe('every combination of these values; the first key is the outermost loop'),
  commonRandomNumbers: list(oneOf(AXIS_NAMES), 'a list of axes, not empty')
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
  }).describe('what is written to the table'),
  slopes: list(slope, 'a list of slopes, not empty')
    .optional()
    .describe(
      'exponents to be fitted: slope of log |quantity| against log of an axis at the last layer, in slopes.csv',
    ),
}).meta({
  title: 'feature-speed experiment',
  description: 'One gradient step of random networks: what to measure, where, and how often.',
});

/** An experiment file that the schema accepts; defaults are still missing. */
export type ExperimentFile = z.infer<typeof experimentSchema>;

export type ScalingEntry = z.infer<typeof scaling>;

/** A range of an axis, by step or by count. */
export type Range =
  | { readonly from: number; readonly to: number; readonly step: number }
  | {
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly scale?: 'linear' | 'log' | undefined;
    };

/** The JSON schema (draft-07) of the experiment file: the content of `configs/schema.json`. */
export function experimentJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(experimentSchema, { target: 'draft-07' });
}
