// The package as its users have it: packed in a clean clone, installed in an empty folder, where there is no git and no
// repository, and used there. Prints one line for each thing that works or does not, and `N passed, N failed` at the end.
//
//     node scripts/try-package.mjs                  of the last commit
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reachable } from './reachable.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-package-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

let [passed, failed] = [0, 0];
function check(name, holds, told = '') {
  if (holds) passed++;
  else failed++;
  process.stdout.write(`${holds ? 'ok' : 'FAILED'}  ${name}\n${holds || told === '' ? '' : `${told}\n`}`);
}

const clone = join(scratch, 'clone');
execFileSync('git', ['clone', '--quiet', '--no-hardlinks', ROOT, clone]);
execFileSync('npm', ['pack', '--pack-destination', scratch], {
  cwd: clone,
  stdio: ['ignore', 'ignore', 'inherit'],
});
const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'));

const folder = join(scratch, 'empty');
mkdirSync(folder);
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
execFileSync('npm', ['install', '--no-audit', '--no-fund', join(scratch, tarball)], {
  cwd: folder,
  stdio: 'inherit',
});
const installed = join(folder, 'node_modules/feature-speed');

/** Where nothing but Node and a shell can be called. */
const bin = join(scratch, 'bin');
mkdirSync(bin);
for (const name of ['node', 'sh'])
  symlinkSync(name === 'node' ? process.execPath : '/bin/sh', join(bin, name));

function node(...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    env: { ...process.env, PATH: bin },
    encoding: 'utf8',
  });
  return { status, stdout, stderr, told: `${stdout}${stderr}` };
}
const program = join(folder, 'node_modules/.bin/feature-speed');

/** A command of the program; `also` looks at what it printed. */
function works(words, also = () => true, code = 0) {
  const result = node(program, ...words);
  check(`feature-speed ${words.join(' ')}`, result.status === code && also(result), result.told);
}
const has = (...paths) => paths.every((path) => existsSync(join(folder, path)));

works(['figures'], () => has('results/figure-1a/chart.html', 'results/figure-2b/chart.png'));
works(['figures', '--out', 'second', '--set', 'seed=2', '--quiet']);
works(['diff', 'results', 'second', '--compare', 'laws'], ({ stdout }) => stdout.includes('same law'));
works(['diff', 'results', 'second', '--compare', 'rows', '--quiet'], undefined, 1);
works(['run', 'figure-1a'], ({ stdout }) => stdout.includes('reproduced, byte for byte'));
works(['run', '--from', 'results/figure-1c'], ({ stdout }) => stdout.includes('figure-1c: same,'));
works(['plan', 'conjecture', 'width-limit']);
works(['plot', 'figure-1a', 'second/figure-2a']);
works(['verify', 'thm-2.1', 'prop-b.1'], ({ stdout }) => stdout.includes('2 claims hold'));
works(['report'], () => readFileSync(join(folder, 'results/report.html'), 'utf8').includes('thm-2.1'));
works(['scalings', '--depth', '96', '--width', '4096', '--input', '784', '--output', '10']);
works(['completion', 'bash']);
works(['doctor', '--json'], ({ stdout }) => {
  const facts = JSON.parse(stdout);
  const versions = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', 'vega', 'vega-lite'];
  return (
    versions.every((name) => /^\d/.test(facts[name])) &&
    facts['backend wasm'].startsWith('works') &&
    // What it advises must be there.
    !facts['backend native'].includes('scripts/') &&
    facts.commit.includes('git')
  );
});

writeFileSync(
  join(folder, 'own.json'),
  JSON.stringify({
    network: { depth: 8 },
    scaling: 'NTK',
    sweep: { width: [32, 64] },
    draws: 3,
    record: { layers: 'all', quantities: ['bfa_rad'] },
  }),
);
works(['run', 'own.json'], () => has('results/own/table.csv'));

const example = /^ \* {5}.*$/gm;
const library = readFileSync(join(clone, 'src/index.ts'), 'utf8').split('*/')[0].match(example);
writeFileSync(join(folder, 'example.js'), library.map((line) => line.slice(' *     '.length)).join('\n'));
const ran = node('example.js');
check(
  "import { measure } from 'feature-speed'",
  ran.status === 0 && ran.stdout.startsWith('[ 10, 100'),
  ran.told,
);

writeFileSync(
  join(folder, 'typed.ts'),
  `import { bfaLimit, measure, readExperiment, type Measured } from 'feature-speed';
const { columns }: Measured = await measure(readExperiment('smoke'), { weights: 'dense' });
const angles: Float64Array = bfaLimit({ activation: 'relu', depth: 10, branchScale: 1 });
// @ts-expect-error: no such kind of weights
await measure(readExperiment('smoke'), { weights: 'sparse' });
export const all = [columns, angles];
`,
);
const tsc = join(clone, 'node_modules/typescript/bin/tsc');
const types = ['--types', 'node', '--typeRoots', join(clone, 'node_modules/@types')];
const options = [
  '--noEmit',
  '--strict',
  '--skipLibCheck',
  '--target',
  'es2023',
  '--module',
  'nodenext',
  ...types,
];
const typed = node(tsc, ...options, 'typed.ts');
check('its types', typed.status === 0, typed.told);

/** Modules that nothing leads to. */
function unreachable() {
  const dist = join(installed, 'dist');
  const threads = ['thread', 'draw-process', 'worker', 'process-worker', 'examiner'];
  const workers = ['run/machine/worker.js', 'run/machine/process-worker.js'];
  const entries = ['index.js', 'cli/main.js', ...workers, ...threads.map((name) => `program/${name}.js`)];
  const seen = reachable(dist, entries);
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !seen.has(path))
    .map((path) => relative(installed, path));
}
const idle = unreachable();
check('only what runs is in it', idle.length === 0, idle.join('\n'));

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
