// What a package needs besides the sources: the program, and the types of the library. Works in a clean clone too.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
// npm keeps stdout for the name of the package.
const call = (file, ...words) =>
  execFileSync(file, words, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });

if (!existsSync('node_modules/rolldown')) call('npm', 'ci', '--no-audit', '--no-fund');
// Not what an earlier version has left.
rmSync('dist', { recursive: true, force: true });
call('node', 'scripts/build.mjs');
call('node', 'node_modules/typescript/bin/tsc', '--project', 'scripts/types.tsconfig.json');
