/**
 * The one writer: a file is written whole beside its place, waited for until it is on the disk, and put there by a rename.
 *
 * Whatever happens meanwhile, a full disk, a signal, a loss of power, its place has the old bytes or the new ones.
 */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { asUserError } from './files.js';
import { isAlive, type ProcessIdentity, thisProcess } from './process-identity.js';
import { UserError } from './user-error.js';

/** A file to be written. */
export interface NewFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** Names of files that are being written: `.unfinished-N-PROCESS`, of a process that may have been killed since. */
const UNFINISHED = /^\.unfinished-\d+-(.+)$/;

/** A process that cannot be seen from here, on another machine or in another container, is given so long. */
const UNSEEN_MS = 600_000;

/** A file that is written beside its place. */
interface Draft {
  readonly path: string;
  readonly temporary: string;
}

/**
 * Writes a file whole or not at all; one that is there keeps its mode and owner.
 *
 * @throws UserError when it cannot be written, or is no file: a symbolic link, a directory, a device.
 */
export function writeFile(path: string, content: NewFile['content']): void {
  writeFiles([{ path, content }]);
}

/**
 * Writes files that belong together. All are on the disk before the first takes its place, so that a disk that fills up
 * leaves all of the old ones; only a kill between two renames can part them, in the order given.
 *
 * @throws UserError as `writeFile`.
 */
export function writeFiles(files: readonly NewFile[]): void {
  const folders = new Set(files.map(({ path }) => dirname(path)));
  for (const folder of folders) removeAbandoned(folder);
  const drafts: Draft[] = [];
  let at = files[0]?.path ?? '';
  try {
    for (const { path, content } of files) {
      at = path;
      const { temporary, descriptor } = open(path);
      drafts.push({ path, temporary });
      try {
        writeFileSync(descriptor, content);
        fsyncSync(descriptor);
        checkLength(descriptor, content);
      } finally {
        closeSync(descriptor);
      }
    }
    for (const { path, temporary } of drafts) {
      at = path;
      renameSync(temporary, path);
    }
    for (const folder of folders) syncFolder(folder);
  } catch (error) {
    drafts.forEach(discard);
    throw asUserError(at, error);
  }
}

const synced = promisify(fsync);

/**
 * Writes a file whole or not at all, and goes on with other work while the disk is waited for, but for nothing else: a
 * turn of the event loop for every step costs more than the steps. What dead processes left is not looked for.
 *
 * @throws Error of the file system, with the path.
 */
export async function writeFileMeanwhile(path: string, content: Uint8Array): Promise<void> {
  let draft: Draft | undefined;
  try {
    const { temporary, descriptor } = open(path);
    draft = { path, temporary };
    try {
      writeFileSync(descriptor, content);
      await synced(descriptor);
      checkLength(descriptor, content);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    const folder = attempt(() => openSync(dirname(path), 'r'));
    if (folder !== undefined) {
      await synced(folder)
        .catch(unlessUnheardOf)
        .finally(() => closeSync(folder));
    }
  } catch (error) {
    if (draft) discard(draft);
    throw Object.assign(error as Error, { path });
  }
}

/** Removes what processes that were killed over their writing have left in a folder, and nothing of a living one. */
export function removeAbandoned(folder: string): void {
  for (const name of attempt(() => readdirSync(folder)) ?? []) {
    const label = UNFINISHED.exec(name)?.[1];
    if (label === undefined) continue;
    const path = join(folder, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    const process = processOf(label);
    if (!status || !process) continue;
    if (!(isAlive(process) ?? Date.now() - status.mtimeMs < UNSEEN_MS)) attempt(() => rmSync(path));
  }
}

let count = 0;

/** A process as a part of a name: what tells it from all others, the number first and the machine last. */
export function labelOf({ pid, started, namespace, boot, host }: ProcessIdentity): string {
  return [pid, started ?? '', namespace ?? '', boot ?? '', host].map(encodeURIComponent).join();
}

function processOf(label: string): ProcessIdentity | undefined {
  const parts = attempt(() => label.split(',').map(decodeURIComponent));
  if (parts?.length !== 5) return undefined;
  const [pid, started, namespace, boot, host] = parts as [string, string, string, string, string];
  return {
    pid: Number(pid),
    started: started || null,
    namespace: namespace || null,
    boot: boot || null,
    host,
  };
}

/** Opens a new file beside `path`, with the mode and owner of the one that is there. */
function open(path: string): { readonly temporary: string; readonly descriptor: number } {
  const old = lstatSync(path, { throwIfNoEntry: false });
  checkIsReplaceable(path, old);
  const temporary = join(dirname(path), `.unfinished-${count++}-${labelOf(thisProcess())}`);
  const descriptor = openSync(temporary, 'wx', 0o666);
  if (old) {
    // What is not ours to give stays ours; a file system without owners and modes has none to keep.
    attempt(() => fchownSync(descriptor, old.uid, old.gid));
    attempt(() => fchmodSync(descriptor, old.mode & 0o7777));
  }
  return { temporary, descriptor };
}

/** Refuses what a rename would put a file in the place of, or write through. */
function checkIsReplaceable(path: string, old: Stats | undefined): void {
  if (!old || old.isFile()) return;
  if (old.isDirectory()) throw new UserError(`${path}: a directory is in the place of the file`);
  if (old.isSymbolicLink()) {
    throw new UserError(`${path}: expected a file, found a symbolic link; remove it`);
  }
  throw new UserError(`${path}: expected a file to be replaced, found a pipe, a socket or a device`);
}

/** `writeFileSync` goes on after a short write; a disk that lost bytes all the same, or a quota, is told by the length. */
function checkLength(descriptor: number, content: NewFile['content']): void {
  const [length, expected] = [fstatSync(descriptor).size, Buffer.byteLength(content)];
  if (length === expected) return;
  throw Object.assign(new Error(`${length} of ${expected} bytes were written`), { code: 'EIO' });
}

/** Waits until the names in a folder are on the disk, where the system can: Windows opens no folders. */
function syncFolder(folder: string): void {
  const descriptor = attempt(() => openSync(folder, 'r'));
  if (descriptor === undefined) return;
  try {
    fsyncSync(descriptor);
  } catch (error) {
    unlessUnheardOf(error);
  } finally {
    closeSync(descriptor);
  }
}

/** Not every file system waits for a folder; one that tries and fails has lost what was written. */
function unlessUnheardOf(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code === 'EIO') throw error;
}

function discard({ temporary }: Draft): void {
  // The error that led here says what is wrong.
  attempt(() => rmSync(temporary, { force: true }));
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
