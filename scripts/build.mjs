// Writes src as JavaScript into dist, one module for each, in a quarter of a second: `npm run check` looks at the types.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'rolldown/utils';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const isModule = (path) => path.endsWith('.ts') && !/\.(?:test|as|d)\.ts$/.test(path);

const kept = new Set();
const problems = [];
for (const source of files(SRC).filter(isModule)) {
  const target = join(DIST, source.slice(SRC.length, -'.ts'.length));
  const { code, map, errors, helpersUsed } = transformSync(source, readFileSync(source, 'utf8'), {
    tsconfig: false,
    target: 'es2023',
    sourcemap: true,
    typescript: { onlyRemoveTypeImports: true },
  });
  problems.push(...errors.map(({ message }) => `${source}: ${message}`));
  // Helpers are a package that is not there where the program is installed.
  for (const helper of Object.keys(helpersUsed))
    problems.push(`${source}: needs ${helper} of the transpiler; write it another way`);
  // Nothing imports what is of types alone.
  if (/^(?:export \{\};?)?$/.test(code.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*/gm, '').trim())) continue;
  write(`${target}.js`, `${code}//# sourceMappingURL=${basename(target)}.js.map\n`);
  write(`${target}.js.map`, JSON.stringify({ ...map, sources: [relative(dirname(target), source)] }));
}
// What is left of sources that are no more could still be imported. Types are written by prepack.mjs.
if (existsSync(DIST)) {
  for (const path of files(DIST)) if (!kept.has(path) && !path.endsWith('.d.ts')) rmSync(path);
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}

/** Leaves alone what is as it should be: a program may run from it. */
function write(path, content) {
  kept.add(path);
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
