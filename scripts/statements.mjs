// The statements of the paper and the claims that check them, as Markdown: node scripts/statements.mjs [--results DIR]
//
// One table of all claims in the order of the paper, with the verdicts that DIR/claims.json (default: results) records, and one
// of what is left out, with the reason. From the built program.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CLAIMS } from '../dist/claims/claims.js';
import { LEFT_OUT } from '../dist/claims/left-out.js';
import { readVerdicts } from '../dist/claims/record.js';

const { values } = parseArgs({ options: { results: { type: 'string' } } });
const path = join(values.results ?? fileURLToPath(new URL('../results', import.meta.url)), 'claims.json');
const recorded = new Map(
  readVerdicts(readFileSync(path, 'utf8')).map((verdict) => [verdict.id, verdict.verdict]),
);

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (columns, rows) =>
  [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |\n`).join('');

const verdicts = CLAIMS.map(({ id }) => recorded.get(id) ?? 'not recorded');
const count = (verdict) => verdicts.filter((each) => each === verdict).length;

process.stdout.write(`## Statements that are measured

${CLAIMS.length} claims: ${count('holds')} hold, ${count('fails')} fail${count('not recorded') > 0 ? `, ${count('not recorded')} are not recorded` : ''}.

${table(
  ['in the paper', 'statement', 'claim', 'verdict'],
  CLAIMS.map(({ id, where, statement, note }, i) => [
    where,
    verdicts[i] === 'fails' ? `${statement}. *${note}*` : statement,
    `\`${id}\``,
    verdicts[i],
  ]),
)}
## Statements that are left out

${table(
  ['in the paper', 'statement', 'why'],
  LEFT_OUT.map(({ where, statement, why }) => [where, statement, why]),
)}`);
