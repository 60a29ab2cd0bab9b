// What things cost, as ratios measured in one run: machines are noisy, ratios less so. Every pair is run in turn, A B A B,
// and the median of the ratios is what counts. Prints, and writes results/bench.json.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { engine } from '@tensorflow/tfjs-core';
import { openBackend } from '../dist/core/backend.js';
import { measureBatch } from '../dist/core/experiment.js';
import { GaussianSampler } from '../dist/core/random.js';
import { batchOf, median } from './bench-batch.mjs';

const source = { backend: await openBackend('wasm'), sampler: new GaussianSampler() };
const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-bench-'));

const round = (value) => Number(value.toPrecision(3));
const slope = (points) => {
  const [x, y] = [points.map((p) => Math.log(p[0])), points.map((p) => Math.log(p[1]))];
  const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const covariance = x.reduce((sum, v, i) => sum + (v - mean(x)) * (y[i] - mean(y)), 0);
  return covariance / x.reduce((sum, v) => sum + (v - mean(x)) ** 2, 0);
};

function timed(f) {
  const started = performance.now();
  f();
  return performance.now() - started;
}

/** Median of a/b over `rounds` pairs, after one of each to warm up; and the median times in ms. */
function pair(a, b, rounds = 5) {
  a();
  b();
  const times = Array.from({ length: rounds }, () => [timed(a), timed(b)]);
  return {
    ratio: round(median(times.map(([x, y]) => x / y))),
    a_ms: round(median(times.map(([x]) => x))),
    b_ms: round(median(times.map(([, y]) => y))),
  };
}

const measure = (weights, count, width, depth) => () => {
  const { cells, settings } = batchOf({ width, depth, count, weights });
  measureBatch(source, cells, settings);
};

const program = (...words) =>
  execFileSync(process.execPath, ['dist/cli/main.js', ...words, '--out', scratch, '--quiet'], {
    stdio: 'ignore',
  });

const report = { node: process.version, processor: cpus()[0].model, cores: availableParallelism() };

report.dense_against_matrix_free = Object.fromEntries(
  [
    [200, 200, 4],
    [500, 100, 4],
    [1000, 20, 4],
  ].map(([width, depth, count]) => [
    `width ${width}, depth ${depth}, ${count} cells`,
    pair(measure('dense', count, width, depth), measure('matrix-free', count, width, depth), 3),
  ]),
);

report.one_worker_against_two = {
  'figure-1c': pair(
    () => program('run', 'configs/figure-1c.json', '--workers', '1'),
    () => program('run', 'configs/figure-1c.json', '--workers', '2'),
    3,
  ),
  'figure-2b': pair(
    () => program('run', 'configs/figure-2b.json', '--workers', '1'),
    () => program('run', 'configs/figure-2b.json', '--workers', '2'),
    3,
  ),
};

/** ms of one cell of depth 20 by width, and the slope of its logarithm. */
const widthLaw = (weights, widths) => {
  const points = widths.map((width) => {
    const run = measure(weights, 1, width, 20);
    run();
    return [width, median(Array.from({ length: 3 }, () => timed(run)))];
  });
  return {
    slope: round(slope(points)),
    ms: Object.fromEntries(points.map(([width, ms]) => [width, round(ms)])),
  };
};
report.time_against_width = {
  'matrix-free': widthLaw('matrix-free', [50_000, 100_000, 200_000, 500_000, 1_000_000]),
  dense: widthLaw('dense', [500, 1000, 2000, 4000]),
};

/** Where the time of a batch goes: the sampler, the kernels, and what calling them costs. */
function split(width, depth, count) {
  const run = measure('matrix-free', count, width, depth);
  run();
  let sampling = 0;
  let kernels = 0;
  const { draw } = source.sampler;
  source.sampler.draw = function (...words) {
    const started = performance.now();
    const numbers = draw.apply(this, words);
    sampling += performance.now() - started;
    return numbers;
  };
  const { runKernel } = engine();
  let calls = 0;
  engine().runKernel = function (...words) {
    calls++;
    const started = performance.now();
    const result = runKernel.apply(this, words);
    kernels += performance.now() - started;
    return result;
  };
  const rounds = 3;
  const total = timed(() => {
    for (let i = 0; i < rounds; i++) run();
  });
  source.sampler.draw = draw;
  engine().runKernel = runKernel;
  // A call on one number is all overhead.
  const one = engine().makeTensor(new Float32Array(1), [1, 1, 1], 'float32');
  const empty = () => engine().runKernel('Add', { a: one, b: one }).dispose();
  for (let i = 0; i < 5000; i++) empty();
  const callMs =
    timed(() => {
      for (let i = 0; i < 5000; i++) empty();
    }) / 5000;
  const share = (ms) => round(ms / total);
  const overhead = calls * callMs;
  return {
    ns_per_unit: round((total / rounds / (width * depth * count)) * 1e6),
    sampling: share(sampling),
    tensor_work: share(Math.max(0, kernels - overhead)),
    call_overhead: share(overhead),
    rest: share(total - sampling - Math.max(kernels, overhead)),
  };
}
report.split_of_a_batch = {
  'width 500, depth 500, 26 cells': split(500, 500, 26),
  'width 100000, depth 20, 1 cell': split(100_000, 20, 1),
};

program('figures');
const whole = Array.from({ length: 3 }, () => [
  timed(() => program('figures')),
  timed(() => program('plot', 'figure-1a', 'figure-1b', 'figure-1c', 'figure-2a', 'figure-2b')),
  timed(() => execFileSync(process.execPath, ['dist/cli/main.js', '--version'], { stdio: 'ignore' })),
]);
const [figures, drawing, start] = [0, 1, 2].map((i) => median(whole.map((times) => times[i])));
report.figures = {
  seconds: round(figures / 1000),
  drawing_alone_seconds: round(drawing / 1000),
  start_up_seconds: round(start / 1000),
};

rmSync(scratch, { recursive: true });
writeFileSync('results/bench.json', `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
