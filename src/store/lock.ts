/** The lock of a results folder: one run at a time writes there. */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from './user-error.js';

export interface Lock {
  /** Removes the file, unless another run has taken the lock over. */
  release(): void;
}

/** Who holds a lock: the content of its file. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A holder touches its file this often; with one worker a batch may keep it from that for a while. */
const TOUCH_MS = 10_000;
/** On another machine, a holder that has not touched its file for so long counts as dead. */
const STALE_MS = 180_000;
/** A holder that is being killed, or has made its file and not yet written it, is given so long. */
const PATIENCE_MS = 1000;

/** Files of the locks that this process holds. */
const held = new Set<string>();

/**
 * Takes a lock; that of a dead process is taken over.
 *
 * Whether a holder lives is asked of the system if it is on this machine, and of the age of the file if it is on another
 * that shares the folder. Where a living one is taken for dead after all, no result is harmed: both runs write the same
 * bytes into the same files.
 *
 * @param onCompromised called once if another run takes the lock over.
 * @throws UserError that names the holder.
 */
export async function takeLock(path: string, onCompromised: (error: UserError) => void): Promise<Lock> {
  const own = JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() });
  const patience = Date.now() + PATIENCE_MS;
  while (!create(path, own)) {
    const text = read(path);
    if (text === undefined) continue; // released just now
    const holder = parse(text);
    if (holder && !isAlive(path, holder)) takeAway(path, text);
    else if (Date.now() < patience) await sleep(50);
    else if (holder) throw new UserError(refusal(path, holder));
    else takeAway(path, text);
  }
  held.add(path);
  removeAbandoned(path);
  const timer = setInterval(() => {
    if (isOurs()) return attempt(() => utimesSync(path, new Date(), new Date()));
    clearInterval(timer);
    onCompromised(new UserError(`${path}: another run has taken this folder over`));
  }, TOUCH_MS).unref();
  const isOurs = () => attempt(() => read(path) === own) ?? true;
  return {
    release: () => {
      clearInterval(timer);
      held.delete(path);
      if (isOurs()) attempt(() => rmSync(path, { force: true }));
    },
  };
}

/** Undefined where the disk fails: a lock that cannot be touched or removed is that of a dead process soon. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Whether the file was made; false when it is there. */
function create(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, host, since } = JSON.parse(text) as Partial<Holder>;
    return Number.isInteger(pid) && host && since ? { pid: pid!, host, since } : undefined;
  } catch {
    return undefined;
  }
}

/** Time of the last touch, ms; of a file that has gone in the meantime, now. */
function touchedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
}

function isAlive(path: string, { pid, host }: Holder): boolean {
  const touched = touchedAt(path);
  if (host !== hostname()) return Date.now() - touched < STALE_MS;
  // Numbers of processes begin again with the machine, and with a container.
  if (touched < Date.now() - uptime() * 1000) return false;
  return pid === process.pid ? held.has(path) : isRunning(pid);
}

/** Whether this machine runs a process of that number. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Whether a process has ended and waits for its parent to notice, which in a container it may do for ever. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  // `PID (name) STATE ...`, and the name may have brackets.
  const state = read(`/proc/${pid}/stat`)?.replace(/^.*\) /s, '')[0];
  return state === undefined || state === 'Z' || state === 'X';
}

/**
 * Removes the lock of a dead holder. It is renamed and looked at again before, since of two runs that find it the slower
 * one must not remove the new lock of the faster.
 */
function takeAway(path: string, text: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) === text) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** Removes what a process that was killed in `takeAway` has left. */
function removeAbandoned(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(pid) && pid !== process.pid && !isRunning(pid)) {
      rmSync(join(dirname(path), name), { force: true });
    }
  }
}

function refusal(path: string, { pid, host, since }: Holder): string {
  return (
    `${path}: held by process ${pid} on ${host} since ${since}; ` +
    'wait for that run or choose another --out (if it is no run of feature-speed, remove the file)'
  );
}
