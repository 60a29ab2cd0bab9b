import { AXES, AXIS_NAMES, type Axes, type AxisName, entryOf } from './axes.js';
import { compileExpression, VARIABLE_NAMES, type Values } from './expression.js';
import type { Experiment } from './resolve.js';

/** What an axis gives a setting. */
type Read<A extends AxisName> = ReturnType<ReturnType<Axes[A]['read']>>;

type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

/**
 * One combination of the values of a sweep: what all the draws of a network share. Beside the values of the axes, formulas as the
 * file writes them stay the same where another axis changes the value: `branchScaleFormula` is `1/sqrt(L)`, and 1 for an
 * mlp, which has no branches.
 */
export type Setting = Readonly<Intersection<{ [A in AxisName]: Read<A> }[AxisName]>> & {
  /** Standard deviation of the entries of x. */
  readonly inputScale: number;
  /** Values of the parameters, by name. */
  readonly parameters: Values;
};

/** Number of settings of an experiment, without making them. */
export function countSettings({ nesting, ...experiment }: Experiment): number {
  return nesting.reduce((product, axis) => product * valuesAlong(experiment, axis).length, 1);
}

/** Values of an axis or a parameter. */
function valuesAlong(
  { axes, parameters }: Pick<Experiment, 'axes' | 'parameters'>,
  axis: string,
): readonly unknown[] {
  return Object.hasOwn(axes, axis) ? axes[axis as AxisName] : parameters[axis]!;
}

/** Axes that have several values. */
export function sweptAxes({ axes }: Pick<Experiment, 'axes'>): readonly AxisName[] {
  return AXIS_NAMES.filter((axis) => axes[axis].length > 1);
}

/** The same, and those that some architectures have alone, where one of these is there. */
export function toldAxes(experiment: Pick<Experiment, 'axes'>): readonly AxisName[] {
  const swept = sweptAxes(experiment);
  return AXIS_NAMES.filter(
    (axis) => swept.includes(axis) || experiment.axes.architecture.some((name) => entryOf(axis).isOf?.(name)),
  );
}

/** Columns of formulas that tell networks apart, where an experiment has any. */
export function toldFormulas({ axes }: Pick<Experiment, 'axes'>): readonly string[] {
  return AXIS_NAMES.flatMap((axis) => {
    const { formulaColumn, isToldByFormula } = entryOf(axis);
    const isTold = isToldByFormula && axes[axis].some((value) => typeof value === 'string');
    return formulaColumn && isTold ? [formulaColumn] : [];
  });
}

/** Names that expressions of an experiment may use. */
export function namesOf({ parameters }: Pick<Experiment, 'parameters'>): readonly string[] {
  return [...VARIABLE_NAMES, ...Object.keys(parameters)];
}

/**
 * All settings of an experiment: the cartesian product of its axes and parameters, in the order of the file, first axis
 * outermost.
 *
 * Two settings may be equal in numbers: the branch scales `1/L` and `1/(2*sqrt(L))` meet at L = 4. As cells they are one.
 *
 * @throws {ExpressionError} never for an experiment that `parseExperiment` returned
 */
export function expandAxes(experiment: Experiment): readonly Setting[] {
  const { axes, data, nesting, parameters } = experiment;
  const names = Object.keys(parameters);
  const readers = READING_ORDER.map((axis) => ({
    axis,
    symbol: entryOf(axis).symbol,
    read: axes[axis].map((value) => readerOf(axis, value, names)),
  }));
  const inputScale = compileExpression(data.input.scale, namesOf(experiment));
  const inward = [...nesting]
    .reverse()
    .map((axis) => ({ axis, length: valuesAlong(experiment, axis).length }));

  return Array.from({ length: countSettings(experiment) }, (_, index) => {
    const at: Record<string, number> = {};
    let rest = index;
    for (const { axis, length } of inward) {
      at[axis] = rest % length;
      rest = Math.floor(rest / length);
    }
    const own = Object.fromEntries(names.map((name) => [name, parameters[name]![at[name]!]!]));
    const known: Record<string, unknown> & { readonly values: Record<string, number> } = {
      values: { ...own },
      steps: experiment.step.count,
    };
    // An axis sees those before it.
    for (const { axis, symbol, read } of readers) {
      Object.assign(known, read[at[axis]!]!(known));
      if (symbol !== undefined) known.values[symbol] = known[axis] as number;
    }
    const { values, steps, ...setting } = known;
    return { ...setting, inputScale: inputScale.evaluate(values), parameters: own } as unknown as Setting;
  });
}

/** Numbers first, which see nothing; the others, formulas among them, in the order of the table. */
const READING_ORDER: readonly AxisName[] = [true, false].flatMap((isNumber) =>
  AXIS_NAMES.filter((axis) => {
    const { isInteger, formulaColumn } = entryOf(axis);
    return (isInteger === true && formulaColumn === undefined) === isNumber;
  }),
);

/** How a value of an axis is read at a setting. */
function readerOf(axis: AxisName, value: unknown, parameters: readonly string[]): (at: object) => object {
  const { read } = AXES[axis] as {
    readonly read: (value: unknown, parameters: readonly string[]) => (at: object) => object;
  };
  // A network of the user's own may be without.
  return value === null ? () => ({ [axis]: null, [`${axis}Formula`]: null }) : read(value, parameters);
}

/** What tables and keys say of an axis of a setting; null where its architecture has it not. */
export function axisValue(axis: AxisName, setting: Setting): string | number | null {
  const value: unknown = setting[axis];
  const { tell } = AXES[axis] as { readonly tell?: (value: unknown) => string };
  return tell ? tell(value) : (value as string | number | null);
}

/** The same as it tells networks apart: by a formula that comes to more than one number. */
export function identityValue(axis: AxisName, setting: Setting): string | number | null {
  const written = entryOf(axis).isToldByFormula ? writtenAxisValue(axis, setting) : undefined;
  return typeof written === 'string' ? written : axisValue(axis, setting);
}

/** The same as the file writes it, where that is a formula: it stays what it is along other axes. */
export function writtenAxisValue(axis: AxisName, setting: Setting): string | number | null {
  const value = axisValue(axis, setting);
  const formula = (setting as Readonly<Partial<Record<string, unknown>>>)[`${axis}Formula`];
  return value === null || formula === undefined ? value : (formula as string | number);
}
