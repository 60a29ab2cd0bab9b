/** Reading what should be a file, whatever stands in its place. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { UserError } from './user-error.js';

/**
 * The bytes of a file; undefined when there is none.
 *
 * A pipe would be waited for without end, and no signal is handled meanwhile: it is opened without waiting, and looked at.
 *
 * @throws UserError for a pipe, a socket, a folder, a device or a link.
 * @throws Error of the file system.
 */
export function readRegularFile(path: string): Buffer | undefined {
  const refuse = (found: string) =>
    new UserError(`${path}: expected a file, found ${found}; remove it or choose another --out`);
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENXIO' || code === 'EOPNOTSUPP') throw refuse('a socket');
    if (code === 'ELOOP') throw refuse('a symbolic link');
    throw error;
  }
  try {
    const status = fstatSync(file);
    if (status.isFile()) return readFileSync(file);
    throw refuse(status.isDirectory() ? 'a folder' : status.isFIFO() ? 'a pipe' : 'a device');
  } finally {
    closeSync(file);
  }
}
