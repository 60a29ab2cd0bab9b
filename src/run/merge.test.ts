import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import { type Cell, expandCells } from '../plan/cell.js';
import { cellsOfShard } from '../plan/shard.js';
import { fromCsv, type Table, toCsv } from '../results/table.js';
import { MergeError, mergeTables, type Part } from './merge.js';
import { tableOf } from './rows.js';

/** beta = 1 and 1/(2 sqrt(L)) + 3/4 meet at L = 4, and are one network there. */
const EXPERIMENT: Experiment = resolveExperiment(
  {
    network: {},
    scaling: 'MF+muP',
    sweep: { branchScale: [1, '1/(2*sqrt(L)) + 0.75'], depth: [4, 3, 9], width: [24, 16] },
    draws: 3,
    record: { quantities: ['bfa_rad', 'loss'] },
  },
  'test',
);
const CELLS = expandCells(EXPERIMENT);

/** A table without measuring: numbers that only the seed of a cell decides. */
function tableWith(cells: readonly Cell[], experiment = EXPERIMENT): Table {
  const finished = cells.map((cell) => {
    const layers = Array.from({ length: cell.setting.depth - 1 }, (_, i) => i + 1);
    const numbers = Float64Array.from(layers, (layer) =>
      layer === 1 ? Number.NaN : cell.seed[0] / 2 ** 32 / layer,
    );
    return {
      cell,
      weights: 'dense',
      measured: {
        layers,
        divergedAt: undefined,
        inexact: undefined,
        values: { bfa_rad: numbers, loss: numbers },
      },
    };
  });
  // As it is read from a file.
  return fromCsv(toCsv(tableOf(experiment, finished)));
}

const WHOLE = tableWith(CELLS);
const shards = (count: number): Part[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `shard ${i + 1}`,
    table: tableWith(cellsOfShard(CELLS, { index: i + 1, count })),
  }));
const merged = (parts: readonly Part[], count?: number) =>
  toCsv(mergeTables(EXPERIMENT, 'dense', parts, count));

test('shards in any order, some of them twice, give the bytes of one run', () => {
  const parts = fc.integer({ min: 1, max: 12 }).chain((count) =>
    fc
      .array(fc.integer({ min: 0, max: count - 1 }), { maxLength: 3 })
      .chain((again) =>
        fc.shuffledSubarray([...Array(count).keys(), ...again], { minLength: count + again.length }),
      )
      .map((order) => order.map((i) => shards(count)[i]!)),
  );
  fc.assert(
    fc.property(parts, (some) => {
      expect(merged(some)).toBe(toCsv(WHOLE));
    }),
    { numRuns: 30 },
  );
});

describe('what is no whole is refused:', () => {
  const [first, second, third] = shards(3) as [Part, Part, Part];
  const changed = ({ name, table }: Part, change: (rows: (typeof table.rows)[number][]) => void): Part => {
    const rows = [...table.rows];
    change(rows);
    return { name, table: { ...table, rows } };
  };
  const bfa = WHOLE.columns.indexOf('bfa_rad');

  test('a shard that is missing, with its name', () => {
    expect(() => merged([first, third], 3)).toThrow(
      / cells are in none of the parts, .*; run shard 2\/3 to its end$/,
    );
    expect(() => merged([second], 3)).toThrow(/run shard 1\/3, 3\/3 to its end$/);
    expect(() => merged([first, third])).toThrow(MergeError);
  });

  test('a table that is cut off', () => {
    expect(() => merged([first, changed(second, (rows) => rows.pop()), third], 3)).toThrow(
      /^1 of 30 cells are in none of the parts, the first is resnet relu .*; run shard 2\/3 to its end$/,
    );
  });

  test('two parts that disagree, with the column, the layer and the cell', () => {
    const other = changed(first, (rows) => {
      rows[1] = rows[1]!.map((value, i) => (i === bfa ? Number(value) + 1e-9 : value));
    });
    expect(() => merged([first, second, third, other])).toThrow(
      /^shard 1 and shard 1 differ in bfa_rad of layer \d+ of resnet relu L=\d+ m=\d+ .* draw=\d$/,
    );
  });

  test('rows of another experiment', () => {
    const foreign = changed(third, (rows) => rows.push(rows[0]!.map((value, i) => (i === 1 ? 99 : value))));
    expect(() => merged([first, second, foreign])).toThrow(
      /^shard 3: layer 1 of .* draw=99 is not in the experiment$/,
    );
  });

  test('other columns', () => {
    const { columns, rows } = second.table;
    const renamed = { name: 'second', table: { columns: columns.with(-1, 'loss_change'), rows } };
    expect(() => merged([first, renamed, third])).toThrow(
      /^second: expected the columns experiment,.*,loss, got /,
    );
  });

  test.each([
    ['experiment', 'other'],
    ['weights', 'matrix-free'],
    ['step', 'velocity'],
    ['step_size', 0.5],
    ['step_size', null],
  ])('a %s that is another, %s', (column, value) => {
    const at = WHOLE.columns.indexOf(column);
    const other = changed(second, (rows) => {
      rows[2] = rows[2]!.with(at, value);
    });
    const [expected, got] = [second.table.rows[2]![at], value ?? 'nothing'];
    expect(() => merged([first, other, third])).toThrow(
      `shard 2: expected ${column} ${expected} as in its experiment, got ${got} at layer `,
    );
  });

  test.each(['input_width', 'output_width', 'samples', 'layer', 'depth'])(
    'a %s that is another',
    (column) => {
      const other = changed(second, (rows) => {
        rows[2] = rows[2]!.with(WHOLE.columns.indexOf(column), 77);
      });
      expect(() => merged([first, other, third])).toThrow(
        /^shard 2: layer \d+ of .* is not in the experiment$/,
      );
    },
  );
});
