/** The lock of a results folder: one run at a time writes there. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type ProcessIdentity, thisProcess } from './process-identity.js';
import { readRegularFile } from './regular-file.js';
import { UserError } from './user-error.js';

export interface Lock {
  /**
   * To be called before everything that is written under the lock.
   *
   * @throws UserError when another run has taken the lock over.
   */
  check(): void;
  /** Removes the file, unless another run has taken the lock over. */
  release(): void;
}

export interface LockOptions {
  /** Whether the lock of a run that cannot be seen from here is taken however lately it was touched. */
  readonly takesOver?: boolean | undefined;
  /** Called once if another run takes the lock over. */
  readonly onCompromised?: ((error: UserError) => void) | undefined;
}

/** Who holds a lock: the content of its file. */
interface Holder extends ProcessIdentity {
  /** ISO 8601. */
  readonly since: string;
}

/** A holder touches its file this often; with one worker a batch may keep it from that for a while. */
const TOUCH_MS = 10_000;
/** A holder that cannot be seen from here counts as dead when it has not touched its file for so long. */
const STALE_MS = 180_000;
/** A holder that is being killed, or has made its file and not yet written it, is given so long. */
const PATIENCE_MS = 1000;

/** Files of the locks that this process holds. */
const held = new Set<string>();

/**
 * Takes a lock; that of a dead process is taken over.
 *
 * Whether a holder lives is asked of the system where it is in the same container of the same machine, and else of the age
 * of its file, on the clock of the file system that they share. A living one that is taken for dead finds out before it
 * writes, and stops.
 *
 * @throws UserError that names the holder, or for what is no file in the place of the lock.
 */
export async function takeLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const self = thisProcess();
  const aside = asideOf(path, self);
  const own = JSON.stringify({ ...self, since: new Date().toISOString() } satisfies Holder);
  const patience = performance.now() + PATIENCE_MS;
  while (!create(path, own)) {
    const text = read(path);
    if (text === undefined) continue; // released just now
    const holder = parse(text);
    const alive = holder && (isSame(holder, self) ? held.has(path) : isAlive(holder));
    const age = holder && alive === undefined ? ageOf(path, aside) : 0;
    const isDead = alive === undefined ? options.takesOver || age >= STALE_MS : !alive;
    if (holder && isDead) takeAway(path, aside, text);
    else if (performance.now() < patience) await sleep(50);
    else if (holder) throw new UserError(refusal(path, holder, alive ? undefined : age));
    else takeAway(path, aside, text);
  }
  held.add(path);
  removeAbandoned(path, self);

  let lost: UserError | undefined;
  const check = () => {
    if (!lost && !touch(path, own)) {
      lost = new UserError(`${path}: another run has taken this folder over; this one writes nothing more`);
      clearInterval(timer);
      options.onCompromised?.(lost);
    }
    if (lost) throw lost;
  };
  const timer = setInterval(() => {
    try {
      check();
    } catch {
      // `onCompromised` was told.
    }
  }, TOUCH_MS).unref();
  return {
    check,
    release: () => {
      clearInterval(timer);
      held.delete(path);
      if (!touch(path, own)) return;
      try {
        rmSync(path, { force: true });
      } catch {
        // It is that of a dead process soon.
      }
    },
  };
}

/** Whether the file was made; false when it is there. */
function create(path: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeFileSync(file, text);
    return true;
  } catch (error) {
    // A full disk makes files that it cannot fill, and a lock of nobody would be waited for.
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

const read = (path: string): string | undefined => readRegularFile(path)?.toString('utf8');

function parse(text: string): Holder | undefined {
  try {
    const { pid, host, since, ...more } = JSON.parse(text) as Partial<Holder>;
    if (!Number.isInteger(pid) || !host || !since) return undefined;
    return { pid: pid!, host, since, boot: null, namespace: null, started: null, ...more };
  } catch {
    return undefined;
  }
}

/** Whether a holder is this process, and not one that had its number before or has it elsewhere. */
function isSame(holder: Holder, self: ProcessIdentity): boolean {
  return (Object.keys(self) as (keyof ProcessIdentity)[]).every((key) => holder[key] === self[key]);
}

/**
 * Whether a lock is still that of `text`, which is written once more: so the file system, and not this machine, sets the
 * time. True where the disk fails, since nobody has taken anything then.
 */
function touch(path: string, text: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (readFileSync(file, 'utf8') !== text) return false;
    // Into the file that was read, which is no more under its name where another run is as fast.
    writeSync(file, text, 0);
    return true;
  } catch (error) {
    return !GONE.has((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** No file, or something else in its place. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENXIO', 'EAGAIN']);

/** Time since the last touch, ms, by the clock that sets the times of files: machines that share them differ. */
function ageOf(path: string, probe: string): number {
  writeFileSync(probe, 'now');
  const now = statSync(probe).mtimeMs;
  rmSync(probe, { force: true });
  return now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
}

/** A file beside the lock that only one process uses. */
export function asideOf(path: string, self: ProcessIdentity): string {
  return `${path}.${self.pid}.${placeOf(self)}`;
}

/** The machine and container of a process, in eight digits. */
function placeOf({ host, boot, namespace }: ProcessIdentity): string {
  return createHash('sha256').update(`${host} ${boot} ${namespace}`).digest('hex').slice(0, 8);
}

/**
 * Removes the lock of a dead holder. It is renamed and looked at again before, since of two runs that find it the slower
 * one must not remove the new lock of the faster.
 */
function takeAway(path: string, aside: string, text: string): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (read(aside) === text) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** Removes what a process that was killed in `takeAway` or `ageOf` has left; of other machines, when it is old. */
function removeAbandoned(path: string, self: ProcessIdentity): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const [pid, place] = name.slice(prefix.length).split('.');
    const file = join(dirname(path), name);
    const isLeft =
      place === placeOf(self)
        ? Number(pid) !== self.pid && isAlive({ ...self, pid: Number(pid), started: null }) === false
        : changedAgo(file, path) >= STALE_MS;
    if (isLeft) rmSync(file, { force: true });
  }
}

/** Time since a file came to its name, ms; `fresh` is one that has just been written. */
function changedAgo(file: string, fresh: string): number {
  const [then, now] = [file, fresh].map((path) => statSync(path, { throwIfNoEntry: false })?.ctimeMs);
  return (now ?? 0) - (then ?? now ?? 0);
}

/** @param silentMs of a holder that cannot be seen from here; undefined of one that is. */
function refusal(path: string, { pid, host, since }: Holder, silentMs: number | undefined): string {
  const holder = `${path}: held by process ${pid} on ${host} since ${since}`;
  if (silentMs === undefined) return `${holder}; wait for that run or choose another --out`;
  const silent = Math.max(0, Math.round(silentMs / 1000));
  return (
    `${holder}, last heard of ${silent} s ago, on another machine or in another container; ` +
    'wait for that run or choose another --out; where it is no more, --take-over takes the folder ' +
    `(after ${STALE_MS / 1000} s of silence every run does)`
  );
}
