import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { describeBackends, findBackendsUnderTest } from '../src/core/backends-under-test.js';

const backends = await findBackendsUnderTest();
process.stdout.write(`${describeBackends(backends)}\n`);

const ofCore = (name: string) => `src/core/${name}.test.ts`;

/** Tests of the operations of a backend, and of the step on it: they run on each. */
const OF_OPERATIONS = ['activation', 'curvature/kernels', 'ops', 'smooth-activations', 'step/step'].map(
  ofCore,
);

/** Tests of the mathematics on a backend: they run on wasm, and on each where there is time. */
const NUMERIC = [
  ...OF_OPERATIONS,
  ...[
    'resnet-2',
    'oracle/planted-faults',
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

const root = fileURLToPath(new URL('..', import.meta.url));
const all = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => `src/${path}`)
  .filter((path) => path.endsWith('.test.ts'));

/** Whether a test puts others in the place of modules of the program, which no other test is to see. */
const replacesModules = (path: string) => readFileSync(join(root, path), 'utf8').includes('vi.mock(');

/** Files share a process, with the libraries that one of them has loaded; those that replace modules have each its own. */
function projectsOf(name: string, files: readonly string[], provide: object) {
  const settings = { root, testTimeout: PATIENCE, hookTimeout: PATIENCE, provide };
  const alone = files.filter(replacesModules);
  const together = files.filter((path) => !alone.includes(path));
  return [
    { test: { ...settings, name, include: together, isolate: false } },
    ...(alone.length > 0 ? [{ test: { ...settings, name: `${name}, alone`, include: alone } }] : []),
  ];
}

// The program is built before the tests (`pretest`), since some of them call it as a user would.
export default defineConfig({
  test: {
    root,
    // Vitest leaves a core to itself, which has little to do: of two cores it would use one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...projectsOf(
        'program',
        all.filter((path) => ![...NUMERIC, ...ON_NATIVE].includes(path)),
        {},
      ),
      ...backends.tested.flatMap((backend) =>
        projectsOf(backend, { native: [...ofOthers, ...ON_NATIVE], wasm: NUMERIC, cpu: ofOthers }[backend], {
          backend,
        }),
      ),
    ],
    reporters: process.env.CI ? ['default', './scripts/count-reporter.ts'] : ['default'],
  },
});
