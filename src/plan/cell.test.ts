import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExperimentFile, Sweep } from '../config/file/experiment.js';
import { resolveExperiment } from '../config/resolve.js';
import { type Cell, expandCells } from './cell.js';

const cellsOf = (sweep: Sweep, changes: Partial<ExperimentFile> = {}, name = 'test') =>
  expandCells(
    resolveExperiment(
      {
        network: { depth: 4, width: 16 },
        scaling: 'NTK',
        record: { quantities: ['loss'] },
        sweep,
        draws: 2,
        ...changes,
      },
      name,
    ),
  );

const seedByKey = (cells: readonly Cell[]) => new Map(cells.map(({ key, seed }) => [key, seed]));

const some = <T>(values: readonly T[]) => fc.shuffledSubarray([...values], { minLength: 1 });
const sweeps: fc.Arbitrary<Sweep> = fc.record({
  depth: some([3, 4, 7, 100]),
  width: some([1, 16, 17]),
  branchScale: some(['1/L', '1/sqrt(L)', 0.3, 1]),
  scaling: some(['NTK', 'MF+muP', 'FSC'] as const),
  architecture: some(['resnet'] as const),
  activation: some(['relu', 'tanh'] as const),
});

/** The same values with axes and values in another order. */
const reordered = (sweep: Sweep) =>
  fc
    .tuple(
      fc.shuffledSubarray(Object.keys(sweep) as (keyof Sweep)[], { minLength: 6 }),
      fc.record(
        Object.fromEntries(
          Object.entries(sweep).map(([axis, values]) => [
            axis,
            fc.shuffledSubarray(values as unknown[], { minLength: (values as unknown[]).length }),
          ]),
        ),
      ),
    )
    .map(([axes, values]) => Object.fromEntries(axes.map((axis) => [axis, values[axis]])) as Sweep);

describe('key and seed of a cell', () => {
  test('do not depend on the order of the sweep', () => {
    fc.assert(
      fc.property(
        sweeps.chain((sweep) => fc.tuple(fc.constant(sweep), reordered(sweep))),
        ([sweep, other]) => {
          expect(seedByKey(cellsOf(other))).toEqual(seedByKey(cellsOf(sweep)));
        },
      ),
    );
  });

  test('do not depend on the other cells', () => {
    const all = seedByKey(
      cellsOf({
        depth: [3, 4, 7, 100],
        width: [1, 16, 17],
        branchScale: ['1/L', '1/sqrt(L)', 0.3, 1],
        scaling: ['NTK', 'MF+muP', 'FSC'],
        activation: ['relu', 'tanh'],
      }),
    );
    fc.assert(
      fc.property(sweeps, (sweep) => {
        for (const { key, seed } of cellsOf(sweep)) expect(seed).toEqual(all.get(key));
      }),
    );
  });

  test('do not depend on the number of draws', () => {
    fc.assert(
      fc.property(sweeps, fc.integer({ min: 1, max: 6 }), (sweep, draws) => {
        const more = seedByKey(cellsOf(sweep, { draws: 6 }));
        for (const { key, seed } of cellsOf(sweep, { draws })) expect(seed).toEqual(more.get(key));
      }),
    );
  });

  test('do not depend on what the experiment is called, records, or how it writes a branch scale', () => {
    const [cell] = cellsOf({ branchScale: ['1/sqrt(L)'] });
    const record: ExperimentFile['record'] = { layers: 'output', quantities: ['bfa_rad'] };
    const [other] = cellsOf({ branchScale: [0.5] }, { record, title: 'Other' }, 'other');
    expect(other).toMatchObject({ key: cell!.key, seed: cell!.seed });
  });

  test('differ between any two networks or draws of an experiment', () => {
    fc.assert(
      fc.property(sweeps, (sweep) => {
        // 1/L and 1/sqrt(L) never meet at these depths, so that all cells are different networks.
        const cells = cellsOf(sweep);
        expect(new Set(cells.map(({ key }) => key)).size).toBe(cells.length);
        expect(new Set(cells.map(({ seed }) => seed.join())).size).toBe(cells.length);
      }),
    );
  });

  test.each<[string, Partial<ExperimentFile>]>([
    ['activation', { network: { depth: 4, width: 16, activation: 'linear' } }],
    ['input width', { network: { depth: 4, width: 16, inputWidth: 11 } }],
    ['output width', { network: { depth: 4, width: 16, outputWidth: 2 } }],
    ['number of samples', { data: { samples: 2 } }],
  ])('differ with the %s', (_, changes) => {
    const [cell] = cellsOf({});
    const [other] = cellsOf({}, changes);
    expect(other!.key).not.toBe(cell!.key);
    expect(other!.seed).not.toEqual(cell!.seed);
  });

  test('the seed of the experiment changes every seed and no key', () => {
    const cells = cellsOf({ depth: [3, 4] }, { seed: 1 });
    const others = cellsOf({ depth: [3, 4] }, { seed: 2 });
    expect(others.map(({ key }) => key)).toEqual(cells.map(({ key }) => key));
    others.forEach(({ seed }, i) => {
      expect(seed).not.toEqual(cells[i]!.seed);
    });
  });

  test('stay what they are: another seed would be another experiment', () => {
    const [cell] = cellsOf({}, { seed: 2024 });
    expect(cell!.key).toBe('resnet relu L=4 m=16 d=10 k=1 n=1 beta=1 scaling=NTK draw=0');
    expect(cell!.seed).toEqual([1771247119, 2270446328, 2931674489, 2124556498]);
  });
});

test('cells come in the order of the file, draws innermost', () => {
  const cells = cellsOf({ depth: [7, 3], branchScale: [1, 0.5] });
  expect(cells.map(({ setting, draw }) => [setting.depth, setting.branchScale, draw])).toEqual([
    [7, 1, 0],
    [7, 1, 1],
    [7, 0.5, 0],
    [7, 0.5, 1],
    [3, 1, 0],
    [3, 1, 1],
    [3, 0.5, 0],
    [3, 0.5, 1],
  ]);
});

test('settings that are equal in numbers are one, where the first of them stands', () => {
  const settingsOf = (branchScale: (string | number)[], depth: number[]) =>
    cellsOf({ branchScale, depth }).map(({ setting, draw }) => [setting.branchScale, setting.depth, draw]);
  expect(settingsOf(['1/L', '1/(2*sqrt(L))'], [4, 16])).toEqual([
    [0.25, 4, 0],
    [0.25, 4, 1],
    [0.0625, 16, 0],
    [0.0625, 16, 1],
    [0.125, 16, 0],
    [0.125, 16, 1],
  ]);
  // The 13th digit tells no two apart.
  expect(settingsOf(['pow(L, -1/3)', '1/pow(L, 1/3)'], [5])).toHaveLength(2);
});

test('cells that differ in axes with common random numbers only have one seed, and keys of their own', () => {
  const cells = cellsOf({ branchScale: [0.5, 1], depth: [4, 5] }, { commonRandomNumbers: ['branchScale'] });
  expect(new Set(cells.map(({ key }) => key)).size).toBe(8);
  const draws = new Map<string, Set<string>>();
  for (const { setting, draw, seed } of cells) {
    const shared = `L=${setting.depth} draw=${draw}`;
    draws.set(shared, (draws.get(shared) ?? new Set()).add(seed.join()));
  }
  expect([...draws.values()].map((seeds) => seeds.size)).toEqual([1, 1, 1, 1]);
  expect(new Set(cells.map(({ seed }) => seed.join())).size).toBe(4);
});
