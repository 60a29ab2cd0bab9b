import { TABLE } from '../results/file-names.js';

/** A Vega-Lite specification as parsed from JSON. */
export type VegaLiteSpec = Readonly<Record<string, unknown>>;

/** Data that a spec may be drawn over: the table, and the curves that optima are sought on. */
export type DataName = 'table' | 'curves';

/**
 * Which data of ours a spec names: as a chart file is written, or as it is published, where the table is the file beside it and
 * curves stand in the spec itself.
 */
export function dataName(data: unknown): DataName | undefined {
  if (!isObject(data)) return undefined;
  if (data.name === 'table' || data.name === 'curves') return data.name;
  return data.url === TABLE && data.name === undefined ? 'table' : undefined;
}

/** Every part of a spec that stands under `data`, at any depth. */
function* dataIn(spec: unknown): Generator<unknown> {
  if (Array.isArray(spec)) for (const child of spec) yield* dataIn(child);
  else if (isObject(spec)) {
    for (const [key, child] of Object.entries(spec)) {
      if (key === 'data') yield child;
      if (key !== 'values') yield* dataIn(child);
    }
  }
}

/** Whether any part of a spec is drawn over a data set. */
export const isOver = (spec: VegaLiteSpec, name: DataName): boolean =>
  [...dataIn(spec)].some((data) => dataName(data) === name);

/** The CSV text of the curves that a spec brings along. */
export function curvesIn(spec: VegaLiteSpec): string {
  for (const data of dataIn(spec)) {
    if (isObject(data) && dataName(data) === 'curves' && typeof data.values === 'string') return data.values;
  }
  throw new Error(
    'chart: data: {"name": "curves"} is of experiments with "optima", and this one has none; the data are {"name": "table"}',
  );
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a message shows it. */
export const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
};

/** The spec with every `"data": {"name": "table"}`, or of another name, put as `data`, at any depth. */
export function withData<T>(spec: T, name: DataName, data: Readonly<Record<string, unknown>>): T {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [
        key,
        key === 'data' && dataName(child) === name ? data : visit(child),
      ]),
    );
  };
  return visit(spec) as T;
}

/** The spec with the curves, as CSV text, that it is drawn over. */
export const withCurves = (spec: VegaLiteSpec, values: string): VegaLiteSpec =>
  withData(spec, 'curves', { name: 'curves', values });

/**
 * The spec without what is there to be pointed at: layers of opacity 0, and transparent points of lines.
 *
 * In the page they carry the tooltips of lines, in a picture they only cost time.
 */
export function withoutHoverTargets(spec: VegaLiteSpec): VegaLiteSpec {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.filter((child) => !isHoverTarget(child)).map(visit);
    if (!isObject(value)) return value;
    const entries = Object.entries(value).filter(
      ([key, child]) => !(key === 'point' && child === 'transparent'),
    );
    return Object.fromEntries(entries.map(([key, child]) => [key, key === 'values' ? child : visit(child)]));
  };
  return visit(spec) as VegaLiteSpec;
}

const isHoverTarget = (view: unknown): boolean =>
  isObject(view) && isObject(view.mark) && view.mark.opacity === 0;

/** What is wrong with the first view that is neither a known mark nor made of views, with its place; else undefined. */
export function misshapenView(view: unknown, place = ''): string | undefined {
  const at = place === '' ? 'the spec' : place;
  if (!isObject(view)) return `${at}: expected a view (a JSON object), got ${JSON.stringify(view)}`;
  if ('mark' in view) {
    const type = isObject(view.mark) ? view.mark.type : view.mark;
    if (typeof type === 'string' && marks.has(type)) return undefined;
    return `${place === '' ? '' : `${place}.`}mark: expected one of ${[...marks].join(', ')}, got ${JSON.stringify(type)}`;
  }
  const parts = compositions.filter((key) => key in view);
  if (parts.length === 0)
    return `${at}: expected one of mark, ${compositions.join(', ')}; it has ${keysOf(view)}`;
  for (const key of parts) {
    const children = Array.isArray(view[key]) ? view[key] : [view[key]];
    for (const [i, child] of children.entries()) {
      const index = Array.isArray(view[key]) ? `[${i}]` : '';
      const problem = misshapenView(child, `${place === '' ? '' : `${place}.`}${key}${index}`);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

const keysOf = (view: Readonly<Record<string, unknown>>): string => Object.keys(view).join(', ') || 'nothing';

/** Keys under which a view holds views; `facet` and `repeat` hold theirs in `spec`. */
const compositions = ['layer', 'concat', 'hconcat', 'vconcat', 'spec'] as const;

const marks: ReadonlySet<string> = new Set(
  (
    'arc area bar boxplot circle errorband errorbar geoshape image line point rect rule square text tick ' +
    'trail'
  ).split(' '),
);

/** Columns whose name stands in a text of the spec, as a field or inside an expression: all that drawing can need. */
export function mentionedColumns(spec: VegaLiteSpec, columns: readonly string[]): readonly string[] {
  const wordsOf = (text: string): readonly string[] => text.match(/[\p{L}\p{N}_$]+/gu) ?? [];
  const words = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') for (const word of wordsOf(value)) words.add(word);
    if (typeof value !== 'object' || value === null) return;
    // The text of curves that a spec brings along mentions all of them.
    for (const [key, child] of Object.entries(value)) if (key !== 'data' || !dataName(child)) visit(child);
  };
  visit(spec);
  return columns.filter((column) => wordsOf(column).every((word) => words.has(word)));
}

/**
 * Fields that the spec takes from the table, or from other data, and that these lack, in order of first mention.
 *
 * Looked at: `field`, `groupby`, `fold` and `flatten` anywhere, and `datum.name` in `calculate` and `filter`; not
 * at parts that bring their own data. A field is no column if a transform makes it (`as`). A field that the spec
 * tests with `isValid(datum.name)` may be absent: that is how a chart shows theory only where there is some.
 */
export function missingFields(
  spec: VegaLiteSpec,
  columns: readonly string[],
  name: DataName = 'table',
): readonly string[] {
  const found: Found = { name, used: new Set(), made: new Set(columns), pivots: false };
  collect(spec, false, found);
  if (found.pivots) return [];
  const text = JSON.stringify(spec);
  for (const [, dot, quoted] of text.matchAll(
    /isValid\(\s*datum(?:\.([\w$]+)|\[\s*(?:'|\\")(.*?)(?:'|\\")\s*\])/g,
  )) {
    found.made.add(dot ?? quoted ?? '');
  }
  return [...found.used].filter((field) => !found.made.has(field));
}

interface Found {
  /** The data set that the fields are of. */
  readonly name: DataName;
  /** Fields read. */
  readonly used: Set<string>;
  /** Fields that exist without being asked for: columns, and what transforms make. */
  readonly made: Set<string>;
  /** A pivot makes fields out of values, so that nothing can be said. */
  pivots: boolean;
}

function collect(node: unknown, isOfData: boolean, found: Found): void {
  if (Array.isArray(node)) {
    for (const child of node) collect(child, isOfData, found);
    return;
  }
  if (!isObject(node)) return;
  const here = 'data' in node ? dataName(node.data) === found.name : isOfData;
  if ('pivot' in node) found.pivots = true;
  for (const name of strings(node.as)) found.made.add(name);
  for (const [key, names] of Object.entries(madeByDefault)) {
    if (key in node) for (const name of names) found.made.add(name);
  }
  // A lookup brings the fields of another source into this one.
  if ('lookup' in node && isObject(node.from))
    for (const name of strings(node.from.fields)) found.made.add(name);
  for (const [key, value] of Object.entries(node)) {
    if (here && fieldKeys.has(key)) {
      // "a.b" and "a[0]" reach into objects, which CSV cells are not.
      for (const name of strings(value)) if (!/[.[\\]/.test(name)) found.used.add(name);
    } else if (here && (key === 'calculate' || key === 'filter') && typeof value === 'string') {
      for (const [, dot, quoted] of value.matchAll(/\bdatum(?:\.([\w$]+)|\[\s*['"](.*?)['"]\s*\])/g)) {
        found.used.add(dot ?? quoted ?? '');
      }
    }
    collect(value, here, found);
  }
}

const fieldKeys: ReadonlySet<string> = new Set(['field', 'groupby', 'fold', 'flatten']);

/** Names that a transform gives its results when it has no `as`. */
const madeByDefault: Readonly<Record<string, readonly string[]>> = {
  fold: ['key', 'value'],
  density: ['value', 'density'],
  quantile: ['prob', 'value'],
};

function strings(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
}
