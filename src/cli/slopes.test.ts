import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Folder } from './program-under-test.js';

const CONFIG = {
  network: { depth: 4 },
  scaling: 'NTK',
  sweep: { width: [16, 32, 64] },
  draws: 16,
  step: { kind: 'velocity' },
  record: { layers: 'output', quantities: ['backward_rms', 'loss'] },
};
const SLOPES = [{ quantity: 'backward_rms', axis: 'width', expected: { NTK: -0.5 }, margin: 2 }];

let folder: Folder;
const at = (path: string) => folder.at(path);
const read = (path: string) => folder.read(path);
const call = async (words: string) => {
  const { code, stdout, stderr } = await folder.call(words);
  expect(code, stderr).toBe(0);
  return stdout;
};

beforeAll(() => {
  folder = new Folder();
  folder.write('c.json', { ...CONFIG, slopes: SLOPES });
});
afterAll(() => folder.remove());

describe('an experiment with slopes', () => {
  let said: string;
  beforeAll(async () => {
    said = await call('run c.json');
  });

  test('has them in slopes.csv and on the terminal', async () => {
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

  test('has them in --json', async () => {
    const { experiments } = JSON.parse(await call('run c.json --json --out json'));
    expect(experiments[0].slopes).toEqual([
      expect.objectContaining({ scaling: 'NTK', quantity: 'backward_rms', verdict: 'holds' }),
    ]);
  });

  test('has the digest and the numbers of one without them, and runs again from its manifest', async () => {
    folder.write('c.json', CONFIG);
    await call('run c.json --out without');
    folder.write('c.json', { ...CONFIG, slopes: SLOPES });
    const digest = (path: string) => JSON.parse(read(path)).digest;
    expect(digest('without/c/manifest.json')).toBe(digest('results/c/manifest.json'));
    expect(read('without/c/table.csv')).toBe(read('results/c/table.csv'));
    expect(existsSync(at('without/c/slopes.csv'))).toBe(false);
    expect(await call('run --from results/c')).toMatch(/same, 48 cells, 48 rows$/m);
    expect(await call('diff without results --json')).toContain('c');
  });

  test('has none in its shards, and those of one run after a merge', async () => {
    for (const i of ['1', '2']) await call(`run c.json --shard ${i}/2 --out ${i}`);
    expect([1, 2].some((i) => existsSync(at(`${i}/c/slopes.csv`)))).toBe(false);
    expect(await call('merge 1/c 2/c --out merged')).toMatch(/│ holds +│$/m);
    expect(read('merged/c/slopes.csv')).toBe(read('results/c/slopes.csv'));
  });

  test('loses those of an earlier run when it asks for none', async () => {
    folder.write('d.json', { ...CONFIG, slopes: SLOPES });
    await call('run d.json');
    expect(existsSync(at('results/d/slopes.csv'))).toBe(true);
    folder.write('d.json', CONFIG);
    expect(await call('run d.json')).toMatch(/^d: reproduced, byte for byte; manifest\.json written anew\n$/);
    expect(existsSync(at('results/d/slopes.csv'))).toBe(false);
  });
});

test('a slope along an axis that is not swept is refused', async () => {
  folder.write('e.json', { ...CONFIG, slopes: [{ quantity: 'loss', axis: 'depth' }] });
  const { code, stderr } = await folder.call('run e.json');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^e\.json:\d+:\d+ slopes\[0\]\.axis: expected an axis of two values or more, .*\n$/);
});
