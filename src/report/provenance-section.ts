/** Where the numbers come from: what one needs to have them again. */
import type { Manifest } from '../results/manifest.js';
import { seconds } from './figure-section.js';
import { type Html, html, nothing } from './page/html.js';

export function provenanceHtml(manifests: readonly Manifest[]): Html {
  const versions = manifests.map(({ versions }) => versions);
  const areSame = new Set(versions.map((each) => JSON.stringify(each))).size === 1;
  return html`<section id="provenance" aria-labelledby="provenance-title">
<h2 id="provenance-title">Provenance</h2>
<p>Each figure was measured by the commit below, from the seed below. <code>feature-speed run --from results/NAME</code> measures it again and compares the bytes.</p>
${
  manifests.some(({ dirty }) => dirty === true)
    ? html`<p class="note">“Changed”: files of the working tree differed from the commit when the figure was measured.</p>`
    : nothing
}
<div class="scroll" role="region" aria-label="Provenance of the figures" tabindex="0"><table>
<caption>How each figure was measured</caption>
<thead><tr><th scope="col">figure</th><th scope="col">commit</th><th scope="col" class="number">seed</th><th scope="col">backend</th><th scope="col">weights</th><th scope="col" class="number">cells</th><th scope="col" class="number">diverged</th><th scope="col" class="number">failed</th><th scope="col">started (UTC)</th><th scope="col" class="number">elapsed</th></tr></thead>
<tbody>${manifests.map(provenanceRow)}</tbody></table></div>
<details><summary>Digests and versions</summary>
<dl class="settings">${manifests.map(
    ({ name, digest }) => html`<div><dt>${name}</dt><dd><code>${digest}</code></dd></div>`,
  )}
${areSame ? versionEntries('', versions[0] ?? {}) : manifests.map(({ name, versions }) => versionEntries(`${name}: `, versions))}</dl></details>
</section>`;
}

const versionEntries = (before: string, versions: Readonly<Record<string, string>>): readonly Html[] =>
  Object.entries(versions).map(
    ([name, version]) => html`<div><dt>${before}${name}</dt><dd>${version}</dd></div>`,
  );

const provenanceRow = ({
  name,
  commit,
  dirty,
  seed,
  backend,
  precision,
  weights,
  counts,
  ...rest
}: Manifest): Html => {
  const { started, elapsed_ms } = rest;
  const revision = commit === null ? '—' : html`<code title="${commit}">${commit.slice(0, 8)}</code>`;
  return html`<tr><th scope="row" class="nowrap">${name.replace('figure-', '')}</th><td class="nowrap">${revision}${
    dirty === true ? ', changed' : nothing
  }</td><td class="number">${seed}</td><td class="nowrap">${backend}, ${precision ?? 'float32'}</td><td class="nowrap">${weights.join(', ')}</td><td class="number">${counts.cells}</td><td class="number">${counts.diverged}</td><td class="number">${counts.failed}</td><td class="nowrap"><time datetime="${started}">${started.slice(0, 16).replace('T', ' ')}</time></td><td class="number">${seconds(elapsed_ms)}</td></tr>
`;
};
