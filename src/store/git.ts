/** Results as they were at a commit, read out of the objects of git; nothing is checked out. */
import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { isAbsolute, posix, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { checkSize, MOST_BYTES, ReadError } from '../results/read-text.js';

const execute = promisify(execFile);

/** A file of a commit. */
export interface RevisionFile {
  /** Path below the folder that was listed, with `/`. */
  readonly path: string;
  read(): Promise<Uint8Array>;
}

/** The full name of the commit that a tag, branch, `HEAD~3` or abbreviation stands for; null when there is none. */
export async function resolveRevision(revision: string, directory: string): Promise<string | null> {
  try {
    const words = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    // With --end-of-options, git echoes it before the name.
    return (await git(words, directory)).toString('utf8').trim().split('\n').at(-1)!;
  } catch (error) {
    if (error instanceof ReadError || !isExit(error)) throw error;
    return null;
  }
}

/** Whether a directory belongs to a repository that git can read, and if not, what git says. */
export async function repositoryProblem(directory: string): Promise<string | null> {
  try {
    await git(['rev-parse', '--git-dir'], directory);
    return null;
  } catch (error) {
    if (error instanceof ReadError) return error.message;
    return firstLine((error as { stderr?: unknown }).stderr);
  }
}

/**
 * The files of a folder at a commit, and of the folders below; none when the folder was not there.
 *
 * Links and submodules are left out: what they point to is not in the commit, or not in the folder.
 *
 * @throws ReadError when the folder lies outside the repository.
 */
export async function listRevision(
  commit: string,
  folder: string,
  directory: string,
): Promise<RevisionFile[]> {
  const prefix = (await git(['rev-parse', '--show-prefix'], directory)).toString('utf8').trimEnd();
  const below = posix.normalize(`${prefix}${pathFrom(directory, folder)}`).replace(/\/$/, '');
  if (below === '..' || below.startsWith('../')) {
    throw new ReadError(`${folder}: expected a folder of the repository, got one outside of it`);
  }
  const words = ['ls-tree', '-r', '-l', '-z', '--full-tree', commit, '--', below === '.' ? '' : `${below}/`];
  const listing = (
    await git(
      words.filter((word) => word !== ''),
      directory,
    )
  ).toString('utf8');
  return listing.split('\0').flatMap((entry): RevisionFile[] => {
    const [, mode, object, size, path] = /^(\d+) blob (\w+) +(\d+)\t(.*)$/s.exec(entry) ?? [];
    if (path === undefined || !mode!.startsWith('100')) return [];
    return [
      {
        path: below === '.' ? path : path.slice(below.length + 1),
        read: () => {
          checkSize(Number(size));
          return git(['cat-file', 'blob', object!], directory);
        },
      },
    ];
  });
}

/** A folder as seen from a directory, with `/`; links on the way to an absolute one are followed, as git does. */
function pathFrom(directory: string, folder: string): string {
  if (!isAbsolute(folder)) return folder.replaceAll('\\', '/');
  let existing = folder;
  let rest = '';
  for (;;) {
    try {
      return (
        relative(realpathSync(directory), resolve(realpathSync(existing), rest)).replaceAll('\\', '/') || '.'
      );
    } catch {
      rest = posix.join(posix.basename(existing), rest);
      existing = resolve(existing, '..');
    }
  }
}

async function git(words: readonly string[], directory: string): Promise<Buffer> {
  try {
    const { stdout } = await execute('git', words, {
      cwd: directory,
      encoding: 'buffer',
      maxBuffer: MOST_BYTES + 1e6,
      windowsHide: true,
    });
    return stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new ReadError('git: no such program; revisions need it');
    throw error;
  }
}

const isExit = (error: unknown): boolean => typeof (error as { code?: unknown }).code === 'number';

function firstLine(stderr: unknown): string {
  return (
    String(stderr ?? '')
      .trim()
      .split('\n')[0] || 'git failed'
  );
}
