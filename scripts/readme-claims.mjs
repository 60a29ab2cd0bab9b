/**
 * Writes the table of claims in README.md from results/claims.json, so that no number of it is written by hand.
 *
 *     node scripts/readme-claims.mjs        after `feature-speed verify --record`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { claims } = JSON.parse(readFileSync(at('results/claims.json'), 'utf8'));
const brief = (value) => String(Number(value.toPrecision(3)));
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The check that a verdict hangs on: the first that fails, or the first. */
const decisive = (checks) => checks.find(({ holds }) => !holds) ?? checks[0];

const rows = claims.map(({ id, title, where, verdict, checks }) => {
  const { what, measured, low, high, expected } = decisive(checks);
  const interval = low === null ? '' : ` [${brief(low)}, ${brief(high)}]`;
  const count =
    checks.length > 1 ? `, ${checks.filter(({ holds }) => holds).length} of ${checks.length} checks` : '';
  const said = cell(`${what}: ${brief(measured)}${interval}, expected ${expected}`);
  return `| \`${id}\` | ${cell(title)} (${cell(where)}) | ${said} | ${verdict}${count} |`;
});
const HEAD = /(\| claim \| says \(where\) .*\n\|---.*\n)(?:\| .*\n)*/;
const readme = readFileSync(at('README.md'), 'utf8');
writeFileSync(
  at('README.md'),
  readme.replace(HEAD, (_, head) => `${head}${rows.join('\n')}\n`),
);
