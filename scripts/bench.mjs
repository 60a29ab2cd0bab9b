// What things cost, as ratios measured in one run: machines are noisy, ratios less so. Every pair is run in turn, A B A B,
// and the median of the ratios is what counts. Prints, and writes results/bench.json; with names of parts only those, beside
// what the file has of the others.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { tidy } from '@tensorflow/tfjs-core';
import { openBackend } from '../dist/core/backend.js';
import { measureBatch } from '../dist/core/experiment.js';
import { product, relu } from '../dist/core/ops.js';
import { GaussianSampler } from '../dist/core/random.js';
import { DenseBlock } from '../dist/core/step/dense-block.js';
import { SampledPasses } from '../dist/core/step/sampled/sampled-passes.js';
import { batchOf, median, trainingOf } from './bench-batch.mjs';

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

/** Processor time of a call, ms: other programs do not count. */
function worked(f) {
  const before = process.cpuUsage();
  f();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Numbers of two matrices of 1 x rows x inner and 1 x inner x columns. */
function factors(rows, inner, columns) {
  const numbers = (count) => source.sampler.draw([{ seed: [1, 2, 3, 4], role: 0, layer: 0 }], count, [1]);
  return [
    source.backend.upload(numbers(rows * inner), [1, rows, inner]),
    source.backend.upload(numbers(inner * columns), [1, inner, columns]),
  ];
}

const program = (...words) =>
  execFileSync(process.execPath, ['dist/cli/main.js', ...words, '--out', scratch, '--quiet'], {
    stdio: 'ignore',
  });

/** Seconds that the program takes, by the clock, and of the processor with all that it starts. */
function usage(...words) {
  const command = [process.execPath, 'dist/cli/main.js', ...words, '--out', scratch, '--quiet'];
  const started = performance.now();
  const times = execFileSync('sh', ['-c', '"$@" >/dev/null 2>&1; times', 'sh', ...command], {
    encoding: 'utf8',
  });
  const seconds = (performance.now() - started) / 1000;
  // The second line is of the children: 0m1.23s of their own, and 0m0.45s of the system for them.
  const [own, system] = times
    .split('\n')[1]
    .split(' ')
    .map((time) => /(\d+)m([\d.]+)s/.exec(time).slice(1).map(Number))
    .map(([minutes, rest]) => 60 * minutes + rest);
  return { seconds, processor_seconds: own + system };
}

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

/** Does without the whole passes of a layer, with the same random numbers. */
function inPieces(run) {
  const { of } = SampledPasses;
  SampledPasses.of = () => undefined;
  run();
  SampledPasses.of = of;
}

const PARTS = {
  dense_against_matrix_free: () =>
    Object.fromEntries(
      [
        [200, 200, 4],
        [500, 100, 4],
        [1000, 20, 4],
      ].map(([width, depth, count]) => [
        `width ${width}, depth ${depth}, ${count} cells`,
        pair(measure('dense', count, width, depth), measure('matrix-free', count, width, depth), 3),
      ]),
    ),

  one_worker_against_two: () => ({
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
  }),

  time_against_width: () => ({
    'matrix-free': widthLaw('matrix-free', [50_000, 100_000, 200_000, 500_000, 1_000_000]),
    dense: widthLaw('dense', [500, 1000, 2000, 4000]),
  }),

  /** The passes of a layer piece by piece (a), and whole (b). */
  pieces_against_whole_passes: () =>
    Object.fromEntries(
      [
        [200, 10, 200],
        [200, 100, 100],
        [500, 100, 40],
        [500, 500, 26],
        [100_000, 20, 1],
        [1_000_000, 20, 1],
      ].map(([width, depth, count]) => {
        const run = measure('matrix-free', count, width, depth);
        const result = pair(() => inPieces(run), run);
        const ns = round((result.b_ms / (width * depth * count)) * 1e6);
        return [`width ${width}, depth ${depth}, ${count} cells`, { ...result, b_ns_per_unit: ns }];
      }),
    ),

  /** A batch of figure-2b with layers by pieces (a), and whole (b). */
  dense_pieces_against_whole_passes: () => {
    const { cells, settings } = batchOf({ width: 50, depth: 60, count: 6, samples: 200 });
    const run = () => measureBatch(source, cells, settings);
    const byPieces = () => {
      const { of } = DenseBlock;
      DenseBlock.of = () => undefined;
      run();
      DenseBlock.of = of;
    };
    return { 'width 50, depth 60, 200 samples, 6 cells': pair(byPieces, run, 15) };
  },

  sampler_ns: () =>
    Object.fromEntries(
      [200, 504, 65_536].map((count) => {
        const streams = [{ seed: [1, 2, 3, 4], role: 0, layer: 0 }];
        const rounds = Math.ceil(1e6 / count);
        const run = () => {
          for (let i = 0; i < rounds; i++) source.sampler.draw(streams, count, [1]);
        };
        run();
        const ms = median(Array.from({ length: 7 }, () => timed(run)));
        return [`${count} numbers`, round((ms / rounds / count) * 1e6)];
      }),
    ),

  /** Of all multiplications, also of those with the zeros of relu, which are left out. */
  product_gflops: () =>
    Object.fromEntries(
      [
        [200, 50, 50, 'all numbers'],
        [200, 50, 50, 'after relu'],
        [1000, 2000, 2000, 'all numbers'],
        [1000, 2000, 2000, 'after relu'],
      ].map(([rows, inner, columns, kind]) => {
        const [all, b] = factors(rows, inner, columns);
        const a = kind === 'after relu' ? relu(all) : all;
        const rounds = Math.ceil(5e8 / (rows * inner * columns));
        const run = () => {
          for (let i = 0; i < rounds; i++) tidy(() => void product(a, b));
        };
        run();
        const ms = median(Array.from({ length: 5 }, () => worked(run)));
        return [
          `${rows} x ${inner} x ${columns}, ${kind}`,
          round((2 * rounds * rows * inner * columns) / ms / 1e6),
        ];
      }),
    ),

  /** Steps of training: what one costs in a long run and in a short one, what memory does, and how much of it are products. */
  training_steps: () => {
    const small = { width: 32, depth: 4, samples: 8 };
    const megabytes = {};
    const train = (steps) => {
      const { cells, settings } = trainingOf({ ...small, steps });
      const note = (taken) => {
        if (taken === 100 || taken === steps - 1) megabytes[taken] = process.memoryUsage().rss / 1e6;
      };
      return worked(() => measureBatch(source, cells, settings, { stepped: note }));
    };
    /** Without what a run of one step costs. */
    const perStep = (steps) => (train(steps) - train(1)) / (steps - 1);
    train(1000);
    const costs = Array.from({ length: 3 }, () => [
      median(Array.from({ length: 15 }, () => perStep(100))),
      perStep(10_000),
    ]);
    const [width, depth, samples, steps] = [512, 6, 256, 8];
    const [a, b] = factors(samples, width, width);
    // Forward, backward and the gradient of the hidden layers; and of the first and last, which are thin.
    const own = steps * samples * (3 * (depth - 2) * width ** 2 + width * (2 * 10 + 3 * 1));
    const products = own / (samples * width ** 2);
    const shares = Array.from({ length: 5 }, () => {
      const { cells, settings } = trainingOf({ width, depth, samples, steps });
      const few = trainingOf({ width, depth, samples, steps: 1 });
      const start = worked(() => measureBatch(source, few.cells, few.settings));
      const step = worked(() => measureBatch(source, cells, settings)) - start;
      const alone = worked(() => {
        for (let i = 0; i < products; i++) tidy(() => void product(a, b));
      });
      return ((alone / steps) * (steps - 1)) / step;
    });
    return {
      'width 32, depth 4, 8 samples': {
        ratio_10000_to_100_steps: round(median(costs.map(([short, long]) => long / short))),
        ms_a_step: round(median(costs.map(([, long]) => long))),
        mb_gained_from_step_100_to_10000: round(megabytes[9999] - megabytes[100]),
      },
      [`width ${width}, depth ${depth}, ${samples} samples`]: {
        share_of_the_speed_of_products: round(median(shares)),
      },
    };
  },

  /** The five figures as one writes them in numpy (a), and here (b); a from some cells of each, with as many threads as it takes. */
  numpy_against_figures: () => {
    const python = process.env.PYTHON ?? 'python3';
    const { status, stdout } = spawnSync(python, ['scripts/numpy-way.py'], { encoding: 'utf8' });
    if (status !== 0) {
      process.stderr.write(`bench: ${python} with numpy is not there; PYTHON=... names another\n`);
      return known.numpy_against_figures;
    }
    const { numpy, figures } = JSON.parse(stdout);
    const whole = (of) =>
      Object.values(figures).reduce(
        (sum, { measured, cells, ...own }) => sum + (own[of] * cells) / measured,
        0,
      );
    const own = usage('figures');
    return {
      numpy,
      ratio: round(whole('seconds') / own.seconds),
      processor_ratio: round(whole('processor_seconds') / own.processor_seconds),
      a_seconds: round(whole('seconds')),
      a_processor_seconds: round(whole('processor_seconds')),
      b_seconds: round(own.seconds),
      b_processor_seconds: round(own.processor_seconds),
    };
  },

  figures: () => {
    program('figures');
    const whole = Array.from({ length: 3 }, () => [
      timed(() => program('figures')),
      timed(() => program('plot', 'figure-1a', 'figure-1b', 'figure-1c', 'figure-2a', 'figure-2b')),
      timed(() => execFileSync(process.execPath, ['dist/cli/main.js', '--version'], { stdio: 'ignore' })),
    ]);
    const [figures, drawing, start] = [0, 1, 2].map((i) => median(whole.map((times) => times[i])));
    return {
      seconds: round(figures / 1000),
      drawing_alone_seconds: round(drawing / 1000),
      start_up_seconds: round(start / 1000),
    };
  },
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  process.stderr.write(`bench: no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}\n`);
  process.exit(2);
}
const known = names.length > 0 ? JSON.parse(readFileSync('results/bench.json', 'utf8')) : {};
const report = { node: process.version, processor: cpus()[0].model, cores: availableParallelism() };
for (const [name, part] of Object.entries(PARTS)) {
  const result = names.length === 0 || names.includes(name) ? part() : known[name];
  if (result !== undefined) report[name] = result;
}

rmSync(scratch, { recursive: true });
writeFileSync('results/bench.json', `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
