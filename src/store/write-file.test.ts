import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { thisProcess } from './process-identity.js';
import { UserError } from './user-error.js';
import { labelOf, removeAbandoned, writeFile, writeFileMeanwhile, writeFiles } from './write-file.js';

const BUILT = fileURLToPath(new URL('../../dist/store/write-file.js', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const list = () => readdirSync(folder).sort();

describe('a file that is written', () => {
  test('is whole, text or bytes, and nothing is left beside it', async () => {
    writeFile(at('a'), 'β = 1\n');
    writeFile(at('b'), Uint8Array.of(0, 255));
    await writeFileMeanwhile(at('c'), new Uint8Array(3e6).fill(7));
    expect([read('a'), readFileSync(at('b')), statSync(at('c')).size]).toEqual([
      'β = 1\n',
      Buffer.of(0, 255),
      3e6,
    ]);
    expect(list()).toEqual(['a', 'b', 'c']);
  });

  test.each([0o600, 0o644, 0o755, 0o444])('keeps the mode %o of the one in its place', async (mode) => {
    writeFileSync(at('a'), 'old');
    chmodSync(at('a'), mode);
    writeFile(at('a'), 'new');
    expect(statSync(at('a')).mode & 0o7777).toBe(mode);
    await writeFileMeanwhile(at('a'), Buffer.from('newer'));
    expect([statSync(at('a')).mode & 0o7777, read('a')]).toEqual([mode, 'newer']);
  });

  test('has otherwise the mode that the umask leaves', () => {
    writeFileSync(at('theirs'), '');
    writeFile(at('ours'), '');
    expect(statSync(at('ours')).mode).toBe(statSync(at('theirs')).mode);
  });

  test('takes the place of a file only', () => {
    mkdirSync(at('directory'));
    symlinkSync(at('elsewhere'), at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    const before = list();
    for (const [name, said] of [
      ['directory', 'a directory is in the place of the file'],
      ['link', 'expected a file, found a symbolic link; remove it'],
      ['pipe', 'expected a file to be replaced, found a pipe, a socket or a device'],
      ['none/a', 'no such file or directory'],
    ] as const) {
      expect(() => writeFile(at(name), 'x')).toThrow(new UserError(`${at(name)}: ${said}`));
    }
    expect(list()).toEqual(before);
  });
});

test('of files that belong together none is written where one cannot be', () => {
  writeFileSync(at('first'), 'old');
  mkdirSync(at('third'));
  const files = ['first', 'second', 'third'].map((name) => ({ path: at(name), content: 'new' }));
  expect(() => writeFiles(files)).toThrow(/third: a directory is in the place/);
  expect(read('first')).toBe('old');
  expect(list()).toEqual(['first', 'third']);
});

/** Writes `size` bytes to `a` and `b` in a process of its own, in which `before` was done; what it says of it. */
function writeInProcess(limit: string, size: number, before = '') {
  const script = `
    import fs, { openSync } from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { writeFiles } = await import(${JSON.stringify(BUILT)});
    ${before}
    syncBuiltinESMExports();
    const files = ['a', 'b'].map((path) => ({ path, content: 'x'.repeat(path === 'a' ? 10 : ${size}) }));
    try { writeFiles(files); } catch (error) { process.stdout.write(error.name + ' ' + error.message); }`;
  return new Promise<string>((resolve) => {
    const words = ['-c', `${limit} exec "$@"`, 'sh', process.execPath, '--input-type=module', '-e', script];
    execFile('sh', words, { cwd: folder }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

describe('what the machine refuses is said in one sentence, the old files stay, and nothing is left:', () => {
  const failing = (name: string, code: string) =>
    `fs.${name} = () => { throw Object.assign(new Error('${code}'), { code: '${code}' }); };`;
  test.each([
    [
      'a file that grows too large in the middle',
      'ulimit -f 8;',
      1e5,
      '',
      'b: larger than the system lets a file be',
    ],
    [
      'too many open files',
      'ulimit -n 64;',
      10,
      "try { for (;;) openSync('.', 'r'); } catch {}",
      'a: too many files are open in this process',
    ],
    [
      'a disk that does not take it',
      '',
      10,
      failing('fsyncSync', 'EIO'),
      'a: the device does not read or write',
    ],
    ['a quota', '', 10, failing('fsyncSync', 'EDQUOT'), 'a: the quota of disk space is used up'],
    [
      'a place that cannot be taken',
      '',
      10,
      failing('renameSync', 'EROFS'),
      'a: the file system is read-only',
    ],
    ['a length that is another', '', 10, `fs.fstatSync = () => ({ size: 3 });`, 'a: the device does not'],
  ])('%s', async (_, limit, size, before, said) => {
    writeFileSync(at('a'), 'old a');
    writeFileSync(at('b'), 'old b');
    expect(await writeInProcess(limit, size, before)).toMatch(new RegExp(`^UserError ${said}[^\n]*$`));
    expect([read('a'), read('b'), list()]).toEqual(['old a', 'old b', ['a', 'b']]);
  });

  test('while a write that is short of some bytes goes on', async () => {
    const half = `
      const write = fs.writeSync;
      fs.writeSync = (fd, data, offset = 0, length = data.length) => write(fd, data, offset, Math.ceil(length / 2));`;
    expect(await writeInProcess('', 1000, half)).toBe('');
    expect(read('b')).toBe('x'.repeat(1000));
  });
});

describe('what a process leaves that is killed as it writes', () => {
  const leave = (label: string, touched = new Date()) => {
    const path = at(`.unfinished-3-${label}`);
    writeFileSync(path, 'half');
    utimesSync(path, touched, touched);
  };
  const own = thisProcess();
  const ended = spawnSync(process.execPath, ['-e', '']).pid;
  const [now, longAgo] = [new Date(), new Date(Date.now() - 3_600_000)];

  test.each([
    ['is removed', { ...own, pid: ended }, now, 0],
    ['is removed where another has its number now', { ...own, started: '1' }, now, 0],
    ['is left alone while it lives, however long', own, longAgo, 1],
    ['is left alone on another machine', { ...own, pid: ended, boot: 'other', host: 'a-b,c' }, now, 1],
    ['is left alone in another container', { ...own, pid: ended, namespace: 'pid:[7]' }, now, 1],
    ['is removed there when nobody has touched it for an hour', { ...own, boot: 'other' }, longAgo, 0],
  ])('%s', (_, process, touched, left) => {
    leave(labelOf(process), touched);
    writeFileSync(at('.unfinished'), 'theirs');
    writeFileSync(at('.unfinished-x'), 'theirs');
    writeFileSync(at('.unfinished-1-%'), 'theirs');
    removeAbandoned(folder);
    expect(list()).toHaveLength(3 + left);
  });

  test.runIf(process.platform === 'linux')(
    'is removed with the next file that is written there',
    async () => {
      const script = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.fsyncSync = () => { console.log('writing'); for (;;); };
      syncBuiltinESMExports();
      const { writeFile } = await import(${JSON.stringify(BUILT)});
      writeFile('a', 'new');`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: folder });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      expect(list()).toEqual([expect.stringMatching(`^\\.unfinished-0-${child.pid},`)]);
      writeFile(at('b'), 'ours');
      expect(list()).toHaveLength(2);
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      writeFile(at('b'), 'ours again');
      expect(list()).toEqual(['b']);
    },
  );
});
