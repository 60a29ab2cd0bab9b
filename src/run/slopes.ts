/** The slopes that an experiment asks for: how its quantities grow with depth or width, beside what theory expects. */
import { type AxisName, entryOf } from '../config/axes.js';
import { identityColumn, SLOPE_COLUMNS } from '../config/columns.js';
import { type Experiment, recordedSteps, type Slope } from '../config/resolve.js';
import { expandAxes, identityValue, type Setting, sweptAxes, writtenAxisValue } from '../config/settings.js';
import { keyNames } from '../plan/cell.js';
import { type ExponentPoint, exponentOf, verdictOf } from '../results/exponent.js';
import type { Table, Value } from '../results/table.js';

/** Axes that slopes.csv has columns of whether they are swept or not. */
export const ALWAYS: readonly AxisName[] = [
  'architecture',
  'activation',
  'depth',
  'width',
  'branchScale',
  'scaling',
];

/**
 * The slope of log |quantity| against log of the axis at the last layer, v = L-1, with its 95 % interval: one row for
 * each entry of `slopes`, scaling, network, value of the other axis and step.
 *
 * Networks are told as the file writes them, the branch scale by its formula, since its value may change along the axis.
 * The slope is missing, and undecided, where a draw has no logarithm: a quantity that is 0 or left the range of float32.
 *
 * @param table of all cells of the experiment.
 */
export function slopesOf(experiment: Experiment, table: Table): Table {
  const { slopes = [] } = experiment;
  const names = keyNames(experiment);
  const axes = names.axes.filter((axis) => ALWAYS.includes(axis) || sweptAxes(experiment).includes(axis));
  const values = new Map<string, Map<Value, Value>[]>();
  const at = (column: string) => table.columns.indexOf(column);
  const columns = [...names.axes.map((axis) => identityColumn(axis, table.columns)), ...names.parameters];
  const identity = columns.map(at);
  const [draw, layer, depth, step] = ['draw', 'layer', 'depth', 'step_number'].map(at) as [
    number,
    number,
    number,
    number,
  ];
  const quantities = slopes.map(({ quantity }) => at(quantity));
  for (const row of table.rows) {
    // Of a model the last features alone are recorded.
    if (!experiment.model && row[layer] !== Number(row[depth]) - 1) continue;
    const key = textOf([...identity.map((j) => row[j]!), step === -1 ? 1 : row[step]!]);
    const found = values.get(key) ?? slopes.map(() => new Map<Value, Value>());
    // Settings that are equal in numbers have the same draws, which count once.
    for (const [i, j] of quantities.entries()) found[i]!.set(row[draw]!, row[j]!);
    values.set(key, found);
  }

  const parametersOf = ({ parameters }: Setting) => names.parameters.map((name) => parameters[name]!);
  const numbersOf = (setting: Setting) => [
    ...names.axes.map((axis) => identityValue(axis, setting)),
    ...parametersOf(setting),
  ];
  const steps = recordedSteps(experiment);
  const rows = slopes.flatMap((slope, i) => {
    const told = (setting: Setting): Value[] => [
      ...axes.map((axis) => (axis === slope.axis ? null : writtenAxisValue(axis, setting))),
      ...parametersOf(setting),
    ];
    // Settings that differ in the axis and in nothing else.
    const groups = new Map<string, Setting[]>();
    for (const setting of expandAxes(experiment)) {
      const key = textOf(told(setting));
      groups.set(key, [...(groups.get(key) ?? []), setting]);
    }
    return [...groups.values()].flatMap((settings) =>
      steps.map((number) => {
        const [first] = settings as [Setting];
        const points = settings.map((setting): ExponentPoint => {
          const found = values.get(textOf([...numbersOf(setting), number]))?.[i]?.values() ?? [];
          return { x: setting[slope.axis], y: Array.from(found, (value) => Math.abs(Number(value))) };
        });
        return [
          experiment.name,
          ...told(first),
          number,
          slope.quantity,
          slope.axis,
          ...judged(points, slope, first.scaling.name),
        ];
      }),
    );
  });
  return {
    columns: [
      'experiment',
      ...axes.map((axis) => entryOf(axis).column),
      ...names.parameters,
      ...SLOPE_COLUMNS,
    ],
    rows,
  };
}

const textOf = (parts: readonly Value[]) => JSON.stringify(parts);

/** slope, low, high, expected, margin and verdict. */
function judged(points: readonly ExponentPoint[], slope: Slope, scaling: string): Value[] {
  const { margin } = slope;
  const expected = typeof slope.expected === 'number' ? slope.expected : (slope.expected?.[scaling] ?? null);
  const isPowerLaw = points.every(
    ({ y }) => y.length > 0 && y.every((value) => value > 0 && value < Infinity),
  );
  const fit = isPowerLaw ? exponentOf(points) : undefined;
  return [
    fit ? rounded(fit.slope) : null,
    fit ? rounded(fit.low) : null,
    fit ? rounded(fit.high) : null,
    expected,
    expected === null ? null : margin,
    expected === null ? null : verdictOf(fit, expected, margin),
  ];
}

/** Six digits, which logarithms have in common on all machines; an interval without bounds has none. */
export function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}
