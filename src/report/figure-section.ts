/** One figure of the page: what it shows, the chart with its controls, the comparison, values and settings. */
import type { Manifest } from '../results/manifest.js';
import type { AgreementRow, Row, Series } from './agreement.js';
import type { Figure } from './figures.js';
import { equationHtml } from './formula.js';
import { decimalsOf, fixed, formatNumber } from './numbers.js';
import { type Html, html, nothing } from './page/html.js';
import { type InteractiveSpec, SIGNALS, type Switch } from './page/interactive-spec.js';
import { settingsHtml } from './settings.js';
import { estimateMean } from './statistics.js';

export interface FigureSection {
  readonly figure: Figure;
  readonly manifest: Manifest;
  readonly rows: readonly Row[];
  readonly series: readonly Series[];
  readonly agreement: readonly AgreementRow[];
  readonly switches: InteractiveSpec['switches'];
  /** What the spec says it draws: the text in place of the picture. */
  readonly description: string;
  /** What the chart does not show of its table, as the chart says it; undefined when it shows all. */
  readonly leftOut: string | undefined;
  /** Whether it is of other settings than the paper's, so that there is nothing of the paper to compare it with. */
  readonly isAltered: boolean;
}

export function figureSectionHtml(section: FigureSection): Html {
  const { figure, manifest, series, switches, description } = section;
  const id = figure.name;
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">Figure ${figure.number}. ${figure.title}</h3>
<p>${figure.shows}</p>
${
  section.isAltered &&
  html`<p class="warning">These are not the settings of the paper (see below), so that its values are left out.</p>`
}
${
  manifest.status === 'partial' || manifest.counts.failed > 0 || manifest.counts.diverged > 0
    ? html`<p class="warning">Not all cells are here: the run is ${manifest.status}, ${manifest.counts.failed} of ${manifest.counts.cells} cells failed and ${manifest.counts.diverged} diverged.</p>`
    : nothing
}
<figure>
<div class="controls">
<fieldset><legend class="skip">Curves of figure ${figure.number}</legend>${series.map(legendButton)}</fieldset>
<fieldset class="switches"><legend class="skip">What figure ${figure.number} shows</legend>${switches.map(switchHtml)}</fieldset>
</div>
<div class="canvas" role="img" aria-label="${description}. The values are in the table below."></div>
<noscript><p>The chart is drawn by JavaScript; the tables below hold its values.</p></noscript>
<figcaption>${captionOf(section)}</figcaption>
</figure>
${agreementHtml(section)}
<details><summary>Values of the chart</summary>${valuesHtml(section)}</details>
<details><summary>Settings</summary>${settingsHtml(manifest.experiment)}</details>
</section>
`;
}

const labelHtml = (series: Series): Html =>
  series.formula ? equationHtml(...series.formula) : html`${series.label}`;

const legendButton = (series: Series): Html =>
  html`<button type="button" aria-pressed="true" aria-label="${series.label}" data-series="${JSON.stringify(series.value)}"><svg width="14" height="14" aria-hidden="true"><circle cx="7" cy="7" r="5" fill="var(--${series.color})"/></svg>${labelHtml(series)}</button>`;

const SWITCHES: Readonly<Record<Switch, Html>> = {
  draws: html`Draws`,
  mean: html`Mean of draws`,
  theory: html`<svg width="18" height="8" aria-hidden="true"><path d="M0 4H18" stroke="var(--theory)" stroke-width="1.2"/></svg>Theory, <math><mi>m</mi><mo>→</mo><mi>∞</mi></math>`,
};

const switchHtml = ([name, isOn]: readonly [Switch, boolean]): Html =>
  html`<label><input type="checkbox" data-signal="${SIGNALS[name]}"${isOn ? html` checked` : nothing}>${SWITCHES[name]}</label>`;

function captionOf({ figure, manifest, rows, leftOut }: FigureSection): Html {
  const draws = new Set(rows.map(({ draw }) => draw)).size;
  const { cells } = manifest.counts;
  return html`${cells} networks, ${draws} ${draws === 1 ? 'draw' : 'draws'} of each setting, ${manifest.counts.rows} rows measured in ${seconds(manifest.elapsed_ms)}.${leftOut !== undefined && html` ${leftOut}.`}
${figure.theoryColumn === null ? nothing : 'Thin lines: the limit of infinite width at the same depth.'} <span class="screen">Point at a mark for its cell; a button above switches its curve off and on.</span>`;
}

/** A time in seconds; below a tenth in milliseconds. */
export const seconds = (ms: number): string =>
  ms < 100 ? `${Math.round(ms)} ms` : `${fixed(ms / 1000, 1)} s`;

function agreementHtml({ figure, agreement }: FigureSection): Html {
  const hasTheory = agreement.some(({ theory }) => theory !== null);
  const hasPublished = agreement.some(({ published }) => published !== null);
  return html`<div class="scroll" role="region" aria-label="Agreement of figure ${figure.number}" tabindex="0"><table class="agreement">
<caption><b>Agreement.</b> ${figure.comparison}</caption>
<thead><tr><th scope="col">curve</th>${hasPublished && html`<th scope="col" class="number">published</th>`}<th scope="col" class="number">measured ± s.e.</th>${
    hasTheory &&
    html`<th scope="col" class="number">theory, <span class="nowrap"><i>m</i> → ∞</span></th><th scope="col" class="number" title="(measured − theory) / standard error">z</th>`
  }</tr></thead>
<tbody>${agreement.map((row) => agreementRow(row, hasPublished, hasTheory))}</tbody></table></div>`;
}

function agreementRow(
  { label, series, published, measured, theory, z }: AgreementRow,
  hasPublished: boolean,
  hasTheory: boolean,
): Html {
  const decimals = measured.standardError === null ? 3 : Math.max(2, decimalsOf(measured.standardError));
  const swatch =
    series !== undefined &&
    html`<svg class="swatch" width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="5" fill="var(--${series.color})"/></svg>`;
  const name =
    series && label === series.label
      ? html`<span class="nowrap">${swatch}${labelHtml(series)}</span>`
      : [swatch, label];
  return html`<tr><th scope="row">${name}</th>${
    hasPublished && html`<td class="number">${published ?? '—'}</td>`
  }<td class="number">${fixed(measured.value, decimals)}${
    measured.standardError === null
      ? nothing
      : html` <span class="error">± ${fixed(measured.standardError, decimals)}</span>`
  }</td>${
    hasTheory &&
    html`<td class="number">${theory === null ? '—' : fixed(theory, decimals)}</td><td class="number">${
      z === null ? '—' : `${z > 0 ? '+' : ''}${fixed(z, 1)}`
    }</td>`
  }</tr>`;
}

/** Abscissas that the table of values has of each curve. */
const MOST_ABSCISSAS = 6;

/** The chart as numbers: of each curve some abscissas, evenly chosen, with mean, error and theory. */
function valuesHtml({ figure, rows, series }: FigureSection): Html {
  const { yColumn, theoryColumn } = figure;
  const drawn = rows.filter((row) => typeof row[yColumn] === 'number' && isDrawn(figure, row));
  const bodies = series.map((each) => {
    const own = drawn.filter((row) => figure.seriesOf(row) === each.value);
    const abscissas = [...new Set(own.map(figure.x))].sort((a, b) => a - b);
    const chosen = evenly(abscissas, MOST_ABSCISSAS);
    return html`<tbody>${chosen.map((x, i) => {
      const there = own.filter((row) => figure.x(row) === x);
      const mean = estimateMean(there.map((row) => Number(row[yColumn])))!;
      const theory = theoryColumn === null ? null : there[0]![theoryColumn];
      return html`<tr>${
        i === 0 ? html`<th scope="rowgroup" rowspan="${chosen.length}">${labelHtml(each)}</th>` : nothing
      }<td class="number">${formatNumber(x)}</td><td class="number">${formatNumber(mean.value, 4)}</td><td class="number">${
        mean.standardError === null ? '—' : formatNumber(mean.standardError, 2)
      }</td><td class="number">${mean.count}</td>${
        theoryColumn !== null &&
        html`<td class="number">${typeof theory === 'number' ? formatNumber(theory, 4) : '—'}</td>`
      }</tr>`;
    })}</tbody>`;
  });
  return html`<div class="scroll" role="region" aria-label="Values of figure ${figure.number}" tabindex="0"><table>
<caption>Values at some of the abscissas; all are in <code>${figure.name}/table.csv</code>.</caption>
<thead><tr><th scope="col">curve</th><th scope="col" class="number">${figure.xTitle}</th><th scope="col" class="number">mean</th><th scope="col" class="number">standard error</th><th scope="col" class="number">draws</th>${
    theoryColumn !== null && html`<th scope="col" class="number">theory</th>`
  }</tr></thead>
${bodies}</table></div>`;
}

/** All charts but those over layers show the last layer with features. */
const isDrawn = (figure: Figure, row: Row): boolean =>
  figure.xColumn === 'layer' || row.layer === Number(row.depth) - 1;

function evenly(values: readonly number[], most: number): readonly number[] {
  if (values.length <= most) return values;
  return Array.from({ length: most }, (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))]!);
}
