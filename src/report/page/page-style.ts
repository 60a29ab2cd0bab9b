/** The style sheet of the page: light, dark and printed; from a phone to a wide screen. */

const LIGHT = `
  color-scheme: light;
  --paper: #fbfaf8; --panel: #ffffff; --ink: #1c1e21; --soft: #595f69; --line: #dedad2; --faint: #f3f1ec;
  --accent: #1c5d99; --good: #1b6e3c; --bad: #b3261e; --fails: #8a5300; --theory: #222222;
  --blue: #1f77b4; --orange: #e66f00; --green: #2ca02c; --red: #d62728; --purple: #9467bd;
  --brown: #8c564b; --pink: #e377c2; --grey: #7f7f7f; --olive: #a5a61c; --cyan: #17becf;`;

const DARK = `
  color-scheme: dark;
  --paper: #131518; --panel: #1a1d21; --ink: #e4e6ea; --soft: #a3a9b4; --line: #33383f; --faint: #22262b;
  --accent: #8cc0f0; --good: #6fd08f; --bad: #ff9a90; --fails: #eab765; --theory: #f2f2f2;
  --blue: #5aa9e6; --orange: #ff9d45; --green: #5cc25c; --red: #ff6f6f; --purple: #bb96e4;
  --brown: #c08d82; --pink: #f0a0d8; --grey: #a2a2a2; --olive: #d0d158; --cyan: #54d6e4;`;

export const PAGE_STYLE = `
:root {${LIGHT}
  --serif: Charter, 'Bitstream Charter', 'Iowan Old Style', 'Sitka Text', Cambria, Georgia, 'DejaVu Serif', serif;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif;
  --mono: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) { :root:not([data-theme='light']) {${DARK} } }
:root[data-theme='dark'] {${DARK} }

* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 var(--serif); font-variant-numeric: oldstyle-nums; overflow-wrap: break-word;
}
.page { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 74rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding: 2.5rem 0 1rem; }
h1, h2, h3, h4 { line-height: 1.2; font-weight: 600; text-wrap: balance; }
h1 { font-size: clamp(1.8rem, 5vw, 2.6rem); margin: 0 0 .75rem; letter-spacing: -.015em; }
h2 { font-size: 1.6rem; margin: 0 0 1rem; letter-spacing: -.01em; }
h3 { font-size: 1.25rem; margin: 0 0 .5rem; }
#claims h3 { margin-top: 2rem; }
h4 { font: 600 .9rem/1.4 var(--sans); margin: 1.5rem 0 .25rem; }
p { margin: 0 0 1rem; max-width: 42rem; }
.lede { font-size: 1.15rem; }
.soft, figcaption, caption { color: var(--soft); }
a { color: var(--accent); text-underline-offset: .15em; text-decoration-thickness: .06em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code { font: .85em var(--mono); overflow-wrap: anywhere; }
math { font-size: 1.05em; }
td math { font-size: 1.15em; }
section { margin: 0 0 3.5rem; }
section section { margin: 0 0 3rem; padding-top: 2rem; border-top: 1px solid var(--line); }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--panel); z-index: 2; }

nav, .theme, .controls, table, .facts, .settings, details, #sizes, footer, .chip, #tooltip, figcaption {
  font-family: var(--sans); font-variant-numeric: lining-nums tabular-nums;
}
nav { font-size: .9rem; }
nav ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
nav li:has(ol), nav ol ol { display: contents; }
nav a { display: inline-block; padding: .3rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
.theme { border: 0; margin: 1rem 0 0; padding: 0; font-size: .85rem; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.theme legend { float: left; margin-right: 1rem; padding: 0; color: var(--soft); line-height: 1.75rem; }
.theme label { display: inline-flex; align-items: center; gap: .35rem; min-height: 1.75rem; }
.side { padding-bottom: 2rem; }
@media (min-width: 68rem) {
  .page { grid-template-columns: 11.5rem minmax(0, 1fr); column-gap: 3rem; }
  header { grid-column: 2; padding-top: 4rem; }
  .side { position: sticky; top: 0; align-self: start; padding: 4.4rem 0 0; grid-row: 1 / span 2; grid-column: 1; }
  main, footer { grid-column: 2; }
  nav ol, nav ol ol, nav li:has(ol) { display: block; }
  nav li li { padding-left: .9rem; }
  .theme { display: block; margin-top: 1.5rem; }
  .theme legend { float: none; }
  .theme label { display: flex; }
}

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12.5rem), 1fr)); gap: 1px; margin: 0; background: var(--line); border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.facts div { background: var(--panel); padding: .8rem 1rem; }
.facts dt { font-size: .8rem; color: var(--soft); }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 600; letter-spacing: -.01em; }
.facts dd small { display: block; font-size: .8rem; font-weight: 400; letter-spacing: 0; color: var(--soft); line-height: 1.4; }

figure { margin: 1.25rem 0; padding: .9rem 1rem 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem 1.75rem; font-size: .85rem; margin-bottom: .5rem; }
.controls fieldset { border: 0; margin: 0; padding: 0; min-width: 0; display: flex; flex-wrap: wrap; align-items: center; gap: .15rem .35rem; }
.controls .switches { gap: .15rem 1rem; }
.controls label { display: inline-flex; align-items: center; gap: .4rem; min-height: 2rem; }
.controls button {
  display: inline-flex; align-items: center; gap: .45rem; min-height: 2rem; padding: 0 .6rem; cursor: pointer;
  font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 999px;
}
.controls button:hover { background: var(--faint); }
.controls button[aria-pressed='false'] { color: var(--soft); text-decoration: line-through; border-style: dashed; }
.controls button[aria-pressed='false'] svg { opacity: .3; }
.controls input, .theme input { width: 1rem; height: 1rem; margin: 0; accent-color: var(--accent); }
.controls svg { flex: none; }
.canvas { min-height: 250px; }
.canvas svg { display: block; max-width: 100%; height: auto; }
/* A picture is on paper, in the dark too. */
img.chart { display: block; max-width: 100%; max-height: 44rem; height: auto; background: #ffffff; border-radius: 3px; }
figcaption { font-size: .85rem; line-height: 1.5; margin-top: .5rem; max-width: 46rem; }

.scroll { overflow-x: auto; margin: 1rem 0; }
.scroll:focus-visible { outline-offset: 0; }
table { border-collapse: collapse; font-size: .85rem; line-height: 1.45; min-width: min(100%, 44rem); }
caption { position: sticky; left: 0; text-align: left; width: min(46rem, 100vw - 2rem); padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: baseline; padding: .4rem 1.1rem .4rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-weight: 500; color: var(--soft); border-bottom-color: var(--soft); vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: right; white-space: nowrap; }
th.number { white-space: normal; }
.swatch { display: inline-block; vertical-align: -.05em; margin-right: .45rem; }
.nowrap, #scalings td { white-space: nowrap; }

details { font-size: .9rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .35rem 0; color: var(--accent); }
details[open] > summary { margin-bottom: .25rem; }
.settings { display: grid; grid-template-columns: minmax(0, 1fr); margin: 0; font-size: .85rem; }
.settings div { display: grid; grid-template-columns: minmax(7rem, 11rem) minmax(0, 1fr); gap: 1rem; padding: .3rem 0; border-bottom: 1px solid var(--line); }
.settings dt { color: var(--soft); }
.settings dd { margin: 0; }
.chip { display: inline-block; font-size: .94em; font-weight: 600; white-space: nowrap; }
.chip.good { color: var(--good); }
.chip.fails { color: var(--fails); }
.claims small { display: block; max-width: 24rem; font-size: .95em; font-weight: 400; color: var(--soft); }
.checks tbody th { min-width: 11rem; }
sub, sup { line-height: 0; }
.claim { border-bottom: 1px solid var(--line); margin: 0; padding: .15rem 0; }
.claim summary { color: inherit; padding: .5rem 0; }
.claim summary b { font-weight: 600; margin: 0 .5rem; }
.claim[open] { padding-bottom: 1rem; }
.note { border-left: 3px solid var(--line); padding: .1rem 0 .1rem 1rem; margin: .75rem 0; }
.warning { border-left: 3px solid var(--bad); padding: .1rem 0 .1rem 1rem; margin: 1rem 0; font-family: var(--sans); font-size: .9rem; }

#sizes { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: end; margin: 1.25rem 0; font-size: .85rem; }
#sizes label { display: grid; gap: .2rem; }
#sizes input { width: 8rem; min-height: 2.25rem; padding: 0 .6rem; font: inherit; font-size: 1rem; color: inherit; background: var(--panel); border: 1px solid var(--soft); border-radius: 4px; }
#sizes input[aria-invalid='true'] { border-color: var(--bad); }
#sizes output { flex-basis: 100%; color: var(--bad); }
#sizes output:empty { display: none; }
.corrections { font: .85rem/1.5 var(--sans); color: var(--soft); padding-left: 1.2rem; margin: .25rem 0 0; max-width: 46rem; }

#tooltip {
  position: fixed; z-index: 3; pointer-events: none; margin: 0; padding: .5rem .7rem; max-width: min(20rem, 92vw);
  font-size: .8rem; line-height: 1.45; background: var(--panel); border: 1px solid var(--line); border-radius: 5px;
  box-shadow: 0 3px 14px rgb(0 0 0 / .18);
}
#tooltip[hidden] { display: none; }
#tooltip div { display: flex; justify-content: space-between; gap: 1.25rem; }
#tooltip dt { color: var(--soft); }
#tooltip dd { margin: 0; }
footer { padding: 1.5rem 0 3rem; border-top: 1px solid var(--line); font-size: .85rem; color: var(--soft); }

@media (max-width: 30rem) {
  body { font-size: 1rem; }
  .page { padding: 0 1rem; }
  header { padding-top: 1.75rem; }
  figure { margin-inline: -1rem; border-inline: 0; border-radius: 0; padding-inline: 1rem; }
  th, td { padding-right: .8rem; }
  .agreement { font-size: .75rem; }
  .agreement th, .agreement td { padding-right: .45rem; }
  .agreement th:last-child, .agreement td:last-child { padding-right: 0; }
  .error { display: block; color: var(--soft); }
  /* The claims below have their checks. */
  .claims th:last-child, .claims td:last-child { display: none; }
  .settings div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  #sizes input { width: 6.5rem; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root, :root:not([data-theme='light']), :root[data-theme='dark'] {${LIGHT} --paper: #ffffff; --faint: #ffffff; }
  @page { size: A4; margin: 15mm; }
  body { font-size: 10pt; line-height: 1.45; }
  .page { display: block; max-width: none; padding: 0; }
  header { padding: 0 0 .5rem; }
  h1 { font-size: 20pt; }
  h2 { font-size: 15pt; }
  h3 { font-size: 12pt; }
  p, .lede { max-width: none; margin-bottom: .6rem; }
  .lede { font-size: 11pt; }
  .side, .skip, .screen, #tooltip, .vega-bindings, details:not([open]), .controls .switches { display: none; }
  a { color: inherit; text-decoration: none; }
  .scroll { overflow: visible; margin: .5rem 0; }
  table { font-size: 8pt; min-width: 100%; }
  th, td { padding: .25rem .7rem .25rem 0; }
  caption { position: static; width: auto; }
  tr, .facts, section section { break-inside: avoid; }
  .claim, .checks { font-size: 7.5pt; line-height: 1.3; }
  .claim[open], .claim p, .note { padding-bottom: 0; margin-bottom: .2rem; }
  .claim summary, .checks th, .checks td { padding-block: .08rem; }
  .claim .scroll { margin: .2rem 0; }
  .claim summary, .claim p { break-after: avoid; }
  h2, h3, h4, caption, thead { break-after: avoid; }
  #scalings table { break-inside: avoid; }
  #claims { break-before: page; }
  section { margin-bottom: 1.5rem; }
  section section { margin: 0 0 1rem; padding-top: 1rem; display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); column-gap: 5mm; align-items: start; }
  section section > :not(figure, .scroll) { grid-column: 1 / -1; }
  figure { margin: 0; padding: .5rem; }
  .agreement { font-size: 7pt; line-height: 1.3; }
  .agreement th, .agreement td { padding: .15rem .4rem .15rem 0; }
  .facts dd { font-size: 12pt; }
  .error { display: block; color: var(--soft); }
  .controls { font-size: 7.5pt; gap: 0; }
  .controls button { border: 0; padding: 0 .5rem 0 0; min-height: 1.2rem; }
  .controls button[aria-pressed='false'] { display: none; }
  .canvas { min-height: 0; }
  .canvas svg { width: 100%; }
  figcaption { font-size: 7.5pt; }
}
`;
