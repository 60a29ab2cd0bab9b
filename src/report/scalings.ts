/** The tables of scalings: initial scales and learning rates by formula, and their numbers at the sizes that are typed in. */

import { LAYER_GROUPS } from '../architectures/architecture.js';
import { compileExpression, VARIABLE_NAMES, type VariableName } from '../config/expression.js';
import { type TableRow, tableRows } from '../config/scalings/scalings.js';
import { formulaHtml, symbolHtml } from './formula.js';
import { formatNumber } from './numbers.js';
import { type Content, type Html, html, nothing } from './page/html.js';
import { withSymbols } from './symbols.js';

/** How corrections name what they are of. */
const SUBSCRIPTS = { input: '1', hidden: 'hid', output: 'L' } as const;

/** The rows of the tables of the paper, by table and setting: `Table 1, dense`. */
function rowsByTable(): ReadonlyMap<string, readonly TableRow[]> {
  const groups = new Map<string, TableRow[]>();
  for (const row of tableRows('relu')) groups.set(row.where, [...(groups.get(row.where) ?? []), row]);
  return groups;
}

/** A row without the table that it is of. */
const shortName = ({ name }: TableRow) => name.replace(/ \(.*/, '');

/** Sizes at first: a language model's depth and width on small images. */
const AT_FIRST: Readonly<Record<VariableName, number>> = {
  L: 96,
  m: 4096,
  d: 784,
  k: 10,
  n: 1,
  beta: 1 / Math.sqrt(96),
};

const MEANINGS: Readonly<Record<VariableName, string>> = {
  L: 'depth',
  m: 'width',
  d: 'input width',
  k: 'output width',
  n: 'samples',
  beta: 'branch scale',
};

export function scalingsHtml(): Html {
  const groups = [...rowsByTable()];
  const formulas = groups.flatMap(([, rows]) =>
    rows.flatMap(({ layers }) => Object.values(layers).flatMap(({ sigma, eta }) => [sigma, eta])),
  );
  const used = new Set(formulas.flatMap((formula) => compileExpression(formula).names));
  return html`<section id="scalings" aria-labelledby="scalings-title">
<h2 id="scalings-title">Scalings</h2>
<p>Standard deviation σ of the initial weights and learning rate η of each layer for ReLU, up to factors of order 1: MLPs in Table 1, ResNets in Table 2. Type the sizes of a network to have them in numbers. A dagger marks what is ours: there the print is corrected.</p>
<form id="sizes" aria-label="Sizes of the network">${VARIABLE_NAMES.filter((name) => used.has(name)).map(sizeInput)}<output></output></form>
${groups.map(
  ([name, rows]) => html`<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table>
<caption><b>${name} setting</b></caption>
<thead><tr><th scope="col">scaling</th><th scope="col">layer</th><th scope="col">σ</th><th scope="col" class="number">in numbers</th><th scope="col">η</th><th scope="col" class="number">in numbers</th></tr></thead>
${rows.map(scalingBody)}</table></div>
${correctionsOf(rows)}`,
)}</section>`;
}

function sizeInput(name: VariableName): Html {
  const label = html`<span>${MEANINGS[name]} ${symbolHtml(name)}</span>`;
  return name === 'beta'
    ? html`<label>${label}<input name="beta" type="number" min="0" max="1" step="any" placeholder="1/√L"></label>`
    : html`<label>${label}<input name="${name}" type="number" min="1" step="1" required value="${AT_FIRST[name]}"></label>`;
}

function scalingBody(row: TableRow): Html {
  const { layers, corrections } = row;
  const isOurs = (symbol: string) => corrections.some((text) => text.includes(symbol));
  return html`<tbody>${LAYER_GROUPS.map(
    (layer, i) =>
      html`<tr>${
        i === 0
          ? html`<th scope="rowgroup" rowspan="${LAYER_GROUPS.length}">${withSymbols(shortName(row))}</th>`
          : nothing
      }<td>${layer}</td>${formulaCells(layers[layer].sigma, isOurs(`sigma_${SUBSCRIPTS[layer]}`))}${formulaCells(layers[layer].eta, isOurs(`eta_${SUBSCRIPTS[layer]}`))}</tr>`,
  )}</tbody>
`;
}

const formulaCells = (formula: string, isOurs: boolean): Html =>
  html`<td>${formulaHtml(formula)}${isOurs && html`<sup title="ours: differs from the print">†</sup>`}</td><td class="number" data-formula="${formula}">${formatNumber(compileExpression(formula).evaluate(AT_FIRST))}</td>`;

/** Corrections of all rows, each once, with the scalings that it is of. */
function correctionsOf(rows: readonly TableRow[]): Content {
  const of = new Map<string, string[]>();
  for (const row of rows) {
    for (const text of row.corrections) of.set(text, [...(of.get(text) ?? []), shortName(row)]);
  }
  if (of.size === 0) return nothing;
  return html`<ul class="corrections">${[...of].map(
    ([text, names]) =>
      html`<li>† Ours, not the print (${withSymbols(names.join(', '))}): ${withSymbols(text)}</li>`,
  )}</ul>`;
}
