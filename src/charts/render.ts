import { TABLE } from '../results/file-names.js';
import { type DrawnData, readData } from './drawn-columns.js';
import { loadFont } from './font.js';
import { withoutLost } from './left-out.js';
import { loadLibraries } from './libraries.js';
import { chartPage } from './page.js';
import { layOut } from './picture.js';
import { loadRasteriser, rasterise, tooLarge } from './rasterise.js';
import { isObject, type VegaLiteSpec, withData } from './spec.js';
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

/** Loads what draws. */
export const prepareToRender = () => Promise.all([loadLibraries(), loadFont(), loadRasteriser()]);

/**
 * Draws a Vega-Lite spec over the named data set `table`, and over `curves`, whose CSV text it brings along.
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
  const data = await readData(table, spec);
  const csv = data.table?.csv ?? '';
  const empty = Object.values(data).flatMap((own) => own.empty);
  let complete = completeSpec(spec, data);
  let layout = await layOut(complete, csv);
  const sentence = layout.count.sentence();
  if (sentence !== undefined) {
    complete = completeSpec(withoutLost(spec, layout.count, sentence), data);
    layout = await layOut(complete, csv);
    if (layout.count.has('logarithm')) {
      throw new Error(
        'chart: an encoding aggregates or bins values to <= 0 on a logarithmic axis, which cannot show them; ' +
          'compute them in a transform, or let the scale be "symlog"',
      );
    }
  }
  const svg = await layout.svg();
  for (const column of empty) onWarning(`the column ${column} is empty; nothing of it is drawn`);
  if (sentence !== undefined) onWarning(sentence);
  // Of an empty column that is said already.
  const isRepeated = (warning: string) =>
    empty.length > 0 && /^Infinite extent|\[(Infinity,-Infinity|,)\]/.test(warning);
  layout.warnings.filter((warning) => !isRepeated(warning)).forEach(onWarning);
  const picture = tooLarge(svg) ?? (await rasterise(svg));
  return {
    specWithUrl: `${JSON.stringify(complete, null, 2)}\n`,
    svg,
    png: typeof picture === 'string' ? new Uint8Array() : picture,
    pngProblem: typeof picture === 'string' ? picture : undefined,
    html: await chartPage({ title, spec: complete, tableUrl: TABLE, table: csv }),
  };
}

/**
 * What a chart does not show of its table: the sentence that stands in it; undefined when it shows all.
 *
 * @throws Error as `renderChart` does, of what it looks at.
 */
export async function leftOutOf(spec: VegaLiteSpec, table: string): Promise<string | undefined> {
  const data = await readData(table, spec);
  return (await layOut(completeSpec(spec, data), data.table?.csv ?? '')).count.sentence();
}

/** The spec as it is published: with the theme, and the data by address, or curves as they are, with the types of the columns. */
function completeSpec(spec: VegaLiteSpec, { table, curves }: DrawnData): VegaLiteSpec {
  // Without types, Vega would infer them from the encodings alone, and expressions would compute with text.
  const formatOf = (numeric: readonly string[]) => ({
    type: 'csv',
    parse: Object.fromEntries(numeric.map((column) => [column, 'number'])),
  });
  const config: Record<string, unknown> = { ...theme };
  for (const [key, value] of Object.entries(isObject(spec.config) ? spec.config : {})) {
    const ours = config[key];
    config[key] = isObject(ours) && isObject(value) ? { ...ours, ...value } : value;
  }
  let { $schema: _, ...rest } = spec;
  if (table) rest = withData(rest, 'table', { url: TABLE, format: formatOf(table.numeric) });
  if (curves) {
    const { csv, numeric } = curves;
    rest = withData(rest, 'curves', { name: 'curves', values: csv, format: formatOf(numeric) });
  }
  return { $schema: schemaUrl, ...rest, config };
}

function titleOf(spec: VegaLiteSpec): string {
  const title = isObject(spec.title) ? spec.title.text : spec.title;
  return [title, spec.description].find((text) => typeof text === 'string') ?? 'Chart';
}
