/** A chart's spec made ready for a page: switches for what it shows, room to be any width, colours of the page. */
import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { addressesIn } from '../../charts/addresses.js';
import { loadLibraries } from '../../charts/libraries.js';
import { isObject, type VegaLiteSpec } from '../../charts/spec.js';
import { tab10, theme } from '../../charts/theme.js';
import type { Series } from '../agreement.js';
import type { Figure } from '../figures.js';
import { ReportError } from '../report-error.js';

type Json = Readonly<Record<string, unknown>>;
type Encoding = Readonly<Record<string, Json>>;

/** Channel by channel, as a layer inherits them. */
const merged = (outer: Encoding, inner: Encoding): Encoding => ({
  ...outer,
  ...Object.fromEntries(
    Object.entries(inner).map(([key, of]) => [key, isObject(of) ? { ...outer[key], ...of } : of]),
  ),
});

/** What can be switched; `mean` and `draws` are of the same cells. */
export type Switch = 'draws' | 'mean' | 'theory';

export interface InteractiveSpec {
  readonly vegaLite: VegaLiteSpec;
  /** Switches that the chart has, and whether they are on at first. */
  readonly switches: readonly (readonly [Switch, boolean])[];
}

/** Names of signals that the page sets. */
export const SIGNALS = {
  draws: 'show_draws',
  mean: 'show_mean',
  theory: 'show_theory',
  hidden: 'hidden_series',
} as const;

/**
 * The spec of a figure with switches.
 *
 * A page has legends and notes in HTML, so that they can be clicked, read aloud, and reached by keyboard. Layers are
 * known by their names: `measured` is what was measured, `theory` the limit, `labels` and `...-note` are what goes.
 *
 * @param hasDraws whether any setting has more than one draw, so that a mean differs from it
 * @throws ReportError when the spec has no layer `measured`
 */
export function interactiveSpec(
  spec: VegaLiteSpec,
  figure: Figure,
  series: readonly Series[],
  { hasDraws, hasTheory }: { readonly hasDraws: boolean; readonly hasTheory: boolean },
): InteractiveSpec {
  const layers = (Array.isArray(spec.layer) ? spec.layer : [spec]).filter(isObject);
  const measured = layers.find(({ name }) => name === 'measured');
  if (measured === undefined || !isObject(measured.encoding)) {
    throw new ReportError(`${figure.name}: expected a layer "measured" with an encoding in its spec`);
  }
  const given = (isObject(spec.encoding) ? spec.encoding : {}) as Encoding;
  // An axis that layers name differently is given all of their names.
  const titled = (encoding: Encoding): Encoding => ({
    ...encoding,
    x: { ...encoding.x, title: figure.xTitle },
    y: { ...encoding.y, title: figure.yTitle },
  });
  const shared = titled(given);
  const encoding = titled(merged(shared, measured.encoding as Encoding));
  const isMean = encoding.y?.aggregate !== undefined;
  const isSeen = `indexof(${SIGNALS.hidden}, datum[${JSON.stringify(figure.seriesField)}]) < 0`;
  const whenOn = (name: Switch): Json => ({ filter: `${SIGNALS[name]} && ${isSeen}` });
  const kept = layers.flatMap((layer): Json[] => {
    const name = String(layer.name ?? '');
    if (/^(labels|.*-note)$/.test(name)) return [];
    if (name === 'theory') return hasTheory ? [filtered(layer, whenOn('theory'))] : [];
    if (layer !== measured)
      return ['data' in layer ? layer : withoutLegend(filtered(layer, { filter: isSeen }))];
    const own = { ...layer, encoding };
    return [filtered(withoutLegend(own), whenOn(isMean ? 'mean' : 'draws'))];
  });
  const other: readonly Json[] = !hasDraws
    ? []
    : isMean
      ? [drawsLayer(figure, encoding, series, whenOn('draws'))]
      : [meanLayer(figure, encoding, whenOn('mean'))];
  const at = kept.findIndex(({ name }) => name === 'measured') + 1;
  const switches: InteractiveSpec['switches'] = [
    ...(isMean
      ? ([...(hasDraws ? [['draws', false] as const] : []), ['mean', true]] as const)
      : ([['draws', true], ...(hasDraws ? [['mean', false] as const] : [])] as const)),
    ...(hasTheory ? [['theory', true] as const] : []),
  ];
  const { layer: _, width: __, height: ___, encoding: ____, ...rest } = spec;
  return {
    switches,
    vegaLite: themed({
      ...rest,
      ...withoutLegend({ encoding: shared }),
      // The page sets both to its own.
      width: 465,
      height: 308,
      autosize: { type: 'fit', contains: 'padding' },
      params: [
        ...switches.map(([name, value]) => ({ name: SIGNALS[name], value })),
        { name: SIGNALS.hidden, value: [] },
      ],
      layer: [...kept.slice(0, at), ...other, ...kept.slice(at)].map(clipped),
    }),
  };
}

/** A view with all that it draws cut off at the axes, where the caption says that it is. */
function clipped(view: Json): Json {
  const mark = isObject(view.mark) ? view.mark : { type: view.mark };
  return {
    ...view,
    ...(Array.isArray(view.layer) && { layer: view.layer.map(clipped) }),
    ...('mark' in view && { mark: { ...mark, clip: true } }),
  };
}

const filtered = (layer: Json, filter: Json): Json => ({
  ...layer,
  transform: [filter, ...(Array.isArray(layer.transform) ? layer.transform : [])],
});

/** A view whose colours are told elsewhere. */
function withoutLegend<V extends Json>(view: V): V {
  const { encoding } = view;
  if (!isObject(encoding) || !isObject(encoding.color)) return view;
  return { ...view, encoding: { ...encoding, color: { ...encoding.color, legend: null } } };
}

/** A line through the means of the draws, with points to hover over. */
function meanLayer(figure: Figure, encoding: Encoding, filter: Json): Json {
  const x = String(encoding.x?.field);
  return {
    name: 'mean',
    transform: [
      filter,
      {
        aggregate: [
          { op: 'mean', field: figure.yColumn, as: 'mean_of_draws' },
          { op: 'valid', field: figure.yColumn, as: 'draws' },
        ],
        groupby: [figure.seriesField, x],
      },
    ],
    encoding: {
      x: { field: x, type: 'quantitative' },
      y: { field: 'mean_of_draws', type: 'quantitative' },
      color: { ...encoding.color, legend: null },
    },
    layer: [
      { mark: { type: 'line', strokeWidth: 2.4 } },
      {
        mark: { type: 'point', opacity: 0, size: 60 },
        encoding: {
          tooltip: [
            { field: figure.seriesField, title: seriesTitle(figure), type: 'nominal' },
            { field: x, title: figure.xTitle, type: 'nominal' },
            { field: 'draws', title: 'draws', type: 'nominal' },
            { field: 'mean_of_draws', title: 'mean', type: 'quantitative', format: '.4f' },
          ],
        },
      },
    ],
  };
}

const seriesTitle = ({ seriesField }: Figure): string =>
  ({ label: 'branch scale', depth: 'depth L' })[seriesField] ?? seriesField;

/** The draws that a chart of means is made of. */
function drawsLayer(figure: Figure, encoding: Encoding, series: readonly Series[], filter: Json): Json {
  return {
    name: 'draws',
    transform: [filter],
    mark: { type: 'circle', size: 30, opacity: 1, stroke: 'white', strokeWidth: 0.8 },
    encoding: {
      x: { field: encoding.x?.field, type: 'quantitative' },
      y: { field: figure.yColumn, type: 'quantitative' },
      color: {
        field: figure.seriesField,
        type: 'nominal',
        scale: { domain: series.map(({ value }) => value), range: series.map(({ color }) => tab10[color]) },
        legend: null,
      },
      tooltip: [
        { field: 'depth', title: 'depth L', type: 'nominal' },
        { field: 'layer', title: 'layer v', type: 'nominal' },
        { field: 'branch_scale', title: 'branch scale β', type: 'quantitative', format: '.4~g' },
        { field: 'draw', title: 'draw', type: 'nominal' },
        { field: figure.yColumn, title: 'value', type: 'quantitative', format: '.4f' },
      ],
    },
  };
}

/** Sizes and fonts for a screen; the text is measured by the browser, in the font of the page. */
function themed(spec: VegaLiteSpec): VegaLiteSpec {
  const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif';
  const own = isObject(spec.config) && isObject(spec.config.line) ? spec.config.line : {};
  const config = {
    ...theme,
    line: { ...theme.line, ...own },
    background: 'transparent',
    padding: { left: 2, top: 8, right: 14, bottom: 2 },
    font,
    axis: { ...theme.axis, labelFontSize: 12, titleFontSize: 13, titlePadding: 8 },
    axisX: { labelOverlap: true },
  };
  return { ...spec, config };
}

/**
 * Compiles a spec for Vega, with the colours of the page's style sheet in place of its own.
 *
 * @throws ReportError when it is no Vega-Lite spec, or leads elsewhere
 */
export async function compileForPage(spec: VegaLiteSpec): Promise<Spec> {
  const addresses = addressesIn(spec);
  if (addresses.length > 0) throw new ReportError(`a spec leads elsewhere: ${addresses.join('; ')}`);
  const { vegaLite } = await loadLibraries();
  try {
    return withPageColours(vegaLite.compile(spec as unknown as TopLevelSpec).spec) as Spec;
  } catch (error) {
    throw new ReportError(`not a Vega-Lite spec: ${(error as Error).message}`);
  }
}

/** Colours of the specs, by the property of the style sheet that a page draws them with, light or dark. */
const COLOUR_PROPERTIES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(tab10).map(([name, colour]) => [colour as string, name] as const),
  ['black', 'ink'],
  ['#222222', 'theory'],
  ['white', 'panel'],
]);

function withPageColours(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPageColours);
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withPageColours(child)]));
  }
  const property = typeof value === 'string' ? COLOUR_PROPERTIES.get(value) : undefined;
  return property === undefined ? value : `var(--${property})`;
}
