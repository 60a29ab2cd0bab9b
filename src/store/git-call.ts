/** The one place that calls git: what it may do, and what is said where it fails. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ReadError } from '../results/read-text.js';

/** Git failed; the message is its own reason, with what to do where that is known. */
export class GitError extends ReadError {
  constructor(
    message: string,
    /** Of git; undefined where it did not start. */
    readonly exitCode: number | undefined,
  ) {
    super(message);
  }
}

/** Nothing that a repository or its owner has set runs along: no program of a hook, monitor or pager. */
const CONFIG = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.pager=cat',
  'submodule.recurse=false',
];

/**
 * Variables that a hook is called with, or that lead git elsewhere or make it write more; settings of the user, such as
 * safe.directory by GIT_CONFIG_COUNT, stay.
 */
const MISLEADING =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|QUARANTINE_PATH|SHALLOW_FILE|GRAFT_FILE|REPLACE_REF_BASE|IMPLICIT_WORK_TREE|INTERNAL_SUPER_PREFIX|EXTERNAL_DIFF|DIFF_OPTS|\w+_PATHSPECS|TRACE\w*|REDIRECT_\w+)$/;

/** Reads only, asks nobody, fetches nothing, in words that do not hang on the language. */
const READ_ONLY = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  // Versions before 2.44 know no other way to fetch nothing.
  GIT_ALLOW_PROTOCOL: 'none',
  LC_ALL: 'C',
  LANGUAGE: 'C',
};

const execute = promisify(execFile);

/**
 * What git writes to stdout, however much it is.
 *
 * @throws GitError
 */
export async function git(words: readonly string[], directory: string): Promise<Buffer> {
  const inherited = Object.entries(process.env).filter(([name]) => !MISLEADING.test(name));
  const options = CONFIG.flatMap((setting) => ['-c', setting]);
  try {
    const { stdout } = await execute('git', ['--no-pager', ...options, ...words], {
      cwd: directory,
      encoding: 'buffer',
      env: { ...Object.fromEntries(inherited), ...READ_ONLY },
      maxBuffer: Number.POSITIVE_INFINITY,
      windowsHide: true,
    });
    return stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: Buffer };
    if (typeof code === 'number') throw new GitError(reasonOf(String(stderr ?? '')), code);
    if (code === 'ENOENT') throw new GitError('git: no such program, or none that can be found', undefined);
    throw new GitError(`git: ${(error as Error).message.split('\n')[0]}`, undefined);
  }
}

/** The same as text of one line. */
export async function gitLine(words: readonly string[], directory: string): Promise<string> {
  return (await git(words, directory)).toString('utf8').replace(/\r?\n$/, '');
}

/** What is needed and not here, in the words of several versions of git. */
const NOT_FETCHED = /promisor|lazy fetch|transport '.*' not allowed|remote helper.*not allowed/i;

function reasonOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const said = lines
    .filter((line) => /^(fatal|error): /.test(line))
    .map((line) => line.replace(/^\w+: /, ''));
  if (NOT_FETCHED.test(stderr)) {
    return 'git: an object is needed that this partial clone has not fetched; git fetch --refetch --no-filter brings all';
  }
  const reason = `git: ${said[0] ?? lines.find((line) => line !== '') ?? 'failed without a word'}`;
  const remedy = lines.find((line) => line.startsWith('git config ') && line.includes('safe.directory'));
  return remedy ? `${reason}, whose owner is another; ${remedy}` : reason;
}
