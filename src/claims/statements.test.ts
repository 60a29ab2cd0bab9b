import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CLAIMS } from './claims.js';
import { LEFT_OUT } from './left-out.js';
import { verdictsText } from './record.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/statements.mjs', import.meta.url));

const statements = (...words: string[]) =>
  execFileSync(process.execPath, [SCRIPT, ...words], { encoding: 'utf8', stdio: 'pipe' });

/** Cells of the rows of the tables, headings left out. */
const rowsOf = (markdown: string) =>
  Array.from(markdown.matchAll(/^\| (.*) \|$/gm), ([, row]) =>
    row!.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  ).filter(([first]) => first !== 'in the paper' && first !== '---');

test('every claim says where the paper has its statement', () => {
  for (const { id, where, statement } of CLAIMS) {
    expect([id, where, statement]).toEqual([id, expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
  }
});

/** The words of a statement, each once. */
const wordsOf = (text: string) => new Set(text.toLowerCase().match(/[\w'^~]+/g));

test('no statement that is left out has a claim', () => {
  for (const { where, statement } of LEFT_OUT) {
    for (const claim of CLAIMS) {
      const [left, claimed] = [wordsOf(statement), wordsOf(claim.statement)];
      const shared = [...left].filter((word) => claimed.has(word)).length;
      const isSame = shared / Math.min(left.size, claimed.size) > 0.8;
      expect([where, statement, claim.id, isSame]).toEqual([where, statement, claim.id, false]);
    }
  }
});

test('what is left out says why, and names claims that exist', () => {
  const ids: readonly string[] = CLAIMS.map(({ id }) => id);
  for (const { where, statement, why } of LEFT_OUT) {
    expect([where, statement, why]).toEqual(Array(3).fill(expect.stringMatching(/\w/)));
    for (const [, id] of why.matchAll(/`([^`]+)`/g)) expect(ids).toContain(id);
  }
});

test('the script prints every claim in order with its recorded verdict, and what is left out', () => {
  const rows = rowsOf(statements());
  expect(rows).toHaveLength(CLAIMS.length + LEFT_OUT.length);
  expect(rows.slice(0, CLAIMS.length).map(([, , id]) => id)).toEqual(CLAIMS.map(({ id }) => `\`${id}\``));
  expect(new Set(rows.slice(0, CLAIMS.length).map(([, , , verdict]) => verdict))).toEqual(
    new Set(['holds', 'fails']),
  );
  expect(rows.slice(CLAIMS.length).map(([where]) => where)).toEqual(LEFT_OUT.map(({ where }) => where));
});

test('the script says what is not recorded', () => {
  const results = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  const { id, title, where, statement } = CLAIMS[1]!;
  const verdict = { id, title, where, statement, verdict: 'holds' as const, note: null, checks: [] };
  writeFileSync(join(results, 'claims.json'), verdictsText([verdict]));
  try {
    const rows = rowsOf(statements('--results', results));
    expect(rows.slice(0, 2).map(([, , , verdict]) => verdict)).toEqual(['not recorded', 'holds']);
  } finally {
    rmSync(results, { recursive: true });
  }
});
