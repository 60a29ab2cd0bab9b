import type { Mark } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { nearest } from '../nearest.js';
import { QUANTITIES } from '../quantities.js';
import { csvRecords } from '../results/table.js';
import { addressesIn, checkPicture } from './addresses.js';
import { type ChartFont, loadFont, textWidth } from './font.js';
import { PointCount, tellDrops, withoutLost } from './left-out.js';
import { chartPage, escapeHtml } from './page.js';
import { rasterise, tooLarge } from './rasterise.js';
import {
  isObject,
  isTable,
  mentionedColumns,
  misshapenView,
  missingFields,
  TABLE_URL,
  type VegaLiteSpec,
  withoutHoverTargets,
  withTable,
} from './spec.js';
import { theme } from './theme.js';

export type { VegaLiteSpec } from './spec.js';

/** One chart in every form that is written beside its table. */
export interface RenderedChart {
  /** Text of chart.vl.json: the spec with the theme, over `{"url": "table.csv"}`; opens as it is in the Vega editor. */
  readonly specWithUrl: string;
  /** The same bytes for the same spec and table. */
  readonly svg: string;
  /** Two dots per chart unit; drawn with the bundled DejaVu Sans, never with the machine's fonts. */
  readonly png: Uint8Array;
  /** Why the PNG is empty: the picture is too large for one, or fails the rasteriser. */
  readonly pngProblem: string | undefined;
  /** Self-contained page with tooltips; works offline. */
  readonly html: string;
}

export interface RenderOptions {
  /** Title of the HTML page; default the spec's `title`, else its `description`. It is not drawn. */
  readonly title?: string | undefined;
  /**
   * Told what the chart does not show, and what Vega-Lite or Vega remark on a spec that they draw none the less;
   * default silence.
   */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const schemaUrl = 'https://vega.github.io/schema/vega-lite/v6.json';
const NO_ROWS = 'chart: the table has no rows; there is nothing to draw';

/**
 * Draws a Vega-Lite spec over the named data set `table`.
 *
 *     spec, table -> spec over table.csv -> vega-lite -> vega -> SVG -> PNG
 *                                       \-> HTML
 *
 * `table` is CSV text with a header. A column is numeric if all its cells are; an empty cell is missing (null). Values
 * that an axis cannot show are left out, counted in the chart, and told to `onWarning`.
 * Throws an Error with one message if the spec is no Vega-Lite spec over `table`, reads a field that the table
 * lacks, fetches other data or leads elsewhere, or writes a character that the font lacks; and if the table has no rows.
 */
export async function renderChart(
  spec: VegaLiteSpec,
  table: string,
  { title = titleOf(spec), onWarning = () => {} }: RenderOptions = {},
): Promise<RenderedChart> {
  const { csv, numeric, empty } = await readColumns(table, spec);
  const font = await loadFont();
  const count = new PointCount();
  const first = completeSpec(spec, numeric);
  let drawing = { spec: first, ...(await drawSvg(first, csv, font, count)) };
  const sentence = count.sentence();
  if (sentence !== undefined) {
    const rest = new PointCount();
    const pruned = completeSpec(withoutLost(spec, count, sentence), numeric);
    drawing = { spec: pruned, ...(await drawSvg(pruned, csv, font, rest)) };
    if (rest.has('logarithm')) {
      throw new Error(
        'chart: an encoding aggregates or bins values to <= 0 on a logarithmic axis, which cannot show them; ' +
          'compute them in a transform, or let the scale be "symlog"',
      );
    }
  }
  const { svg } = drawing;
  checkNumbers(svg);
  checkPicture(svg);
  checkGlyphs(svg, font);
  for (const column of empty) onWarning(`the column ${column} is empty; nothing of it is drawn`);
  if (sentence !== undefined) onWarning(sentence);
  // Of an empty column that is said already.
  const isRepeated = (warning: string) =>
    empty.length > 0 && /^Infinite extent|\[(Infinity,-Infinity|,)\]/.test(warning);
  drawing.warnings.filter((warning) => !isRepeated(warning)).forEach(onWarning);
  const picture = tooLarge(svg) ?? (await rasterise(svg, font));
  return {
    specWithUrl: `${JSON.stringify(drawing.spec, null, 2)}\n`,
    svg,
    png: typeof picture === 'string' ? new Uint8Array() : picture,
    pngProblem: typeof picture === 'string' ? picture : undefined,
    html: await chartPage({ title, spec: drawing.spec, tableUrl: TABLE_URL, table: csv }),
  };
}

/**
 * What a chart does not show of its table: the sentence that stands in it; undefined when it shows all.
 *
 * @throws Error as `renderChart` does, of what it looks at.
 */
export async function leftOutOf(spec: VegaLiteSpec, table: string): Promise<string | undefined> {
  const { csv, numeric } = await readColumns(table, spec);
  const count = new PointCount();
  await drawSvg(completeSpec(spec, numeric), csv, await loadFont(), count);
  return count.sentence();
}

interface DrawnColumns {
  /** CSV text, cells as they were. */
  readonly csv: string;
  /** Those that have a number or nothing in every cell. */
  readonly numeric: readonly string[];
  /** Quantities that are measured or computed, and have no value in any row. */
  readonly empty: readonly string[];
}

/** The columns that the spec reads, alone: with all of them, 100,000 rows of a figure take 150 MB more. */
async function readColumns(table: string, spec: VegaLiteSpec): Promise<DrawnColumns> {
  const { stringify } = await import('csv-stringify/sync');
  const records = csvRecords(table);
  const columns = records.next().value?.record ?? [];
  check(spec, columns);
  const used = mentionedColumns(spec, columns);
  const places = used.map((column) => columns.indexOf(column));
  const rows = Array.from(records, ({ record }) => places.map((place) => record[place] ?? ''));
  if (rows.length === 0) throw new Error(NO_ROWS);
  return {
    csv: stringify([[...used], ...rows]),
    numeric: used.filter((_, j) => rows.every((row) => !Number.isNaN(Number(row[j])))),
    empty: used.filter((column, j) => column in QUANTITIES && rows.every((row) => row[j] === '')),
  };
}

function check(spec: VegaLiteSpec, columns: readonly string[]): void {
  if (!isObject(spec))
    throw new Error(`chart: expected a Vega-Lite spec (a JSON object), got ${brief(spec)}`);
  if (!isTable(spec.data)) {
    throw new Error(
      `chart: data: expected {"name": "table"}, got ${brief(spec.data)}; a chart is a spec over its table`,
    );
  }
  const misshapen = misshapenView(spec);
  if (misshapen !== undefined) throw new Error(`chart: ${misshapen}`);
  const addresses = addressesIn(spec);
  if (addresses.length > 0) throw new Error(`chart: ${addresses.join('; ')}`);
  if (columns.length === 0) throw new Error(NO_ROWS);
  const missing = missingFields(spec, columns);
  if (missing.length > 0) {
    throw new Error(
      `chart: the spec refers to ${missing.map((field) => wanted(field, columns)).join(', ')}, which the table ` +
        `lacks; its columns are ${columns.join(', ')}`,
    );
  }
}

function wanted(field: string, columns: readonly string[]): string {
  const near = nearest(field, columns);
  return near === undefined ? brief(field) : `${brief(field)} (did you mean ${brief(near)}?)`;
}

/** The spec as it is published: with the theme, and the data by address with the types of its columns. */
function completeSpec(spec: VegaLiteSpec, numeric: readonly string[]): VegaLiteSpec {
  // Without types, Vega would infer them from the encodings alone, and expressions would compute with text.
  const parse = Object.fromEntries(numeric.map((column) => [column, 'number']));
  const config: Record<string, unknown> = { ...theme };
  for (const [key, value] of Object.entries(isObject(spec.config) ? spec.config : {})) {
    const ours = config[key];
    config[key] = isObject(ours) && isObject(value) ? { ...ours, ...value } : value;
  }
  const { $schema: _, ...rest } = spec;
  return {
    $schema: schemaUrl,
    ...withTable(rest, { url: TABLE_URL, format: { type: 'csv', parse } }),
    config,
  };
}

/** Renders take turns: the numbering of clip paths is one counter for the whole process. */
let previousRender: Promise<unknown> = Promise.resolve();

/** Counts of the drawings that are being made, for the expressions in them. */
const counts = new Map<number, PointCount>();

async function drawSvg(
  spec: VegaLiteSpec,
  csv: string,
  font: ChartFont,
  count: PointCount,
): Promise<{ readonly svg: string; readonly warnings: readonly string[] }> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  const errors: string[] = [];
  const warnings: string[] = [];
  const logger = collectingLogger(
    (message) => warnings.push(message),
    (message) => errors.push(message),
  );

  // Without a canvas Vega guesses widths, too wide, and then drops tick labels that seem to overlap.
  const { textMetrics } = vega as unknown as { textMetrics: { width: TextWidth } };
  textMetrics.width = (item, text) => {
    const width = textWidth(font, text == null ? '' : String(text).trim(), item.fontSize ?? 11);
    return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width;
  };

  const id = Math.max(0, ...counts.keys()) + 1;
  counts.set(id, count);
  vega.expressionFunction('dropsPoint', (drawing: number, datum: never, fields: readonly string[]) => {
    counts.get(drawing)?.drop(datum, fields);
    return false;
  });

  let svg: string;
  try {
    const compiled = vegaLite.compile(withoutHoverTargets(spec) as unknown as TopLevelSpec, { logger }).spec;
    for (const source of compiled.data ?? []) {
      if ('url' in source) Object.assign(source, { url: undefined, values: csv });
    }
    clipTogether(compiled.marks ?? []);
    tellDrops(compiled, (fields) => `dropsPoint(${id}, datum, ${fields})`);
    const refuse = (url: string) =>
      Promise.reject(new Error(`fetches ${url}; a chart has no data but its table`));
    const loader = Object.assign(vega.loader(), { load: refuse, sanitize: refuse });
    const view = new vega.View(vega.parse(compiled), { renderer: 'none', loader, logger });
    await view.runAsync();
    count.look((view.scenegraph() as unknown as { root: never }).root, compiled, vega.field as never);
    const turn = previousRender.then(() => {
      vega.resetSVGDefIds();
      return view.toSVG();
    });
    previousRender = turn.catch(() => undefined);
    svg = await turn;
    view.finalize();
  } catch (error) {
    throw new Error(`chart: not a Vega-Lite spec that can be drawn: ${oneLine(error)}`, { cause: error });
  } finally {
    counts.delete(id);
  }
  if (errors.length > 0)
    throw new Error(`chart: not a Vega-Lite spec that can be drawn: ${errors.join('; ')}`);
  return { svg: tidySvg(svg, spec.description), warnings };
}

/**
 * Clips all lines of a series at once instead of each by itself, in place; the picture is the same.
 *
 * Every clip costs the rasteriser a layer as large as the picture, 15 ms: five hundred lines took 8 s.
 */
function clipTogether(marks: readonly Mark[]): void {
  for (const mark of marks) {
    if (mark.type !== 'group' || mark.marks === undefined) continue;
    if (mark.from && 'facet' in mark.from && mark.marks.every((line) => line.clip === true)) {
      mark.clip = true;
      for (const line of mark.marks) line.clip = false;
    }
    clipTogether(mark.marks);
  }
}

type TextWidth = (item: { readonly fontSize?: number; readonly limit?: number }, text: unknown) => number;

/** A Vega logger that passes warnings on and keeps errors, which Vega prints instead of throwing. */
function collectingLogger(onWarning: (message: string) => void, onError: (message: string) => void) {
  const logger = {
    level: () => logger,
    error: (...parts: readonly unknown[]) => {
      onError(parts.map(oneLine).join(' '));
      return logger;
    },
    warn: (...parts: readonly unknown[]) => {
      // Vega only warns where data cannot be read, and goes on without them.
      const tell =
        parts[0] === 'Loading failed' || parts[0] === 'Data ingestion failed' ? onError : onWarning;
      tell(parts.map(oneLine).join(' '));
      return logger;
    },
    info: () => logger,
    debug: () => logger,
  };
  // The typings want `level` both as a getter and as a setter, which no one function type satisfies.
  return logger as never;
}

/**
 * The SVG with its description, and its lengths rounded to a thousandth of a unit, a fiftieth of what an eye can tell.
 *
 * Rounding makes the file a third of its size, and
 * the same on machines whose logarithms differ in the last digit.
 */
function tidySvg(svg: string, description: unknown): string {
  const label = typeof description === 'string' ? ` role="img" aria-label="${escapeHtml(description)}"` : '';
  // What Vega tells of an axis over nothing, to those who listen.
  const told = svg.replace(/ with values from (?:-?Infinity|NaN) to [^"]*"/g, ' without values"');
  return `<svg${label}${told.slice('<svg'.length)}`.replace(
    /\b(d|transform|x|y|x1|x2|y1|y2|width|height)="([^"<>]*)"/g,
    (_, name, value: string) => {
      const rounded = value.replace(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g, (n) =>
        String(Math.round(Number(n) * 1e3) / 1e3),
      );
      return `${name}="${rounded}"`;
    },
  );
}

/** Throws if a place or a length is no number: the chart would not be what it says. */
function checkNumbers(svg: string): void {
  const [tag] =
    /<[^>]* (?:d|transform|points|x|y|x1|x2|y1|y2|r|cx|cy|width|height|viewBox)="[^"]*(?:NaN|Infinity|undefined)[^>]*>/.exec(
      svg,
    ) ?? [];
  if (tag === undefined) return;
  throw new Error(
    `chart: a place in the picture is no number: ${brief(tag)}; a scale does not fit what it is to show`,
  );
}

/** Throws if a text has a character that the font lacks: the PNG would show an empty box in its place. */
function checkGlyphs(svg: string, font: ChartFont): void {
  for (const [, content = ''] of svg.matchAll(/<text\b[^>]*>(.*?)<\/text>/gs)) {
    const text = content.replace(/<[^>]*>/g, '');
    for (const character of text) {
      const codePoint = character.codePointAt(0)!;
      if (font.advances.has(codePoint)) continue;
      const code = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
      throw new Error(
        `chart: the font has no glyph for "${character}" (${code}) in ${brief(text)}; write it otherwise`,
      );
    }
  }
}

function titleOf(spec: VegaLiteSpec): string {
  const title = isObject(spec.title) ? spec.title.text : spec.title;
  return [title, spec.description].find((text) => typeof text === 'string') ?? 'Chart';
}

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
};

const oneLine = (value: unknown): string => {
  const text = value instanceof Error ? value.message : typeof value === 'string' ? value : brief(value);
  return text.replace(/\s+/g, ' ').slice(0, 400);
};
