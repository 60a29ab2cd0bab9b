/**
 * The report: one page that holds all that it needs.
 *
 *     tables, manifests, specs, claims, scalings -> figures, comparisons -> HTML
 *
 * It depends on its inputs alone: the same results give the same bytes.
 */
import { createHash } from 'node:crypto';
import { libraryScript } from '../charts/libraries.js';
import { leftOutOf } from '../charts/render.js';
import { mentionedColumns, type VegaLiteSpec } from '../charts/spec.js';
import type { Verdict } from '../claims/claim.js';
import type { Manifest } from '../results/manifest.js';
import { type Table, toCsv } from '../results/table.js';
import { rowsOf } from './agreement.js';
import { claimsHtml, countOf } from './claims-section.js';
import { packTable } from './columns.js';
import { experimentsHtml, type OtherResults } from './experiments-section.js';
import { type FigureSection, figureSectionHtml, seconds } from './figure-section.js';
import { FIGURES, type Figure, seriesPresent } from './figures.js';
import { fixed, formatNumber } from './numbers.js';
import { Html, html, nothing, scriptJson } from './page/html.js';
import { compileForPage, interactiveSpec, SIGNALS } from './page/interactive-spec.js';
import { type ChartData, type PageData, runPage } from './page/page-script.js';
import { PAGE_STYLE } from './page/page-style.js';
import { provenanceHtml } from './provenance-section.js';
import { ReportError } from './report-error.js';
import { scalingsHtml } from './scalings.js';

/** The results of one figure, as they lie in its folder, and the spec that draws them. */
export interface FigureResults {
  readonly table: Table;
  readonly manifest: Manifest;
  readonly spec: VegaLiteSpec;
  /** Whether they are of other settings than the paper's. */
  readonly isAltered?: boolean | undefined;
}

export interface ReportInput {
  /** By the names of the figures, see `FIGURE_NAMES`; all of them. */
  readonly figures: Readonly<Record<string, FigureResults>>;
  /** Experiments that are no figure of the paper, in the order in which they are to be shown. */
  readonly others?: readonly OtherResults[] | undefined;
  /** Recorded verdicts; null when there are none. */
  readonly claims: readonly Verdict[] | null;
}

/** Names of the experiments that the report needs, in its order. */
export const FIGURE_NAMES: readonly string[] = FIGURES.map(({ name }) => name);

/**
 * The page, about 2 MB, a quarter of it the library that draws, and half the pictures of other experiments.
 *
 * @throws ReportError when a table or a spec lacks what its figure needs
 */
export async function renderReport({ figures, claims, others = [] }: ReportInput): Promise<string> {
  const parts = await Promise.all(FIGURES.map((figure) => prepare(figure, figures[figure.name])));
  const sections = parts.map(({ section }) => section);
  const manifests = sections.map(({ manifest }) => manifest);
  const data: PageData = { charts: parts.map(({ chart }) => chart), hiddenSignal: SIGNALS.hidden };
  const scripts = [
    await libraryScript('vega', 'vega.min.js'),
    asScript(await libraryScript('vega-interpreter', 'vega-interpreter.js')),
    `(${runPage})(${scriptJson(data)}, ${formatNumber});`,
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyFor(scripts)}">
<title>The Feature Speed Formula, measured</title>
<style>${new Html(PAGE_STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<div class="page">
<header>
<h1>The Feature Speed Formula, measured</h1>
<p class="lede">How fast the features of a deep network move in one gradient step is set by one angle, between their change and the direction that lowers the loss. This page shows the five figures of <i>The Feature Speed Formula</i> (Chizat and Netrapalli, <span class="nowrap">arXiv 2311.18718</span>) measured again, beside what was published and the limit of infinite width.</p>
</header>
<aside class="side" aria-label="Contents and colours">
${navigationHtml(others)}
<fieldset class="theme"><legend>Colours</legend>${(['system', 'light', 'dark'] as const).map(
    (theme, i) =>
      html`<label><input type="radio" name="theme" value="${theme}" autocomplete="off"${i === 0 ? html` checked` : nothing}>${theme}</label>`,
  )}</fieldset>
</aside>
<main id="main">
${briefHtml(sections, claims)}
<section id="figures" aria-labelledby="figures-title">
<h2 id="figures-title">Figures</h2>
<p>Published values were read off the pictures of the paper, as many digits as they give. “s.e.” is the standard error, and <i>z</i> the distance between measurement and theory in units of it. Theory is for infinite width and an infinitesimal step. A network of finite width that takes a finite step is expected at a distance from it, which more draws do not make smaller but more certain: |<i>z</i>| grows with their number. The distance itself, in per cent, is what tells how good theory is.</p>
${sections.map(figureSectionHtml)}</section>
${experimentsHtml(others)}
${claimsHtml(claims)}
${scalingsHtml()}
${provenanceHtml([...manifests, ...others.map(({ manifest }) => manifest)])}
</main>
<footer>Made by <code>feature-speed report</code> from the tables of the results; every number on this page is computed from them, but the published ones.</footer>
</div>
<dl id="tooltip" aria-hidden="true" hidden></dl>
${scripts.map((script) => new Html(`<script>${script}</script>\n`))}</body>
</html>
`;
  return page.text;
}

/** Nothing is fetched and no other script runs: each of the page's own is known by its hash. */
function policyFor(scripts: readonly string[]): string {
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  return `default-src 'none'; img-src data:; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
}

/** The interpreter comes as a module, and modules cannot be inlined without an address. */
function asScript(module: string): string {
  const script = module
    .replace(/^import (\{[^}]*\}) from 'vega-util';$/m, 'const $1 = vega;')
    .replace(
      /^export \{ expression as expressionInterpreter \};$/m,
      'globalThis.vegaInterpreter = expression;',
    )
    .replace(/^\/\/# sourceMappingURL=.*$/m, '');
  if (/^(import|export)\b/m.test(script) || !script.includes('globalThis.vegaInterpreter')) {
    throw new Error('vega-interpreter: expected one import of vega-util and one export');
  }
  return `{${script}}`;
}

async function prepare(
  figure: Figure,
  results: FigureResults | undefined,
): Promise<{ readonly section: FigureSection; readonly chart: ChartData }> {
  if (results === undefined) throw new ReportError(`${figure.name}: no results are given`);
  const { table, manifest, spec, isAltered = false } = results;
  const label = figure.seriesField === 'label' ? ['branch_scale_formula'] : [];
  const missing = ['draw', 'depth', 'layer', 'branch_scale', ...label, 'scaling', figure.yColumn].filter(
    (column) => !table.columns.includes(column),
  );
  if (missing.length > 0)
    throw new ReportError(`${figure.name}: the table lacks the column ${missing.join(', ')}`);
  const rows = rowsOf(table);
  const series = seriesPresent(figure, rows);
  const theory = figure.theoryColumn;
  const shown = interactiveSpec(spec, figure, series, {
    hasDraws: new Set(rows.map(({ draw }) => draw)).size > 1,
    hasTheory: theory !== null && rows.some((row) => typeof row[theory] === 'number'),
  });
  return {
    section: {
      figure,
      manifest,
      rows,
      series,
      isAltered,
      agreement: figure.agreement(rows, series).map((row) => (isAltered ? { ...row, published: null } : row)),
      switches: shown.switches,
      description: String(spec.description ?? figure.title),
      leftOut: await leftOut(figure, results),
    },
    chart: {
      id: figure.name,
      spec: await compileForPage(shown.vegaLite),
      table: packTable(table, mentionedColumns(shown.vegaLite, table.columns)),
    },
  };
}

async function leftOut({ name }: Figure, { spec, table }: FigureResults): Promise<string | undefined> {
  try {
    return await leftOutOf(spec, toCsv(table));
  } catch (error) {
    throw new ReportError(`${name}: ${(error as Error).message}`);
  }
}

const navigationHtml = (others: readonly OtherResults[]): Html => html`<nav aria-label="Contents"><ol>
<li><a href="#brief">In brief</a></li>
<li><a href="#figures">Figures</a><ol>${FIGURES.map(
  ({ name, number }) => html`<li><a href="#${name}"><span class="skip">Figure </span>${number}</a></li>`,
)}</ol></li>
${others.length > 0 && html`<li><a href="#experiments">Other experiments</a></li>`}
<li><a href="#claims">Claims</a></li>
<li><a href="#scalings">Scalings</a></li>
<li><a href="#provenance">Provenance</a></li>
</ol></nav>`;

function briefHtml(sections: readonly FigureSection[], claims: readonly Verdict[] | null): Html {
  const total = (of: (section: FigureSection) => number): number =>
    sections.reduce((sum, section) => sum + of(section), 0);
  const compared = sections.flatMap(({ figure, agreement }) =>
    agreement.flatMap(({ label, measured, theory, z }) =>
      theory === null || z === null
        ? []
        : [{ at: `figure ${figure.number}, ${label}`, off: Math.abs(measured.value / theory - 1), z }],
    ),
  );
  const worst = compared.reduce<(typeof compared)[number] | null>(
    (most, each) => (most === null || each.off > most.off ? each : most),
    null,
  );
  const near = compared.filter(({ z }) => Math.abs(z) <= 2).length;
  const networks = total(({ manifest }) => manifest.counts.cells);
  const elapsed = total(({ manifest }) => manifest.elapsed_ms);
  return html`<section id="brief" aria-labelledby="brief-title">
<h2 id="brief-title">In brief</h2>
<dl class="facts">
<div><dt>Measured</dt><dd>${networks} networks<small>five figures, ${seconds(elapsed)} of work, on all workers together</small></dd></div>
${
  worst === null
    ? nothing
    : html`<div><dt>Distance from theory</dt><dd>at most ${fixed(100 * worst.off, 1)} %<small>${worst.at}; of ${compared.length} means, ${near} are within two standard errors, the others are as far as finite width and step put them (<a href="#figures">why</a>)</small></dd></div>`
}
<div><dt>Claims of the paper</dt><dd>${claims === null ? html`not recorded<small><code>feature-speed verify --record</code></small>` : html`${countOf(claims).replace(' claims', '')}<small>${failing(claims)}</small>`}</dd></div>
</dl>
</section>`;
}

function failing(claims: readonly Verdict[]): Html {
  const fails = claims.filter(({ verdict }) => verdict === 'fails');
  if (fails.length === 0) return html`none fails`;
  const explained = fails.filter(({ note }) => note !== null).length;
  return html`<a href="#claims">${fails.length} ${fails.length === 1 ? 'fails' : 'fail'}</a>, ${
    explained === fails.length ? 'each' : explained
  } with its reason`;
}
