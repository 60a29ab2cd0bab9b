import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const CONFIG = {
  network: { depth: 4 },
  scaling: 'NTK',
  sweep: { width: [16, 32, 64] },
  draws: 4,
  step: { kind: 'velocity' },
  record: { layers: 'output', quantities: ['backward_rms', 'loss'] },
};
const SLOPES = [{ quantity: 'backward_rms', axis: 'width', expected: { NTK: -0.5 }, margin: 2 }];

let folder: string;
const at = (path: string) => join(folder, path);
const read = (path: string) => readFileSync(at(path), 'utf8');
const call = (...words: string[]) =>
  execFileSync(process.execPath, [PROGRAM, ...words], { cwd: folder, encoding: 'utf8' });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  writeFileSync(at('c.json'), JSON.stringify({ ...CONFIG, slopes: SLOPES }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('an experiment with slopes', () => {
  let said: string;
  beforeAll(() => {
    said = call('run', 'c.json');
  });

  test('has them in slopes.csv and on the terminal', () => {
    const [header, row, ...rest] = read('results/c/slopes.csv').split('\n');
    expect(header).toBe(
      'experiment,architecture,activation,depth,width,branch_scale,scaling,step_number,quantity,axis,slope,low,high,expected,margin,verdict',
    );
    expect(row).toMatch(
      /^c,resnet,relu,4,,1,NTK,1,backward_rms,width,-[\d.]+,-?[\d.]+,-?[\d.]+,-0\.5,2,holds$/,
    );
    expect(rest).toEqual(['']);
    expect(said).toMatch(
      /^│ backward_rms │ width │ NTK +│ relu resnet, beta = 1 │ -\d\.\d\d │ -0\.5 \+- 2 │ holds +│$/m,
    );
  });

  test('has them in --json', () => {
    const { experiments } = JSON.parse(call('run', 'c.json', '--json', '--out', 'json'));
    expect(experiments[0].slopes).toEqual([
      expect.objectContaining({ scaling: 'NTK', quantity: 'backward_rms', verdict: 'holds' }),
    ]);
  });

  test('has the digest and the numbers of one without them, and runs again from its manifest', () => {
    writeFileSync(at('c.json'), JSON.stringify(CONFIG));
    call('run', 'c.json', '--out', 'without');
    writeFileSync(at('c.json'), JSON.stringify({ ...CONFIG, slopes: SLOPES }));
    const digest = (path: string) => JSON.parse(read(path)).digest;
    expect(digest('without/c/manifest.json')).toBe(digest('results/c/manifest.json'));
    expect(read('without/c/table.csv')).toBe(read('results/c/table.csv'));
    expect(existsSync(at('without/c/slopes.csv'))).toBe(false);
    expect(call('run', '--from', 'results/c')).toMatch(/same, 12 cells, 12 rows$/m);
    expect(call('diff', 'without', 'results', '--json')).toContain('c');
  });

  test('has none in its shards, and those of one run after a merge', () => {
    for (const i of ['1', '2']) call('run', 'c.json', '--shard', `${i}/2`, '--out', i);
    expect([1, 2].some((i) => existsSync(at(`${i}/c/slopes.csv`)))).toBe(false);
    expect(call('merge', '1/c', '2/c', '--out', 'merged')).toMatch(/│ holds +│$/m);
    expect(read('merged/c/slopes.csv')).toBe(read('results/c/slopes.csv'));
  });

  test('loses those of an earlier run when it asks for none', () => {
    writeFileSync(at('d.json'), JSON.stringify({ ...CONFIG, slopes: SLOPES }));
    call('run', 'd.json');
    expect(existsSync(at('results/d/slopes.csv'))).toBe(true);
    writeFileSync(at('d.json'), JSON.stringify(CONFIG));
    expect(call('run', 'd.json')).toMatch(/^d: reproduced, byte for byte; manifest\.json written anew\n$/);
    expect(existsSync(at('results/d/slopes.csv'))).toBe(false);
  });
});

test('a slope along an axis that is not swept is refused', () => {
  writeFileSync(at('e.json'), JSON.stringify({ ...CONFIG, slopes: [{ quantity: 'loss', axis: 'depth' }] }));
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'run', 'e.json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^e\.json:1:\d+ slopes\[0\]\.axis: expected an axis of two values or more, .*\n$/);
});
