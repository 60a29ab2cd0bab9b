/** What git and the installed packages say of the program that runs. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { PACKAGE_ROOT } from './files.js';

/** Commit of the working directory and whether tracked files differ from it; null outside a repository. */
export function currentRevision(outDirectory: string): { commit: string | null; dirty: boolean | null } {
  const git = (...words: string[]) =>
    execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const commit = git('rev-parse', 'HEAD');
    // Results are what a run changes; they say nothing of the code. Git refuses to hear of a folder that is not in it.
    const results = relative(git('rev-parse', '--show-toplevel'), resolve(outDirectory));
    const isInside = results !== '' && !results.startsWith('..') && !isAbsolute(results);
    const exclude = isInside ? [`:(top,exclude,literal)${results}`] : [];
    const changes = git('status', '--porcelain', '--untracked-files=no', '--', ':/', ...exclude);
    return { commit, dirty: changes !== '' };
  } catch {
    return { commit: null, dirty: null };
  }
}

/** Version of an installed package; undefined when it is not installed. */
export function packageVersion(name: string): string | undefined {
  try {
    return versionIn(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    // Packages may hide their package.json from resolution.
    try {
      return versionIn(join(PACKAGE_ROOT, 'node_modules', name, 'package.json'));
    } catch {
      return undefined;
    }
  }
}

/** Version of feature-speed. */
export function programVersion(): string {
  return versionIn(join(PACKAGE_ROOT, 'package.json'));
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
