/** What an experiment has of an axis that it does not sweep, read off the file in a manifest. */
import { AXES, AXIS_NAMES, entryOf } from '../axes.js';
import { axisOfColumn } from '../columns.js';

/**
 * The value that a column would have in every row of an experiment's table.
 *
 * @param experiment as a manifest keeps it: keys of axes that are not swept stand where they stand in a file.
 * @returns undefined for what is no column of an axis, is swept, or is a formula.
 */
export function fixedValue(column: string, experiment: unknown): string | number | undefined {
  const axis = axisOfColumn(column) ?? axisToldBy(column);
  if (axis === undefined) return undefined;
  const { path, default: usual } = entryOf(axis);
  const at = (keys: readonly string[]) =>
    keys.reduce<unknown>(
      (value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key],
      experiment,
    );
  const swept = at(['sweep', axis]);
  if (swept !== undefined && (!Array.isArray(swept) || swept.length !== 1)) return undefined;
  const value = (swept as readonly unknown[] | undefined)?.[0] ?? at(path) ?? usual;
  const { tell } = AXES[axis] as { readonly tell?: (value: unknown) => string };
  const told = tell && typeof value === 'object' ? tell(value) : value;
  if (column === entryOf(axis).formulaColumn) return told === undefined ? undefined : String(told);
  if (entryOf(axis).holds === 'number') return typeof told === 'number' ? told : undefined;
  return typeof told === 'string' ? told : undefined;
}

/** The axis whose networks a column of formulas tells apart. */
const axisToldBy = (column: string) =>
  AXIS_NAMES.find((axis) => entryOf(axis).isToldByFormula && entryOf(axis).formulaColumn === column);
