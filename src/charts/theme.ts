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

const exponent = 'log(datum.value) / LN10';

/** Whether a tick is at a power of ten. */
const isPower = `abs(${exponent} - round(${exponent})) < 1e-9`;

/** The exponent as it stands above, `⁻²`. */
const superscript = [...'⁰¹²³⁴⁵⁶⁷⁸⁹'].reduce(
  (text, digit, i) => `replace(${text}, regexp('${i}', 'g'), '${digit}')`,
  `replace('' + round(${exponent}), '-', '⁻')`,
);

/**
 * Styles that a spec names: of axes, `"axis": {"style": "pi"}`, and of marks, `"mark": {"type": "line", "style":
 * "theory"}`. The width of a line and the height of a text are `size` there: Vega-Lite asks styles for nothing else.
 */
const style = {
  /** An axis of angles in multiples of a quarter of π, as which its `values` are given. */
  pi: { labelExpr: "['0', 'π/4', 'π/2', '3π/4', 'π'][round((4 * datum.value) / PI)]" },
  /** A logarithmic axis over several decades. */
  decades: {
    tickCount: 12,
    labelExpr: `${isPower} ? '10' + ${superscript} : ''`,
    labelOverlap: false,
    tickSize: { condition: { test: isPower, value: round(3.5 * pt) }, value: round(2 * pt) },
    tickWidth: { condition: { test: isPower, value: 1 }, value: 0.8 },
  },
  /** A logarithmic axis of a small view, whatever it spans. */
  few: { tickCount: 4, format: '~g' },
  /** From the least to the most of what the line before is the middle of. */
  band: { opacity: 0.25 },
  /** What was computed, over what was measured. */
  theory: { color: '#222222', size: 0.9 },
  /** A line that is neither. */
  guide: { color: 'black', size: round(1.5 * pt), strokeDash: [2.08, 3.44] },
  thick: { size: round(3 * pt), strokeCap: 'square' },
  dashed: { strokeDash: [7.71, 3.33] },
  /** The optimum of a curve, and its interval. */
  optimum: { filled: true, size: 45, strokeWidth: round(1.2 * pt), opacity: 1 },
  dot: { size: 24.2, opacity: 1 },
  plus: { shape: 'M-1,0H1M0,-1V1', filled: false, size: 69.4, strokeWidth: round(pt), opacity: 1 },
  /** A name of a curve beside its end, outside the frame. */
  label: { align: 'left', baseline: 'middle', dx: 6, size: round(9 * pt) },
  note: { align: 'left', baseline: 'middle', color: '#222222', size: round(8 * pt) },
} as const;

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
  header: { labelFontSize: round(9 * pt), labelLimit: 0 },
  text: { color: 'black', fontSize },
  line: { strokeWidth: round(1.5 * pt) },
  // One label per point would treble the size of the file; a spec's `description` says what the chart shows.
  mark: { aria: false, color: tab10.blue },
  style,
  range: { category: Object.values(tab10) },
} as const;
