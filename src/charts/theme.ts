/** The colours of matplotlib's default cycle (tab10), in its order, by name. */
export const tab10 = {
  blue: '#1f77b4',
  orange: '#ff7f0e',
  green: '#2ca02c',
  red: '#d62728',
  purple: '#9467bd',
  brown: '#8c564b',
  pink: '#e377c2',
  grey: '#7f7f7f',
  olive: '#bcbd22',
  cyan: '#17becf',
} as const;

/** What every text is drawn with; the first is bundled for the PNG, the rest are for browsers that lack it. */
const fontFamily = 'DejaVu Sans, Verdana, sans-serif';

/** One typographic point in chart units: the published figures have 200 dots per inch, the PNG two dots per unit. */
const pt = 100 / 72;
const round = (units: number): number => Math.round(units * 100) / 100;

const fontSize = round(10 * pt);

/**
 * The Vega-Lite config of every chart: matplotlib's look, because the published figures were drawn with it.
 *
 * A frame on all four sides, outward ticks, no grid, tab10 colours, 10 pt text; the default view has the size of
 * a 6 x 4 inch figure. Lengths are chart units, of which the PNG has two dots each. A spec's own `config` wins.
 */
export const theme = {
  background: 'white',
  padding: 9,
  font: fontFamily,
  view: { stroke: 'black', strokeWidth: 1, continuousWidth: 465, continuousHeight: 308 },
  axis: {
    // Above the marks, as matplotlib draws its spines.
    zindex: 1,
    grid: false,
    domainColor: 'black',
    domainWidth: 1,
    tickColor: 'black',
    tickSize: round(3.5 * pt),
    tickWidth: 1,
    labelColor: 'black',
    labelFontSize: fontSize,
    labelPadding: round(3.5 * pt),
    labelFlush: false,
    labelLimit: 0,
    titleColor: 'black',
    titleFontSize: fontSize,
    titleFontWeight: 'normal',
    titlePadding: round(4 * pt),
    titleLimit: 0,
  },
  legend: {
    orient: 'top-right',
    offset: 7,
    padding: round(5 * pt),
    rowPadding: round(5 * pt),
    cornerRadius: round(2 * pt),
    fillColor: 'rgba(255, 255, 255, 0.8)',
    strokeColor: '#cccccc',
    strokeWidth: round(pt),
    symbolStrokeWidth: round(1.5 * pt),
    labelColor: 'black',
    labelFontSize: fontSize,
    labelLimit: 0,
    titleColor: 'black',
    titleFontSize: fontSize,
    titleFontWeight: 'normal',
    titleLimit: 0,
  },
  title: { color: 'black', fontSize: round(12 * pt), fontWeight: 'normal', limit: 0 },
  text: { color: 'black', fontSize },
  line: { strokeWidth: round(1.5 * pt) },
  // One label per point would treble the size of the file; a spec's `description` says what the chart shows.
  mark: { aria: false },
  range: { category: Object.values(tab10) },
} as const;
