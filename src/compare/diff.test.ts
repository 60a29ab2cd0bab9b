import { describe, expect, test } from 'vitest';
import { REQUIRED_COLUMNS } from '../config/columns.js';
import type { Table, Value } from '../results/table.js';
import { type DiffOptions, diffExperiment, diffResults, type Results } from './diff.js';

const AUTO: DiffOptions = { atol: 0, rtol: 0, compare: 'auto' };

interface Grid {
  readonly draws?: number;
  readonly depths?: readonly number[];
  readonly layers?: number;
  readonly weights?: string;
  readonly seed?: number;
  readonly factor?: number;
  readonly quantities?: readonly string[];
}

/** A value that depends on where it stands and on the seed, as unrelated as a hash. */
function valueAt(...place: readonly number[]): number {
  let hash = 2166136261;
  for (const each of place) hash = Math.imul(hash ^ (each + 0x9e37), 16777619) ^ (hash >>> 13);
  return 1 + ((Math.imul(hash, 2654435761) >>> 0) / 2 ** 32) * 0.5;
}

/** The results of an experiment in which every number is drawn. */
function results(grid: Grid = {}, name = 'smoke'): Results {
  const { draws = 2, depths = [3, 5], layers = 2, weights = 'dense', seed = 1, factor = 1 } = grid;
  const quantities = grid.quantities ?? ['loss', 'bfa_rad'];
  const rows = depths.flatMap((depth) =>
    Array.from({ length: draws }, (_, draw) =>
      Array.from({ length: layers }, (_, layer): Value[] => [
        ...[
          name,
          draw,
          'resnet',
          'relu',
          depth,
          16,
          10,
          1,
          1,
          0.5,
          'NTK',
          weights,
          'update',
          0.001,
          layer + 1,
        ],
        ...quantities.map((_, q) => factor * valueAt(seed, depth, draw, layer, q)),
      ]),
    ).flat(),
  );
  return {
    name,
    table: { columns: [...REQUIRED_COLUMNS, ...quantities], rows },
    manifest: { seed, digest: 'abc', commit: null, experiment: { draws } },
  };
}

/** The same with one value changed. */
function withValue({ table, ...rest }: Results, row: number, column: string, value: Value): Results {
  const at = table.columns.indexOf(column);
  return {
    ...rest,
    table: { ...table, rows: table.rows.map((each, i) => (i === row ? each.with(at, value) : each)) },
  };
}

const withTable = (side: Results, change: (table: Table) => Table): Results => ({
  ...side,
  table: change(side.table),
});

describe('row by row', () => {
  test('a table is the same as itself, in any order of rows and columns', () => {
    const shuffled = withTable(results(), ({ columns, rows }) => ({
      columns: columns.toReversed(),
      rows: rows.map((row) => row.toReversed()).toReversed(),
    }));
    expect(diffExperiment(results(), shuffled, AUTO)).toMatchObject({
      verdict: 'same',
      notes: [],
      rows: { added: 0, removed: 0, common: 8, changed: 0 },
      laws: null,
    });
  });

  test('a change of 1e-3 in one cell of 10,000 is found and named', () => {
    const grid = { depths: Array.from({ length: 50 }, (_, i) => i + 3), draws: 100, layers: 2 };
    const before = results(grid);
    const old = before.table.rows[5678]!.at(-1) as number;
    const changed = diffExperiment(before, withValue(before, 5678, 'bfa_rad', old + 1e-3), AUTO);
    expect(changed).toMatchObject({
      verdict: 'different',
      rows: { common: 10_000, changed: 1 },
      varying: ['draw', 'depth', 'layer'],
    });
    expect(changed.rows!.quantities).toEqual([
      { quantity: 'loss', changed: 0, largest: null },
      {
        quantity: 'bfa_rad',
        changed: 1,
        largest: {
          cell: expect.objectContaining({ draw: 39, depth: 31, layer: 1, weights: 'dense' }),
          before: old,
          after: old + 1e-3,
        },
      },
    ]);
  });

  test.each([
    [0, 0, 'different'],
    [0.5, 0, 'same'],
    [0.49, 0, 'different'],
    [0, 0.25, 'same'],
    [0, 0.24, 'different'],
    [0.25, 0.125, 'same'],
  ] as const)('a change from 2 to 2.5 with atol %d and rtol %d is %s', (atol, rtol, verdict) => {
    const side = (value: number) => withValue(results(), 3, 'loss', value);
    expect(diffExperiment(side(2), side(2.5), { ...AUTO, atol, rtol }).verdict).toBe(verdict);
  });

  test('a number that went missing is a change whatever the tolerance, and the largest where nothing else changed', () => {
    const after = withValue(results(), 3, 'loss', null);
    const changed = diffExperiment(results(), after, { ...AUTO, atol: 1e9 });
    expect(changed).toMatchObject({ verdict: 'different', rows: { changed: 1 } });
    expect(changed.rows!.quantities[0]).toMatchObject({ changed: 1, largest: { after: null } });
    const two = withValue(after, 5, 'loss', 99);
    expect(diffExperiment(results(), two, AUTO).rows!.quantities[0]!.largest).toMatchObject({ after: 99 });
  });

  test('rows that come twice are matched in their order', () => {
    const twice = withTable(results(), (table) => ({ ...table, rows: [...table.rows, table.rows[0]!] }));
    const last = twice.table.rows.length - 1;
    expect(diffExperiment(twice, twice, AUTO).verdict).toBe('same');
    expect(diffExperiment(twice, withValue(twice, last, 'loss', 7), AUTO).rows).toMatchObject({
      changed: 1,
      common: 9,
    });
    expect(diffExperiment(results(), twice, { ...AUTO, compare: 'rows' }).rows).toMatchObject({
      added: 1,
      removed: 0,
    });
  });

  test('a table of identical rows, 100,000 of them, takes no time', () => {
    const many = withTable(results(), (table) => ({
      ...table,
      rows: new Array(100_000).fill(table.rows[0]!),
    }));
    expect(diffExperiment(many, many, AUTO)).toMatchObject({ verdict: 'same', rows: { common: 100_000 } });
  });

  test('settings that were added or removed are rows that were', () => {
    const changed = diffExperiment(results({ depths: [3, 5] }), results({ depths: [5, 7, 9] }), AUTO);
    expect(changed).toMatchObject({
      verdict: 'different',
      rows: { added: 8, removed: 4, common: 4, changed: 0 },
      laws: null,
    });
  });

  test('where no row is in both, the column is named that makes it so', () => {
    const after = withTable(results(), (table) => ({
      ...table,
      rows: table.rows.map((row) => row.with(table.columns.indexOf('step_size'), 0.01)),
    }));
    expect(diffExperiment(results(), after, AUTO)).toMatchObject({
      verdict: 'different',
      notes: ['no setting is in both; step_size: 0.001 -> 0.01'],
    });
  });

  test('empty tables are the same', () => {
    const empty = withTable(results(), (table) => ({ ...table, rows: [] }));
    expect(diffExperiment(empty, empty, AUTO).verdict).toBe('same');
    expect(diffExperiment(empty, results(), AUTO)).toMatchObject({
      verdict: 'different',
      rows: { added: 8 },
    });
  });
});

describe('a changed schema is explained', () => {
  test('new quantities and those that are gone are told, and the others compared', () => {
    const after = results({ quantities: ['loss', 'contribution'] });
    expect(diffExperiment(results(), after, AUTO)).toMatchObject({
      verdict: 'different',
      notes: ['new quantities: contribution', 'quantities that are gone: bfa_rad'],
      rows: { changed: 0, quantities: [{ quantity: 'loss', changed: 0 }] },
    });
  });

  test('an experiment of another name was removed and added', () => {
    const verdicts = diffResults([results(), results({}, 'a')], [results(), results({}, 'b')], AUTO);
    expect(verdicts.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['smoke', 'same'],
      ['b', 'added'],
      ['a', 'removed'],
    ]);
  });
});

describe('law by law', () => {
  test('another seed at 20 draws is the same law, and a planted factor is not', () => {
    const before = results({ draws: 20, seed: 1 });
    expect(diffExperiment(before, results({ draws: 20, seed: 2 }), AUTO)).toMatchObject({
      verdict: 'same law',
      notes: ['seed 1 -> 2: other draws'],
      rows: null,
    });
    const planted = diffExperiment(before, results({ draws: 20, seed: 2, factor: 0.8 }), AUTO);
    expect(planted.verdict).toBe('different law');
    expect(planted.laws!.smallest!.corrected).toBeLessThan(1e-6);
  });

  test('draws that were added are the same law when those in both are the same, and different when they are not', () => {
    const before = results({ draws: 3 });
    const after = results({ draws: 9 });
    expect(diffExperiment(before, after, AUTO)).toMatchObject({
      verdict: 'same law',
      notes: ['draws 3 -> 9'],
      rows: { added: 24, removed: 0, common: 12, changed: 0 },
    });
    expect(diffExperiment(before, withValue(after, 0, 'loss', 1.2), AUTO).verdict).toBe('different');
    expect(
      diffExperiment({ ...before, manifest: null }, withValue(after, 0, 'loss', 1.2), AUTO),
    ).toMatchObject({
      verdict: 'same law',
      rows: null,
    });
  });

  test('draws that are missing, though as many were asked for, are rows that were removed', () => {
    const before = results({ draws: 5 });
    const failed = withTable(before, ({ columns, rows }) => ({
      columns,
      rows: rows.filter((row) => row[columns.indexOf('draw')] !== 4),
    }));
    expect(diffExperiment(before, failed, AUTO)).toMatchObject({
      verdict: 'different',
      rows: { removed: 4, changed: 0 },
      laws: null,
    });
  });

  test('another kind of weights is another draw of the same law', () => {
    const before = results({ draws: 20 });
    const after = results({ draws: 20, weights: 'matrix-free', seed: 3 });
    const sameSeed = { ...after, manifest: before.manifest };
    expect(diffExperiment(before, sameSeed, AUTO)).toMatchObject({
      verdict: 'same law',
      notes: ['weights dense -> matrix-free in 2 settings: other draws of the same law'],
      rows: null,
    });
    expect(diffExperiment(before, sameSeed, { ...AUTO, compare: 'rows' })).toMatchObject({
      verdict: 'different',
      rows: { common: 0 },
    });
  });

  test('settings that were added differ, though those in both have the same law', () => {
    const after = results({ draws: 20, seed: 2, depths: [3, 5, 7] });
    expect(diffExperiment(results({ draws: 20 }), after, AUTO)).toMatchObject({
      verdict: 'different',
      notes: ['seed 1 -> 2: other draws', '2 added beside 4 layers of settings that are in both'],
      laws: { verdict: 'same law' },
    });
  });

  test('one draw of two settings is too few to tell, and says so', () => {
    const side = (seed: number) => results({ draws: 1, seed });
    expect(diffExperiment(side(1), side(2), AUTO)).toMatchObject({
      verdict: 'too few draws',
      laws: { pooledOnly: 4 },
    });
  });

  test('is what --compare asks for', () => {
    expect(
      diffExperiment(results({ draws: 20 }), results({ draws: 20 }), { ...AUTO, compare: 'laws' }),
    ).toMatchObject({
      verdict: 'same law',
      rows: null,
    });
  });
});
