/** Experiments that are no figure of the paper: each with its chart as it was drawn, and its settings. */
import type { Manifest } from '../results/manifest.js';
import { seconds } from './figure-section.js';
import { type Html, html, nothing } from './page/html.js';
import { settingsHtml } from './settings.js';

export interface OtherResults {
  readonly manifest: Manifest;
  /** What the chart shows, in words; undefined where nothing is drawn. */
  readonly description: string | undefined;
  /** What lies beside the table. */
  readonly png: Uint8Array | undefined;
}

export function experimentsHtml(others: readonly OtherResults[]): Html {
  if (others.length === 0) return html`${nothing}`;
  return html`<section id="experiments" aria-labelledby="experiments-title">
<h2 id="experiments-title">Other experiments</h2>
<p>What was measured besides the figures of the paper.</p>
${others.map(experimentHtml)}</section>`;
}

function experimentHtml({ manifest, description, png }: OtherResults): Html {
  const { name, title, status, counts, elapsed_ms: elapsed } = manifest;
  // A name may be that of a section.
  const id = `experiment-${name}`;
  const left = counts.failed + counts.diverged;
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${title}</h3>
${
  (status === 'partial' || left > 0) &&
  html`<p class="warning">Not all cells are here: the run is ${status}, ${counts.failed} of ${counts.cells} cells failed and ${counts.diverged} diverged.</p>`
}
<figure>
${
  png === undefined
    ? html`<p>Nothing is drawn: <code>feature-speed plot ${name}</code> does it.</p>`
    : html`<img class="chart" alt="${description ?? title}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`
}
<figcaption>${description !== undefined && html`${description}. `}${counts.cells} networks, ${counts.rows} rows measured in ${seconds(elapsed)} of work; all values are in <code>${name}/table.csv</code>.</figcaption>
</figure>
<details><summary>Settings</summary>${settingsHtml(manifest.experiment)}</details>
</section>
`;
}
