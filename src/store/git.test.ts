import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, test as base, describe, expect, vi } from 'vitest';
import { ReadError } from '../results/read-text.js';
import {
  currentRevision,
  isOutside,
  isShallow,
  listRevision,
  repositoryProblem,
  resolveRevision,
} from './git.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A repository of its own for each test. */
class Repository {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'feature-speed-')));

  constructor() {
    this.git('init', '-q');
  }

  git(...words: string[]): string {
    const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', [...author, ...words], { cwd: this.path, encoding: 'utf8' }).trim();
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }

  commit(): string {
    this.git('add', '--all');
    this.git('commit', '-q', '--allow-empty', '-m', 'more');
    return this.git('rev-parse', 'HEAD');
  }
}

const test = base.extend<{ repository: Repository }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures off the pattern
  repository: async ({}, use) => {
    const repository = new Repository();
    await use(repository);
    rmSync(repository.path, { recursive: true, force: true });
  },
});

const contentOf = async (commit: string, folder: string, directory: string) => {
  const files = await listRevision(commit, folder, directory);
  const entries = files.map(async ({ path, read }) => [path, Buffer.from(await read()).toString()]);
  return Object.fromEntries(await Promise.all(entries));
};

describe('a revision', () => {
  test('is found by branch, tag, distance and abbreviation, and its files are those of its commit', async ({
    repository,
  }) => {
    repository.write('results/a/table.csv', 'first\n');
    const first = repository.commit();
    repository.git('tag', '-a', 'v1', '-m', 'v1');
    repository.write('results/a/table.csv', 'second\n');
    repository.write('results/b b/\u03b2.csv', 'new\n');
    const second = repository.commit();
    repository.write('results/a/table.csv', 'not committed\n');

    for (const name of ['HEAD~1', 'v1', first.slice(0, 8), first]) {
      expect(await resolveRevision(name, repository.path)).toBe(first);
    }
    expect(await contentOf(first, 'results', repository.path)).toEqual({ 'a/table.csv': 'first\n' });
    expect(await contentOf(second, 'results', repository.path)).toEqual({
      'a/table.csv': 'second\n',
      'b b/\u03b2.csv': 'new\n',
    });
    expect(repository.git('status', '--porcelain')).toBe('M results/a/table.csv');
  });

  test('is null for what is none, whatever it looks like', async ({ repository }) => {
    repository.commit();
    for (const name of ['nope', 'HEAD~1', '--help', '-h', '--output=x', 'HEAD:results', 'a b', '', '..']) {
      expect(await resolveRevision(name, repository.path)).toBeNull();
    }
  });

  test('has no files where the folder was not there, and refuses a folder outside', async ({
    repository,
  }) => {
    const commit = repository.commit();
    expect(await listRevision(commit, 'results', repository.path)).toEqual([]);
    for (const folder of ['../elsewhere', '..', tmpdir()]) {
      await expect(listRevision(commit, folder, repository.path)).rejects.toThrow('got one outside of it');
    }
  });

  test('is read from a folder below as from the top, and by absolute paths through links', async ({
    repository,
  }) => {
    repository.write('sub/results/a/table.csv', 'sub\n');
    repository.write('results/a/table.csv', 'top\n');
    const commit = repository.commit();
    const sub = join(repository.path, 'sub');
    expect(await contentOf(commit, 'results', sub)).toEqual({ 'a/table.csv': 'sub\n' });
    expect(await contentOf(commit, '../results', sub)).toEqual({ 'a/table.csv': 'top\n' });
    const link = `${repository.path}-link`;
    symlinkSync(repository.path, link);
    try {
      expect(await contentOf(commit, join(link, 'sub/results'), sub)).toEqual({ 'a/table.csv': 'sub\n' });
      expect(await contentOf(commit, join(link, 'gone'), sub)).toEqual({});
    } finally {
      rmSync(link);
    }
  });

  test('leaves out links: what they point to is not in the commit', async ({ repository }) => {
    repository.write('results/a/table.csv', 'a\n');
    symlinkSync('/etc/hostname', join(repository.path, 'results/a/manifest.json'));
    const commit = repository.commit();
    expect(await contentOf(commit, 'results', repository.path)).toEqual({ 'a/table.csv': 'a\n' });
  });
});

test('outside of a repository git says so', async ({ repository }) => {
  expect(await repositoryProblem(repository.path)).toBeNull();
  rmSync(join(repository.path, '.git'), { recursive: true });
  expect(await repositoryProblem(repository.path)).toContain('not a git repository');
});

const revision = (repository: Repository, results = 'results') => currentRevision(repository.path, results);

describe('the commit of a working directory', () => {
  test('is clean while nothing but results differs from it, whatever is not tracked', async ({
    repository,
  }) => {
    repository.write('code.ts', 'one\n');
    repository.write('results/a/table.csv', 'one\n');
    const commit = repository.commit();
    repository.write('results/a/table.csv', 'two\n');
    repository.write('new.ts', 'new\n');
    const now = new Date(Date.now() + 5000);
    utimesSync(join(repository.path, 'code.ts'), now, now); // touched, and the same
    expect(await revision(repository)).toEqual({ commit, dirty: false, problem: null });
    expect(await revision(repository, join(repository.path, 'results'))).toMatchObject({ dirty: false });
    expect(await revision(repository, tmpdir())).toMatchObject({ dirty: true });
    repository.write('code.ts', 'two\n');
    expect(await revision(repository)).toEqual({ commit, dirty: true, problem: null });
    repository.git('add', 'code.ts');
    expect(await revision(repository)).toMatchObject({ dirty: true });
  });

  test('is known, and dirty, where a megabyte of names differs from it', async ({ repository }) => {
    // They are in the index and never were in the folder.
    repository.write('one', '');
    const blob = repository.git('hash-object', '-w', 'one');
    const entry = (_: unknown, i: number) => `100644 ${blob}\t${'x'.repeat(220)}${i}\n`;
    const index = Array.from({ length: 5000 }, entry).join('');
    execFileSync('git', ['update-index', '--add', '--index-info'], { cwd: repository.path, input: index });
    repository.git('commit', '-q', '-m', 'many');
    const commit = repository.git('rev-parse', 'HEAD');
    expect(await revision(repository)).toEqual({ commit, dirty: true, problem: null });
  });

  test('is that of the directory, whatever a hook or a user has set', async ({ repository }) => {
    const other = new Repository();
    try {
      other.commit();
      repository.write('code.ts', 'one\n');
      const commit = repository.commit();
      vi.stubEnv('GIT_DIR', join(other.path, '.git'));
      vi.stubEnv('GIT_WORK_TREE', other.path);
      vi.stubEnv('GIT_INDEX_FILE', join(other.path, '.git/index'));
      vi.stubEnv('GIT_LITERAL_PATHSPECS', '1');
      vi.stubEnv('GIT_TRACE', '1');
      expect(await revision(repository)).toEqual({ commit, dirty: false, problem: null });
    } finally {
      rmSync(other.path, { recursive: true });
    }
  });

  test('is asked for without a program of the repository, and without writing there', async ({
    repository,
  }) => {
    repository.write('code.ts', 'one\n');
    repository.write('.gitattributes', '*.ts diff=shown\n');
    repository.commit();
    const trace = `${repository.path}-trace`;
    const program = join(repository.path, '.git/program');
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >>'${trace}'\nexit 1\n`, { mode: 0o755 });
    repository.git('config', 'core.fsmonitor', program);
    repository.git('config', 'diff.external', program);
    repository.git('config', 'diff.shown.textconv', program);
    repository.git('config', 'diff.shown.command', program);
    repository.git('config', 'core.pager', program);
    for (const hook of ['post-index-change', 'post-checkout', 'reference-transaction']) {
      writeFileSync(join(repository.path, '.git/hooks', hook), readFileSync(program), { mode: 0o755 });
    }
    const now = new Date(Date.now() + 5000);
    utimesSync(join(repository.path, 'code.ts'), now, now);
    const index = readFileSync(join(repository.path, '.git/index'));
    rmSync(trace, { force: true });
    expect(await revision(repository)).toMatchObject({ dirty: false });
    repository.write('code.ts', 'two\n');
    expect(await revision(repository)).toMatchObject({ dirty: true });
    await listRevision('HEAD', '.', repository.path);
    expect(existsSync(trace)).toBe(false);
    expect(readFileSync(join(repository.path, '.git/index')).equals(index)).toBe(true);
  });
});

describe('where git fails, its own reason is told:', () => {
  test('no repository', async ({ repository }) => {
    rmSync(join(repository.path, '.git'), { recursive: true });
    const { commit, dirty, problem } = await revision(repository);
    expect([commit, dirty]).toEqual([null, null]);
    expect(problem).toMatch(/^git: not a git repository \(or any /);
    expect(isOutside(problem!)).toBe(true);
  });

  test('a repository of another owner, with what makes it known', async ({ repository }) => {
    repository.commit();
    vi.stubEnv('GIT_TEST_ASSUME_DIFFERENT_OWNER', '1');
    const { commit, problem } = await revision(repository);
    expect(commit).toBeNull();
    expect(problem).toBe(
      `git: detected dubious ownership in repository at '${repository.path}', whose owner is another; ` +
        `git config --global --add safe.directory ${repository.path}`,
    );
    expect(isOutside(problem!)).toBe(false);
    expect(await repositoryProblem(repository.path)).toBe(problem);
  });

  test('no commit yet', async ({ repository }) => {
    repository.git('symbolic-ref', 'HEAD', 'refs/heads/first');
    expect(await revision(repository)).toEqual({
      commit: null,
      dirty: null,
      problem: 'git: the branch first has no commit yet',
    });
  });

  test('no git', async ({ repository }) => {
    repository.commit();
    vi.stubEnv('PATH', join(repository.path, 'nowhere'));
    const problem = 'git: no such program, or none that can be found';
    expect(await revision(repository)).toEqual({ commit: null, dirty: null, problem });
    expect(await repositoryProblem(repository.path)).toBe(problem);
  });

  test('no working tree', async ({ repository }) => {
    const commit = repository.commit();
    repository.git('config', 'core.bare', 'true');
    expect(await revision(repository)).toEqual({
      commit,
      dirty: null,
      problem: 'git: this operation must be run in a work tree',
    });
  });

  test('a file that a partial clone has not fetched, and does not fetch now', async ({ repository }) => {
    repository.git('config', 'uploadpack.allowFilter', 'true');
    repository.write('results/a/table.csv', 'first\n');
    const first = repository.commit();
    repository.write('results/a/table.csv', 'second\n');
    repository.commit();
    const clone = `${repository.path}-clone`;
    repository.git('clone', '-q', '--filter=blob:none', `file://${repository.path}`, clone);
    try {
      const packs = () => readdirSync(join(clone, '.git/objects/pack')).sort();
      const before = packs();
      const error = await contentOf(first, 'results', clone).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ReadError);
      expect((error as Error).message).toMatch(
        /^git: an object is needed that this partial clone has not fetched/,
      );
      expect(packs()).toEqual(before);
      expect(await currentRevision(clone, 'results')).toMatchObject({ dirty: false, problem: null });
    } finally {
      rmSync(clone, { recursive: true });
    }
  });

  test('a commit before those of a shallow clone', async ({ repository }) => {
    repository.commit();
    repository.commit();
    expect(await isShallow(repository.path)).toBe(false);
    const clone = `${repository.path}-clone`;
    repository.git('clone', '-q', '--depth', '1', `file://${repository.path}`, clone);
    try {
      expect(await resolveRevision('HEAD~1', clone)).toBeNull();
      expect(await isShallow(clone)).toBe(true);
    } finally {
      rmSync(clone, { recursive: true });
    }
  });
});
