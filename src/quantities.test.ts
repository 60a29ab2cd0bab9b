import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { QUANTITIES } from './quantities.js';

test('the table of the README is the glossary', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = Object.entries(QUANTITIES).map(([name, { symbol, unit, meaning, equation }]) => {
    const cells = [symbol, unit, meaning, equation].map((text) => text.replaceAll('|', '\\|'));
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  const start = readme.indexOf(rows[0]!.slice(0, 12));
  expect(readme.slice(start, start + rows.join('\n').length)).toBe(rows.join('\n'));
});
