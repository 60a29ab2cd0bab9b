// The same bytes on every version of Node that is supported.
//
//     node scripts/node-versions.mjs              measures one draw of the figures on Node 20, 22 and 24 and compares tables
//                                                 and digests, runs there the tests of what decides who is who, and here
//                                                 those of runs that one begins and another ends
//     node scripts/node-versions.mjs --full       the same of all draws
//     node scripts/node-versions.mjs --path 24    prints where Node 24 is; exit code 1 where it cannot be had
//
// Other versions come as packages of the registry and are kept in node_modules/.cache/node-versions. One that cannot be
// reached is told, and not tested. Ends with `N passed, N failed`; the exit code is 1 when something differs.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { path: { type: 'string' }, full: { type: 'boolean' } } });
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/node-versions');
const VERSIONS = ['20', '22', '24'];
const TESTS = ['config', 'plan', 'results', 'theory'].map((folder) => `src/${folder}`);
const BETWEEN = ['src/cli/node-versions.test.ts'];

/** Path of a version of Node, installed where it is not yet; undefined where it cannot be had. */
function nodeOf(version) {
  if (process.versions.node.startsWith(`${version}.`)) return process.execPath;
  const prefix = join(CACHE, version);
  const path = join(prefix, 'node_modules/node', process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  const isThere = () =>
    spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.startsWith(`v${version}.`);
  if (isThere()) return path;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  mkdirSync(prefix, { recursive: true });
  const words = [
    'install',
    '--prefix',
    prefix,
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=1',
  ];
  spawnSync('npm', [...words, `node@npm:${name}@${version}`], {
    cwd: prefix,
    stdio: 'ignore',
    timeout: 300_000,
  });
  return isThere() ? path : undefined;
}

/** Table and digest of each figure, by name, as a version of Node measures it. */
function figuresOf(node, out) {
  const configs = readdirSync(join(ROOT, 'configs')).filter((name) => /^figure-..\.json$/.test(name));
  const words = ['run', ...configs.map((name) => join('configs', name)), '--backend', 'wasm', '--out', out];
  const draws = values.full ? [] : ['--set', 'draws=1'];
  execFileSync(node, [join(ROOT, 'dist/cli/main.js'), ...words, ...draws, '--quiet'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const read = (name, file) => readFileSync(join(out, name, file), 'utf8');
  return new Map(
    readdirSync(out).map((name) => [
      name,
      { table: read(name, 'table.csv'), digest: JSON.parse(read(name, 'manifest.json')).digest },
    ]),
  );
}

function testsPass(node, tests, more = {}) {
  const words = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'scripts/vitest.config.ts'];
  // The count of the tests is not that of this script.
  const env = { ...process.env, FEATURE_SPEED_BACKENDS: 'wasm', CI: '', ...more };
  return spawnSync(node, [...words, ...tests], { cwd: ROOT, env, stdio: 'inherit' }).status === 0;
}

function compareAll() {
  const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  let passed = 0;
  let failed = 0;
  const count = (what, isFine) => {
    if (isFine) passed += 1;
    else failed += 1;
    console.log(`${what}: ${isFine ? 'fine' : 'FAILED'}`);
  };
  try {
    const own = figuresOf(process.execPath, join(scratch, 'own'));
    for (const version of VERSIONS) {
      const node = nodeOf(version);
      if (node === process.execPath) continue;
      if (node === undefined) {
        console.log(`Node ${version}: cannot be fetched, and is not tested`);
        continue;
      }
      const figures = figuresOf(node, join(scratch, version));
      for (const [name, { table, digest }] of own) {
        const other = figures.get(name);
        count(
          `${name}: the bytes of Node ${version} and ${process.version}`,
          other?.table === table && other.digest === digest,
        );
      }
      count(`Node ${version}: tests of ${TESTS.join(', ')}`, testsPass(node, TESTS));
    }
    const slowly = { FEATURE_SPEED_SLOW: '1' };
    count('runs of two versions of Node', testsPass(process.execPath, BETWEEN, slowly));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

if (values.path === undefined) process.exitCode = compareAll() ? 0 : 1;
else {
  const node = nodeOf(values.path);
  if (node === undefined) {
    console.error(`Node ${values.path}: cannot be fetched from the registry`);
    process.exitCode = 1;
  } else console.log(node);
}
