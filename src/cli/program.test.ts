import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { fromCsv } from '../results/table.js';
import { createProgram } from './program.js';
import { type Folder, test } from './program-under-test.js';

const SMOKE = fileURLToPath(new URL('../../configs/smoke.json', import.meta.url));

/** Calls the program, which may take three seconds of a processor. */
async function callBriefly(folder: Folder, words: string) {
  const before = process.cpuUsage();
  const outcome = await folder.call(words);
  expect(process.cpuUsage(before).user).toBeLessThan(3e6);
  return outcome;
}

/** A config that takes a moment, with other values for some of its keys. */
const tiny = (changes: object = {}) => ({
  network: { width: 16 },
  scaling: 'MF+muP',
  sweep: { depth: [3, 5], branchScale: ['1/sqrt(L)', 1] },
  draws: 2,
  record: { quantities: ['bfa_rad', 'loss'] },
  ...changes,
});
/** A config that takes minutes. */
const long = tiny({ network: { width: 500 }, sweep: { depth: [400, 500] }, draws: 500 });
/** Cells in several batches, since those of one width share one. */
const widths = tiny({ sweep: { depth: [3, 9], width: [16, 24, 32, 40, 48] } });

const SPEC = {
  data: { name: 'table' },
  mark: 'point',
  encoding: {
    x: { field: 'layer', type: 'quantitative' },
    y: { field: 'bfa_rad', type: 'quantitative' },
  },
};

describe('from a config to a chart', () => {
  test('run measures, plot draws, and drawing again gives the same bytes', async ({ folder }) => {
    expect(await folder.start(['run', SMOKE])).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^smoke: 8 cells, 24 rows, \d+\.\d s of work -> results\/smoke\n$/),
      stderr: expect.stringMatching(
        /^smoke: sensitivity and sensitivity_finite divide by the residual .*\n$/,
      ),
    });
    expect(folder.list('results/smoke')).toEqual(['manifest.json', 'table.csv']);
    expect(fromCsv(folder.read('results/smoke/table.csv')).rows).toHaveLength(24);

    folder.write('spec.json', SPEC);
    const plot = 'plot smoke --spec spec.json';
    const drawn = { code: 0, stdout: 'smoke: results/smoke/chart.{svg,png,html}\n', stderr: '' };
    expect(await folder.start(plot)).toEqual(drawn);
    expect(folder.list('results/smoke')).toEqual([
      'chart.html',
      'chart.png',
      'chart.svg',
      'chart.vl.json',
      'manifest.json',
      'table.csv',
    ]);
    const svg = folder.read('results/smoke/chart.svg');
    expect(svg).toMatch(/^<svg/);
    rmSync(folder.at('results/smoke/chart.svg'));
    expect(await folder.call(plot)).toEqual(drawn);
    expect(folder.read('results/smoke/chart.svg')).toBe(svg);
    expect(JSON.parse(folder.read('results/smoke/chart.vl.json'))).toMatchObject({
      data: { url: 'table.csv' },
    });
  });

  test('a figure of the own configs folder needs no --spec', async ({ folder }) => {
    folder.write('configs/mine.json', tiny());
    folder.write('configs/mine.vl.json', SPEC);
    expect((await folder.call('run', 'configs/mine.json', '--quiet')).code).toBe(0);
    expect(await folder.call('plot', 'results/mine', '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(folder.read('results/mine/chart.svg')).toMatch(/^<svg/);
  });
});

describe('the same bytes', () => {
  test('are written by one worker and by two', async ({ folder }) => {
    folder.write('c.json', widths);
    const run = (n: number) => `run c.json --backend wasm --workers ${n} --out ${n}`;
    expect((await folder.call(run(1))).code).toBe(0);
    expect((await folder.start(run(2))).code).toBe(0);
    expect(folder.manifest('1/c')).toMatchObject({ workers: 1, counts: { batches: 5, cells: 20 } });
    expect(folder.manifest('2/c')).toMatchObject({ workers: 2, counts: { batches: 5, cells: 20 } });
    expect(folder.read('2/c/table.csv')).toBe(folder.read('1/c/table.csv'));
  });

  test('differ for another seed', async ({ folder }) => {
    folder.write('c.json', tiny());
    for (const seed of ['1', '2']) await folder.call('run', 'c.json', '--set', `seed=${seed}`, '--out', seed);
    expect(folder.read('1/c/table.csv')).not.toBe(folder.read('2/c/table.csv'));
  });
});

/** What is in the folder: text, or JSON, or null for a folder. Then the words of the call, and what is said. */
type Mistake = readonly [
  title: string,
  files: Record<string, string | object | null>,
  words: string,
  said: RegExp,
];

const scale = (branchScale: unknown) => tiny({ sweep: { depth: [3], branchScale: [branchScale] } });
const TABLE = 'layer,bfa_rad\n1,0.5\n';

describe('a mistake is told clearly, with exit code 2, at once, and nothing is written:', () => {
  test.for<Mistake>([
    [
      'a misspelt key',
      { 'c.json': tiny({ drwas: 2 }) },
      'run c.json',
      /^c\.json:\d+:\d+ drwas: unknown key; did you mean "draws"\?$/,
    ],
    [
      'a value of the wrong type',
      { 'c.json': tiny({ draws: '2' }) },
      'run c.json',
      /^c\.json:\d+:\d+ draws: expected an integer >= 1, got "2"$/,
    ],
    [
      'an empty sweep',
      { 'c.json': tiny({ sweep: { depth: [] } }) },
      'run c.json',
      /^c\.json:\d+:\d+ sweep\.depth: expected a list .*, got \[\]$/,
    ],
    [
      'depth 2',
      { 'c.json': tiny({ sweep: { depth: [2] } }) },
      'run c.json',
      /^c\.json:\d+:\d+ sweep\.depth\[0\]: expected an integer >= 3, got 2;.*$/,
    ],
    [
      'a branch scale above 1',
      { 'c.json': scale(1.5) },
      'run c.json',
      /^c\.json:\d+:\d+ sweep\.branchScale\[0\]: expected a number from 0 to 1, got 1\.5$/,
    ],
    [
      'an unknown scaling',
      { 'c.json': tiny({ scaling: 'SP' }) },
      'run c.json',
      /^c\.json:\d+:\d+ scaling: expected "NTK".*, got "SP"$/,
    ],
    [
      'an unknown name in an expression',
      { 'c.json': scale('1/Q') },
      'run c.json',
      /^c\.json:\d+:\d+ sweep\.branchScale\[0\]: .* got "1\/Q"; the name "Q" is not known here.*$/,
    ],
    [
      'an expression that reaches for a constructor',
      { 'c.json': scale('constructor.constructor("process.exit(0)")()') },
      'run c.json',
      /^c\.json:\d+:\d+ sweep\.branchScale\[0\]: .*; only a function may be called.*$/,
    ],
    [
      'an expression that reaches for the process',
      { 'c.json': scale('process.exit()') },
      'run c.json',
      /^c\.json:\d+:\d+ sweep\.branchScale\[0\]: .*; only a function may be called.*$/,
    ],
    [
      'a trailing comma',
      { 'c.json': JSON.stringify(tiny()).replace(/\}$/, ',}') },
      'run c.json',
      /^c\.json:1:\d+: .* trailing comma; remove it$/,
    ],
    [
      'an empty file',
      { 'c.json': '' },
      'run c.json',
      /^c\.json:1:1: expected an object .*, got an empty file$/,
    ],
    [
      'a missing file',
      {},
      'run c.json',
      /^c\.json: no such file, and no experiment of this name; there are .*$/,
    ],
    [
      'a folder in place of a config',
      { 'c.json': null },
      'run c.json',
      /^c\.json: expected an experiment, found a directory; name the files in it, such as c\.json\/\*\.json$/,
    ],
    [
      '10^9 draws',
      { 'c.json': tiny({ draws: 1e9 }) },
      'run c.json',
      /^c\.json:\d+:\d+ draws: expected at most 1000000 cells, got 4000000000;.*$/,
    ],
    [
      '10^9 cells of a sweep',
      {
        'c.json': tiny({
          sweep: { depth: { from: 3, to: 10_002, step: 1 }, branchScale: { from: 0, to: 1, count: 1e5 } },
          draws: 1,
        }),
      },
      'run c.json',
      /^c\.json:\d+:\d+ sweep: expected at most 1000000 cells, got 1000000000;.*$/,
    ],
    [
      'an output folder where none can be made',
      { 'c.json': tiny() },
      'run c.json --out /proc/new',
      /^\/(proc\/new\/c)?: .*$/,
    ],
    [
      'a network of more than 4 GB',
      { 'c.json': tiny({ network: { width: 1e8 } }) },
      'run c.json --backend wasm',
      /^c: a cell of depth 5 and width 100000000 .*needs \d+\.\d GB, and the wasm backend holds 4\.0 GB; use a smaller width .*$/,
    ],
    [
      'two configs of one name',
      { 'c.json': tiny(), 'other/c.json': tiny() },
      'run c.json other/c.json',
      /^other\/c\.json: another config is named c too;.*$/,
    ],
    [
      'mistakes in several configs, a line each',
      { 'a.json': tiny({ draws: 0, seed: -1 }), 'b.json': tiny({ scaling: 'SP' }) },
      'run a.json b.json no.json',
      /^a\.json:\d+:\d+ draws: .*\na\.json:\d+:\d+ seed: .*\nb\.json:\d+:\d+ scaling: .*\nno\.json: .*$/,
    ],

    [
      'results where a file is',
      { 'c.json': tiny(), out: '' },
      'run c.json --out out',
      /^out: expected a directory .*, found a file;.*$/,
    ],
    [
      'results below a file',
      { 'c.json': tiny(), file: '' },
      'run c.json --out file/below/out',
      /^file: expected a directory .*, found a file;.*$/,
    ],
    [
      'the folder of an experiment where a file is',
      { 'c.json': tiny(), 'out/c': '' },
      'run c.json --out out',
      /^out\/c: expected a directory .*, found a file;.*$/,
    ],

    ['an unknown command', {}, 'rnu', /^error: unknown command 'rnu'\n\(Did you mean run\?\)\n.*$/],
    ['no command', {}, '', /^Usage: feature-speed/],
    ['no config', {}, 'run', /^error: missing required argument 'experiment'\n.*$/],
    [
      'an unknown option',
      { 'c.json': tiny() },
      'run c.json --bakend wasm',
      /^error: unknown option '--bakend'\n\(Did you mean --backend\?\)\n.*$/,
    ],
    [
      'an unknown backend',
      { 'c.json': tiny() },
      'run c.json --backend gpu',
      /^error: option '--backend <name>' argument 'gpu' is invalid.*\n.*$/,
    ],
    [
      'no workers',
      { 'c.json': tiny() },
      'run c.json --workers 0',
      /^error: option '--workers <n>'.*expected an integer from 1 to 256\n.*$/,
    ],
    [
      'half a worker',
      { 'c.json': tiny() },
      'run c.json --workers 0.5',
      /^error: option '--workers <n>'.*expected an integer from 1 to 256\n.*$/,
    ],
    [
      'an override of nothing',
      { 'c.json': tiny() },
      'run c.json --set nowhere=1',
      /^--set nowhere: unknown path; known are .*$/,
    ],
    [
      'an override without a value',
      { 'c.json': tiny() },
      'run c.json --set draws',
      /^--set: expected path=value, got "draws";.*$/,
    ],
    [
      'an override out of range',
      { 'c.json': tiny() },
      'run c.json --set draws=0',
      /^--set draws: expected an integer >= 1, got 0$/,
    ],

    [
      'a plot of a name without results',
      {},
      'plot nope',
      /^nope: expected a folder with results .*; found neither$/,
    ],
    [
      'a plot of a folder without a table',
      { 'results/c': null },
      'plot c',
      /^results\/c\/table\.csv: no such file or directory$/,
    ],
    [
      'a plot of a table that is cut off',
      { 'results/c/table.csv': 'layer,bfa_rad\n1,0.5\n2,0.', 's.json': SPEC },
      'plot c --spec s.json',
      /^results\/c\/table\.csv: line 3: .*it is cut off$/,
    ],
    [
      'a plot of a table with what is no number',
      { 'results/c/table.csv': 'layer,bfa_rad\n1,NaN\n', 's.json': SPEC },
      'plot c --spec s.json',
      /^results\/c\/table\.csv: line 2, column bfa_rad: expected a number, got "NaN"$/,
    ],
    [
      'a plot without a specification of a table without a quantity',
      { 'results/c/table.csv': 'layer,mine\n1,0.5\n' },
      'plot c',
      /^results\/c: no chart is specified, and the table has no quantity for a default one; write configs\/c\.vl\.json.*$/,
    ],
    [
      'a plot with a missing specification',
      { 'results/c/table.csv': TABLE },
      'plot c --spec s.json',
      /^s\.json: no such file or directory$/,
    ],
    [
      'a plot with a specification that is no JSON',
      { 'results/c/table.csv': TABLE, 's.json': '{"mark": ' },
      'plot c --spec s.json',
      /^s\.json: not JSON: .*$/,
    ],
    [
      'a plot with a specification that is no chart',
      { 'results/c/table.csv': TABLE, 's.json': { data: { name: 'table' } } },
      'plot c --spec s.json',
      /^s\.json with results\/c\/table\.csv: .*expected one of mark.*$/,
    ],
  ])('%s', async ([, files, words, said], { folder }) => {
    for (const [path, content] of Object.entries(files)) {
      if (content === null) mkdirSync(folder.at(path), { recursive: true });
      else folder.write(path, content);
    }
    const before = folder.everything();
    const { code, stdout, stderr } = await callBriefly(folder, words);
    expect(stderr.trimEnd()).toMatch(said);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(folder.everything()).toEqual(before);
  });
});

test('a pipe, a device without end and links in a circle are refused as configs, and not waited for', async ({
  folder,
}) => {
  execFileSync('mkfifo', [folder.at('pipe.json')]);
  symlinkSync('/dev/zero', folder.at('zero.json'));
  symlinkSync('circle.json', folder.at('circle.json'));
  const before = readdirSync(folder.at('.'));
  for (const [config, said] of [
    ['pipe.json', 'expected a file, found something else'],
    ['zero.json', 'expected a file, found something else'],
    ['circle.json', 'its links lead in a circle'],
  ] as const) {
    for (const command of ['plan', 'run']) {
      expect(await callBriefly(folder, `${command} ${config}`)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: `${config}: ${said}\n`,
      });
    }
  }
  expect(readdirSync(folder.at('.'))).toEqual(before);
});

test('what cannot be written is told at the end, and the other experiments are whole', async ({ folder }) => {
  folder.write('first.json', tiny());
  folder.write('second.json', widths);
  mkdirSync(folder.at('results/first/table.csv'), { recursive: true });
  expect(await folder.call('run first.json second.json --backend wasm --workers 2')).toEqual({
    code: 2,
    stdout: expect.stringMatching(/^second: 20 cells, /),
    stderr: 'results/first/table.csv: a directory is in the place of the file\n',
  });
  expect(folder.manifest('results/second').counts).toMatchObject({ cells: 20, failed: 0 });
  expect(fromCsv(folder.read('results/second/table.csv')).rows).toHaveLength(100);
});

describe('a network that overflows', () => {
  const loud = { name: 'loud', sigmaHidden: '3*sqrt(2/m)' };
  const deep = (scaling: unknown[]) =>
    tiny({ network: { width: 100, depth: 200 }, sweep: { scaling, branchScale: [0.5, '1/sqrt(L)'] } });

  test('is told with its layer and exit code 3, and the others are as if it were not there', async ({
    folder,
  }) => {
    folder.write('all/c.json', deep(['MF+muP', loud]));
    folder.write('good/c.json', deep(['MF+muP']));
    const { code, stdout, stderr } = await folder.call('run', 'all/c.json', '--out', 'all');
    expect(code).toBe(3);
    expect(stdout).toMatch(/^c: 8 cells, 1592 rows, /);
    expect((await folder.call('run', 'good/c.json', '--out', 'good')).code).toBe(0);

    // At branch scale 0.5 features grow by sqrt(1 + 8/4) a layer: 10^38 is some 160 layers away, squares half of it.
    const { diverged, counts } = folder.manifest('all/c');
    expect(diverged.map(({ cell }) => cell)).toEqual([
      'resnet relu L=200 m=100 d=10 k=1 n=1 beta=0.5 scaling=loud draw=0',
      'resnet relu L=200 m=100 d=10 k=1 n=1 beta=0.5 scaling=loud draw=1',
    ]);
    expect(counts).toMatchObject({ cells: 8, rows: 1592, diverged: 2, failed: 0 });
    for (const { cell, layer } of diverged) {
      expect(layer).toBeGreaterThan(40);
      expect(layer).toBeLessThan(180);
      expect(stderr).toContain(`diverged at layer ${layer}: ${cell}\n`);
    }

    const lines = folder.read('all/c/table.csv').split('\n');
    const isLoud = (line: string) => line.includes(',loud,');
    expect(lines.filter((line) => !isLoud(line)).join('\n')).toBe(folder.read('good/c/table.csv'));
    expect(folder.read('all/c/table.csv')).not.toMatch(/nan|inf/i);
    const overflown = lines.filter((line) => isLoud(line) && line.includes(',0.5,'));
    expect(overflown).toHaveLength(2 * 199);
    // angle and loss, the last two columns
    for (const line of overflown) expect(line).toMatch(/,\d+,,$/);
  });
});

describe('signals', () => {
  test('SIGINT ends a run of two experiments with exit code 130, and the first is whole', async ({
    folder,
  }) => {
    folder.write('first.json', tiny());
    folder.write('long.json', long);
    const { child, ended } = folder.spawn('run first.json long.json --backend wasm --workers 2');
    // It speaks when the first is done.
    child.stdout.once('data', () => child.kill('SIGINT'));
    expect((await ended).code).toBe(130);
    // The long one is partial: what it has measured is kept, and its manifest says so.
    expect(folder.list('results')).toEqual(['first', 'long']);
    expect(folder.list('results/long')).not.toContain('table.csv');
    expect(folder.manifest('results/long').status).toBe('partial');
    expect(folder.list('results/first')).toEqual(['manifest.json', 'table.csv']);
    expect(folder.manifest('results/first').counts.cells).toBe(8);
  });
});

describe('a reader of stdout that goes away', () => {
  const callAndLeave = async (folder: Folder, words: string) => {
    const { child, ended } = folder.spawn(words);
    child.stdout.destroy();
    child.stderr.destroy();
    return (await ended).code;
  };

  test('is no crash, does not stop the run, nor change what its exit code says', async ({ folder }) => {
    folder.write('good.json', tiny());
    folder.write(
      'loud.json',
      tiny({ scaling: { name: 'loud', sigmaHidden: '1e30' }, sweep: { depth: [9] } }),
    );
    expect(await callAndLeave(folder, 'run good.json loud.json')).toBe(3);
    expect(fromCsv(folder.read('results/good/table.csv')).rows).toHaveLength(24);
    expect(folder.manifest('results/loud').counts.diverged).toBe(2);
  });
});

describe('output for programs', () => {
  test('run --json gives one document on stdout, experiments in the order of the command line', async ({
    folder,
  }) => {
    folder.write('b.json', widths);
    folder.write('a.json', tiny());
    const { code, stdout, stderr } = await folder.call('run', 'b.json', 'a.json', '--json', '--workers', '1');
    expect(code).toBe(0);
    const counts = {
      outcome: 'new',
      batches: 5,
      diverged: 0,
      inexact: 0,
      failed: 0,
      status: 'complete',
      elapsed_ms: expect.any(Number),
    };
    expect(JSON.parse(stdout)).toEqual({
      experiments: [
        { name: 'b', folder: 'results/b', cells: 20, measured: 20, rows: 100, ...counts },
        { name: 'a', folder: 'results/a', cells: 8, measured: 8, rows: 24, ...counts, batches: 1 },
      ],
    });
    expect(stderr.split('\n').sort()).toEqual([
      '',
      expect.stringMatching(/^a: /),
      expect.stringMatching(/^b: /),
    ]);
  });

  test('run --quiet prints nothing', async ({ folder }) => {
    expect(await folder.call('run', SMOKE, '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('plan writes nothing and foretells what run counts', async ({ folder }) => {
    folder.write('c.json', widths);
    const { code, stdout } = await folder.call('plan', 'c.json', '--workers', '2');
    expect(code).toBe(0);
    expect(stdout).toMatch(/c +│ 20 +│ 100 +│ 5 +│ matrix-free/);
    expect(stdout).toMatch(/\nestimated for 2 workers: .*; nothing was run\n$/);
    const plan = JSON.parse((await folder.call('plan', 'c.json', '--json', '--workers', '2')).stdout);
    expect(folder.everything()).toEqual(['c.json']);

    await folder.call('run', 'c.json');
    const { counts, weights } = folder.manifest('results/c');
    expect(plan).toEqual({
      workers: 2,
      pace: expect.any(Number),
      experiments: [
        {
          name: 'c',
          cells: counts.cells,
          rows: counts.rows,
          batches: counts.batches,
          weights,
          backend: 'wasm',
          work_seconds: expect.any(Number),
          wall_seconds: expect.any(Number),
          bytes: expect.any(Number),
          table_bytes: expect.any(Number),
        },
      ],
    });
  });

  test('doctor --json names the backends and what runs', async ({ folder }) => {
    const { code, stdout } = await folder.call('doctor --json');
    const facts = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(facts).toMatchObject({
      node: process.version,
      'backend wasm': expect.stringMatching(/^works, \d/),
      'backend cpu': expect.stringMatching(/^works, \d/),
      'backend native': expect.stringMatching(/^(works, \d|missing: )/),
    });
    expect(facts['backend auto']).toMatch(
      /^wasm(; native for dense weights of width >= \d+ with >= \d+ samples)?$/,
    );
    expect(facts.workers).toBeGreaterThanOrEqual(1);
    expect(folder.everything()).toEqual([]);
  });
});

const SHOWN = createProgram(() => {})
  .createHelp()
  .visibleCommands(createProgram(() => {}));

test.for(SHOWN.map((command) => command.name()).filter((name) => name !== 'help'))(
  '%s --help shows an example and exits with 0',
  async (name, { folder }) => {
    const { code, stdout, stderr } = await folder.call(name, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: feature-speed ${name} `));
    expect(stdout).toMatch(new RegExp(`\nExamples:\n {2}\\$ feature-speed ${name}`));
  },
);

describe('the manifest', () => {
  test('holds the experiment as run, and under which circumstances', async ({ folder }) => {
    folder.write('c.json', tiny({ seed: 7 }));
    await folder.call(
      'run',
      'c.json',
      '--set',
      'draws=3',
      '--backend',
      'wasm',
      '--weights',
      'dense',
      '--workers',
      '1',
    );
    const manifest = folder.manifest('results/c');
    expect(manifest).toEqual({
      name: 'c',
      title: 'c',
      sha256: { 'table.csv': expect.stringMatching(/^[0-9a-f]{64}$/) },
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      seed: 7,
      experiment: {
        ...tiny({ seed: 7 }),
        draws: 3,
      },
      commit: null,
      dirty: null,
      commit_problem: expect.stringContaining('not a git repository'),
      versions: expect.objectContaining({
        'feature-speed': expect.stringMatching(/^\d+\.\d+\.\d+/),
        node: process.version,
        '@tensorflow/tfjs-core': expect.stringMatching(/^\d/),
        '@tensorflow/tfjs-backend-wasm': expect.stringMatching(/^\d/),
      }),
      backend: 'wasm',
      precision: 'float32',
      weights: ['dense'],
      workers: 1,
      counts: { cells: 12, measured: 12, rows: 36, batches: 1, diverged: 0, inexact: 0, failed: 0 },
      status: 'complete',
      shard: null,
      weights_choice: 'dense',
      diverged: [],
      inexact: [],
      failed: [],
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      elapsed_ms: expect.any(Number),
    });
    expect(Math.abs(Date.now() - Date.parse(manifest.started))).toBeLessThan(60_000);
    expect(manifest.elapsed_ms).toBeGreaterThanOrEqual(0);
  });

  test('has a digest of what decides the numbers, and of nothing else', async ({ folder }) => {
    const digest = async (config: object, ...words: string[]) => {
      folder.write('c.json', config);
      await folder.call('run', 'c.json', '--quiet', '--fresh', ...words);
      return folder.manifest('results/c').digest;
    };
    const first = await digest(tiny());
    expect(await digest({ ...tiny(), seed: 1 }, '--workers', '1')).toBe(first); // the default, written out
    expect(await digest(tiny(), '--set', 'draws=1')).not.toBe(first);
    expect(await digest(tiny(), '--weights', 'dense')).not.toBe(first);
  });

  test('names the commit, and whether tracked files other than results differ from it', async ({
    folder,
  }) => {
    folder.write('c.json', tiny());
    folder.git('init', '--quiet');
    folder.git('add', 'c.json');
    folder.git('commit', '--quiet', '-m', 'one');
    const commit = folder.git('rev-parse', 'HEAD');
    // The same result would leave the manifest as it is.
    const revision = async (...words: string[]) => {
      rmSync(folder.at('results/c'), { recursive: true, force: true });
      await folder.call('run', 'c.json', '--quiet', ...words);
      const { commit, dirty } = folder.manifest('results/c');
      return { commit, dirty };
    };
    expect(await revision()).toEqual({ commit, dirty: false });

    folder.git('add', 'results');
    folder.git('commit', '--quiet', '-m', 'two');
    const clean = { commit: folder.git('rev-parse', 'HEAD'), dirty: false };
    expect(await revision()).toEqual(clean);
    expect(await revision('--out', folder.at('results'))).toEqual(clean);

    // Results outside the repository say as much of the code, which the first run above left as it was.
    folder.git('checkout', '--quiet', '--', 'results');
    const outside = mkdtempSync(join(tmpdir(), 'feature-speed-'));
    try {
      await folder.call('run', 'c.json', '--quiet', '--out', outside);
      expect(JSON.parse(readFileSync(join(outside, 'c/manifest.json'), 'utf8'))).toMatchObject(clean);
    } finally {
      rmSync(outside, { recursive: true });
    }

    folder.write('c.json', tiny({ draws: 1 }));
    expect(await revision()).toEqual({ ...clean, dirty: true });
  });
});
