import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { Manifest } from '../results/manifest.js';
import { Folder, testIn } from './program-under-test.js';

const CONFIG = {
  title: 'A title',
  network: { depth: 5 },
  scaling: 'MF+muP',
  sweep: { width: [8, 16] },
  draws: 2,
  record: { layers: 'output', quantities: ['bfa_rad', 'loss'] },
};
const SPEC = {
  data: { name: 'table' },
  mark: 'point',
  encoding: { x: { field: 'width', type: 'quantitative' }, y: { field: 'loss', type: 'quantitative' } },
};

/** A folder with c.json in it. */
class Results extends Folder {
  constructor() {
    super();
    this.write('c.json', CONFIG);
    this.write('configs/c.vl.json', SPEC);
  }

  override manifest(path = 'results/c'): Manifest {
    return super.manifest(path);
  }

  /** All files of the results with their bytes and times of writing. */
  state(path = 'results/c'): Record<string, string> {
    const entries = this.list(path).map((name) => {
      const { mtimeNs } = statSync(this.at(`${path}/${name}`), { bigint: true });
      const digest = createHash('sha256').update(this.read(`${path}/${name}`));
      return [name, `${mtimeNs} ${digest.digest('hex')}`];
    });
    return Object.fromEntries(entries);
  }

  /** Changes the loss of the first row, by 2^-20. */
  edit(path = 'results/c/table.csv'): void {
    const [header, first, ...rest] = this.read(path).split('\n');
    const values = first!.split(',');
    values.push(String(Number(values.pop()) + 2 ** -20));
    this.write(path, [header, values.join(), ...rest].join('\n'));
  }
}

const test = testIn(() => new Results());

const REPRODUCED = { code: 0, stdout: 'c: reproduced, byte for byte\n', stderr: '' };

describe('the same experiment, measured again where its result stands,', () => {
  test('is reproduced byte for byte, and no file is touched', async ({ folder }) => {
    expect((await folder.call('run c.json')).stdout).toMatch(/^c: 4 cells, 4 rows, .* -> results\/c\n$/);
    const { sha256 } = folder.manifest();
    expect(sha256).toEqual({
      'table.csv': createHash('sha256').update(folder.read('results/c/table.csv')).digest('hex'),
    });
    const before = folder.state();
    expect(await folder.call('run c.json --workers 1')).toEqual(REPRODUCED);
    expect(await folder.call('run c.json --fresh')).toEqual(REPRODUCED);
    expect(folder.state()).toEqual(before);
    const { stdout } = await folder.call('run c.json --json');
    expect(JSON.parse(stdout).experiments[0]).toMatchObject({
      outcome: 'reproduced',
      note: 'reproduced, byte for byte',
    });
    expect(folder.state()).toEqual(before);
  });

  test('leaves a clean working tree clean, its chart drawn again', async ({ folder }) => {
    await folder.call('run c.json');
    await folder.call('plot c');
    folder.commit();
    expect(await folder.call('run c.json')).toEqual(REPRODUCED);
    expect((await folder.call('plot c')).code).toBe(0);
    expect(folder.git('status', '--porcelain')).toBe('');
  });

  test('tells in one line what moved, and that the chart is of before', async ({ folder }) => {
    await folder.call('run c.json');
    const whole = folder.read('results/c/table.csv');
    folder.edit();
    await folder.call('plot c');
    const before = folder.manifest();
    expect(await folder.call('run c.json')).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^c: 4 cells, .*\nc: 1 of 4 rows moved, the largest change is 9\.5e-7 in loss; written over a table that was edited after its run\n$/,
      ),
      stderr: 'results/c/chart.svg shows the table before; feature-speed plot c draws it again\n',
    });
    expect(folder.read('results/c/table.csv')).toBe(whole);
    // It says what it said before, so that it is not written.
    expect(folder.manifest()).toEqual(before);
  });

  test('says what was added when the result was a shard of it', async ({ folder }) => {
    await folder.call('run c.json --shard 1/2');
    const { rows } = folder.manifest().counts;
    expect((await folder.call('run c.json')).stdout).toMatch(
      new RegExp(`\nc: ${4 - rows} rows added; written\n$`),
    );
    expect(folder.manifest()).toMatchObject({ shard: null, counts: { cells: 4, rows: 4 } });
  });

  test('mends what a kill between the renames has parted, and a manifest of before', async ({ folder }) => {
    await folder.call('run c.json');
    const { sha256, ...old } = folder.manifest();
    const table = folder.read('results/c/table.csv');
    const mended = { ...REPRODUCED, stdout: 'c: reproduced, byte for byte; manifest.json written anew\n' };
    const parted = { ...old, digest: '0', sha256: { 'table.csv': '0' }, experiment: {} };
    for (const manifest of [undefined, '', JSON.stringify(parted), JSON.stringify(old)]) {
      if (manifest === undefined) rmSync(folder.at('results/c/manifest.json'));
      else folder.write('results/c/manifest.json', manifest);
      mkdirSync(folder.at('results/c/.partial'));
      expect(await folder.call('run c.json')).toEqual(mended);
      expect(folder.manifest()).toMatchObject({ digest: old.digest, sha256 });
      expect(folder.read('results/c/table.csv')).toBe(table);
    }
  });

  test('writes the manifest alone where another title is all that is new', async ({ folder }) => {
    await folder.call('run c.json');
    const before = folder.state();
    const { stdout } = await folder.call('run c.json --set title="Another" --fresh');
    expect(stdout).toBe('c: reproduced, byte for byte; manifest.json written anew\n');
    expect(folder.state()['table.csv']).toBe(before['table.csv']);
    expect(folder.manifest().title).toBe('Another');
  });

  test('writes slopes with the table, and leaves none that are not asked for', async ({ folder }) => {
    const slopes = [{ quantity: 'loss', axis: 'width' }];
    folder.write('c.json', { ...CONFIG, sweep: { width: [8, 16, 32] }, draws: 3, slopes });
    await folder.call('run c.json');
    expect(Object.keys(folder.manifest().sha256!)).toEqual(['table.csv', 'slopes.csv']);
    expect((await folder.call('run c.json')).stdout).toMatch(/^c: reproduced, byte for byte\n/);
    rmSync(folder.at('results/c/slopes.csv'));
    expect((await folder.call('run c.json')).stdout).toMatch(
      /^c: reproduced, byte for byte; slopes\.csv written anew\n/,
    );
    folder.write('c.json', { ...CONFIG, sweep: { width: [8, 16, 32] }, draws: 3 });
    expect((await folder.call('run c.json --fresh')).stdout).toBe(
      'c: reproduced, byte for byte; manifest.json written anew\n',
    );
    expect(folder.list('results/c')).toEqual(['manifest.json', 'table.csv']);
  });
});

describe('another result takes the place of a finished one', () => {
  test.for([
    ['other settings', '', '--set draws=3', 'draws 2 -> 3'],
    [
      'several',
      '',
      '--set draws=3 --set seed=5 --set sweep.width=[8]',
      /width \[8,16\] -> \[8\], draws 2 -> 3, seed \d+ -> 5/,
    ],
    ['other weights', '', '--weights dense', 'weights auto -> dense'],
    ['another backend', '--backend wasm', '--backend cpu', 'backend wasm -> cpu'],
    ['a shard', '', '--shard 1/2', 'all cells -> shard 1/2'],
    ['another shard', '--shard 1/2', '--shard 2/2', 'shard 1/2 -> shard 2/2'],
  ] as const)('only where git has it: %s', async ([, first, second, what], { folder }) => {
    await folder.call(`run c.json ${first}`.trim());
    const before = folder.state();
    const refused = await folder.call(`run c.json ${second}`);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    const said = typeof what === 'string' ? what.replaceAll(/[[\]]/g, '\\$&') : what.source;
    expect(refused.stderr).toMatch(
      new RegExp(
        `^results/c/table\\.csv: holds another result \\(${said}\\), and git does not have it; --fresh replaces it, or choose another --out\n$`,
      ),
    );
    expect(folder.state()).toEqual(before);

    folder.commit();
    const replaced = await folder.call(`run c.json ${second}`);
    expect(replaced).toMatchObject({ code: 0, stderr: '' });
    // Of so small networks two backends have the same numbers.
    const isSame = replaced.stdout === 'c: reproduced, byte for byte; manifest.json written anew\n';
    if (!isSame || !second.includes('backend')) {
      expect(replaced.stdout).toMatch(new RegExp(`\nc: another result was here \\(${said}\\); replaced\n$`));
      expect(folder.git('status', '--porcelain')).toMatch(/ M results\/c\/table\.csv/);
    }
    expect(folder.git('status', '--porcelain')).toMatch(/ M results\/c\/manifest\.json/);
    folder.edit();
    // What took its place is in no commit.
    expect((await folder.call('run c.json --set draws=7')).code).toBe(2);
    expect((await folder.call('run c.json --set draws=7 --fresh')).code).toBe(0);
    expect(folder.manifest().counts.rows).toBe(14);
  });

  test('not when it was edited after the commit, nor when no manifest says what it is', async ({
    folder,
  }) => {
    await folder.call('run c.json');
    folder.commit();
    folder.edit();
    const table = folder.read('results/c/table.csv');
    expect(await folder.call('run c.json --set draws=3')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^results\/c\/table\.csv: is no table of this run \(draws 2 -> 3\), and git/,
      ),
    });
    rmSync(folder.at('results/c/manifest.json'));
    expect(await folder.call('run c.json')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/: is no table of this run \(no manifest says what it is of\), and git/),
    });
    expect(folder.read('results/c/table.csv')).toBe(table);
    // What was measured is kept, and taken once the way is free.
    rmSync(folder.at('results/c/table.csv'));
    expect(await folder.call('run c.json')).toMatchObject({
      code: 0,
      stderr: 'c: 4 of 4 cells were measured before\n',
    });
  });

  test('and of several experiments all that would be lost are named before any is measured', async ({
    folder,
  }) => {
    folder.write('d.json', CONFIG);
    await folder.call('run c.json d.json');
    const { code, stdout, stderr } = await folder.call('run c.json d.json --set draws=3');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^results\/c\/.*\nresults\/d\/.*\n$/);
    expect(folder.list('results/c')).toEqual(['manifest.json', 'table.csv']);
  });
});

test('a result of which cells fail does not take the place of a whole one', async ({ folder }) => {
  await folder.call('run c.json --workers 2');
  const before = folder.state();
  // Workers end in the midst of every batch; the program itself is thread 1.
  const preload = `if (require('node:worker_threads').threadId > 1) performance.now = () => process.exit(9);`;
  folder.write('preload.cjs', preload);
  const lost = await folder.start('run c.json --workers 2 --backend wasm', {
    NODE_OPTIONS: `--require ${folder.at('preload.cjs')}`,
  });
  expect(lost).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /failed: .*: .*exited with code: 9\n(.*\n)*results\/c\/table\.csv: holds another result \(complete -> partial\), and git/,
    ),
  });
  expect(folder.state()).toEqual(before);
});

describe('a table that was edited after its run', () => {
  const SAID =
    'results/c/table.csv has not the bytes that its manifest vouches for: it was edited, or a run was killed as it wrote them\n';

  test('is drawn and compared with a word on it, and told in JSON', async ({ folder }) => {
    await folder.call('run c.json');
    await folder.call('run c.json --out other');
    expect((await folder.call('plot c')).stderr).toBe('');
    expect((await folder.call('diff results other')).stderr).toBe('');
    folder.edit();
    expect(await folder.call('plot c')).toMatchObject({ code: 0, stderr: SAID });
    expect(await folder.call('diff results other')).toMatchObject({ code: 1, stderr: SAID });
    const { warnings } = JSON.parse((await folder.call('diff results other --json')).stdout);
    expect(warnings).toEqual([SAID.trimEnd()]);
    folder.commit();
    expect((await folder.call('diff HEAD other')).stderr).toBe(`HEAD:${SAID}`);

    expect(await folder.call('run --from results/c')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^results\/c: different: line 2, column loss: /),
      stderr: SAID,
    });
    const rerun = JSON.parse((await folder.call('run --from results/c --json')).stdout);
    expect(rerun).toMatchObject({ same: false, warnings: [SAID.trimEnd()] });
  });

  test('is none that merge takes', async ({ folder }) => {
    for (const i of [1, 2]) await folder.call(`run c.json --shard ${i}/2 --out ${i}`);
    folder.edit(folder.manifest('1/c').counts.rows > 0 ? '1/c/table.csv' : '2/c/table.csv');
    const { code, stderr } = await folder.call('merge 1/c 2/c');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^[12]\/c\/table\.csv has not the bytes .*; measure it again\n$/);
    expect(existsSync(folder.at('results'))).toBe(false);
  });
});

describe('merge', () => {
  test('guards what is in its place as run does', async ({ folder }) => {
    for (const i of [1, 2]) await folder.call(`run c.json --shard ${i}/2 --out ${i}`);
    const merge = (more = '') => folder.call(`merge 1/c 2/c${more}`);
    const WROTE = 'c: 4 rows of 2 parts -> results/c\n';
    expect(await merge()).toEqual({ code: 0, stdout: WROTE, stderr: '' });
    const before = folder.state();
    expect((await merge()).stdout).toBe(`${WROTE}c: reproduced, byte for byte\n`);
    expect(await folder.call('run c.json')).toEqual(REPRODUCED);
    expect(folder.state()).toEqual(before);

    await folder.call('run c.json --set draws=3 --fresh');
    const other = folder.state();
    expect(await merge()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /holds another result \(draws 3 -> 2\), and git does not have it; --fresh/,
      ),
    });
    expect(folder.state()).toEqual(other);
    expect((await merge(' --fresh')).stdout).toBe(
      `${WROTE}c: another result was here (draws 3 -> 2); replaced\n`,
    );
  });

  test('puts the whole in the place of a shard', async ({ folder }) => {
    for (const i of [1, 2]) await folder.call(`run c.json --shard ${i}/2 --out ${i}`);
    expect((await folder.call('merge 1/c 2/c --out 1')).code).toBe(0);
    await folder.call('run c.json');
    expect(folder.read('1/c/table.csv')).toBe(folder.read('results/c/table.csv'));
  });

  test.for<[string, (manifest: Record<string, unknown> & Manifest) => object, RegExp]>([
    [
      'is not complete',
      (m) => ({ ...m, status: 'partial', counts: { ...m.counts, measured: 0 } }),
      /^2\/c: expected all \d cells of its run, got 0; run it to its end first\n$/,
    ],
    ['has another seed', (m) => ({ ...m, seed: 5 }), /^2\/c: its manifest is not of the experiment in it: /],
    [
      'has another experiment in it',
      (m) => ({ ...m, experiment: { ...(m.experiment as object), draws: 3 } }),
      /^2\/c: its manifest is not of the experiment in it: /,
    ],
    [
      'has another name',
      (m) => ({ ...m, name: 'd' }),
      /^2\/c: expected name c as in 1\/c, got d: it is of another experiment\n$/,
    ],
    [
      'is of another backend',
      (m) => ({ ...m, backend: 'cpu' }),
      /^2\/c: expected backend wasm as in 1\/c, got cpu/,
    ],
    [
      'vouches for none of its rows, as that of the other does, and counts others',
      ({ sha256, ...m }) => ({ ...m, counts: { ...m.counts, rows: 9 } }),
      /^2\/c: its manifest vouches for no numbers, where that of 1\/c does; measure it again\n2\/c: expected 9 rows as its manifest has it, got \d\n$/,
    ],
  ])('refuses a part whose manifest %s', async ([, change, said], { folder }) => {
    for (const i of [1, 2]) await folder.call(`run c.json --backend wasm --shard ${i}/2 --out ${i}`);
    folder.write('2/c/manifest.json', change(folder.manifest('2/c') as never));
    const { code, stderr } = await folder.call('merge 1/c 2/c');
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
    expect(existsSync(folder.at('results'))).toBe(false);
  });

  test('takes parts of before, of which none vouches for its table, with a word on it', async ({
    folder,
  }) => {
    for (const i of [1, 2]) {
      await folder.call(`run c.json --shard ${i}/2 --out ${i}`);
      const { sha256, ...before } = folder.manifest(`${i}/c`);
      folder.write(`${i}/c/manifest.json`, before);
    }
    expect(await folder.call('merge 1/c 2/c')).toMatchObject({
      code: 0,
      stderr: 'the manifests vouch for no numbers, as those of before; the tables are taken as they are\n',
    });
  });
});
