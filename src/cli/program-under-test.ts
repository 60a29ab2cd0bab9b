/**
 * The program as tests call it: mostly in their own process, whose libraries are loaded, and which measures and draws
 * in this thread; or as what is built, in a process of its own, where that is what matters.
 */
import { type ChildProcessByStdio, execFile, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test as base } from 'vitest';
import type { Manifest } from '../results/manifest.js';
import { openExecutor } from '../run/machine/executor.js';
import { clean } from './door.js';
import type { Effects } from './effects.js';
import { NO_TERMINAL } from './terminal.js';

/** What `npm run build` has made. */
export const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Batches are measured, charts drawn and claims examined in this thread; what is said is kept. */
function effectsHere(said: { stdout: string; stderr: string }): Effects {
  return {
    write: (text) => {
      said.stdout += text;
    },
    tell: (line) => {
      said.stderr += `${line}\n`;
    },
    terminal: NO_TERMINAL,
    stopSignal: () => new AbortController().signal,
    openExecutor: (_, backend) => openExecutor(0, backend),
    drawChart: async (spec, table, options) =>
      (await import('../charts/render.js')).renderChart(spec, table, options),
    prepareToDraw: () => {},
    examineClaims: async (questions, _, onExamined = () => {}) => {
      const { default: examine } = await import('../claims/examiner.js');
      const all = [];
      for (const question of questions) {
        const [examined] = await examine({ ids: [question.id], seed: question.seed });
        onExamined(examined!, question);
        all.push(examined!);
      }
      return all;
    },
  };
}

export interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Outcome>;
}

/** Runs in every thread of the program first: 0 hears signals, 1 is that of the program, the others measure. */
const HOLD = `
  const { threadId } = require('node:worker_threads');
  const fs = require('node:fs');
  const { existsSync, renameSync, writeFileSync } = fs;
  const released = process.env.HOLD + '.released';
  if (threadId === 0) {
    // When the thread of the program has been told of it.
    const release = () => setImmediate(() => writeFileSync(released, ''));
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, release);
  }
  if (threadId === 1) {
    fs.rmSync(released, { force: true });
    const clock = new Int32Array(new SharedArrayBuffer(4));
    fs.renameSync = (from, to) => {
      renameSync(from, to);
      if (!to.endsWith('.cells')) return;
      writeFileSync(process.env.HOLD, '');
      while (!existsSync(released)) Atomics.wait(clock, 0, 0, 5);
    };
    require('node:module').syncBuiltinESMExports();
  }`;

const wordsOf = (words: readonly string[]) =>
  words.length === 1 ? words[0]!.split(' ').filter(Boolean) : words;

let last: Promise<unknown> = Promise.resolve();

/**
 * Calls the program in this process, one call after the other, since a process has one working directory.
 *
 * @param words one text is cut into words at its spaces.
 */
export function callHere(folder: string, ...words: string[]): Promise<Outcome> {
  const outcome = last.then(async () => {
    const { runProgram } = await import('./run-program.js');
    const said = { stdout: '', stderr: '' };
    const before = process.cwd();
    process.chdir(folder);
    try {
      const code = await runProgram(wordsOf(words), effectsHere(said));
      return { code, stdout: clean(said.stdout), stderr: clean(said.stderr) };
    } finally {
      process.chdir(before);
    }
  });
  last = outcome.catch(() => undefined);
  return outcome;
}

/** A folder to call the program in. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'feature-speed-'));

  call(...words: string[]): Promise<Outcome> {
    return callHere(this.path, ...words);
  }

  /** Calls the program that is built, in a process of its own. */
  start(words: string | readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const all = [PROGRAM, ...(typeof words === 'string' ? wordsOf([words]) : words)];
    const options = { cwd: this.path, env: { ...process.env, ...env } };
    return new Promise((resolve) => {
      execFile(process.execPath, all, options, (error, stdout, stderr) =>
        resolve({ code: error ? error.code : 0, stdout, stderr }),
      );
    });
  }

  /** The process of the program that is built, to do something to it; `within` begins the command. */
  spawn(words: string, env: NodeJS.ProcessEnv = {}, within: readonly string[] = []): Running {
    const [file, ...before] = [...within, process.execPath, PROGRAM];
    const child = spawn(file!, [...before, ...wordsOf([words])], {
      cwd: this.path,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (text) => {
        said[name] += text;
      });
    const ended = new Promise<Outcome>((resolve) =>
      child.once('close', (code) => resolve({ code, ...said })),
    );
    return { child, ended };
  }

  /**
   * Starts a run that goes no further than its first batch on the disk, until it gets a signal: what is done to it in
   * between meets it in the midst of its work, however slow or fast the machine.
   */
  async hold(words: string, within: readonly string[] = []): Promise<Running> {
    const held = this.at('held');
    rmSync(held, { force: true });
    this.write('hold.cjs', HOLD);
    const env = { NODE_OPTIONS: `--require ${this.at('hold.cjs')}`, HOLD: held };
    const running = this.spawn(words, env, within);
    while (running.child.exitCode === null && !existsSync(held)) await sleep(5);
    return running;
  }

  git(...words: string[]): string {
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', [...author, ...words], {
      cwd: this.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trimEnd();
  }

  /** Commits all that is there. */
  commit(): void {
    if (!existsSync(this.at('.git'))) this.git('init', '--quiet');
    this.git('add', '.');
    this.git('commit', '--quiet', '-m', 'one');
  }

  readonly at = (path: string): string => join(this.path, path);

  /** Writes a text, or an object as JSON. */
  write(path: string, content: string | Uint8Array | object): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(this.at(path), isText ? content : JSON.stringify(content, null, 2));
  }

  read(path: string): string {
    return readFileSync(this.at(path), 'utf8');
  }

  /** Names of the files of a folder below, sorted. */
  list(path: string): string[] {
    return readdirSync(this.at(path)).sort();
  }

  /** Paths of all that is in it, sorted. */
  everything(): string[] {
    return readdirSync(this.path, { recursive: true, encoding: 'utf8' }).sort();
  }

  manifest(path: string): Manifest {
    return JSON.parse(this.read(join(path, 'manifest.json')));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Tests with a folder of their own each. */
export const testIn = <F extends Folder>(make: () => F) =>
  base.extend<{ folder: F }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures off the pattern
    folder: async ({}, use) => {
      const folder = make();
      await use(folder);
      folder.remove();
    },
  });

export const test = testIn(() => new Folder());
