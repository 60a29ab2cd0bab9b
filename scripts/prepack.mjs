// What a package needs besides the sources: the program, and the types of the library. Works in a clean clone too.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reachable } from './reachable.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// npm keeps stdout for the name of the package.
const call = (file, ...words) =>
  execFileSync(file, words, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });

if (!existsSync('node_modules/rolldown')) call('npm', 'ci', '--no-audit', '--no-fund');
// Not what an earlier version has left.
rmSync('dist', { recursive: true, force: true });
call('node', 'scripts/build.mjs');
call('node', 'node_modules/typescript/bin/tsc', '--project', 'scripts/types.tsconfig.json');

// What the library, its workers and the program's first thread do not reach is of scripts and tests, or in dist/program too.
const entries = ['index', 'cli/main', 'run/machine/worker', 'run/machine/process-worker'];
const used = reachable(
  'dist',
  entries.map((name) => `${name}.js`),
);
for (const name of readdirSync('dist', { recursive: true })) {
  const path = join('dist', name);
  if (/\.js(?:\.map)?$/.test(path) && !path.startsWith(join('dist', 'program')) && !used.has(path))
    rmSync(path);
}
