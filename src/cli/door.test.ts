import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { clean } from './door.js';
import { Folder, PROGRAM } from './program-under-test.js';

const SMOKE = fileURLToPath(new URL('../../configs/smoke.json', import.meta.url));
const folder = new Folder();
afterAll(() => folder.remove());
afterEach(() => vi.unstubAllEnvs());

const slowly = test.runIf(process.env.FEATURE_SPEED_SLOW);

/** A table of one row. */
const tableOf = (experiment: string) =>
  'experiment,draw,architecture,activation,depth,width,input_width,output_width,samples,branch_scale,scaling,weights,' +
  `step,step_size,layer,bfa_rad\n${experiment},0,resnet,relu,3,8,4,1,1,1,FSC,dense,velocity,,2,0.5\n`;

describe('clean', () => {
  test.each([
    ['an escape sequence', '\u001b[31mred', '\\u001b[31mred'],
    ['a carriage return, a bell, a delete', 'a\rb\u0007\u007f', 'a\\u000db\\u0007\\u007f'],
    ['controls of eight bits', '\u009b31m\u0085', '\\u009b31m\\u0085'],
    ['what turns text', '\u202eb\u2066c\u200f\u061c', '\\u202eb\\u2066c\\u200f\\u061c'],
    ['line and paragraph separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
    ['what takes no room', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
    ['tags beyond the first plane', '\u{e0041}', '\\udb40\\udc41'],
  ])('shows %s, and lets it do nothing', (_, text, shown) => {
    expect(clean(text)).toBe(shown);
  });

  test('leaves all other text as it is', () => {
    const text = 'θ = β/√L ─ 漢 é 🎲 "a\\u001b"\n\tb';
    expect(clean(text)).toBe(text);
  });

  test('keeps JSON what it was', () => {
    const value = { 'a\u202e\u009b': ['\u001b[31m', '\u2028', '\u{e0041}'] };
    expect(JSON.parse(clean(JSON.stringify(value)))).toEqual(value);
  });
});

describe('no name from a file or from the command line is a command of the terminal', () => {
  const evil = 'a\u001b[31m\u202eb\u009b';
  const table = tableOf(`"${evil}"`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  const COMMANDS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

  type Said = readonly [what: string, files: Record<string, string>, words: string[]];
  // One for each way to the terminal: both streams of the thread, and the process that draws.
  const ways: readonly Said[] = [
    [
      'a path, a key, a value, what a parser repeats',
      {
        'k.json': JSON.stringify({ [evil]: 1 }),
        'v.json': JSON.stringify({ scaling: { name: evil } }),
        'p.json': `{"a": ${evil}`,
      },
      ['plan', `${evil}.json`, 'k.json', 'v.json', 'p.json'],
    ],
    ['a cell', { 'one/t.csv': table }, ['diff', 'one/t.csv', 'one/t.csv']],
    [
      'a spec',
      { 'e/table.csv': 'layer\n1\n', 's.json': JSON.stringify({ mark: evil }) },
      ['plot', 'e', '--spec', 's.json'],
    ],
  ];
  const others: readonly Said[] = [
    ['a command', {}, [`plan${evil}`]],
    ['a cell in JSON', { 'one/t.csv': table }, ['diff', 'one/t.csv', 'one/t.csv', '--json']],
    ['a cell in markdown', { 'one/t.csv': table }, ['diff', 'one/t.csv', 'one/t.csv', '--markdown']],
    [
      'a JSON error of a spec',
      { 'e/table.csv': 'layer\n1\n', 's.json': evil },
      ['plot', 'e', '--spec', 's.json'],
    ],
  ];
  const isHarmless = async ([, files, words]: Said) => {
    for (const [path, text] of Object.entries(files)) folder.write(path, text);
    const { stdout, stderr } = await folder.start(words);
    const said = `${stdout}${stderr}`;
    expect(said).not.toBe('');
    expect(said).not.toMatch(COMMANDS);
  };
  test.for(ways)('%s', isHarmless);
  slowly.for(others)('%s', isHarmless);
});

describe('what the machine refuses is told in a sentence, with exit code 2', () => {
  const isToldOfFullDisk = (words: readonly string[]) => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], {
      cwd: folder.path,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/(^|\n)stdout: no space left on the device\n$/),
    });
  };
  test.for([['plan', SMOKE]])('stdout on a disk that is full: %s', isToldOfFullDisk);
  slowly.for([['--help'], ['run', SMOKE]])('stdout on a disk that is full: %s', isToldOfFullDisk);

  test('a working directory that is gone', () => {
    const gone = folder.at('gone');
    mkdirSync(gone);
    const script = `rmdir "${gone}"; exec "$@"`;
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', script, 'sh', process.execPath, PROGRAM, 'plan', SMOKE],
      { cwd: gone, encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'the working directory: no such file or directory\n',
    });
  });

  test('a folder for temporary files that is not there', async () => {
    expect((await folder.call(`run ${SMOKE} --quiet --out r`)).code).toBe(0);
    vi.stubEnv('TMPDIR', folder.at('nowhere'));
    const { code, stderr } = await folder.call('run --from r/smoke');
    expect(code).toBe(2);
    expect(stderr).toMatch(/nowhere.*: no such file or directory\n$/);
  });

  // As of a folder that one may not enter, which root may: the system does not say whether a file is there.
  test.each([
    'plot circle/e',
    'diff circle/e circle/e',
    'report --out circle',
    'verify eq-4 --out circle',
    'merge circle/e',
    'run --from circle/e',
    'run circle/c.json',
    `run ${SMOKE} --out circle`,
  ])('a folder that cannot be looked into: %s', async (words) => {
    symlinkSync('circle', folder.at('circle'));
    const { code, stdout, stderr } = await folder.call(words).finally(() => rmSync(folder.at('circle')));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/(^|\n)circle.*: its links lead in a circle\n$/);
  });

  test('and a home that is not set is no matter', async () => {
    vi.stubEnv('HOME', undefined);
    expect(await folder.call(`plan ${SMOKE}`)).toMatchObject({ code: 0 });
  });
});

describe('a file that is no text', () => {
  test.each<[string, Uint8Array | string, RegExp]>([
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), /expected UTF-8, got UTF-16/],
    ['binary', '{}\0', /NUL byte/],
    ['another encoding', Buffer.from([0x7b, 0xe9, 0x7d]), /another encoding/],
    ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', /git lfs pull/],
  ])('such as %s is told, whoever reads it', async (_, content, said) => {
    const table = tableOf('e');
    const readers: [string, Record<string, Uint8Array | string>, string[]][] = [
      ['config', { 'x.json': content }, ['plan', 'x.json']],
      ['spec', { 'x.json': content, 'e/table.csv': table }, ['plot', 'e', '--spec', 'x.json']],
      ['table', { 'b/table.csv': content }, ['diff', 'b', 'b']],
      ['manifest', { 'm/table.csv': table, 'm/manifest.json': content }, ['diff', 'm', 'm']],
      ['record', { 'c/claims.json': content }, ['verify', '--out', 'c', 'thm-2.1']],
    ];
    for (const [what, files, words] of readers) {
      for (const [path, bytes] of Object.entries(files)) folder.write(path, bytes);
      expect(await folder.call(...words), what).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(said),
      });
    }
  });

  test('while a byte order mark is nothing, in a config and in a spec', async () => {
    const spec = { data: { name: 'table' }, mark: 'point', encoding: { x: { field: 'layer' } } };
    folder.write(
      'bom.json',
      `\ufeff{"network": {}, "scaling": "FSC", "sweep": {"depth": [3], "branchScale": [1], "width": [8]}, "record": {"quantities": ["loss"]}}`,
    );
    folder.write('bom.vl.json', `\ufeff${JSON.stringify(spec)}`);
    folder.write('e/table.csv', '\ufeffexperiment,layer\ne,1\n');
    expect((await folder.call('plan bom.json')).code).toBe(0);
    expect((await folder.call('plot e --spec bom.vl.json')).code).toBe(0);
  });
});
