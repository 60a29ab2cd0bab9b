import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { FIGURE_NAMES } from '../report/report.js';
import { Folder, testIn } from './program-under-test.js';

const RESULTS = fileURLToPath(new URL('../../results', import.meta.url));
const CLAIMS = fileURLToPath(new URL('../report/sample-claims.test.json', import.meta.url));

/** A folder with the results of the figures. */
class Results extends Folder {
  constructor() {
    super();
    for (const name of FIGURE_NAMES) {
      for (const file of ['table.csv', 'manifest.json'])
        cpSync(join(RESULTS, name, file), this.at(join('results', name, file)), { recursive: true });
    }
  }
}

const test = testIn(() => new Results());

test('report writes the page and says where it is', async ({ folder }) => {
  cpSync(CLAIMS, folder.at('results/claims.json'));
  expect(await folder.start('report')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^results\/report\.html: [\d.]+ MB/),
    stderr: '',
  });
  const again = await folder.call('report --file pages/one.html --quiet');
  expect(again).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(folder.read('pages/one.html')).toMatch(/^<!doctype html>/i);
});

test('claims of the program and a figure of other settings are told, one of other draws is not, and other experiments are in the page', async ({
  folder,
}) => {
  const edit = (name: string, change: (experiment: Record<string, unknown>) => object) => {
    const manifest = JSON.parse(folder.read(`results/${name}/manifest.json`));
    manifest.experiment = { ...manifest.experiment, ...change(manifest.experiment) };
    folder.write(`results/${name}/manifest.json`, manifest);
  };
  edit('figure-1a', ({ network }) => ({ network: { ...(network as object), width: 100 } }));
  edit('figure-1b', () => ({ draws: 3, seed: 7 }));
  for (const file of ['table.csv', 'manifest.json'])
    cpSync(join(RESULTS, 'conjecture', file), folder.at(`results/conjecture/${file}`), { recursive: true });
  expect(await folder.call('report')).toMatchObject({
    code: 0,
    stderr:
      "results/figure-1a is of other settings than the paper's; its values are left out\n" +
      'results/conjecture is not drawn; feature-speed plot conjecture does it\n' +
      'the claims are those that come with the program; feature-speed verify --record writes results/claims.json\n',
  });
  expect(folder.read('results/report.html')).toContain('id="experiment-conjecture"');
  expect(folder.read('results/report.html')).toContain('thm-2.1');
});

test.for([
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
] as const)(
  '%s is the mistake of whoever calls, and no page is written',
  async ([, file, content, message], { folder }) => {
    if (content === null) rmSync(folder.at(`results/${file}`));
    else folder.write(`results/${file}`, content);
    const { code, stdout, stderr } = await folder.call('report');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(existsSync(folder.at('results/report.html'))).toBe(false);
  },
);
