// Writes src as JavaScript into dist, one module for each, and the threads of the program in few files, in less than a second:
// `npm run check` looks at the types.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { transformSync } from 'rolldown/utils';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const isModule = (path) => path.endsWith('.ts') && !/\.(?:test|as|d)\.ts$/.test(path);

/**
 * Packages that stay where they are: one instance for the program and the networks of users, or files of their own beside
 * them. Required, they load in a quarter of the time that they take when they are imported, which looks for their names first.
 */
const REQUIRED = {
  name: 'required',
  resolveId: {
    filter: { id: /^(?:@tensorflow\/|piscina$)/ },
    handler: (id) => ({ id: `\0${id}`, moduleSideEffects: false }),
  },
  load: {
    filter: { id: /^\0(?:@tensorflow\/|piscina$)/ },
    handler(id) {
      const name = id.slice(1);
      const names = Object.getOwnPropertyNames(createRequire(import.meta.url)(name)).filter(
        (each) => !/^(?:default|__esModule|prototype|length|name)$/.test(each),
      );
      return `
        import { createRequire } from 'node:module';
        export const { ${names.join(', ')} } = createRequire(import.meta.url)('${name}');`;
    },
  },
};

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
if (problems.length === 0) await bundle();
// What is left of sources that are no more could still be imported. Types are written by prepack.mjs.
if (existsSync(DIST)) {
  for (const path of files(DIST)) if (!kept.has(path) && !path.endsWith('.d.ts')) rmSync(path);
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
}

/**
 * The threads and processes of the program with the packages that they use, in dist/program: of the 1.3 ms that a module takes
 * to be found and linked, three hundred would be most of what a worker takes to start.
 */
async function bundle() {
  const { output } = await build({
    input: {
      thread: join(DIST, 'cli/thread.js'),
      'draw-process': join(DIST, 'cli/draw-process.js'),
      worker: join(DIST, 'run/machine/worker.js'),
      'process-worker': join(DIST, 'run/machine/process-worker.js'),
      examiner: join(DIST, 'claims/examiner.js'),
    },
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] },
    // Found by their folders.
    external: /^@resvg\/|^vega(?:-lite|-embed)?$/,
    plugins: [REQUIRED],
    output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
    write: false,
    logLevel: 'warn',
  });
  for (const { fileName, code } of output) write(join(DIST, 'program', fileName), code);
  const notices = new Map(output.flatMap(({ moduleIds }) => moduleIds.flatMap(noticeOf)));
  const texts = Array.from(notices, ([name, text]) => `${name}\n\n${text}`).sort();
  write(join(DIST, 'program/LICENSES'), texts.join('\n\n'));
}

/** Package and licence of a module of others. */
function noticeOf(path) {
  const [folder, name] =
    /^\0?\/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path.replaceAll('\\', '/')) ?? [];
  if (folder === undefined) return [];
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return file ? [[name, readFileSync(join(folder, file), 'utf8').trim()]] : [];
}

/** Leaves alone what is as it should be: a program may run from it. */
function write(path, content) {
  kept.add(path);
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
