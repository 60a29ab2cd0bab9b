import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExperimentFile } from '../config/file/experiment.js';
import { resolveExperiment } from '../config/resolve.js';
import { type BatchLimits, chooseWeights, cutBatches, DEFAULT_LIMITS, type WeightsChoice } from './batch.js';
import { expandCells } from './cell.js';

const plan = (depth: number[], width: number[], samples: number, draws = 1) => {
  const experiment = resolveExperiment(
    {
      network: {},
      scaling: 'NTK',
      data: { samples },
      record: { quantities: ['loss'] },
      sweep: { depth, width },
      draws,
    },
    'test',
  );
  return { experiment, cells: expandCells(experiment) };
};

const choices = fc.constantFrom<WeightsChoice>('auto', 'dense', 'matrix-free');
const plans = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 3, max: 500 }), { minLength: 1, maxLength: 8 }),
    fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(1, 2, 30),
    fc.integer({ min: 1, max: 5 }),
  )
  .map((numbers) => plan(...numbers));
const limits: fc.Arbitrary<BatchLimits> = fc.oneof(
  fc.constant(DEFAULT_LIMITS),
  fc.record({
    bytes: fc.integer({ min: 1, max: 200e6 }),
    stateSize: fc.integer({ min: 1, max: 100_000 }),
  }),
);

/** Cuts at random and looks at each batch of the result. */
const forAllBatches = (look: (cut: ReturnType<typeof cutAt>) => void) =>
  fc.assert(fc.property(plans, choices, limits, (...cut) => look(cutAt(...cut))));

function cutAt({ experiment, cells }: ReturnType<typeof plan>, choice: WeightsChoice, limits: BatchLimits) {
  return {
    cells,
    choice,
    limits,
    experiment,
    samples: experiment.axes.samples[0]!,
    batches: cutBatches(experiment, cells, choice, limits),
  };
}

describe('however the cells are cut into batches', () => {
  test('every cell is in exactly one', () => {
    forAllBatches(({ cells, batches }) => {
      const indices = batches.flatMap((batch) => batch.cells);
      expect(indices.toSorted((a, b) => a - b)).toEqual(cells.map((_, i) => i));
    });
  });

  test('the cells of one have one width, and its weights', () => {
    forAllBatches(({ experiment, cells, batches, choice }) => {
      for (const batch of batches) {
        const settings = batch.cells.map((i) => cells[i]!.setting);
        expect(new Set(settings.map(({ width }) => width))).toEqual(new Set([batch.width]));
        for (const setting of settings)
          expect(chooseWeights(choice, experiment, setting)).toBe(batch.weights);
      }
    });
  });

  test('one of several cells stays within the limits', () => {
    forAllBatches(({ batches, limits, samples }) => {
      for (const { cells, width, bytes } of batches.filter((batch) => batch.cells.length > 1)) {
        expect(bytes).toBeLessThanOrEqual(limits.bytes);
        expect(cells.length * samples * width).toBeLessThanOrEqual(limits.stateSize);
      }
    });
  });

  test('the deepest cell of one stands first, and the costliest batch', () => {
    forAllBatches(({ cells, batches }) => {
      const falls = (numbers: number[]) => numbers.every((x, i) => i === 0 || x <= numbers[i - 1]!);
      for (const batch of batches) expect(falls(batch.cells.map((i) => cells[i]!.setting.depth))).toBe(true);
      expect(falls(batches.map((batch) => batch.cost))).toBe(true);
    });
  });
});

test('cells of one width and any depth share a batch while there is room', () => {
  const { experiment, cells } = plan([3, 50, 200], [100], 1, 4);
  expect(cutBatches(experiment, cells, 'auto').map((batch) => batch.cells)).toEqual([
    [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3],
  ]);
  const narrow = { ...DEFAULT_LIMITS, stateSize: 500 };
  expect(cutBatches(experiment, cells, 'auto', narrow).map((batch) => batch.cells.length)).toEqual([5, 5, 2]);
});

const COMMON = { scaling: 'NTK', draws: 1 };

/** The weights of the first cell of an experiment. */
function weightsOf(network: object, data: object, choice: WeightsChoice = 'auto', count = 1) {
  const file = { network, data, step: { count }, record: { quantities: ['loss'] }, ...COMMON };
  const experiment = resolveExperiment(file as ExperimentFile, 'test');
  return chooseWeights(choice, experiment, expandCells(experiment)[0]!.setting);
}

describe('weights', () => {
  test.each([
    // Of one sample nothing is cheaper than not to form them, at any width.
    [{ width: 8 }, 1, 1, 'matrix-free'],
    [{ width: 10_000 }, 1, 1, 'matrix-free'],
    // Every vector meets all directions before: with many of them dense is cheaper, wherever they come from.
    [{ width: 20 }, 10, 1, 'dense'],
    [{ width: 20 }, 1, 10, 'dense'],
    [{ width: 50 }, 200, 1, 'dense'],
    [{ width: 5000 }, 200, 1, 'dense'],
    [{ width: 5000 }, 5, 1, 'matrix-free'],
    // An input of a million is drawn once for each unit of a dense matrix, and met once by each direction else.
    [{ width: 500, inputWidth: 1_000_000 }, 3, 1, 'matrix-free'],
    [{ width: 3, inputWidth: 1_000_000 }, 30, 1, 'dense'],
  ] as const)('of %j with %i samples and %i steps are %s by default', (network, samples, steps, weights) => {
    expect(weightsOf({ depth: 5, ...network }, { samples }, 'auto', steps)).toBe(weights);
  });

  test.each(['dense', 'matrix-free'] as const)('are %s when asked for', (weights) => {
    expect(weightsOf({ depth: 5, width: 10_000 }, {}, weights)).toBe(weights);
    expect(weightsOf({ depth: 5, width: 50 }, { samples: 200 }, weights)).toBe(weights);
  });

  test('do not depend on the depth, so that one curve over it is of one kind', () => {
    const kinds = [3, 10, 1000].map((depth) =>
      weightsOf({ depth, width: 100, inputWidth: 5000 }, { samples: 4 }),
    );
    expect(new Set(kinds).size).toBe(1);
  });

  const configs = fileURLToPath(new URL('../../configs', import.meta.url));
  const names = readdirSync(configs)
    .filter((file) => file.endsWith('.json') && !/^schema|\.vl\./.test(file))
    .map((file) => file.replace('.json', ''))
    .filter((name) => existsSync(join(configs, '../results', name, 'manifest.json')))
    // The weights of a model are its own.
    .filter((name) => !JSON.parse(readFileSync(join(configs, `${name}.json`), 'utf8')).network?.model);
  test.each(names)('of %s are those that its table was measured with', (name) => {
    const read = (...path: string[]) => JSON.parse(readFileSync(join(configs, ...path), 'utf8'));
    const experiment = resolveExperiment(read(`${name}.json`), name);
    const { weights } = read('../results', name, 'manifest.json');
    const batches = cutBatches(experiment, expandCells(experiment), 'auto');
    expect([...new Set(batches.map((batch) => batch.weights))].sort()).toEqual(weights);
  });
});

test('two hundred thousand cells of a thousand kinds are cut within two seconds of processor time', () => {
  const widths = Array.from({ length: 1000 }, (_, i) => i + 1);
  const { experiment } = plan([3], widths, 1, 1);
  const [cells, started] = [expandCells(experiment), process.cpuUsage()];
  const all = Array.from({ length: 200 }, () => cells).flat();
  expect(cutBatches(experiment, all, 'auto').length).toBeGreaterThan(1000);
  const { user } = process.cpuUsage(started);
  expect(user / 1e6).toBeLessThan(2);
});
