/** The chart of a comparison: one quantity before and after, and the difference below. */
import type { RenderedChart, VegaLiteSpec } from '../../charts/render.js';
import type { Results } from '../../compare/diff.js';
import { keysOf, quantitiesOf, varyingColumns } from '../../compare/rows.js';
import { AXIS_NAMES, entryOf } from '../../config/axes.js';
import { parameterColumns } from '../../config/columns.js';
import { QUANTITIES, type QuantityName } from '../../quantities.js';
import { column, type Table, toCsv, type Value } from '../../results/table.js';
import { UserError } from '../../store/user-error.js';
import type { Effects } from '../effects.js';

/** Titles of columns that make an x axis. */
const TITLES: Readonly<Record<string, string>> = {
  layer: 'layer v',
  ...Object.fromEntries(
    AXIS_NAMES.map(entryOf)
      .filter(({ holds }) => holds === 'number')
      .map(({ column, title }) => [column, title]),
  ),
};
/** Columns that a line averages over, or that do not matter for it. */
const NOT_A_SERIES = ['draw', 'weights'];

/**
 * Draws means over the draws, before dashed and after solid, and their difference below.
 *
 * @param quantity column to draw; default the first that both have
 * @throws UserError when the tables share no such quantity, or no setting has a value of it.
 */
export async function diffChart(
  before: Results,
  after: Results,
  quantity: string | undefined,
  labels: { readonly before: string; readonly after: string },
  { drawChart, warn }: Pick<Effects, 'drawChart'> & { readonly warn: (message: string) => void },
): Promise<RenderedChart> {
  const shared = quantitiesOf(before.table).filter((name) => after.table.columns.includes(name));
  const drawn = quantity ?? shared[0];
  if (drawn === undefined || !shared.includes(drawn)) {
    throw new UserError(
      `--quantity ${drawn ?? ''}: expected a quantity that ${after.name} has before and after: ${shared.join(', ') || 'there is none'}`,
    );
  }
  const varying = varyingColumns(before.table, after.table);
  // The first that varies, parameters last.
  const x =
    [...Object.keys(TITLES), ...parameterColumns(after.table.columns)].find((column) =>
      varying.includes(column),
    ) ?? 'layer';
  const series = varying.filter((column) => column !== x && !NOT_A_SERIES.includes(column));
  const all = pointsOf([before.table, after.table], drawn, x, series);
  const points = mostChanged(all);
  if (points.length === 0) throw new UserError(`${after.name}: ${drawn} has no value that could be drawn`);
  const names = new Set(points.map(([name]) => name));
  const places = new Set(points.map(([, place]) => place));
  const count = new Set(all.map(([name]) => name)).size;
  const spec = specOf({
    caption: names.size < count ? `${names.size} of ${count} settings, which differ most` : null,
    description: `${after.name}, ${drawn}: ${labels.before} (dashed) against ${labels.after} (solid), and the difference below`,
    x,
    title: drawn in QUANTITIES ? QUANTITIES[drawn as QuantityName].title : drawn,
    hasLegend: names.size > 1 && names.size <= 10,
    hasPoints: places.size <= 40,
    isInteger: ofIntegers(places),
    isLog: !ofIntegers(places) && [...places].every((place) => place > 0),
  });
  const columns = ['series', 'x', 'before', 'after', 'difference'];
  return drawChart(spec, toCsv({ columns, rows: points }), {
    title: `${after.name}: ${drawn}`,
    onWarning: warn,
  });
}

type Point = readonly [series: string, x: number, before: Value, after: Value, difference: Value];

/** The mean of each side for each series and x, where either has one. */
function pointsOf(
  tables: readonly [Table, Table],
  quantity: string,
  x: string,
  series: readonly string[],
): Point[] {
  const lines = new Map<string, { readonly name: string; readonly sums: Map<number, Sums> }>();
  for (const [side, table] of tables.entries()) {
    const [values, places] = [column(table, quantity), column(table, x)];
    for (const [i, key] of keysOf(table, series).entries()) {
      const [value, place] = [values?.[i], places?.[i]];
      if (typeof value !== 'number' || typeof place !== 'number') continue;
      const line = lines.get(key) ?? { name: nameOf(table, table.rows[i]!, series), sums: new Map() };
      lines.set(key, line);
      const sums = line.sums.get(place) ?? [0, 0, 0, 0];
      line.sums.set(place, sums);
      sums[2 * side]! += value;
      sums[2 * side + 1]! += 1;
    }
  }
  return Array.from(lines.values(), ({ name, sums }) =>
    Array.from(sums, ([place, [before, befores, after, afters]]): Point => {
      const means = [befores > 0 ? before / befores : null, afters > 0 ? after / afters : null] as const;
      return [name, place, ...means, means[0] === null || means[1] === null ? null : means[1] - means[0]];
    }),
  ).flat();
}

/** Sum and count before, sum and count after. */
type Sums = [number, number, number, number];

function nameOf({ columns }: Table, row: readonly Value[], series: readonly string[]): string {
  return series.map((column) => `${column} ${shortest(row[columns.indexOf(column)] ?? null)}`).join(', ');
}

/** More lines than these are a blot. */
const MOST_LINES = 20;

/** The points of the lines that differ most, or all if they are few. */
function mostChanged(points: readonly Point[]): readonly Point[] {
  const changes = new Map<string, number>();
  for (const [name, , , , difference] of points) {
    changes.set(name, Math.max(changes.get(name) ?? 0, Math.abs(Number(difference ?? 0))));
  }
  if (changes.size <= MOST_LINES) return points;
  const most = [...changes].sort(([, a], [, b]) => b - a).slice(0, MOST_LINES);
  const names = new Set(most.map(([name]) => name));
  return points.filter(([name]) => names.has(name));
}

function shortest(value: Value): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value ?? 'none');
}

const ofIntegers = (places: ReadonlySet<number>) => [...places].every(Number.isInteger);

interface Look {
  readonly description: string;
  readonly caption: string | null;
  readonly x: string;
  readonly title: string;
  readonly hasLegend: boolean;
  readonly hasPoints: boolean;
  readonly isInteger: boolean;
  readonly isLog: boolean;
}

function specOf({
  description,
  caption,
  x,
  title,
  hasLegend,
  hasPoints,
  isInteger,
  isLog,
}: Look): VegaLiteSpec {
  const scale = { zero: false, ...(isLog && { type: 'log' }) };
  const line = (field: string, mark: object) => ({
    transform: [{ filter: `isValid(datum.${field})` }],
    mark: { type: 'line', point: hasPoints ? { size: 16 } : false, ...mark },
    encoding: {
      y: { field, type: 'quantitative', title: field === 'difference' ? 'after - before' : title },
    },
  });
  const shared = (isLast: boolean) => ({
    x: {
      field: 'x',
      type: 'quantitative',
      title: isLast ? (TITLES[x] ?? x) : null,
      axis: isInteger ? { tickMinStep: 1 } : {},
      scale: { ...scale, nice: false },
    },
    color: hasLegend
      ? {
          field: 'series',
          type: 'nominal',
          title: null,
          sort: null,
          legend: isLast ? null : { orient: 'right' },
        }
      : { value: '#1f77b4' },
    detail: { field: 'series' },
  });
  return {
    description,
    ...(caption !== null && { title: caption }),
    data: { name: 'table' },
    vconcat: [
      {
        width: 465,
        height: 240,
        encoding: shared(false),
        layer: [line('before', { strokeDash: [7.7, 3.3], opacity: 0.6 }), line('after', {})],
      },
      { width: 465, height: 120, encoding: shared(true), layer: [line('difference', {})] },
    ],
  };
}
