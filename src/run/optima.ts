/**
 * The optima that an experiment asks for: where along a parameter a quantity is smallest, and how that drifts with depth, width and
 * the length of training.
 */
import { type AxisName, entryOf } from '../config/axes.js';
import { identityColumn, OPTIMUM_COLUMNS } from '../config/columns.js';
import { DRIFT_AXES } from '../config/file/fits.js';
import type { Experiment, OptimumSearch } from '../config/resolve.js';
import { expandAxes, identityValue, type Setting, sweptAxes, writtenAxisValue } from '../config/settings.js';
import { keyNames } from '../plan/cell.js';
import { exponentOf, verdictOf } from '../results/exponent.js';
import { OPTIMA, SLOPES } from '../results/file-names.js';
import {
  type Curve,
  interval,
  means,
  type Optimum,
  optimumOf,
  regretAt,
  resamples,
} from '../results/optimum.js';
import { STEP_NUMBER, type Table, type Value } from '../results/table.js';
import { ALWAYS, rounded, slopesOf } from './slopes.js';

type Steps = OptimumSearch['lengths'][number];

/** A curve along the parameter, of settings that differ in nothing else, after one length of training. */
interface Found {
  readonly setting: Setting;
  readonly steps: Steps;
  readonly curve: Curve;
  readonly optimum: Optimum | undefined;
  /** That of every choice of draws. */
  readonly resampled: readonly (Optimum | undefined)[];
}

/** log of a quantity, a sum over steps with their number, by setting and draw. */
type Sums = Map<string, { sum: number; count: number }>;

const textOf = (parts: readonly Value[]) => JSON.stringify(parts);

/** The tables that an experiment asks for besides its own, by the names of their files. */
export function fitsOf(
  experiment: Experiment,
  table: Table,
): { readonly [SLOPES]?: Table; readonly [OPTIMA]?: Table } {
  const { slopes, optima } = experiment;
  const found = optima && new Optima(experiment, table);
  const drifts = found?.drifts ?? [];
  const fitted = slopes || drifts.length > 0 ? slopesOf(experiment, table) : undefined;
  return {
    ...(fitted && { [SLOPES]: { ...fitted, rows: [...fitted.rows, ...drifts] } }),
    ...(found && { [OPTIMA]: found.table }),
  };
}

/**
 * The curves that optima are sought on, a row for each point: the columns of optima.csv, of which the first row of a curve alone says
 * what was found, then where it is along the parameter, and the mean of the quantity there as the fit has it; missing where no draw has
 * a value. Charts are drawn over it.
 */
export function curvesOf(experiment: Experiment, table: Table): Table {
  return new Optima(experiment, table).curveTable;
}

/** The optima of a table, and their drifts as rows of slopes.csv. */
class Optima {
  private readonly names;
  private readonly axes: readonly AxisName[];
  private readonly draws: readonly number[];
  private readonly choices;
  /** By search and length of training, in the order of the settings. */
  private readonly found: readonly (readonly (readonly Found[])[])[];

  constructor(
    private readonly experiment: Experiment,
    table: Table,
  ) {
    this.names = keyNames(experiment);
    const swept = sweptAxes(experiment);
    this.axes = this.names.axes.filter((axis) => ALWAYS.includes(axis) || swept.includes(axis));
    this.draws = Array.from({ length: experiment.draws }, (_, draw) => draw);
    this.choices = resamples(experiment.draws);
    this.found = this.searches.map((search) =>
      search.lengths.map((steps) => this.curves(search, steps, this.sumsOf(table, search, steps))),
    );
  }

  /** optima.csv. */
  get table(): Table {
    return this.tableOf([], () => [[]]);
  }

  /** See `curvesOf`. */
  get curveTable(): Table {
    return this.tableOf(['at', 'value'], ({ curve: { x, y } }) => {
      const mean = means({ x, y }, this.draws);
      return x.map((at, i) => [at, mean && y[i]!.some(Number.isFinite) ? rounded(Math.exp(mean[i]!)) : null]);
    });
  }

  /** A row for each optimum, or as many as there are `more` of it. */
  private tableOf(others: readonly string[], more: (found: Found) => readonly Value[][]): Table {
    const { axes, names } = this;
    const rows = this.searches.flatMap((search, i) =>
      this.found[i]!.flatMap((found) =>
        found.flatMap((each) => {
          const row = this.rowOf(search, each, smallestOf(each, found, this.othersOf(search)));
          return more(each).map((values, i) => [...(i === 0 ? row : withoutOptimum(row)), ...values]);
        }),
      ),
    );
    const always: readonly string[] = [...OPTIMUM_COLUMNS, ...others];
    // What is sought along is no column of a setting.
    const isKept = (column: string) =>
      always.includes(column) || rows.some((row) => row[columns.indexOf(column)] !== null);
    const columns = [
      'experiment',
      ...axes.map((axis) => entryOf(axis).column),
      ...names.parameters,
      ...always,
    ];
    const kept = columns.map((column, j) => ({ column, j })).filter(({ column }) => isKept(column));
    return {
      columns: kept.map(({ column }) => column),
      rows: rows.map((row) => kept.map(({ j }) => row[j]!)),
    };
  }

  /** Rows of slopes.csv, a slope of log optimum against log of an axis each; missing where an optimum is censored. */
  get drifts(): Value[][] {
    return this.searches.flatMap((search, i) => {
      const lengths = this.found[i]!;
      return DRIFT_AXES.filter((axis) => search.drift[axis] !== undefined).flatMap((axis) =>
        (axis === 'steps' ? [lengths.flat()] : lengths).flatMap((found) => {
          const groups = new Map<string, Found[]>();
          for (const each of found) {
            const key = textOf(this.told(each.setting, [search.along, axis]));
            groups.set(key, [...(groups.get(key) ?? []), each]);
          }
          return [...groups.values()].map((group) => this.driftOf(search, axis, group));
        }),
      );
    });
  }

  private get searches(): readonly OptimumSearch[] {
    return this.experiment.optima ?? [];
  }

  private driftOf(
    search: OptimumSearch,
    axis: (typeof DRIFT_AXES)[number],
    group: readonly Found[],
  ): Value[] {
    const expected = search.drift[axis]!;
    const slopeOf = (optima: readonly (Optimum | undefined)[]) => {
      if (optima.some((optimum) => optimum?.censored !== 'no')) return undefined;
      return exponentOf(
        group.map(({ setting, steps }, j) => ({
          x: axis === 'steps' ? steps.to : setting[axis],
          y: [optima[j]!.at],
        })),
      ).slope;
    };
    const slope = slopeOf(group.map(({ optimum }) => optimum));
    const others = this.choices.map((_, i) => slopeOf(group.map(({ resampled }) => resampled[i])));
    const between = slope === undefined ? undefined : interval(this.choices, others);
    return [
      this.experiment.name,
      ...this.told(group[0]!.setting, [search.along, axis]),
      axis === 'steps' ? null : group[0]!.steps.to,
      `optimum of ${search.quantity} along ${search.along}`,
      axis,
      slope === undefined ? null : rounded(slope),
      between ? rounded(between.low) : null,
      between ? rounded(between.high) : null,
      expected,
      search.margin,
      verdictOf(between, expected, search.margin),
    ];
  }

  private rowOf(
    search: OptimumSearch,
    { setting, steps, curve, optimum, resampled }: Found,
    smallest: Found,
  ): Value[] {
    const between =
      optimum &&
      interval(
        this.choices,
        resampled.map((own) => own?.at),
      );
    const own = smallest.curve === curve ? 1 : undefined;
    const regret = own ?? (smallest.optimum && regretAt(curve, this.draws, smallest.optimum.at));
    return [
      this.experiment.name,
      ...this.told(setting, [search.along]),
      search.quantity,
      steps.from,
      steps.to,
      search.along,
      optimum ? rounded(optimum.at) : null,
      between ? rounded(between.low) : null,
      between ? rounded(between.high) : null,
      optimum ? rounded(Math.exp(optimum.value)) : null,
      optimum?.censored ?? null,
      regret === undefined ? null : rounded(regret),
    ];
  }

  /** The curves of a search after one length of training, in the order of the settings. */
  private curves(search: OptimumSearch, steps: Steps, sums: Sums): Found[] {
    const groups = new Map<string, Setting[]>();
    for (const setting of expandAxes(this.experiment)) {
      const key = textOf(this.told(setting, [search.along]));
      groups.set(key, [...(groups.get(key) ?? []), setting]);
    }
    const along = (setting: Setting) =>
      search.along === 'stepSize' ? setting.stepSize : setting.parameters[search.along]!;
    return [...groups.values()].map((settings) => {
      const rising = [...settings].sort((a, b) => along(a) - along(b));
      const curve: Curve = {
        x: rising.map(along),
        y: rising.map((setting) =>
          this.draws.map((draw) => {
            const own = sums.get(textOf([...this.numbersOf(setting), draw]));
            return own ? own.sum / own.count : Number.NaN;
          }),
        ),
      };
      const resampled = this.choices.map(({ draws }) => optimumOf(curve, draws));
      return { setting: settings[0]!, steps, curve, optimum: optimumOf(curve, this.draws), resampled };
    });
  }

  /** A draw that has no logarithm at one of its steps has none. */
  private sumsOf({ columns, rows }: Table, search: OptimumSearch, { from, to }: Steps): Sums {
    const at = (column: string) => columns.indexOf(column);
    const ofAxes = this.names.axes.map((axis) => identityColumn(axis, columns));
    const identity = [...ofAxes, ...this.names.parameters].map(at);
    const [draw, layer, depth, step, quantity] = ['draw', 'layer', 'depth', STEP_NUMBER, search.quantity].map(
      at,
    ) as [number, number, number, number, number];
    const sums: Sums = new Map();
    for (const row of rows) {
      // Of a model the last features alone are recorded.
      if (!this.experiment.model && row[layer] !== Number(row[depth]) - 1) continue;
      const t = step === -1 ? 1 : Number(row[step]);
      if (t < from || t > to) continue;
      const key = textOf([...identity.map((j) => row[j]!), row[draw]!]);
      const value = row[quantity];
      // What has become 0 is the best there is, and has no logarithm.
      const log = value === null ? Number.NaN : Math.log(Math.abs(Number(value)) || Number.MIN_VALUE);
      const own = sums.get(key) ?? { sum: 0, count: 0 };
      sums.set(key, { sum: own.sum + log, count: own.count + 1 });
    }
    return sums;
  }

  private numbersOf(setting: Setting): Value[] {
    const { axes, parameters } = this.names;
    return [
      ...axes.map((axis) => identityValue(axis, setting)),
      ...parameters.map((name) => setting.parameters[name]!),
    ];
  }

  /** A setting as the file writes it, without some of its axes and parameters. */
  private told(setting: Setting, without: readonly string[]): Value[] {
    return [
      ...this.axes.map((axis) => (without.includes(axis) ? null : writtenAxisValue(axis, setting))),
      ...this.names.parameters.map((name) => (without.includes(name) ? null : setting.parameters[name]!)),
    ];
  }

  /** What tells curves apart but for depth and width. */
  private othersOf(search: OptimumSearch): (setting: Setting) => string {
    return (setting) => textOf(this.told(setting, [search.along, ...DRIFT_AXES]));
  }
}

/** A row of optima.csv without what was found, in its last columns. */
const withoutOptimum = (row: readonly Value[]): Value[] => {
  const found = OPTIMUM_COLUMNS.length - OPTIMUM_COLUMNS.indexOf('optimum');
  return [...row.slice(0, -found), ...new Array<Value>(found).fill(null)];
};

/** The curve of the smallest network of those that differ in depth and width alone. */
function smallestOf(each: Found, found: readonly Found[], othersOf: (setting: Setting) => string): Found {
  const size = ({ setting: { depth, width } }: Found) => depth * width;
  return found
    .filter(({ setting }) => othersOf(setting) === othersOf(each.setting))
    .reduce((least, other) => (size(other) < size(least) ? other : least));
}
