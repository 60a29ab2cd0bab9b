// What the native backend costs against wasm, from one process: node scripts/bench-native.mjs [--figures]
//
// Every pair is run in turn, A B A B, each after one to warm up, and the median of the ratios of processor time is what
// counts: machines are noisy, ratios less so. --figures times whole runs of the five figures instead. Prints only.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBackend } from '../dist/core/backend.js';
import { measureBatch } from '../dist/core/experiment.js';
import { GaussianSampler } from '../dist/core/random.js';
import { batchOf, median } from './bench-batch.mjs';

const ROUNDS = 3;
const FIGURES = ['figure-1a', 'figure-1b', 'figure-1c', 'figure-2a', 'figure-2b'];

const say = (name, pairs) => {
  const ratio = median(pairs.map(([wasm, native]) => native / wasm));
  const [wasm, native] = [0, 1].map((i) => median(pairs.map((pair) => pair[i])));
  process.stdout.write(
    `${name}: native / wasm = ${ratio.toFixed(2)} (${native.toFixed(0)} ms, ${wasm.toFixed(0)} ms)\n`,
  );
};

/** The versions and sources of both; each in this process. */
const sampler = new GaussianSampler();
async function measured(name, batch) {
  const backend = await openBackend(name);
  const before = process.cpuUsage();
  measureBatch({ backend, sampler }, batch.cells, batch.settings);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

if (process.argv.includes('--figures')) {
  const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-bench-'));
  for (const name of FIGURES) {
    const run = (backend) => {
      const started = performance.now();
      execFileSync(
        process.execPath,
        [
          'dist/cli/main.js',
          'run',
          `configs/${name}.json`,
          '--backend',
          backend,
          '--fresh',
          '--quiet',
          '--out',
          scratch,
        ],
        { stdio: 'ignore' },
      );
      return performance.now() - started;
    };
    say(
      name,
      Array.from({ length: ROUNDS }, () => [run('wasm'), run('native')]),
    );
  }
  rmSync(scratch, { recursive: true });
} else {
  const cases = [
    { width: 400, samples: 200 },
    { width: 2000, samples: 1, depth: 6, count: 1 },
    ...[1, 20, 50, 100, 200].flatMap((samples) =>
      [50, 100, 200, 400, 1000].map((width) => ({ width, samples, count: width < 200 ? 4 : 1 })),
    ),
    { width: 2000, samples: 50, depth: 5, count: 1 },
    { width: 1000, samples: 1, weights: 'matrix-free', depth: 20 },
    { width: 100_000, samples: 1, weights: 'matrix-free', depth: 20 },
  ];
  for (const options of cases) {
    const batch = batchOf(options);
    for (const name of ['wasm', 'native']) await measured(name, batch);
    const pairs = [];
    for (let i = 0; i < ROUNDS; i++)
      pairs.push([await measured('wasm', batch), await measured('native', batch)]);
    const { width, samples, weights = 'dense' } = options;
    say(`${weights}, width ${width}, ${samples} samples`, pairs);
  }
}
