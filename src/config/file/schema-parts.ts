/** What schemas of experiment files are made of: zod's types with messages that say what was expected, and what stands there. */
import { z } from 'zod';
import { nearest } from '../../nearest.js';
import { compileExpression, ExpressionError, VARIABLE_NAMES } from '../expression.js';
import { MOST_VALUES, type Range, rangeLength } from '../range.js';
import { expected, show } from './problem.js';

/** `a, b or c`. */
function listed(values: readonly unknown[]): string {
  const texts = values.map(show);
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** The message of a problem, for zod to call. */
export function expecting(what: string, advice: string | ((value: unknown) => string) = '') {
  return {
    error: (issue: z.core.$ZodRawIssue): string => {
      const { input, discriminator } = issue as { input: unknown; discriminator?: string };
      const value = discriminator === undefined ? input : (input as Record<string, unknown>)[discriminator];
      return expected(what, value, typeof advice === 'string' ? advice : advice(value));
    },
  };
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T, what = listed(values)) {
  const suggestion = (value: unknown): string => {
    const near = typeof value === 'string' ? nearest(value, values) : undefined;
    return near === undefined ? '' : `did you mean "${near}"?`;
  };
  return z.enum(values, expecting(what, suggestion));
}

export function object<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, expecting('an object { ... }'));
}

export function integer(least: number, advice = '') {
  const error = expecting(`an integer >= ${least}`, advice);
  return z.int(error).min(least, error);
}

export function number(what: string, advice = '') {
  const error = expecting(what, advice);
  return {
    above: (bound: number) => z.number(error).gt(bound, error),
    between: (least: number, most: number) => z.number(error).min(least, error).max(most, error),
    any: () => z.number(error),
  };
}

/** A number, or a formula in the given names. */
export function expression(
  names: readonly string[] = VARIABLE_NAMES,
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
export function notEmpty(error: ReturnType<typeof expecting>) {
  const check = z.minLength(1, error);
  check._zod.def.when = ({ value }) => typeof value === 'string' || Array.isArray(value);
  return check;
}

/**
 * A list with something in it and nothing twice.
 *
 * @param nameOf what makes an element another than its neighbours
 */
export function list<T extends z.ZodType>(
  item: T,
  what: string,
  nameOf: (element: unknown) => unknown = (element) => element,
) {
  const error = expecting(what);
  const nothingTwice = z.check<unknown[]>(({ value, issues }) => {
    const seen = new Set<unknown>();
    value.forEach((element, index) => {
      const name = nameOf(element);
      if (seen.has(name)) {
        const message = expected('every value once', name, 'it is in the list before');
        issues.push({ code: 'custom', message, input: element, path: [index] });
      }
      seen.add(name);
    });
  });
  // Also when some of the elements are not what they should be.
  nothingTwice._zod.def.when = ({ value }) => Array.isArray(value);
  return z.array(item, error).check(notEmpty(error), nothingTwice).meta({ uniqueItems: true });
}

/** A list of values, or a range of them; `bound` is what an end of a range may be. */
export function listOrRange<I extends z.ZodType>(item: I, bound: z.ZodNumber, values: string) {
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
    if (hasLength && length > MOST_VALUES) {
      refuse(undefined, `expected at most ${MOST_VALUES} values, got ${length}`);
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
