import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ExperimentFile } from '../config/file/experiment.js';
import { resolveExperiment } from '../config/resolve.js';
import { cutBatches, type WeightsChoice } from './batch.js';
import { expandCells } from './cell.js';
import { estimate, fittingWorkers, type Machine, misfit, type Planned, payingWorkers } from './estimate.js';

function planned(changes: object, weights: WeightsChoice = 'auto'): Planned {
  const file = {
    network: { depth: 10, width: 100 },
    scaling: 'NTK',
    record: { layers: 'output', quantities: ['loss'] },
    ...changes,
  };
  const experiment = resolveExperiment(file as ExperimentFile, 'x');
  const cells = expandCells(experiment);
  return { experiment, cells, missing: cells, batches: cutBatches(experiment, cells, weights) };
}

const LARGE: Machine = { bytes: 1e12, heapBytes: 4e9, textLength: 5e8, backend: 'wasm', backendBytes: 4e9 };
const all = { layers: 'all', quantities: ['loss'] };

describe('what does not fit is refused with what to change', () => {
  const network = (sizes: object) => ({ network: { depth: 10, width: 100, ...sizes } });
  test.each<[string, object, WeightsChoice, number, Partial<Machine>, RegExp]>([
    [
      'a dense matrix',
      network({ width: 1e6 }),
      'dense',
      1,
      {},
      /backend holds 4\.0 GB; use --weights matrix-free$/,
    ],
    [
      'an input width',
      network({ inputWidth: 1e6, width: 1e4 }),
      'dense',
      1,
      {},
      /; use --weights matrix-free$/,
    ],
    ['a width', network({ width: 1e9 }), 'auto', 1, {}, /; use a smaller width than 1000000000$/],
    [
      'an output width',
      { ...network({ outputWidth: 1e9, depth: 3 }) },
      'auto',
      1,
      {},
      /; use a smaller network\.outputWidth than 1000000000$/,
    ],
    ['samples', { data: { samples: 2e6 } }, 'auto', 1, {}, /; use fewer data\.samples than 2000000$/],
    ['a depth', network({ depth: 5e6 }), 'auto', 1, {}, /; use a smaller depth than 5000000$/],
    ['workers', { ...network({ width: 1e6 }), draws: 9 }, 'auto', 8, { bytes: 1e9 }, /; use --workers 4$/],
    ['one worker', network({ width: 1e6 }), 'auto', 8, { bytes: 2e8 }, /; use a smaller width than 1000000$/],
    [
      'steps with weights that are never formed',
      { step: { count: 101 } },
      'matrix-free',
      1,
      {},
      /^x: 101 steps with weights that are never formed keep a direction .* use --weights dense, or a smaller step\.count$/,
    ],
    [
      'directions of many samples in many steps',
      { ...network({ width: 2e4 }), data: { samples: 100 }, step: { count: 50 } },
      'matrix-free',
      1,
      {},
      /^x: a cell of depth 10 and width 20000 with matrix-free weights needs .* and the wasm backend holds 4\.0 GB; use /,
    ],
    [
      'a norm of weights that are never formed',
      { record: { quantities: ['loss', 'sharpness', 'weight_displacement'] }, step: { count: 5 } },
      'matrix-free',
      1,
      {},
      /^x: sharpness, weight_displacement are of the matrices, and these weights are never formed; use --weights dense, or/,
    ],
    [
      'a table that is no text any more',
      { ...network({ depth: 1000 }), draws: 1e4, record: all },
      'auto',
      1,
      {},
      /^x: its table has 9990000 rows, .*; record "layers": "output", or take fewer draws$/,
    ],
    [
      'rows on the heap of JavaScript',
      { ...network({ depth: 1000 }), draws: 4000, record: all },
      'auto',
      1,
      {},
      /^x: 4000 cells and 3996000 rows need 6\.9 GB.*NODE_OPTIONS=--max-old-space-size$/,
    ],
  ])('%s', (_, changes, weights, workers, machine, message) => {
    expect(misfit(planned(changes, weights), workers, { ...LARGE, ...machine })).toMatch(message);
  });

  test.each([
    ['every side of a million', network({ inputWidth: 1e6, width: 1e6, outputWidth: 1e6 })],
    ['a hundred thousand samples', { ...network({ width: 20 }), data: { samples: 1e5 } }],
    ['a depth of ten thousand', network({ depth: 1e4 })],
    ['a hundred thousand draws', { draws: 1e5 }],
    ['what is of the matrices, which are dense then', { record: { quantities: ['sharpness'] } }],
    ['more steps, whose weights are dense then', { step: { count: 101 } }],
  ])('and %s fits', (_, changes) => {
    expect(misfit(planned(changes), 1, LARGE)).toBeUndefined();
  });

  test('a hundred steps with weights that are never formed fit', () => {
    const changes = {
      step: { count: 100 },
      record: { layers: 'output', quantities: ['update_cosine'] },
    };
    expect(misfit(planned(changes, 'matrix-free'), 1, LARGE)).toBeUndefined();
  });
});

test('as many workers as fit are used, and one where none do', () => {
  const wide = planned({ network: { depth: 10, width: 1e6 }, draws: 9 });
  expect([4e8, 1e9, 1e12].map((bytes) => fittingWorkers([wide], 8, { ...LARGE, bytes }))).toEqual([1, 4, 8]);
});

test('a second worker is used where it saves more than it costs', () => {
  const draws = (count: number) =>
    planned({ network: { depth: 20, width: 1e5 }, draws: count }, 'matrix-free');
  expect([1, 2, 100, 1000].map((count) => payingWorkers([draws(count)], 2))).toEqual([1, 1, 2, 2]);
  const [few, many] = [draws(100), draws(1000)].map((each) => payingWorkers([each], 64));
  expect(few).toBeLessThan(many!);
  expect(payingWorkers([draws(1000)], 64)).toBeLessThan(64);
});

test('workers without a batch cost nothing, and time is never below that of the longest batch', () => {
  const one = planned({ network: { depth: 10, width: 1e6 } });
  expect(estimate([one], 8)).toEqual({ ...estimate([one], 1) });
  expect(estimate([one], 8).wallSeconds).toBeGreaterThan(one.batches[0]!.cost / 1000);
});

type Ran = ExperimentFile & { readonly weights: string; readonly workers: number };

interface Accuracy {
  readonly kinds: readonly {
    readonly kind: string;
    /** Or the config of a figure. */
    readonly experiment: Ran | string;
    readonly seconds: { readonly ratio: number };
    readonly bytes: { readonly ratio: number };
  }[];
}

describe('of the experiments that scripts/plan-accuracy.mjs ran', () => {
  const path = new URL('../../results/plan-accuracy.json', import.meta.url);
  const { kinds } = JSON.parse(readFileSync(path, 'utf8')) as Accuracy;

  test.each(kinds.map((each) => [each.kind, each] as const))(
    '%s was foretold within a factor of 1.5',
    (_, each) => {
      for (const ratio of [each.seconds.ratio, each.bytes.ratio]) {
        expect(Math.max(ratio, 1 / ratio)).toBeLessThan(1.5);
      }
    },
  );

  test('there are ten at least, and every kind that costs otherwise is among them', () => {
    expect(kinds.length).toBeGreaterThanOrEqual(10);
    const written = kinds.flatMap(({ experiment }) => (typeof experiment === 'string' ? [] : [experiment]));
    const some = (is: (experiment: Ran) => boolean) => expect(written.some(is)).toBe(true);
    some(({ weights, data }) => weights === 'dense' && data?.samples === 1);
    some(({ weights, data }) => weights === 'dense' && (data?.samples ?? 1) > 100);
    some(({ weights, data }) => weights === 'matrix-free' && (data?.samples ?? 1) > 1);
    some(({ step }) => (step?.count ?? 1) > 1);
    some(({ step }) => step?.kind === 'velocity');
    some(({ record }) => record.quantities.includes('fba_rad'));
    some(({ record }) => record.layers === 'all');
    some(({ scaling }) => scaling === 'auto');
    some(({ network }) => network.architecture === 'mlp');
    some(({ network }) => network.activation === 'gelu');
    some(({ network }) => (network.inputWidth ?? 10) >= 100_000);
    some(({ network }) => (network.outputWidth ?? 1) >= 100_000);
    some(({ loss }) => loss === 'cross-entropy');
    some(({ workers }) => workers > 1);
    some(({ draws }) => (draws ?? 1) >= 1000);
  });
});
