import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { asideOf, takeLock } from './lock.js';
import { thisProcess } from './process-identity.js';

// A holder is given a second to go; here that takes no time.
const clock = vi.hoisted(() => ({ now: 0, meanwhile: () => {} }));
vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => {
    clock.now += ms;
    clock.meanwhile();
  },
}));

let folder: string;
let path: string;
beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => clock.now);
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  path = join(folder, '.lock');
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  clock.meanwhile = () => {};
  rmSync(folder, { recursive: true });
});

const since = '2024-01-01T00:00:00.000Z';
const here = thisProcess();
const elsewhere = { ...here, pid: 1, host: 'elsewhere', boot: 'another', since };
/** A process of this machine and container that started at another time than this one, or at none that is known. */
const local = (pid: number | undefined, started: string | null = null) => ({ ...here, pid, started, since });

const hold = (holder: object | string, ageMs = 0, now = Date.now()) => {
  writeFileSync(path, typeof holder === 'string' ? holder : JSON.stringify(holder));
  const touched = new Date(now - ageMs);
  utimesSync(path, touched, touched);
};
const take = () => takeLock(path);
const holder = () => JSON.parse(readFileSync(path, 'utf8'));

test('a lock names its holder, and leaves nothing behind', async () => {
  const lock = await take();
  expect(holder()).toEqual({ ...here, since: expect.stringMatching(/^\d{4}-.*Z$/) });
  lock.check();
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});

describe('a lock is refused', () => {
  test('to a second run of this process, until the first releases it', async () => {
    const lock = await take();
    await expect(take()).rejects.toThrow(
      new RegExp(
        `held by process ${process.pid} on ${hostname()} since .*; wait for that run or choose another --out$`,
      ),
    );
    lock.release();
    (await take()).release();
  });

  test('where another process of this machine holds it, however long that has been silent', async () => {
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
    hold(local(other.pid), 600_000);
    await expect(takeLock(path, { takesOver: true })).rejects.toThrow(
      `held by process ${other.pid} on ${hostname()} since ${since}`,
    );
    other.kill('SIGKILL');
    await new Promise((end) => other.once('exit', end));
    (await take()).release();
  });

  test('but not where its holder goes while it is looked at', async () => {
    hold(local(process.ppid), 600_000);
    clock.meanwhile = () => rmSync(path, { force: true });
    (await take()).release();
  });

  test.each([
    ['another machine', elsewhere],
    ['another machine of the same name', { ...elsewhere, host: hostname(), pid: process.pid }],
    ['another container of this machine', { ...local(process.pid), namespace: 'pid:[7]' }],
    ['a version or system that does not tell where it is', { pid: process.pid, host: hostname(), since }],
  ])('where %s holds it that touched it a minute ago, with its age and what to do', async (_, other) => {
    hold(other, 60_000);
    await expect(take()).rejects.toThrow(
      /held by process .*, last heard of (6|7)\d s ago, .*; where it is no more, --take-over takes/,
    );
    expect(holder()).toEqual(other);
    (await takeLock(path, { takesOver: true })).release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a lock is taken over', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid!;

  test.each([
    ['of a dead process', local(dead), 0],
    ['of a process that had the number of this one', local(process.pid, '1'), 0],
    ['of a process whose number another one has now', local(process.ppid, '1'), 0],
    ['of another machine that has been silent for ten minutes', elsewhere, 600_000],
    ['that says nothing', '', 0],
    ['that says nonsense', '{"pid": "many"}', 0],
  ])('%s', async (_, content, ageMs) => {
    hold(content, ageMs);
    const lock = await take();
    expect(holder().pid).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['.lock']);
    lock.release();
  });

  test('and what a process that was killed over it has left goes with it, if it is of this machine', async () => {
    hold(local(dead));
    writeFileSync(asideOf(path, { ...here, pid: dead }), '');
    // Of another machine only when it is old, since it may be in use.
    const other = asideOf(path, elsewhere);
    writeFileSync(other, '');
    (await take()).release();
    expect(readdirSync(folder).map((name) => join(folder, name))).toEqual([other]);
  });

  test('by one of two that find it', async () => {
    hold(local(dead));
    const results = await Promise.allSettled([take(), take(), take()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const result of results) if (result.status === 'fulfilled') result.value.release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('ages are those of the file system, not of this machine, whose clock may be', () => {
  test.each([
    ['an hour ahead', 3_600_000],
    ['an hour behind', -3_600_000],
  ])('%s', async (_, shift) => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: now + shift });
    hold(elsewhere, 0, now);
    await expect(take()).rejects.toThrow(/last heard of \d\d? s ago/);
    hold(elsewhere, 600_000, now);
    const lock = await take();
    lock.check();
    expect(Math.abs(statSync(path).mtimeMs - now)).toBeLessThan(60_000);
    lock.release();
  });
});

describe('what is no file in the place of a lock is refused at once:', () => {
  test('a pipe', async () => {
    execFileSync('mkfifo', [path]);
    await expect(take()).rejects.toThrow(`${path}: expected a file, found a pipe; remove it`);
  });

  test('a folder', async () => {
    mkdirSync(path);
    await expect(take()).rejects.toThrow(`${path}: expected a file, found a folder; remove it`);
  });

  test('a socket', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(path, listening));
    await expect(take()).rejects.toThrow(`${path}: expected a file, found a socket; remove it`);
    await new Promise((closed) => server.close(closed));
  });
});

describe('a holder whose lock is taken over', () => {
  test('is told once, and does not remove it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const onCompromised = vi.fn();
    const lock = await takeLock(path, { onCompromised });
    vi.advanceTimersByTime(20_000);
    expect(onCompromised).not.toHaveBeenCalled();
    hold(elsewhere);
    vi.advanceTimersByTime(60_000);
    expect(onCompromised).toHaveBeenCalledOnce();
    lock.release();
    expect(holder()).toEqual(elsewhere);
  });

  test.each([
    ['by another run', () => hold(elsewhere)],
    ['by hand', () => rmSync(path)],
    [
      'by a folder',
      () => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])('%s finds out at its next write', async (_, act) => {
    const onCompromised = vi.fn();
    const lock = await takeLock(path, { onCompromised });
    lock.check();
    act();
    for (let i = 0; i < 2; i++) expect(() => lock.check()).toThrow(/this one writes nothing more$/);
    expect(onCompromised).toHaveBeenCalledOnce();
    lock.release();
  });
});
