import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { takeLock } from './lock.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  path = join(folder, '.lock');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const since = '2024-01-01T00:00:00.000Z';
const hold = (holder: object | string, ageMs = 0) => {
  writeFileSync(path, typeof holder === 'string' ? holder : JSON.stringify(holder));
  const touched = new Date(Date.now() - ageMs);
  utimesSync(path, touched, touched);
};
const take = () => takeLock(path, () => {});
const holder = () => JSON.parse(readFileSync(path, 'utf8'));

test('a lock names its holder, and leaves nothing behind', async () => {
  const lock = await take();
  expect(holder()).toEqual({
    pid: process.pid,
    host: hostname(),
    since: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
  (await take()).release();
});

describe('a lock is refused', () => {
  test('to a second run of this process, until the first releases it', async () => {
    const lock = await take();
    await expect(take()).rejects.toThrow(
      new RegExp(
        `held by process ${process.pid} on ${hostname()} since .*; wait for that run or choose another --out`,
      ),
    );
    lock.release();
    (await take()).release();
  });

  test('where another process of this machine holds it, however long that has been silent', async () => {
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
    hold({ pid: other.pid, host: hostname(), since }, 60_000);
    await expect(take()).rejects.toThrow(`held by process ${other.pid} on ${hostname()} since ${since}`);
    other.kill('SIGKILL');
    (await take()).release();
  });

  test('where another machine holds it that touched it a minute ago', async () => {
    hold({ pid: 1, host: 'elsewhere', since }, 60_000);
    await expect(take()).rejects.toThrow('held by process 1 on elsewhere');
    expect(holder().host).toBe('elsewhere');
  });
});

describe('a lock is taken over', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;

  test.each([
    ['of a dead process', { pid: dead, host: hostname(), since }, 0],
    ['of a process that had the number of this one', { pid: process.pid, host: hostname(), since }, 0],
    ['of this machine before it was started', { pid: 1, host: hostname(), since }, 1e12],
    [
      'of another machine that has been silent for ten minutes',
      { pid: 1, host: 'elsewhere', since },
      600_000,
    ],
    ['that says nothing', '', 0],
    ['that says nonsense', '{"pid": "many"}', 0],
  ])('%s', async (_, content, ageMs) => {
    hold(content, ageMs);
    const lock = await take();
    expect(holder().pid).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['.lock']);
    lock.release();
  });

  test('and what a process that was killed over it has left goes with it', async () => {
    hold({ pid: dead, host: hostname(), since });
    writeFileSync(`${path}.${dead}`, '');
    (await take()).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('by one of two that find it', async () => {
    hold({ pid: dead, host: hostname(), since });
    const results = await Promise.allSettled([take(), take(), take()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const result of results) if (result.status === 'fulfilled') result.value.release();
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('a holder whose lock is taken over is told once, and does not remove it', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const compromised = vi.fn();
  const lock = await takeLock(path, compromised);
  vi.advanceTimersByTime(20_000);
  expect(compromised).not.toHaveBeenCalled();
  hold({ pid: 1, host: 'elsewhere', since });
  vi.advanceTimersByTime(60_000);
  expect(compromised).toHaveBeenCalledOnce();
  lock.release();
  expect(holder().host).toBe('elsewhere');
});
