import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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
    samples: experiment.data.samples,
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
    forAllBatches(({ cells, batches, choice, samples }) => {
      for (const batch of batches) {
        expect(new Set(batch.cells.map((i) => cells[i]!.setting.width))).toEqual(new Set([batch.width]));
        expect(batch.weights).toBe(chooseWeights(choice, samples, batch.width));
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

test('a dense cell is charged for its matrices: 4 L m^2 bytes and its states', () => {
  const { experiment, cells } = plan([10], [1000], 1);
  const [dense] = cutBatches(experiment, cells, 'dense');
  const [matrixFree] = cutBatches(experiment, cells, 'matrix-free');
  expect(dense!.bytes).toBe(4 * 10 * (1000 ** 2 + 4 * 1000));
  expect(matrixFree!.bytes).toBe(4 * 10 * 6 * 1000);
});

describe('weights', () => {
  test.each([
    // samples, width
    [1, 7, 'dense'],
    [1, 8, 'matrix-free'],
    [1, 10_000, 'matrix-free'],
    [5, 199, 'dense'],
    [5, 200, 'matrix-free'],
    [200, 50, 'dense'],
  ] as const)('of %i samples and %i units are %s by default', (samples, width, weights) => {
    expect(chooseWeights('auto', samples, width)).toBe(weights);
  });

  test.each(['dense', 'matrix-free'] as const)('are %s when asked for', (weights) => {
    expect(chooseWeights(weights, 1, 10_000)).toBe(weights);
    expect(chooseWeights(weights, 200, 50)).toBe(weights);
  });
});
