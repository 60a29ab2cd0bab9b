/** Results as they were at a commit, read out of the objects of git; nothing is checked out. */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, posix, relative, resolve } from 'node:path';
import { checkSize, ReadError } from '../results/read-text.js';
import { GitError, git, gitLine } from './git-call.js';

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
    return (await gitLine(words, directory)).split('\n').at(-1)!;
  } catch (error) {
    if (error instanceof GitError && error.exitCode !== undefined) return null;
    throw error;
  }
}

/** Whether a directory belongs to a repository that git can read, and if not, what git says. */
export async function repositoryProblem(directory: string): Promise<string | null> {
  try {
    await git(['rev-parse', '--git-dir'], directory);
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** Whether older commits were left where the repository was cloned from. */
export async function isShallow(directory: string): Promise<boolean> {
  return (await gitLine(['rev-parse', '--is-shallow-repository'], directory)) === 'true';
}

/** The commit of a directory, and whether what git tracks differs from it. */
export interface Revision {
  readonly commit: string | null;
  readonly dirty: boolean | null;
  /** Why one of them is null: what git said. */
  readonly problem: string | null;
}

/**
 * The commit that is checked out in a directory.
 *
 * @param results folder whose files say nothing of the code: results are what a run changes.
 */
export async function currentRevision(directory: string, results: string): Promise<Revision> {
  let commit: string;
  try {
    await git(['rev-parse', '--git-dir'], directory);
    commit = await gitLine(['rev-parse', '--verify', 'HEAD'], directory).catch(async (error) => {
      // HEAD names a branch that has yet to come.
      const branch = await gitLine(['symbolic-ref', '--quiet', '--short', 'HEAD'], directory).catch(
        () => null,
      );
      throw branch === null ? error : new GitError(`git: the branch ${branch} has no commit yet`, 128);
    });
  } catch (error) {
    return { commit: null, dirty: null, problem: problemOf(error) };
  }
  try {
    return { commit, dirty: await differs(directory, results), problem: null };
  } catch (error) {
    return { commit, dirty: null, problem: problemOf(error) };
  }
}

/** Whether a problem is that there is no repository at all, which is no surprise to the user. */
export function isOutside(problem: string): boolean {
  return problem.startsWith('git: not a git repository (');
}

/** Whether tracked files differ from the commit. */
async function differs(directory: string, results: string): Promise<boolean> {
  // Git refuses to hear of a folder that is not in the repository.
  const folder = relative(
    await gitLine(['rev-parse', '--show-toplevel'], directory),
    resolve(directory, results),
  );
  const isInside = folder !== '' && !folder.startsWith('..') && !isAbsolute(folder);
  const exclude = isInside ? [`:(top,exclude,literal)${folder}`] : [];
  // `git diff --quiet` has no output to be read, and writes the index.
  const words = [
    'status',
    '--porcelain',
    '--untracked-files=no',
    '--no-renames',
    '--ignore-submodules=dirty',
  ];
  return (await git([...words, '--', ':/', ...exclude], directory)).length > 0;
}

function problemOf(error: unknown): string {
  if (error instanceof GitError) return error.message;
  throw error;
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

/** Whether HEAD has a file with just the bytes that it has now; no where there is no repository, or git fails. */
export async function isCommitted(path: string): Promise<boolean> {
  try {
    const committed = await git(['cat-file', 'blob', `HEAD:./${basename(path)}`], dirname(path));
    return committed.equals(readFileSync(path));
  } catch {
    return false;
  }
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
