import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test as base, describe, expect } from 'vitest';
import { listRevision, repositoryProblem, resolveRevision } from './git.js';

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
