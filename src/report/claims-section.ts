/** The claims of the paper with their verdicts. */
import type { Verdict } from '../claims/claim.js';
import { formatNumber } from './numbers.js';
import { type Html, html, nothing } from './page/html.js';
import { withSymbols } from './symbols.js';

/** @param claims null when none are recorded. */
export function claimsHtml(claims: readonly Verdict[] | null): Html {
  return html`<section id="claims" aria-labelledby="claims-title">
<h2 id="claims-title">Claims</h2>
${claims === null ? missing : listed(claims)}</section>`;
}

const missing = html`<p class="warning">No verdicts are recorded here. <code>feature-speed verify --record</code> checks every claim of the paper and writes them to <code>claims.json</code>; then make this page again.</p>`;

function listed(claims: readonly Verdict[]): Html {
  return html`<p>Statements of the paper that numbers can check, each measured again. A claim holds if all of its checks do; no verdict is set by hand. Where one fails the reason stands with it: some statements are misprints, which are kept here as they were printed.</p>
<div class="scroll" role="region" aria-label="Claims and verdicts" tabindex="0"><table class="claims">
<caption>${countOf(claims)}</caption>
<thead><tr><th scope="col">verdict</th><th scope="col">claim</th><th scope="col">in the paper</th><th scope="col" class="number">checks that hold</th></tr></thead>
<tbody>${claims.map(
    (
      claim,
    ) => html`<tr><td>${verdict(claim.verdict === 'holds')}</td><th scope="row"><a href="#${idOf(claim)}">${withSymbols(claim.title)}</a>${claim.verdict === 'fails' && html`<small>${withSymbols(claim.note ?? 'No reason is known.')}</small>`}</th><td>${claim.where}</td><td class="number">${claim.checks.filter(({ holds }) => holds).length} of ${claim.checks.length}</td></tr>
`,
  )}</tbody></table></div>
<h3>Statements and checks</h3>
${claims.map(claimHtml)}`;
}

/** `28 of 30 claims hold`. */
export function countOf(claims: readonly Verdict[]): string {
  return `${claims.filter(({ verdict }) => verdict === 'holds').length} of ${claims.length} claims hold`;
}

const idOf = ({ id }: Verdict): string => `claim-${id.replace(/[^\w.-]/g, '-')}`;

const verdict = (holds: boolean): Html =>
  holds ? html`<span class="chip good">✓ holds</span>` : html`<span class="chip fails">✗ fails</span>`;

const claimHtml = (claim: Verdict): Html => html`<details class="claim" id="${idOf(claim)}"${
  claim.verdict === 'fails' ? html` open` : nothing
}><summary>${verdict(claim.verdict === 'holds')}<b>${withSymbols(claim.title)}</b><span class="soft">${claim.where}</span></summary>
<p>${withSymbols(claim.statement)}</p>
${claim.note === null ? nothing : html`<p class="note">${withSymbols(claim.note)}</p>`}
<div class="scroll" role="region" aria-label="Checks of ${claim.title}, ${claim.where}" tabindex="0"><table class="checks">
<thead><tr><th scope="col">check</th><th scope="col" class="number">measured</th><th scope="col" class="number">95 % interval</th><th scope="col">expected</th><th scope="col">verdict</th></tr></thead>
<tbody>${claim.checks.map(
  ({ what, measured, low, high, expected, holds }) =>
    html`<tr><th scope="row">${withSymbols(what)}</th><td class="number">${formatNumber(measured, 4)}</td><td class="number">${
      low === null || high === null ? '—' : `${formatNumber(low, 4)} … ${formatNumber(high, 4)}`
    }</td><td>${withSymbols(expected)}</td><td>${verdict(holds)}</td></tr>`,
)}</tbody></table></div></details>
`;
