import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { callHere, Folder } from '../program-under-test.js';

const CONFIG = {
  network: { width: 30 },
  scaling: {
    name: 'He',
    sigmaInput: '1/sqrt(d)',
    sigmaHidden: 'sqrt(2/m)',
    sigmaOutput: '1/m',
    learningRate: 'scale-invariant',
  },
  sweep: { depth: [12], branchScale: [1] },
  draws: 20,
  record: { quantities: ['bfa_rad', 'sensitivity', 'feature_rms', 'loss'] },
};
/** A ReLU of slope 0.9 is one of slope 1 behind weights of 0.9 times the scale. */
const PLANTED = { ...CONFIG, scaling: { ...CONFIG.scaling, sigmaHidden: '0.9*sqrt(2/m)' } };

let folder: Folder;
const at = (path: string) => folder.at(path);
const read = (path: string) => folder.read(path);
const call = (...words: string[]) => folder.call(...words);

/** Changes one value of a table. */
function edit(path: string, row: number, column: string, change: (value: number) => number | string): void {
  const lines = read(path)
    .split('\n')
    .map((line) => line.split(','));
  const j = lines[0]!.indexOf(column);
  lines[row]![j] = String(change(Number(lines[row]![j])));
  writeFileSync(at(path), lines.map((line) => line.join()).join('\n'));
}

/** Takes out of a manifest what it vouches for, as those of before are: the table may be another then. */
function unvouch(path: string): void {
  const { sha256, ...rest } = JSON.parse(read(path));
  writeFileSync(at(path), JSON.stringify(rest));
}

/** A repository with results at HEAD~1, nothing new at HEAD; another seed, more draws and a planted bug beside. */
beforeAll(async () => {
  folder = new Folder();
  folder.write('small.json', CONFIG);
  folder.write('planted/small.json', PLANTED);
  for (const words of [
    'small.json',
    'small.json --set seed=2 --out seed',
    'small.json --set draws=25 --out more',
    'planted/small.json --set seed=2 --out bug',
  ]) {
    expect(await call(`run ${words}`)).toMatchObject({ code: 0 });
  }
  // Among results there are files too.
  writeFileSync(at('results/README.md'), 'Results\n');
  folder.git('init', '-q');
  folder.git('add', 'results');
  folder.git('commit', '-q', '-m', 'results');
  folder.git('tag', 'v1');
  folder.git('commit', '-q', '--allow-empty', '-m', 'nothing');
  cpSync(at('results'), at('edited'), { recursive: true });
  unvouch('edited/small/manifest.json');
  edit('edited/small/table.csv', 100, 'loss', (value) => value + 1e-3);
});

afterAll(() => folder.remove());

describe('exit code and verdict', () => {
  test.each([
    [['HEAD', 'results'], 0, 'small: same: 220 rows'],
    [[], 0, 'small: same: 220 rows'],
    [['v1'], 0, 'v1 ('],
    [['HEAD~1', 'results/small'], 0, 'small: same'],
    [['results', 'seed'], 0, 'small: same law: smallest p = '],
    [['results', 'more'], 0, 'draws 20 -> 25'],
    [['results', 'bug'], 1, 'small: different law: smallest p = '],
    [['HEAD', 'edited'], 1, 'small: different: 1 of 220 rows changed, 0 added, 0 removed'],
    [['HEAD', 'edited', '--atol', '2e-3'], 0, 'small: same'],
    [['results/small', 'edited/small/table.csv', '--atol', '2e-3'], 0, 'small: same'],
    [['results', 'seed', '--compare', 'rows'], 1, '220 of 220 rows changed'],
  ] as const)('of diff %s are %d and "%s"', async (words, code, line) => {
    const outcome = await call('diff', ...words);
    expect(outcome).toMatchObject({ code, stderr: '' });
    expect(outcome.stdout).toContain(line);
  });

  test('of --quiet are the code alone', async () => {
    expect(await call('diff', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await call('diff', 'HEAD', 'edited', '--quiet')).toEqual({ code: 1, stdout: '', stderr: '' });
  });
});

test('all that is wrong with a command line is told at once', async () => {
  const words = ['nowhere', 'results', '--atol', 'x', '--rtol', '-1', '--plot', 'a.gif'];
  expect(await call('diff', ...words)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^--atol x: expected a number >= 0\n--rtol -1: expected a number >= 0\n--plot a.gif: expected .*\nnowhere: expected .*\n$/,
    ),
  });
  expect((await call('diff', '--quantity', 'loss')).stderr).toMatch(/^--quantity loss: expected --plot/);
});

describe('the report', () => {
  test('names the quantity, the change and the cell, without colours off a terminal', async () => {
    const { stdout } = await call('diff', 'HEAD', 'edited');
    expect(stdout).toMatch(
      /small +\u2502 loss +\u2502 1 of 220 rows +\u2502 [\d.]+ -> [\d.]+ +\u2502 draw 9, layer 1 /,
    );
    expect(stdout).not.toContain('\u001b');
  });

  test('as JSON has the whole cell', async () => {
    const report = JSON.parse((await call('diff', 'HEAD', 'edited', '--json')).stdout);
    expect(report).toMatchObject({
      after: 'edited',
      same: false,
      experiments: [{ name: 'small', verdict: 'different' }],
    });
    const { largest } = report.experiments[0].rows.quantities.find(
      (each: { changed: number }) => each.changed > 0,
    );
    expect(largest.cell).toMatchObject({ depth: 12, width: 30, draw: 9, layer: 1, branch_scale: 1 });
    expect(largest.after - largest.before).toBeCloseTo(1e-3, 12);
  });

  test('as markdown is a table that no name breaks', async () => {
    const { stdout } = await call('diff', 'HEAD', 'edited', '--markdown');
    expect(stdout).toMatch(/^### Results: 1 of 1 experiments differ\n/);
    expect(stdout).toContain('| small | **different** |');
    cpSync(at('edited'), at('strange'), { recursive: true });
    const text = read('strange/small/table.csv').replaceAll(/^small/gm, 'a|b<c>\u001b');
    writeFileSync(at('strange/small/table.csv'), text);
    const strange = await call('diff', 'HEAD', 'strange', '--markdown');
    expect(strange).toMatchObject({ code: 1, stderr: '' });
    expect(strange.stdout).toContain('| a\\|b&lt;c\\>  | **added** |');
  });

  test('names what was added and removed', async () => {
    cpSync(at('results/small'), at('others/other'), { recursive: true });
    const table = read('others/other/table.csv').replaceAll(/^small/gm, 'other');
    writeFileSync(at('others/other/table.csv'), table);
    const { code, stdout } = await call('diff', 'HEAD', 'others');
    expect({ code, stdout }).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('other: added: 220 rows'),
    });
    expect(stdout).toContain('small: removed: 220 rows');
    const only = await call('diff', 'HEAD', 'others', '--experiment', 'nothing');
    expect(only).toMatchObject({ code: 2, stderr: expect.stringContaining('found none in either') });
  });

  test('warns of a table that has fewer rows than its manifest says', async () => {
    cpSync(at('results'), at('short'), { recursive: true });
    writeFileSync(
      at('short/small/table.csv'),
      read('short/small/table.csv').split('\n').slice(0, 200).join('\n').concat('\n'),
    );
    expect(await call('diff', 'HEAD', 'short')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('0 of 199 rows changed, 0 added, 21 removed'),
      stderr: expect.stringMatching(
        /^short\/small\/table\.csv has not the bytes that its manifest vouches for.*\n$/,
      ),
    });
    unvouch('short/small/manifest.json');
    expect((await call('diff', 'HEAD', 'short')).stderr).toContain(
      '199 rows, where its manifest has 220; cut off or edited',
    );
  });
});

test('--plot draws both and the difference, in the format of the name', async () => {
  expect(await call('diff', 'results', 'bug', '--plot', 'diff.svg', '--quiet')).toMatchObject({
    code: 1,
    stderr: '',
  });
  const svg = read('diff.svg');
  expect(svg).toMatch(/^<svg/);
  expect(svg).toContain('after - before');
  expect(svg).toContain('layer v');
  await call('diff', 'results', 'bug', '--plot', 'diff.png', '--quantity', 'loss', '--quiet');
  expect(readFileSync(at('diff.png')).subarray(1, 4).toString()).toBe('PNG');
});

describe('misuse is exit code 2 and a sentence', () => {
  test.each([
    [
      ['nope'],
      'nope: expected a results folder, a CSV file or a git revision; there is no such file, and git knows',
    ],
    [['HEAD~9'], 'HEAD~9: expected a results folder'],
    [['HEAD', 'nope'], 'nope: expected'],
    [['HEAD', '.git'], '.git: expected a folder with NAME/table.csv'],
    [['HEAD', '--out', '..'], '..: expected a folder with NAME/table.csv'],
    [['HEAD', 'results', '--out', '../x'], 'expected a folder of the repository, got one outside of it'],
    [['small.json', 'results'], 'small.json: line 1: expected the header of a table'],
    [['HEAD', 'results', '--plot', 'x.pdf'], '--plot x.pdf: expected a file name that ends in .svg'],
    [
      ['HEAD', 'results', '--plot', 'x.svg', '--quantity', 'x'],
      '--quantity x: expected a quantity that small has',
    ],
    [['HEAD', 'results', '--plot', 'no/x.svg'], 'no such file or directory'],
    [['--rtol', '-1'], 'expected a number >= 0'],
    [['--json', '--markdown'], 'cannot be used with'],
    [['a', 'b', 'c'], 'too many arguments'],
  ])('diff %s', async (words, message) => {
    const outcome = await call('diff', ...words);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).not.toContain('bug of feature-speed');
  });

  test('every file that cannot be read is named, with line and column', async () => {
    for (const name of ['one', 'two', 'three'])
      cpSync(at('results/small'), at(`bad/${name}`), { recursive: true });
    edit('bad/one/table.csv', 7, 'loss', () => 'NaN');
    writeFileSync(at('bad/two/manifest.json'), '{ "name": "two", }');
    copyFileSync(process.execPath, at('bad/three/manifest.json'));
    const { code, stderr } = await call('diff', 'HEAD', 'bad');
    expect(code).toBe(2);
    expect(stderr).toContain('bad/one/table.csv: line 8, column loss: expected a number, got "NaN"');
    expect(stderr).toContain('bad/two/manifest.json: line 1, column ');
    expect(stderr).toContain('bad/three/manifest.json: ');
  });

  test('outside of a repository, revisions are no use, and folders are', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'feature-speed-'));
    try {
      vi.stubEnv('GIT_CEILING_DIRECTORIES', tmpdir());
      const from = (...words: string[]) => callHere(elsewhere, 'diff', ...words);
      expect(await from('HEAD', at('results'))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('not a git repository'),
      });
      expect(await from(at('results'), at('results'))).toMatchObject({ code: 0, stderr: '' });
    } finally {
      vi.unstubAllEnvs();
      rmSync(elsewhere, { recursive: true });
    }
  });
});

test('the script that counts false alarms asks for quantities that its experiments have', async () => {
  const script = fileURLToPath(new URL('../../../scripts/diff-false-alarms.mjs', import.meta.url));
  const lines = execFileSync(process.execPath, [script, '1'], { encoding: 'utf8' }).trim().split('\n');
  expect(lines).toHaveLength(6);
  for (const line of lines) expect(line).toContain('planted bug found 100.0 %');
});
