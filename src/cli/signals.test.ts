import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (path: string) => join(folder, path);

/** Minutes of work in one batch. */
const LONG = {
  network: { width: 2000 },
  scaling: 'MF+muP',
  sweep: { depth: [900] },
  draws: 100,
  record: { layers: 'output', quantities: ['bfa_rad'] },
};
const TABLE = 'experiment,layer\ne,1\ne,2\n';
/** A pattern that takes longer than the universe on this text. */
const ENDLESS = {
  data: { name: 'table' },
  transform: [{ calculate: `test(regexp('^(a+)+$'), '${'a'.repeat(60)}b')`, as: 'z' }],
  mark: 'point',
  encoding: { x: { field: 'layer', type: 'quantitative' } },
};

interface Phase {
  /** Made in the folder before. */
  readonly files?: Readonly<Record<string, string>>;
  /** Runs in every thread of the program first; `reached` tells that the phase has begun. */
  readonly preload?: string;
  /** A script in the place of git; it makes the file `reached`. */
  readonly git?: string;
  /** What tells that the phase has begun. */
  readonly reached: string;
}

/** Starts the program, and sends a signal when it is where it is to be. */
async function interrupt(words: string, signal: NodeJS.Signals, phase: Phase) {
  for (const [path, text] of Object.entries(phase.files ?? {})) {
    mkdirSync(join(at(path), '..'), { recursive: true });
    writeFileSync(at(path), text);
  }
  const env: NodeJS.ProcessEnv = { ...process.env };
  if (phase.preload !== undefined) {
    writeFileSync(
      at('preload.cjs'),
      `const { threadId } = require('node:worker_threads');
      const fs = require('node:fs');
      const reached = () => fs.writeFileSync(${JSON.stringify(at('reached'))}, '');
      ${phase.preload}`,
    );
    env.NODE_OPTIONS = `--require ${at('preload.cjs')}`;
  }
  if (phase.git !== undefined) {
    mkdirSync(at('bin'));
    writeFileSync(at('bin/git'), `#!/bin/sh\ntouch "${at('reached')}"\n${phase.git}\n`);
    chmodSync(at('bin/git'), 0o755);
    env.PATH = `${at('bin')}${delimiter}${env.PATH}`;
  }
  const child = spawn(process.execPath, [PROGRAM, ...words.split(' ')], { cwd: folder, env });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdout.resume();
  const ended = new Promise<{ code: number | null; by: string | null }>((resolve) =>
    child.once('exit', (code, by) => resolve({ code, by })),
  );
  while (child.exitCode === null && !existsSync(at(phase.reached)))
    await new Promise((resolve) => setTimeout(resolve, 10));
  const sent = performance.now();
  child.kill(signal);
  const { code, by } = await ended;
  return { code, by, stderr, ms: performance.now() - sent };
}

/** Two seconds, and what a machine that is busy with other things adds. */
const MOST_MS = 8000;

describe('SIGINT', () => {
  const [signal, code] = ['SIGINT', 130] as const;

  test('ends a run in the midst of a batch with one worker, whose folder is in order then', async () => {
    const { ms, ...outcome } = await interrupt('run long.json --backend wasm --workers 1', signal, {
      files: { 'long.json': JSON.stringify(LONG) },
      // A batch looks at the clock when it begins.
      preload:
        'if (threadId > 1) { const now = performance.now.bind(performance); performance.now = () => { reached(); return now(); }; }',
      reached: 'reached',
    });
    expect(outcome).toEqual({
      code,
      by: null,
      stderr: 'long: stopped; 0 of 100 cells are kept, the same command goes on from there\n',
    });
    expect(ms).toBeLessThan(MOST_MS);
    expect(readdirSync(at('results/long'))).toEqual(['manifest.json']);
    expect(JSON.parse(readFileSync(at('results/long/manifest.json'), 'utf8')).status).toBe('partial');
  });
});

describe('SIGTERM', () => {
  const [signal, code] = ['SIGTERM', 143] as const;

  test('ends the drawing of a chart, also while a regular expression of its spec is tried for ever', async () => {
    const { ms, ...outcome } = await interrupt('plot e --spec endless.json', signal, {
      files: { 'e/table.csv': TABLE, 'endless.json': JSON.stringify(ENDLESS) },
      preload: "if (process.argv[1].endsWith('draw-process.js')) process.once('message', reached);",
      reached: 'reached',
    });
    expect(outcome).toEqual({ code, by: null, stderr: '' });
    expect(ms).toBeLessThan(MOST_MS);
    expect(readdirSync(at('e'))).toEqual(['table.csv']);
  });

  test('ends a program whose thread never comes back, as from a file that is parsed for hours', async () => {
    const { ms, ...outcome } = await interrupt('plan slow.json', signal, {
      files: { 'slow.json': JSON.stringify(LONG) },
      preload: `if (threadId === 1) {
        const { readFileSync } = fs;
        fs.readFileSync = (path, ...rest) => {
          if (String(path) !== 'slow.json') return readFileSync(path, ...rest);
          reached();
          for (;;);
        };
        require('node:module').syncBuiltinESMExports();
      }`,
      reached: 'reached',
    });
    expect(outcome).toEqual({ code, by: null, stderr: '' });
    expect(ms).toBeLessThan(MOST_MS);
  });

  const waiting = process.env.FEATURE_SPEED_SLOW ? ['diff', 'doctor', 'run long.json'] : ['diff'];
  test.each(waiting)('ends %s while it waits for git', async (words) => {
    const {
      ms,
      code: exit,
      by,
      stderr,
    } = await interrupt(words, signal, {
      files: { 'long.json': JSON.stringify(LONG) },
      git: 'exec sleep 100',
      reached: 'reached',
    });
    // Where the thread is asleep until git has ended, the system ends the process: a shell says the same of both.
    expect(by === signal || exit === code).toBe(true);
    expect(stderr).toBe('');
    expect(ms).toBeLessThan(MOST_MS);
  });

  test('ends verify while it measures', async () => {
    const { ms, ...outcome } = await interrupt('verify --workers 1', signal, {
      preload: 'if (threadId > 1) reached();',
      reached: 'reached',
    });
    expect(outcome).toEqual({ code, by: null, stderr: '' });
    expect(ms).toBeLessThan(MOST_MS);
  });
});
