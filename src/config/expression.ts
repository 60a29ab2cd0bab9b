import { parseExpression } from 'vega-expression';
import { twelveDigits } from '../quantities.js';
import { power } from './power.js';

/** A node of the parser's tree (ESTree). */
type Syntax = ReturnType<typeof parseExpression>;

/** Names that an expression may use besides parameters: depth, width, input width, output width, samples, branch scale. */
export const VARIABLE_NAMES = ['L', 'm', 'd', 'k', 'n', 'beta'] as const;

export type VariableName = (typeof VARIABLE_NAMES)[number];

/** Names that the step size may use besides: it may change from step to step. */
export const SCHEDULE_NAMES = {
  t: 'the number of the step',
  T: 'the number of all steps',
} as const;

/** Values of the names, by name. */
export type Values = Readonly<Record<string, number>>;

/** A number or a formula of an experiment file, read and checked, ready to be evaluated. */
export interface Expression {
  /** As the file writes it. */
  readonly source: string;
  /** The names that it uses. */
  readonly names: readonly string[];
  /**
   * The value at the given names, to twelve digits: it may decide which cell it is.
   * @throws {ExpressionError} when the result is not finite, or a name that it uses has no value
   */
  readonly evaluate: (values: Values) => number;
}

/** Why an expression cannot be read, or has no finite value. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

type Evaluate = (values: Values) => number;

interface AllowedFunction {
  readonly apply: (...args: number[]) => number;
  /** Number of arguments; absent: one or more. */
  readonly arity?: number;
}

const FUNCTIONS: ReadonlyMap<string, AllowedFunction> = new Map<string, AllowedFunction>([
  ['sqrt', { apply: Math.sqrt, arity: 1 }],
  ['exp', { apply: Math.exp, arity: 1 }],
  ['log', { apply: Math.log, arity: 1 }],
  ['pow', { apply: power, arity: 2 }],
  ['abs', { apply: Math.abs, arity: 1 }],
  ['round', { apply: Math.round, arity: 1 }],
  ['min', { apply: Math.min }],
  ['max', { apply: Math.max }],
]);

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);

const BINARY: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['*', (a, b) => a * b],
  ['/', (a, b) => a / b],
]);

/** What a name of the language itself is, a constant or a function; undefined for any other. */
export function meaningInExpressions(name: string): string | undefined {
  if (CONSTANTS.has(name)) return 'a constant';
  return FUNCTIONS.has(name) ? 'a function' : undefined;
}

/** The parser and the evaluation recurse, and no formula of the paper is longer than 20 characters. */
const LONGEST_EXPRESSION = 500;

const POWER = 'a power is written pow(a, b)';

/** What the parser refuses without saying what it was. */
const REFUSED_TEXT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/\*\*/, `"**" is not allowed; ${POWER}`],
  [/=>/, 'a function "=>" is not allowed'],
  [/(?<![=<>!])=(?!=)/, 'an assignment "=" is not allowed'],
  [/\+\+|--/, '"++" and "--" are not allowed'],
  [/\d\s*[A-Za-z(]|\)\s*[\w(]/, 'it cannot be read; a product is written with "*"'],
];

/** What the parser reads and the whitelist refuses, by type of syntax. */
const REFUSED_SYNTAX: Readonly<Record<string, string>> = {
  ArrayExpression: 'a list "[ ]" is not allowed',
  ObjectExpression: 'an object "{ }" is not allowed',
  ConditionalExpression: 'a condition "? :" is not allowed',
};

/**
 * Reads a formula such as `1/sqrt(L)` or `sqrt(k*L)/m`.
 *
 * The text is parsed by vega-expression and only walked here, over a whitelist: numbers, `+ - * /`, parentheses, the
 * given names, `pi`, `e`, and the functions sqrt, exp, log, pow, abs, round, min and max. Nothing is ever run as code.
 * `^` and `**` are refused: vega-expression reads `^` as exclusive or, so `2*L^2` would mean `(2*L)^2`.
 *
 * @param source a number, or the text of a formula
 * @param names the names it may use
 * @throws {ExpressionError} naming what is not allowed, and listing what is
 */
export function compileExpression(
  source: number | string,
  names: readonly string[] = VARIABLE_NAMES,
): Expression {
  const text = String(source);
  const allowed =
    `allowed are numbers, ${names.join(', ')}, ${[...CONSTANTS.keys()].join(', ')}, ` +
    `${[...BINARY.keys()].join(' ')} ( ) and ${[...FUNCTIONS.keys()].join(', ')}`;
  const refuse = (reason: string): ExpressionError => new ExpressionError(`${reason}; ${allowed}`);
  const used = new Set<string>();

  function compile(syntax: Syntax): Evaluate {
    switch (syntax.type) {
      case 'Literal': {
        const { value } = syntax;
        if (typeof value !== 'number') throw refuse(`${syntax.raw} is not a number`);
        return () => value;
      }
      case 'Identifier': {
        const constant = CONSTANTS.get(syntax.name);
        if (constant !== undefined) return () => constant;
        const name = names.find((candidate) => candidate === syntax.name);
        if (name === undefined) throw refuse(`the name "${syntax.name}" is not known here`);
        used.add(name);
        return (values) => values[name] ?? Number.NaN;
      }
      case 'UnaryExpression': {
        const argument = compile(syntax.argument);
        if (syntax.operator === '-') return (values) => -argument(values);
        if (syntax.operator === '+') return argument;
        throw refuse(`the operator "${syntax.operator}" is not allowed`);
      }
      case 'BinaryExpression': {
        const operate = BINARY.get(syntax.operator);
        if (operate === undefined) {
          throw refuse(
            `the operator "${syntax.operator}" is not allowed${syntax.operator === '^' ? `; ${POWER}` : ''}`,
          );
        }
        const left = compile(syntax.left as Syntax);
        const right = compile(syntax.right);
        return (values) => operate(left(values), right(values));
      }
      case 'CallExpression': {
        if (syntax.callee.type !== 'Identifier') throw refuse('only a function may be called');
        const { name } = syntax.callee;
        const called = FUNCTIONS.get(name);
        if (called === undefined) throw refuse(`the function "${name}" is not known`);
        const given = syntax.arguments.length;
        if (given !== (called.arity ?? Math.max(1, given))) {
          throw refuse(`${name} takes ${called.arity ?? 'at least 1'} argument(s), got ${given}`);
        }
        const args = syntax.arguments.map((argument) => compile(argument as Syntax));
        return (values) => called.apply(...args.map((argument) => argument(values)));
      }
      case 'MemberExpression':
        throw refuse(
          syntax.property.type === 'Identifier' && !syntax.computed
            ? `the member access ".${syntax.property.name}" is not allowed`
            : 'the member access "[ ]" is not allowed',
        );
      case 'LogicalExpression':
        throw refuse(`the operator "${syntax.operator}" is not allowed`);
      default:
        throw refuse(REFUSED_SYNTAX[syntax.type] ?? `${syntax.type} is not allowed`);
    }
  }

  if (text.length > LONGEST_EXPRESSION) {
    throw refuse(`it is longer than ${LONGEST_EXPRESSION} characters`);
  }
  const run = compile(typeof source === 'number' ? numberSyntax(source) : parse(text, refuse));
  return {
    source: text,
    names: [...used],
    evaluate: (values) => {
      const value = twelveDigits(run(values));
      if (Number.isFinite(value)) return value;
      const at = [...used].map((name) => `${name} = ${values[name] ?? 'nothing'}`).join(', ');
      throw new ExpressionError(`${text} is ${value}${at === '' ? '' : ` at ${at}`}`);
    },
  };
}

function numberSyntax(value: number): Syntax {
  return { type: 'Literal', value, raw: String(value) };
}

function parse(text: string, refuse: (reason: string) => ExpressionError): Syntax {
  try {
    return parseExpression(text);
  } catch (error) {
    const known = REFUSED_TEXT.find(([pattern]) => pattern.test(text));
    throw refuse(known?.[1] ?? reasonOf(error, text));
  }
}

/** The parser's own words, where they say something, in the middle of a sentence. */
function reasonOf(error: unknown, text: string): string {
  if (text.trim() === '') return 'it is empty';
  const words = error instanceof Error ? error.message : String(error);
  const token = /^Unexpected token (.+?) ?\d*$/.exec(words)?.[1];
  if (words.startsWith('Unexpected end')) return 'it ends too early';
  if (token !== undefined && token !== 'ILLEGAL') return `"${token}" is out of place`;
  if (words.startsWith('Octal')) return 'a number does not start with 0';
  return 'it cannot be read';
}

/** Names that a step size may use. */
export const stepSizeNames = (parameters: readonly string[]): readonly string[] => [
  ...VARIABLE_NAMES,
  ...Object.keys(SCHEDULE_NAMES),
  ...parameters,
];
