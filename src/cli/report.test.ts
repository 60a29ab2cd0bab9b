import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FIGURE_NAMES } from '../report/report.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const RESULTS = fileURLToPath(new URL('../../results', import.meta.url));
const CLAIMS = fileURLToPath(new URL('../report/sample-claims.test.json', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-report-'));
  for (const name of FIGURE_NAMES) {
    for (const file of ['table.csv', 'manifest.json'])
      cpSync(join(RESULTS, name, file), join(folder, 'results', name, file), { recursive: true });
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

const report = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'report', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

test('report writes the page and says where it is', () => {
  cpSync(CLAIMS, join(folder, 'results/claims.json'));
  expect(report()).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^results\/report\.html: [\d.]+ MB/),
    stderr: '',
  });
  expect(report('--file', 'pages/one.html', '--quiet')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(readFileSync(join(folder, 'pages/one.html'), 'utf8')).toBe(
    readFileSync(join(folder, 'results/report.html'), 'utf8'),
  );
});

test('without claims the page is made, and it is said what writes them', () => {
  expect(report()).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('results/claims.json: no such file; the page is without claims'),
  });
});

test.each([
  ['a table that is missing', 'figure-1c/table.csv', null, 'figure-1c/table.csv: no such file'],
  [
    'a table that is none',
    'figure-1c/table.csv',
    'layer,bfa_rad\n1\n',
    'results/figure-1c/table.csv: line 1: expected a column',
  ],
  ['a manifest that is none', 'figure-2a/manifest.json', '{}', 'results/figure-2a/manifest.json: '],
  ['claims that are no JSON', 'claims.json', '{"claims": [', 'results/claims.json: not JSON'],
  ['claims of another form', 'claims.json', '{"claims": [{"id": 1}]}', 'claims.0.id: '],
])('%s is the mistake of whoever calls, and no page is written', (_, file, content, message) => {
  const path = join(folder, 'results', file);
  if (content === null) rmSync(path);
  else writeFileSync(path, content);
  const { status, stdout, stderr } = report();
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(existsSync(join(folder, 'results/report.html'))).toBe(false);
});
