/** Which process of all machines one is: its number means something only where it was given. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Boot of the kernel, and process namespace (container) below it; null where the system tells none. */
  readonly boot: string | null;
  readonly namespace: string | null;
  /** When it started, in ticks since the boot: numbers of processes are given again. */
  readonly started: string | null;
}

export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    boot: told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: told(() => readlinkSync('/proc/self/ns/pid')),
    started: stateOf(process.pid)?.started ?? null,
  };
}

/**
 * Whether a process lives; undefined where that cannot be known from here: on another machine, in another container, which
 * may have the same host name, and on systems that do not tell.
 */
export function isAlive({ pid, boot, namespace, started }: ProcessIdentity): boolean | undefined {
  const own = thisProcess();
  if (own.boot === null || own.namespace === null) return undefined;
  if (boot !== own.boot || namespace !== own.namespace) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // Where processes of other users are hidden, that it is there is all there is to know.
  const state = stateOf(pid);
  return state === null || (!state.hasEnded && (started === null || state.started === started));
}

/** State of a process of this namespace; one that has ended may wait for its parent to notice, in a container for ever. */
function stateOf(pid: number): { readonly hasEnded: boolean; readonly started: string } | null {
  // `PID (name) STATE ...`, and the name may have brackets; the start is the 22nd of all.
  const fields = told(() =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' '),
  );
  if (fields === null) return null;
  return { hasEnded: fields[0] === 'Z' || fields[0] === 'X', started: fields[19]! };
}

function told<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
