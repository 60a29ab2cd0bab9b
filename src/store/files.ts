/** Reading and writing files, with messages for people. */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkSize, decodeJson, decodeText, ReadError } from '../results/read-text.js';
import { UserError } from './user-error.js';

/** Root of the installed package, which carries the configs of the figures. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What the system knows of a path; undefined where nothing is, or a file stands in the way.
 *
 * @throws UserError where the system does not tell, as in a folder that one may not enter.
 */
export function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw asUserError(path, error);
  }
}

/** Whether there is something at a path; throws as `statusOf` does. */
export const isThere = (path: string): boolean => statusOf(path) !== undefined;

/**
 * What a reader makes of the bytes of a file: the one way in, for configs, specs, tables, manifests and records.
 *
 * @throws UserError when there is no file to be read, or the reader throws a `ReadError`.
 */
export function readWith<T>(path: string, read: (bytes: Uint8Array) => T): T {
  try {
    return read(readBytes(path));
  } catch (error) {
    throw asUserError(path, error);
  }
}

/**
 * The bytes of a file.
 *
 * @throws ReadError for what is none, and for more than 200 MB; and Error of the file system.
 */
export function readBytes(path: string): Uint8Array {
  const status = statSync(path);
  if (status.isDirectory()) throw new ReadError('expected a file, found a directory');
  // A pipe or a device may have no end.
  if (!status.isFile()) throw new ReadError('expected a file, found something else');
  checkSize(status.size);
  return readFileSync(path);
}

/**
 * The text of a file in UTF-8, without a byte order mark.
 *
 * @throws UserError
 */
export const readText = (path: string): string => readWith(path, decodeText);

/**
 * The value of a file of JSON.
 *
 * @throws UserError
 */
export const readJson = (path: string): unknown => readWith(path, decodeJson);

/**
 * Makes a directory with those that hold it.
 *
 * `mkdirSync` with `recursive` does not come back where a file system that exists makes no directories, as /proc.
 *
 * @returns whether it did not exist before.
 * @throws Error of the file system.
 */
function makeDirectory(path: string): boolean {
  if (existsSync(path)) return false;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    // Another run was faster.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Makes a directory and makes sure that files can be written there.
 *
 * @returns whether it did not exist before.
 * @throws UserError when they cannot.
 */
export function ensureWritableDirectory(path: string): boolean {
  try {
    const isNew = makeDirectory(path);
    accessSync(path, constants.W_OK | constants.X_OK);
    return isNew;
  } catch (error) {
    throw asUserError(path, error);
  }
}

/**
 * Makes sure that a directory can be made and written, without making it: the nearest parent that exists decides.
 *
 * @throws UserError when it cannot.
 */
export function checkWritableDirectory(path: string): void {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  try {
    if (!statSync(existing).isDirectory()) {
      throw new UserError(
        `${existing}: expected a directory to write to, found a file; choose another --out`,
      );
    }
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw asUserError(existing, error);
  }
}

/**
 * Makes sure that a directory is not a symbolic link that leads out of the one that holds it.
 *
 * @throws UserError when it is.
 */
export function checkStaysInside(parent: string, directory: string): void {
  if (!isLink(directory)) return;
  const target = existsSync(directory) ? relative(realpathSync(parent), realpathSync(directory)) : '..';
  if (target.split(sep)[0] !== '..' && !isAbsolute(target)) return;
  throw new UserError(
    `${directory}: a symbolic link out of ${parent}, where nothing is written; remove it or choose another --out`,
  );
}

/**
 * Makes sure that a file is not a symbolic link, through which something else would be written.
 *
 * @throws UserError when it is.
 */
export function checkIsNoLink(path: string): void {
  if (isLink(path)) throw new UserError(`${path}: expected a file, found a symbolic link; remove it`);
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/**
 * Removes a file, if it is there.
 *
 * @throws UserError when it cannot be removed.
 */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw asUserError(path, error);
  }
}

/**
 * Names of the files of a directory that end in `suffix`, sorted; none when there is no such directory.
 *
 * @throws UserError when it cannot be read.
 */
export function listFiles(directory: string, suffix: string): string[] {
  if (!isThere(directory)) return [];
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(suffix))
      .sort();
  } catch (error) {
    throw asUserError(directory, error);
  }
}

/** A path as short as it can be shown. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}

/** `configs/` of the package, then that of the working directory, which is the same in a checkout. */
export function configDirectories(): string[] {
  return [join(process.cwd(), 'configs'), join(PACKAGE_ROOT, 'configs')];
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EISDIR: 'a directory is in the place of the file',
  EEXIST: 'there is a file already',
  ENOTEMPTY: 'the directory is not empty',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the quota of disk space is used up',
  EFBIG: 'larger than the system lets a file be (ulimit -f)',
  EMFILE: 'too many files are open in this process (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  ENOMEM: 'the system has no memory left',
  EIO: 'the device does not read or write',
  ENXIO: 'there is no such device',
  ENODEV: 'there is no such device',
  EBUSY: 'the file is in use',
  ESTALE: 'the file system has lost the file',
  ETIMEDOUT: 'the file system does not answer',
  EAGAIN: 'out of processes or memory',
  ETXTBSY: 'the file is being executed',
};

/** What an error of the system says, in words where it is a usual one; undefined for other errors. */
export function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? (syscall === undefined ? undefined : error.message);
}

/**
 * The error as a message for people, where it is of the machine and no bug of ours; else the error as it is.
 *
 * @param path of the file; without it, that of the error
 */
export function asUserError(path: string | undefined, error: unknown): unknown {
  if (error instanceof UserError) return error;
  const reason = error instanceof ReadError ? error.message : reasonOf(error);
  if (reason === undefined) return error;
  const { path: own, syscall } = error as NodeJS.ErrnoException;
  const place = path ?? own ?? (syscall === 'uv_cwd' ? 'the working directory' : undefined);
  return new UserError(place === undefined ? reason : `${place}: ${reason}`);
}
