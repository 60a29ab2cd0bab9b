import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { describeBackends, findBackendsUnderTest } from '../src/core/backends-under-test.js';

const backends = await findBackendsUnderTest();
process.stdout.write(`${describeBackends(backends)}\n`);

const ofCore = (name: string) => `src/core/${name}.test.ts`;

/** Tests of the operations of a backend, and of the step on it: they run on each. */
const OF_OPERATIONS = [
  'activation',
  'curvature/kernels',
  'ops',
  'oracle/planted-faults',
  'resnet-2',
  'step/step',
].map(ofCore);

/** Tests of the mathematics on a backend: they run on wasm, and on each where there is time. */
const NUMERIC = [
  ...OF_OPERATIONS,
  ...[
    'weights/matrix-free-weights',
    'scales/normalize',
    'oracle/known-cases',
    'oracle/matrix-free-law',
    'oracle/random-experiments',
    'oracle/unequal-widths',
    'training',
    'curvature/along-training',
    'curvature/derivatives',
    'curvature/sharpness',
  ].map(ofCore),
];

/** Those of the other backends: what they share with wasm is tested there. */
const ofOthers = process.env.FEATURE_SPEED_SLOW ? NUMERIC : OF_OPERATIONS;

/** Tests of the program on the native backend, which run with the numeric ones on it. */
const ON_NATIVE = ['src/cli/native.test.ts'];

// Time is no measure of a machine that is busy with other things: what hangs is ended, and nothing else.
const PATIENCE = 600_000;

const shared = {
  root: new URL('..', import.meta.url).pathname,
  testTimeout: PATIENCE,
  hookTimeout: PATIENCE,
};

// The program is built before the tests (`pretest`), since some of them call it as a user would.
export default defineConfig({
  test: {
    root: shared.root,
    // Vitest leaves a core to itself, which has little to do: of two cores it would use one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          ...shared,
          name: 'program',
          include: ['src/**/*.test.ts'],
          exclude: [...NUMERIC, ...ON_NATIVE],
        },
      },
      ...backends.tested.map((name) => ({
        test: {
          ...shared,
          name,
          include: { native: [...ofOthers, ...ON_NATIVE], wasm: NUMERIC, cpu: ofOthers }[name],
          provide: { backend: name },
        },
      })),
    ],
    reporters: process.env.CI ? ['default', './scripts/count-reporter.ts'] : ['default'],
  },
});
