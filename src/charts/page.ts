import { libraryScript } from './libraries.js';
import type { VegaLiteSpec } from './spec.js';

/** What one offline page shows. */
export interface ChartPage {
  /** Title of the document. */
  readonly title: string;
  /** Vega-Lite spec whose data is `{"url": tableUrl}`. */
  readonly spec: VegaLiteSpec;
  readonly tableUrl: string;
  /** CSV text with at least the columns that the spec reads. */
  readonly table: string;
}

/**
 * One self-contained HTML page with tooltips: the libraries, the spec and the table stand in it.
 *
 * Nothing is fetched, and the page's own security policy forbids it. About 0.9 MB and the table.
 */
export async function chartPage({ title, spec, tableUrl, table }: ChartPage): Promise<string> {
  const [vega, vegaLite, vegaEmbed] = await Promise.all([
    libraryScript('vega', 'vega.min.js'),
    libraryScript('vega-lite', 'vega-lite.min.js'),
    libraryScript('vega-embed', 'vega-embed.min.js'),
  ]);
  const json = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>
body { margin: 1rem; background: white; color: black; font-family: 'DejaVu Sans', Verdana, sans-serif; }
#chart { overflow-x: auto; background: white; }
/* On a phone, and on paper, the whole of it. */
#chart svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #131518; } #chart { border-radius: 4px; } }
@media print { body { margin: 0; background: white; } #chart details { display: none; } }
</style>
</head>
<body>
<main id="chart"></main>
<noscript>This chart is drawn by JavaScript.</noscript>
<script>${vega}</script>
<script>${vegaLite}</script>
<script>${vegaEmbed}</script>
<script>
const spec = ${json({ ...spec, $schema: undefined })};
const table = ${json(table)};
const loader = vega.loader();
loader.load = async (url) => {
  if (url !== ${json(tableUrl)}) throw new Error('this page holds the table only, not ' + url);
  return table;
};
vegaEmbed('#chart', spec, {
  mode: 'vega-lite',
  loader,
  renderer: ${json(rendererFor(table))},
  actions: { export: true, source: false, compiled: false, editor: false },
}).catch((error) => {
  document.getElementById('chart').textContent = String(error);
});
</script>
</body>
</html>
`;
}

const policy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:";

/** SVG is sharp at every zoom; beyond some ten thousand marks only a canvas stays responsive. */
const rendererFor = (table: string): 'svg' | 'canvas' =>
  table.split('\n', 20_001).length > 20_000 ? 'canvas' : 'svg';

/** Text as it may stand between tags or inside a quoted attribute, in HTML and in SVG. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
