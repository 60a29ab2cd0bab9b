/** The slopes that an experiment asks for: how its quantities grow with depth or width, beside what theory expects. */
import type { Experiment, Slope } from '../config/resolve.js';
import { expandAxes, type Setting } from '../config/settings.js';
import { type ExponentPoint, exponentOf } from '../results/exponent.js';
import type { Table, Value } from '../results/table.js';

/** Columns of slopes.csv; `branch_scale` as the config writes it, since its value may change along the axis. */
export const SLOPE_COLUMNS = [
  'experiment',
  'architecture',
  'activation',
  'depth',
  'width',
  'branch_scale',
  'scaling',
  'step_number',
  'quantity',
  'axis',
  'slope',
  'low',
  'high',
  'expected',
  'margin',
  'verdict',
] as const;

/** `holds`: the interval lies within expected +- margin; `fails`: it lies outside; `undecided`: neither. */
type SlopeVerdict = 'holds' | 'fails' | 'undecided';

/**
 * The slope of log |quantity| against log of the axis at the last layer, v = L-1, with its 95 % interval: one row for
 * each entry of `slopes`, scaling, network, value of the other axis and step.
 *
 * The slope is missing, and undecided, where a draw has no logarithm: a quantity that is 0 or left the range of float32.
 *
 * @param table of all cells of the experiment.
 */
export function slopesOf(experiment: Experiment, table: Table): Table {
  const { slopes = [] } = experiment;
  const values = new Map<string, Map<Value, Value>[]>();
  const at = (column: string) => table.columns.indexOf(column);
  const identity = ['architecture', 'activation', 'depth', 'width', 'branch_scale', 'scaling'].map(at);
  const [draw, layer, depth, step] = ['draw', 'layer', 'depth', 'step_number'].map(at) as [
    number,
    number,
    number,
    number,
  ];
  const quantities = slopes.map(({ quantity }) => at(quantity));
  for (const row of table.rows) {
    if (row[layer] !== Number(row[depth]) - 1) continue;
    const key = keyOf([...identity.map((j) => row[j]!), step === -1 ? 1 : row[step]!]);
    const found = values.get(key) ?? slopes.map(() => new Map<Value, Value>());
    // Settings that are equal in numbers have the same draws, which count once.
    for (const [i, j] of quantities.entries()) found[i]!.set(row[draw]!, row[j]!);
    values.set(key, found);
  }

  const steps = Array.from({ length: experiment.step.count }, (_, i) => i + 1);
  const rows = slopes.flatMap((slope, i) =>
    [...groupsAlong(slope.axis, expandAxes(experiment)).values()].flatMap((settings) =>
      steps.map((number) => {
        const [first] = settings as [Setting];
        const points = settings.map((setting): ExponentPoint => {
          const found = values.get(keyOf([...numbersOf(setting), number]))?.[i]?.values() ?? [];
          return { x: setting[slope.axis], y: Array.from(found, (value) => Math.abs(Number(value))) };
        });
        return [
          experiment.name,
          first.architecture,
          first.activation,
          slope.axis === 'depth' ? null : first.depth,
          slope.axis === 'width' ? null : first.width,
          first.branchScaleSource,
          first.scaling.name,
          number,
          slope.quantity,
          slope.axis,
          ...judged(points, slope, first.scaling.name),
        ];
      }),
    ),
  );
  return { columns: SLOPE_COLUMNS, rows };
}

const keyOf = (parts: readonly Value[]) => JSON.stringify(parts);

const numbersOf = ({ architecture, activation, depth, width, branchScale, scaling }: Setting) => [
  architecture,
  activation,
  depth,
  width,
  branchScale,
  scaling.name,
];

/** Settings that differ in the axis and in nothing else. */
function groupsAlong(axis: Slope['axis'], settings: readonly Setting[]): Map<string, Setting[]> {
  const groups = new Map<string, Setting[]>();
  for (const setting of settings) {
    const { architecture, activation, depth, width, branchScaleSource, scaling } = setting;
    const other = axis === 'depth' ? width : depth;
    const key = keyOf([architecture, activation, branchScaleSource, scaling.name, other]);
    groups.set(key, [...(groups.get(key) ?? []), setting]);
  }
  return groups;
}

/** slope, low, high, expected, margin and verdict. */
function judged(points: readonly ExponentPoint[], slope: Slope, scaling: string): Value[] {
  const { margin } = slope;
  const expected = typeof slope.expected === 'number' ? slope.expected : (slope.expected?.[scaling] ?? null);
  const isPowerLaw = points.every(
    ({ y }) => y.length > 0 && y.every((value) => value > 0 && value < Infinity),
  );
  const fit = isPowerLaw ? exponentOf(points) : undefined;
  const verdict = (): SlopeVerdict | null => {
    if (expected === null) return null;
    if (!fit) return 'undecided';
    const [low, high] = [expected - margin, expected + margin];
    if (fit.low >= low && fit.high <= high) return 'holds';
    return fit.high < low || fit.low > high ? 'fails' : 'undecided';
  };
  return [
    fit ? rounded(fit.slope) : null,
    fit ? rounded(fit.low) : null,
    fit ? rounded(fit.high) : null,
    expected,
    expected === null ? null : margin,
    verdict(),
  ];
}

/** Six digits, which logarithms have in common on all machines; an interval without bounds has none. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}
