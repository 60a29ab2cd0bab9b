/** The scaling of an experiment file, from what is written to numbers: an entry -> its formulas -> their values at a setting. */
import { z } from 'zod';
import { type ActivationName, activationEntry } from '../../activations.js';
import { compileExpression, VARIABLE_NAMES, type Values } from '../expression.js';
import { expecting, expression, notEmpty, object, oneOf } from '../file/schema-parts.js';
import { isRateName, RATE_NAMES, RATES, type RateName } from './rates.js';
import { NAMED_SCALINGS, type NamedScaling, SCALING_NAMES, type ScalingName } from './scalings.js';

const HIDDEN = '"critical", a number or an expression';
const RATE = `${RATE_NAMES.map((name) => `"${name}"`).join(', ')}, a number, an expression, or {"input", "hidden", "output"} with one each`;
const SCALING =
  '"NTK", "MF+muP", "FSC", "auto", a row of Table 1 or 2 such as "FSC (Table 1)", or an object with a "name"';

/** @param parameters names that formulas may use besides those of the network. */
export function scalingSchema(parameters: readonly string[]) {
  const names = [...VARIABLE_NAMES, ...parameters];
  const sigma = expression(names).optional();
  // Unions stay flat: which member was meant is told by which one the value's type fits.
  const sigmaHidden = z
    .union([z.literal('critical'), ...expression(names, HIDDEN).options], expecting(HIDDEN))
    .optional();
  const rate = expression(names, RATE);
  return z.union(
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
        sigmaInner: sigma.describe('standard deviation of U_l of a resnet-2; default 1/sqrt(m)'),
        sigmaHidden: sigmaHidden.describe(
          'standard deviation of V_l; default "critical": keeps the size of the features, sqrt(2/m) for relu',
        ),
        sigmaOutput: sigma.describe('standard deviation of W_L; default 1/m'),
        learningRate: z
          .union(
            [
              z.literal(RATE_NAMES),
              ...rate.options,
              object({
                input: expression(names).describe('eta_1'),
                hidden: expression(names).describe('eta_2 .. eta_{L-1}'),
                output: expression(names).describe('eta_L'),
              }),
            ],
            expecting(RATE),
          )
          .optional()
          .describe(
            [
              'eta_l of the layers that learn; default "scale-invariant"',
              ...RATE_NAMES.map((name) => `${name}: ${RATES[name]}`),
            ].join('\n'),
          ),
      }),
    ],
    expecting(SCALING),
  );
}

export type ScalingEntry = z.infer<ReturnType<typeof scalingSchema>>;

/** Initial scales and learning rate by formula, in L, m, d, k, n, beta and parameters. */
export interface Scaling {
  readonly name: string;
  readonly sigmaInput: number | string;
  readonly sigmaInner: number | string;
  /** `critical`: `sigmaHidden` of the activation. */
  readonly sigmaHidden: number | string;
  readonly sigmaOutput: number | string;
  readonly learningRate: RateName | Rates;
  /** Whether the scales are set by what is measured, from these on (section 4.2). */
  readonly isNormalized: boolean;
}

/** eta_1, eta_2 .. eta_{L-1} and eta_L, by formula. */
interface Rates {
  readonly input: number | string;
  readonly hidden: number | string;
  readonly output: number | string;
}

/** Keeps the size of features of any size. */
const INNER = '1/sqrt(m)';

/** An entry with its defaults filled in. */
export function resolveScaling(entry: ScalingEntry): Scaling {
  if (typeof entry === 'string') {
    const { sigmaInput, sigmaOutput, learningRate, isNormalized }: NamedScaling = NAMED_SCALINGS[entry];
    return {
      name: entry,
      sigmaInput,
      sigmaInner: INNER,
      sigmaHidden: 'critical',
      sigmaOutput,
      learningRate,
      isNormalized: isNormalized ?? false,
    };
  }
  const { learningRate = 'scale-invariant', ...given } = entry;
  const isOne = typeof learningRate !== 'object' && !isRateName(learningRate);
  return {
    sigmaInput: '1/sqrt(d)',
    sigmaInner: INNER,
    sigmaHidden: 'critical',
    sigmaOutput: '1/m',
    ...given,
    learningRate: isOne
      ? { input: learningRate, hidden: learningRate, output: learningRate }
      : (learningRate as RateName | Rates),
    isNormalized: false,
  };
}

/** A scaling at one setting, in numbers. */
export interface ScalingValues {
  readonly name: string;
  /** Standard deviation of W_1. */
  readonly sigmaInput: number;
  /** Standard deviation of U_2 .. U_{L-1}, of blocks of two matrices. */
  readonly sigmaInner: number;
  /** Standard deviation of V_2 .. V_{L-1}. */
  readonly sigmaHidden: number;
  /** Standard deviation of W_L. */
  readonly sigmaOutput: number;
  /** By name of how they follow from the gradients, or in numbers. */
  readonly learningRate:
    | RateName
    | { readonly input: number; readonly hidden: number; readonly output: number };
  /** Of V_2 .. V_{L-1}, where these take widths that differ; with the one of all, and the one rate, at m = m_{L-1}. */
  readonly hiddenLayers?: { readonly sigma: readonly number[]; readonly rate?: readonly number[] };
  /** Whether the scales are set by what is measured, from these on. */
  readonly isNormalized: boolean;
}

/**
 * The formulas of a scaling, read once and evaluated at every setting.
 *
 * Where widths differ, the m of a matrix V_l is what it takes, m_{l-1}, so that features keep their size (Prop 5.1) and with them
 * |b_l|_2. Then |G_l|^2 is proportional to m_{l-1}, and contributions are balanced by rates that fall as 1 / m_{l-1}: those of
 * Table 1, which are for one width, are those at m_{L-1} times m_{L-1} / m_{l-1}.
 */
export function compileScaling(
  scaling: Scaling,
  parameters: readonly string[],
): (
  activation: ActivationName,
  values: Values,
  hiddenWidth?: number | null,
  widths?: readonly number[] | null,
) => ScalingValues {
  const names = [...VARIABLE_NAMES, ...parameters];
  const known = new Map<number | string, (values: Values) => number>();
  const evaluate = (source: number | string, values: Values) => {
    const compiled = known.get(source) ?? compileExpression(source, names).evaluate;
    known.set(source, compiled);
    return compiled(values);
  };
  const {
    name,
    sigmaInput,
    sigmaInner,
    sigmaHidden,
    sigmaOutput,
    learningRate: rates,
    isNormalized,
  } = scaling;
  const isCritical = sigmaHidden === 'critical';
  const hiddenScale = (activation: ActivationName, values: Values) =>
    evaluate(isCritical ? activationEntry(activation).sigmaHidden : sigmaHidden, values);
  const hiddenLayers = (activation: ActivationName, values: Values, widths: readonly number[]) => {
    const layers = widths.slice(0, -1).map((m) => ({ ...values, m }));
    const isOfTable = typeof rates !== 'string' && SCALING_NAMES.some((each) => each === name);
    return {
      sigma: layers.map((own) => hiddenScale(activation, own)),
      ...(typeof rates !== 'string' && {
        rate: layers.map((own) =>
          isOfTable ? evaluate(rates.hidden, values) * (values.m! / own.m) : evaluate(rates.hidden, own),
        ),
      }),
    };
  };
  return (activation, values, hiddenWidth, widths) => ({
    name,
    sigmaInput: evaluate(sigmaInput, values),
    sigmaInner: evaluate(sigmaInner, values),
    // What a matrix takes whose inputs went through phi are as many as these.
    sigmaHidden: hiddenScale(activation, isCritical && hiddenWidth ? { ...values, m: hiddenWidth } : values),
    ...(widths && { hiddenLayers: hiddenLayers(activation, values, widths) }),
    sigmaOutput: evaluate(sigmaOutput, values),
    learningRate:
      typeof rates === 'string'
        ? rates
        : {
            input: evaluate(rates.input, values),
            hidden: evaluate(rates.hidden, values),
            output: evaluate(rates.output, values),
          },
    isNormalized,
  });
}

/** eta_l at index l = 1 .. L; or the name of how they follow from the gradients. */
export function ratesOf(
  { learningRate, hiddenLayers }: ScalingValues,
  depth: number,
): RateName | readonly number[] {
  if (typeof learningRate === 'string') return learningRate;
  const { input, hidden, output } = learningRate;
  const ofHidden = Array.from({ length: depth - 2 }, (_, i) => hiddenLayers?.rate?.[i] ?? hidden);
  return [Number.NaN, input, ...ofHidden, output];
}

/** What makes a scaling another than its neighbours. */
export function nameOfScaling(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : entry;
}
