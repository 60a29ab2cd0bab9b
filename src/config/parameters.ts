/** Parameters of the user: keys of a sweep that are no axis, names that expressions use and columns of the table. */
import { nearest } from '../nearest.js';
import { AXES, AXIS_NAMES, type AxisName, entryOf } from './axes.js';
import { isColumn } from './columns.js';
import {
  compileExpression,
  ExpressionError,
  meaningInExpressions,
  SCHEDULE_NAMES,
  VARIABLE_NAMES,
} from './expression.js';
import { expected, type Path } from './file/problem.js';
import { modelOf } from './model.js';
import { RATE_NAMES } from './scalings/rates.js';
import { SCALING_NAMES } from './scalings/scalings.js';
import { LAYER } from './widths.js';

/** Longer ones are no names. */
const LONGEST_NAME = 40;

export const PARAMETER_PATTERN = `^[A-Za-z][A-Za-z0-9_]{0,${LONGEST_NAME - 1}}$`;
const NAME = new RegExp(PARAMETER_PATTERN);

const isAxis = (key: string): key is AxisName => Object.hasOwn(AXES, key);

/** The parameters of a file: keys of its sweep that are no axis and that its formulas use, or its model, in their order. */
export function parameterNames(content: unknown): string[] {
  const used = namesInFormulas(content);
  return Object.keys(sweepOf(content)).filter(
    (key) =>
      !isAxis(key) &&
      (used.has(key) || modelOf(content) !== undefined) &&
      refusalOf(key, content) === undefined,
  );
}

function sweepOf(content: unknown): object {
  const sweep = isObject(content) ? content.sweep : undefined;
  return isObject(sweep) ? sweep : {};
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What is wrong with the names of parameters: a name that has another meaning, or that no formula of the file uses, which is
 * mostly an axis that is misspelt.
 *
 * @param content of a file, of which nothing is known
 */
export function findParameterIssues(content: unknown): readonly { path: Path; message: string }[] {
  const used = namesInFormulas(content);
  return Object.keys(sweepOf(content))
    .filter((key) => !isAxis(key))
    .flatMap((key) => {
      // Whether the module of a model uses it is seen when it is called.
      const isUsed = used.has(key) || modelOf(content) !== undefined;
      const message = refusalOf(key, content) ?? (isUsed ? undefined : unusedParameter(key));
      return message === undefined ? [] : [{ path: ['sweep', key], message }];
    });
}

/** What the module of a model is given under other names. */
export const GIVEN_TO_MODULES: readonly string[] = ['tf', 'seed'];

/** Why a key of a sweep cannot name a parameter; undefined where it can. */
function refusalOf(key: string, content: unknown): string | undefined {
  const refuse = (reason: string, advice: string) =>
    expected('an axis, or a name for a parameter that is free', key, `${reason}; ${advice}`);
  const another = 'choose another name';
  if (!NAME.test(key)) {
    const near = nearestAxis(key);
    return near === undefined
      ? expected(
          'an axis or the name of a parameter',
          key,
          `names have letters, digits and _, ${LONGEST_NAME} at most, and begin with a letter; axes are ${AXIS_NAMES.join(', ')}`,
        )
      : `unknown key; did you mean "${near}"?`;
  }
  const axis = AXIS_NAMES.find((name) => {
    const { symbol, column, formulaColumn } = entryOf(name);
    return [symbol, column, formulaColumn].includes(key);
  });
  if (axis !== undefined) {
    const { symbol, title } = entryOf(axis);
    const what =
      key === symbol
        ? `in expressions it is the ${title.split(' ').slice(0, -1).join(' ')}`
        : 'it is a column of the table';
    return refuse(what, `sweep it as "${axis}"`);
  }
  if (Object.hasOwn(SCHEDULE_NAMES, key)) {
    return refuse(`in expressions it is ${SCHEDULE_NAMES[key as keyof typeof SCHEDULE_NAMES]}`, another);
  }
  if (key === LAYER) return refuse('in expressions of the width it is the layer', another);
  const meaning = meaningInExpressions(key);
  if (meaning !== undefined) return refuse(`in expressions it is ${meaning}`, another);
  if (isColumn(key)) return refuse('it is a column of the results', another);
  if (modelOf(content) !== undefined && GIVEN_TO_MODULES.includes(key)) {
    return refuse('the module of a model is given it', another);
  }
  return isReadable(key) ? undefined : refuse('expressions cannot read it', another);
}

/** Words of the language of expressions, `true` or `if`, are no names. */
function isReadable(name: string): boolean {
  try {
    return compileExpression(name, [name]).names.includes(name);
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}

function unusedParameter(key: string): string {
  const near = nearestAxis(key);
  const what = 'an axis, or a parameter that an expression uses';
  return near === undefined
    ? expected(what, key, `no expression of the file uses it; axes are ${AXIS_NAMES.join(', ')}`)
    : expected(what, key, `no expression of the file uses it; did you mean "${near}"?`);
}

/** The axis that a key is a misspelling of, by its name or that of its column. */
function nearestAxis(key: string): string | undefined {
  return nearest(key, AXIS_NAMES) ?? nearest(key, AXIS_NAMES, (axis) => AXES[axis as AxisName].column);
}

/** Names in all that a file has where formulas stand, whether they can be read or not. */
export function namesInFormulas(content: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string' && !WORDS.includes(value)) {
      for (const [name] of value.matchAll(/[A-Za-z_]\w*/g)) names.add(name);
    } else if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) {
      for (const [key, child] of Object.entries(value)) if (!NO_FORMULAS.includes(key)) visit(child);
    }
  };
  for (const path of FORMULAS)
    visit(path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), content));
  return names;
}

/** Texts that stand among formulas and are none, and keys of such: the name of a scaling, the spacing of a range. */
const WORDS: readonly string[] = [...SCALING_NAMES, 'critical', ...RATE_NAMES];
const NO_FORMULAS: readonly string[] = ['name', 'scale'];

/** Where formulas stand. */
const FORMULAS: readonly (readonly string[])[] = [
  ...(['width', 'hiddenWidth', 'branchScale', 'scaling', 'stepSize'] as const).flatMap((axis) => [
    AXES[axis].path,
    ['sweep', axis],
  ]),
  ['data', 'input', 'scale'],
];

/** Whether an expression of an experiment with these parameters uses one of some of them. */
export function usesParameter(
  source: number | string,
  parameters: readonly string[],
  some: readonly string[] = parameters,
): boolean {
  const { names } = compileExpression(source, [...VARIABLE_NAMES, LAYER, ...parameters]);
  return names.some((name) => some.includes(name));
}
