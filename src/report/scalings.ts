/** The tables of scalings: initial scales and learning rates by formula, and their numbers at the sizes that are typed in. */
import { compileExpression, VARIABLE_NAMES, type VariableName } from '../config/expression.js';
import { NAMED_SCALINGS, type NamedScaling, SIGMA_HIDDEN } from '../config/scalings.js';
import { formulaHtml, symbolHtml } from './formula.js';
import { type Content, type Html, html, nothing } from './html.js';
import { formatNumber } from './numbers.js';
import { withSymbols } from './symbols.js';

type Layer = 'input' | 'hidden' | 'output';

/** One layer of a scaling: formulas in L, m, d, k, n and beta. */
interface ScalingRow {
  readonly layer: Layer;
  /** Initial standard deviation. */
  readonly sigma: string;
  readonly eta: string;
}

interface ScalingTable {
  readonly scaling: string;
  readonly rows: readonly ScalingRow[];
  /** What differs from the print, and why. */
  readonly corrections: readonly string[];
}

/** How corrections name what they are of. */
const SUBSCRIPTS: Readonly<Record<Layer, string>> = { input: '1', hidden: 'hid', output: 'L' };

/** The scalings that a table of the paper has, by table and setting: `Table 1, dense`. */
function scalingsByTable(): ReadonlyMap<string, readonly ScalingTable[]> {
  const groups = new Map<string, ScalingTable[]>();
  for (const [name, scaling] of Object.entries(NAMED_SCALINGS) as [string, NamedScaling][]) {
    const { where, sigmaInput, sigmaOutput, learningRate, corrections = [] } = scaling;
    if (!where.startsWith('Table') || typeof learningRate === 'string') continue;
    const sigma = { input: sigmaInput, hidden: SIGMA_HIDDEN.relu, output: sigmaOutput };
    const rows = (['input', 'hidden', 'output'] as const).map((layer) => ({
      layer,
      sigma: sigma[layer],
      eta: learningRate[layer],
    }));
    const table = { scaling: name.replace(/ \(.*/, ''), rows, corrections };
    groups.set(where, [...(groups.get(where) ?? []), table]);
  }
  return groups;
}

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
  const groups = [...scalingsByTable()];
  const formulas = groups.flatMap(([, tables]) =>
    tables.flatMap(({ rows }) => rows.flatMap(({ sigma, eta }) => [sigma, eta])),
  );
  const used = new Set(formulas.flatMap((formula) => compileExpression(formula).names));
  return html`<section id="scalings" aria-labelledby="scalings-title">
<h2 id="scalings-title">Scalings</h2>
<p>Standard deviation σ of the initial weights and learning rate η of each layer for ReLU, up to factors of order 1: MLPs in Table 1, ResNets in Table 2. Type the sizes of a network to have them in numbers. A dagger marks what is ours: there the print is corrected.</p>
<form id="sizes" aria-label="Sizes of the network">${VARIABLE_NAMES.filter((name) => used.has(name)).map(sizeInput)}<output></output></form>
${groups.map(
  ([name, tables]) => html`<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table>
<caption><b>${name} setting</b></caption>
<thead><tr><th scope="col">scaling</th><th scope="col">layer</th><th scope="col">σ</th><th scope="col" class="number">in numbers</th><th scope="col">η</th><th scope="col" class="number">in numbers</th></tr></thead>
${tables.map(scalingBody)}</table></div>
${corrections(tables)}`,
)}</section>`;
}

function sizeInput(name: VariableName): Html {
  const label = html`<span>${MEANINGS[name]} ${symbolHtml(name)}</span>`;
  return name === 'beta'
    ? html`<label>${label}<input name="beta" type="number" min="0" max="1" step="any" placeholder="1/√L"></label>`
    : html`<label>${label}<input name="${name}" type="number" min="1" step="1" required value="${AT_FIRST[name]}"></label>`;
}

function scalingBody({ scaling, rows, corrections }: ScalingTable): Html {
  const isOurs = (symbol: string) => corrections.some((text) => text.includes(symbol));
  return html`<tbody>${rows.map(
    ({ layer, sigma, eta }, i) =>
      html`<tr>${
        i === 0 ? html`<th scope="rowgroup" rowspan="${rows.length}">${withSymbols(scaling)}</th>` : nothing
      }<td>${layer}</td>${formulaCells(sigma, isOurs(`sigma_${SUBSCRIPTS[layer]}`))}${formulaCells(eta, isOurs(`eta_${SUBSCRIPTS[layer]}`))}</tr>`,
  )}</tbody>
`;
}

const formulaCells = (formula: string, isOurs: boolean): Html =>
  html`<td>${formulaHtml(formula)}${isOurs && html`<sup title="ours: differs from the print">†</sup>`}</td><td class="number" data-formula="${formula}">${formatNumber(compileExpression(formula).evaluate(AT_FIRST))}</td>`;

/** Corrections of all tables, each once, with the scalings that it is of. */
function corrections(tables: readonly ScalingTable[]): Content {
  const of = new Map<string, string[]>();
  for (const { scaling, corrections } of tables) {
    for (const text of corrections) of.set(text, [...(of.get(text) ?? []), scaling]);
  }
  if (of.size === 0) return nothing;
  return html`<ul class="corrections">${[...of].map(
    ([text, names]) =>
      html`<li>† Ours, not the print (${withSymbols(names.join(', '))}): ${withSymbols(text)}</li>`,
  )}</ul>`;
}
