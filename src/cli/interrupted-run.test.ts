import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Folder } from './program-under-test.js';

const FAULT_TEST = fileURLToPath(new URL('../../scripts/fault-test.mjs', import.meta.url));

/** Ten batches, of one width each. */
const CONFIG = {
  network: { depth: 20 },
  scaling: 'MF+muP',
  sweep: { width: { from: 16, to: 52, step: 4 } },
  draws: 6,
  record: { layers: 'output', quantities: ['bfa_rad', 'loss'] },
};
const TINY = { ...CONFIG, network: { depth: 5 }, sweep: { width: [8, 16, 24] }, draws: 4 };

let folder: Folder;
/** The whole table of c.json. */
let whole: string;
beforeAll(async () => {
  folder = new Folder();
  folder.write('c.json', CONFIG);
  folder.write('t.json', TINY);
  expect((await call('run c.json --backend wasm --out whole')).code).toBe(0);
  whole = read('whole/c/table.csv');
});
afterAll(() => folder.remove());

const call = (words: string) => folder.call(words);
const at = (path: string) => folder.at(path);
const write = (path: string, content: object | string) => folder.write(path, content);
const read = (path: string) => folder.read(path);
const manifest = (path: string) => folder.manifest(path);
const list = (path: string) => folder.list(path);

const hold = (out: string, workers: number) =>
  folder.hold(`run c.json --out ${out} --backend wasm --workers ${workers}`);

/** Runs c.json and sends a signal when the first batch is on the disk. */
async function stop(out: string, signal: NodeJS.Signals) {
  const { child, ended } = await hold(out, 2);
  child.kill(signal);
  const { code, stderr } = await ended;
  return { code, stderr };
}

describe('a run that is stopped', () => {
  let stopped: Awaited<ReturnType<typeof stop>>;
  beforeAll(async () => {
    stopped = await stop('stopped', 'SIGTERM');
  });
  /** The folder that it has left, under another name. */
  const leave = (out: string) => cpSync(at('stopped'), at(out), { recursive: true });

  test('says how far it came, goes on from there, and ends with the same bytes', async () => {
    const { status, counts } = manifest('stopped/c');
    expect(stopped).toEqual({
      code: 143,
      stderr: `c: stopped; ${counts.measured} of 60 cells are kept, the same command goes on from there\n`,
    });
    expect(status).toBe('partial');
    expect(list('stopped/c')).toEqual(['.partial', 'manifest.json']);

    leave('resumed');
    const other = await call('run c.json --backend wasm --out resumed --set seed=2');
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /has cells of another config, seed, .*; discard them with --fresh, or choose another --out\n$/,
      ),
    });
    expect((await call('run c.json --backend cpu --out resumed')).stderr).toMatch(
      /has cells of the wasm backend/,
    );

    // A title decides no number.
    const resumed = await call('run c.json --backend wasm --workers 1 --out resumed --set title=Another');
    expect(resumed).toMatchObject({
      code: 0,
      stderr: `c: ${counts.measured} of 60 cells were measured before\n`,
    });
    expect(read('resumed/c/table.csv')).toBe(whole);
    expect(list('resumed/c')).toEqual(['manifest.json', 'table.csv']);
    expect(manifest('resumed/c')).toMatchObject({
      status: 'complete',
      counts: { cells: 60, measured: 60 },
    });
  });

  test('says how many cells it has that the next does not ask for', async () => {
    leave('wider');
    const { measured } = manifest('wider/c').counts;
    const outcome = await call('run c.json --backend wasm --shard 1/3 --out wider');
    // What it says is seen where it fails.
    expect(outcome).toEqual({ code: 0, stdout: expect.any(String), stderr: expect.any(String) });
    const { stderr } = outcome;
    const [, others] =
      /^c: (\d+) cells that were measured before are none of this run's, and not used$/m.exec(stderr)!;
    const used = Number(/^c: (\d+) of \d+ cells were measured before$/m.exec(stderr)?.[1] ?? 0);
    expect(Number(others)).toBeGreaterThan(0);
    expect(used + Number(others)).toBe(measured);
  });

  test('leaves the whole results of an earlier run as they are', async () => {
    write('again/c/table.csv', 'earlier');
    write('again/c/manifest.json', 'earlier');
    expect((await stop('again', 'SIGINT')).code).toBe(130);
    expect([read('again/c/table.csv'), read('again/c/manifest.json')]).toEqual(['earlier', 'earlier']);
    const fresh = await call('run c.json --backend wasm --out again --fresh --set draws=1');
    expect(fresh).toMatchObject({ code: 0, stderr: '' });
    expect(list('again/c')).toEqual(['manifest.json', 'table.csv']);
  });
});

test('a run refuses its folder to a second one meanwhile; killed, it measures nothing twice and ends with the same bytes', async () => {
  const { child, ended } = await hold('busy', 1);
  const second = await call('run c.json --out busy');
  child.kill('SIGKILL');
  await ended;
  expect(second).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      new RegExp(`^busy/c/\\.lock: held by process ${child.pid} on .* since .*\n$`),
    ),
  });
  cpSync(at('busy'), at('fresh'), { recursive: true });
  // The batch that it was held over, and no other, is there.
  const words = 'run c.json --backend wasm --out busy';
  expect(await call(words)).toMatchObject({ code: 0, stderr: 'c: 6 of 60 cells were measured before\n' });
  expect(read('busy/c/table.csv')).toBe(whole);
  expect(list('busy/c')).toEqual(['manifest.json', 'table.csv']);
  expect((await call('run t.json c.json --set draws=1 --out fresh --fresh')).code).toBe(0);
  expect(list('fresh/c')).toEqual(['manifest.json', 'table.csv']);
});

test('a worker that dies in the midst of a batch has it done by another, to the same bytes', async () => {
  // A batch looks at the clock when it begins; 0 hears signals, 1 is the thread of the program.
  const preload = `
    const { threadId } = require('node:worker_threads');
    const once = () => { try { require('node:fs').mkdirSync(process.env.DIED); return true; } catch { return false; } };
    if (threadId > 1) {
      const now = performance.now.bind(performance);
      performance.now = () => (once() ? process.exit(9) : now());
    }`;
  write('dies.cjs', preload);
  const env = { NODE_OPTIONS: `--require ${at('dies.cjs')}`, DIED: at('died') };
  const { code } = await folder.start('run c.json --backend wasm --workers 2 --out retried', env);
  expect(code).toBe(0);
  expect(existsSync(at('died'))).toBe(true);
  expect(read('retried/c/table.csv')).toBe(whole);
});

const CONTAINER = ['-p', '-f', '--mount-proc', '--kill-child'];
const hasContainers = spawnSync('unshare', [...CONTAINER, 'true']).status === 0;

// Needs rights that not everyone has: `unshare` makes a process namespace, as containers do.
test.skipIf(!hasContainers)(
  'of two containers with one host name, in which both runs are process 1, the second is refused',
  async () => {
    const words = 'run t.json --out containers --workers 1';
    const first = await folder.hold(words, ['unshare', ...CONTAINER]);
    const second = await folder.spawn(words, {}, ['unshare', ...CONTAINER]).ended;
    expect(first.child.exitCode).toBeNull();
    first.child.kill('SIGKILL');
    await first.ended;
    expect(second).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /held by process 1 on .*, last heard of \d+ s ago, .* in another container/,
      ),
    });
  },
);

test('shards, run and merged in any order, have the bytes of one run', async () => {
  expect((await call('run t.json --out one')).code).toBe(0);
  for (const i of [3, 1, 2]) expect((await call(`run t.json --shard ${i}/3 --out s/${i}`)).code).toBe(0);
  expect(manifest('s/2/t')).toMatchObject({ shard: '2/3', status: 'complete' });
  const plans = await Promise.all([1, 2, 3].map((i) => call(`plan t.json --shard ${i}/3 --json`)));
  expect(plans.map(({ stdout }) => JSON.parse(stdout).experiments[0].cells)).toEqual(
    [1, 2, 3].map((i) => manifest(`s/${i}/t`).counts.cells),
  );
  expect(await call('merge s/3/t s/1/t s/2/t --out merged')).toEqual({
    code: 0,
    stdout: 't: 12 rows of 3 parts -> merged/t\n',
    stderr: '',
  });
  expect(read('merged/t/table.csv')).toBe(read('one/t/table.csv'));
  expect(manifest('merged/t')).toMatchObject({
    shard: null,
    status: 'complete',
    counts: { cells: 12, measured: 12 },
  });

  expect(await call('merge s/3/t s/1/t --out gap')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/run shard 2\/3/),
  });
  await call('run t.json --shard 2/3 --set seed=5 --out other');
  expect(await call('merge s/1/t other/t s/3/t --out gap')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^other\/t: expected digest .* another config, seed/),
  });
  expect(existsSync(at('gap'))).toBe(false);
  expect((await call('run t.json --shard 4/3')).code).toBe(2);
});

describe('run --from', () => {
  test('measures again what the manifest has, and says whether it is the same', async () => {
    await call('run t.json --set seed=3 --weights dense --shard 1/2 --out from');
    const same = {
      code: 0,
      stdout: expect.stringMatching(/^from\/t: same, \d+ cells, \d+ rows\n$/),
      stderr: '',
    };
    expect(await call('run --from from/t')).toEqual(same);
    expect(list('from/t')).toEqual(['manifest.json', 'table.csv']);
    const [header, first, ...rest] = read('from/t/table.csv').split('\n');
    const values = first!.split(',');
    write('from/t/table.csv', [header, values.with(-1, '7').join(), ...rest].join('\n'));
    expect(await call('run --from from/t --out kept')).toEqual({
      code: 1,
      stdout: `from/t: different: line 2, column loss: 7 before, ${values.at(-1)} now\n`,
      stderr: expect.stringMatching(
        /^from\/t\/table\.csv has not the bytes that its manifest vouches for: .*\n$/,
      ),
    });
    expect(manifest('kept/t')).toMatchObject({ seed: 3, shard: '1/2', weights_choice: 'dense' });
  });

  test.each(['figure-1a', 'figure-2a', 'smoke', 'width-limit', 'conjecture'])(
    'knows the experiment of %s',
    async (name) => {
      const config = fileURLToPath(new URL(`../../configs/${name}.json`, import.meta.url));
      // No cell falls into so small a shard, or hardly any.
      await call(`run ${config} --shard 1/99999 --out known`);
      expect((await call(`run --from known/${name}`)).code).toBe(0);
    },
  );

  test.each([
    ['a name that leads out', (text: string) => text.replace('"name": "t"', '"name": "../t"')],
    ['a value that is none', (text: string) => text.replace('"draws": 4', '"draws": -4')],
    ['a key that is not known', (text: string) => text.replace('"draws": 4', '"draws": 4, "power": 9')],
  ])('refuses a manifest with %s', async (_, change) => {
    await call('run t.json --out broken');
    write('broken/t/manifest.json', change(read('broken/t/manifest.json')));
    expect(await call('run --from broken/t')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^broken\/t\/manifest\.json: the experiment in it is none that this version runs: /,
      ),
    });
  });

  test('goes with no config, and not into the folder that it compares with', async () => {
    await call('run t.json --out own');
    expect((await call('run t.json --from own/t')).code).toBe(2);
    expect(await call('run --from own/t --out own')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/would be overwritten/),
    });
  });
});

describe('nothing outside --out is written', () => {
  test('through a folder, a file or a checkpoint that is a link', async () => {
    mkdirSync(at('outside'));
    write('outside/table.csv', 'theirs');
    const links: Record<string, string> = {
      'l1/t': 'outside',
      'l2/t': 'nowhere',
      'l3/t/table.csv': 'outside/table.csv',
      'l4/t/manifest.json': 'outside/new.json',
      'l5/t/.partial': 'outside',
      'l6/t/.lock': 'outside/lock',
    };
    for (const [link, target] of Object.entries(links)) {
      mkdirSync(dirname(at(link)), { recursive: true });
      symlinkSync(at(target), at(link));
      expect(await call(`run t.json --out ${link.split('/')[0]}`), link).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/symbolic link.*remove it/),
      });
    }
    expect(list('outside')).toEqual(['table.csv']);
    expect(read('outside/table.csv')).toBe('theirs');
    expect(existsSync(at('nowhere'))).toBe(false);
  });

  test('while --out itself may be a link', async () => {
    mkdirSync(at('elsewhere'));
    symlinkSync(at('elsewhere'), at('linked'));
    expect((await call('run t.json --out linked')).code).toBe(0);
    expect(list('elsewhere/t')).toEqual(['manifest.json', 'table.csv']);
  });
});

const slowly = test.runIf(process.env.FEATURE_SPEED_SLOW);
slowly(
  'killed at random moments, a run measures nothing twice and ends with the same bytes',
  async () => {
    const words = [FAULT_TEST, '--only', 'kills,worker', '--kills', '50'];
    const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>((resolve) => {
      execFile(process.execPath, words, (error, stdout) => resolve({ code: error ? error.code : 0, stdout }));
    });
    expect(stdout).toMatch(/\n9 passed, 0 failed\n$/);
    expect(code).toBe(0);
  },
  900_000,
);
