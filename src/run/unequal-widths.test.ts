import { describe, expect, test } from 'vitest';
import { diffResults } from '../compare/diff.js';
import type { ExperimentFile } from '../config/file/experiment.js';
import { measure, readExperiment } from '../index.js';
import { expandCells } from '../plan/cell.js';
import { cellsOfShard } from '../plan/shard.js';
import { fromCsv, type Table } from '../results/table.js';
import { mergeTables } from './merge.js';
import { slopesOf } from './slopes.js';

const FILE = {
  network: { architecture: 'mlp' },
  scaling: 'MF+muP',
  step: { kind: 'velocity' },
  sweep: { width: [16, '8*L', '4*l + 8'], depth: [4, 8] },
  draws: 2,
  record: { layers: 'output', quantities: ['bfa_rad', 'sensitivity', 'feature_rms'] },
  slopes: [{ quantity: 'sensitivity', axis: 'depth' }],
} as const satisfies ExperimentFile;

const experimentOf = (changes: Partial<ExperimentFile> = {}) => readExperiment({ ...FILE, ...changes });
const swept = (...width: (number | string)[]) => experimentOf({ sweep: { ...FILE.sweep, width } });

/** A table without the column of formulas. */
const withoutFormulas = ({ columns, rows }: Table): Table => {
  const at = columns.indexOf('width_formula');
  return at === -1
    ? { columns, rows }
    : { columns: columns.toSpliced(at, 1), rows: rows.map((row) => row.toSpliced(at, 1)) };
};

test('a formula that comes to one number has the numbers of that one, but for its own column', async () => {
  for (const weights of ['dense', 'matrix-free'] as const) {
    const [number, text, zero] = await Promise.all(
      [16, '16', '16 + 0*l'].map(async (width) => (await measure(swept(width), { weights })).table),
    );
    expect(number!.columns).not.toContain('width_formula');
    expect(text!.columns).toContain('width_formula');
    expect(withoutFormulas(text!)).toEqual(number);
    expect(withoutFormulas(zero!)).toEqual(number);
  }
});

describe('cells of formulas', () => {
  test('have seeds that hang on the widths alone, and keys that tell formulas', () => {
    const [number, formula] = [swept(16), swept('16 + 0*l')].map(expandCells);
    expect(formula!.map(({ seed }) => seed)).toEqual(number!.map(({ seed }) => seed));
    expect(formula![0]!.key).toBe('mlp relu L=4 m=16 + 0*l d=10 k=1 n=1 beta=1 scaling=MF+muP draw=0');
    const grown = expandCells(swept('4*l + 4', '6*l - 2'));
    expect(new Set(grown.map(({ seed }) => seed.join())).size).toBe(grown.length);
  });

  test('share random numbers along a parameter where that is asked for', () => {
    const sweep = { width: ['8 + c*l'], c: [0, 1, 2] };
    const own = expandCells(
      experimentOf({ network: { architecture: 'mlp', depth: 5 }, sweep, slopes: undefined, draws: 1 }),
    );
    const common = expandCells(
      experimentOf({
        network: { architecture: 'mlp', depth: 5 },
        sweep,
        slopes: undefined,
        draws: 1,
        commonRandomNumbers: ['c'],
      }),
    );
    const seeds = (cells: typeof own) => new Set(cells.map(({ seed }) => seed.join())).size;
    expect([seeds(own), seeds(common)]).toEqual([3, 1]);
    // One width has the seed that it has as a number.
    const one = experimentOf({
      network: { architecture: 'mlp', depth: 5, width: 8 },
      sweep: {},
      slopes: undefined,
      draws: 1,
    });
    expect(own[0]!.seed).toEqual(expandCells(one)[0]!.seed);
  });
});

test('rows of formulas that meet are told apart, shards are put together, and slopes are of formulas', async () => {
  const experiment = experimentOf();
  const { table, toCsv: csv } = await measure(experiment, { weights: 'matrix-free' });
  const { columns, rows } = fromCsv(csv());
  const at = (name: string) => columns.indexOf(name);
  expect([
    ...new Set(rows.map((row) => `${row[at('width_formula')]} at ${row[at('depth')]}: ${row[at('width')]}`)),
  ]).toEqual([
    '16 at 4: 16',
    '16 at 8: 16',
    '8*L at 4: 32',
    '8*L at 8: 64',
    '4*l + 8 at 4: 20',
    '4*l + 8 at 8: 36',
  ]);
  const cells = expandCells(experiment);
  const parts = [1, 2].map((index) => {
    const keys = new Set(cellsOfShard(cells, { index, count: 2 }).map(({ key }) => key));
    return {
      name: `shard ${index}`,
      table: { columns: table.columns, rows: table.rows.filter((_, i) => keys.has(cells[i]!.key)) },
    };
  });
  expect(mergeTables(experiment, 'matrix-free', parts, 2)).toEqual(table);
  const slopes = slopesOf(experiment, table);
  const width = slopes.columns.indexOf('width');
  expect(slopes.rows.map((row) => row[width])).toEqual(['16', '8*L', '4*l + 8']);
  expect(slopes.rows.every((row) => row[slopes.columns.indexOf('slope')] !== null)).toBe(true);
});

test('a result of a number and one of its formula are the same result', async () => {
  const results = await Promise.all(
    [16, '16'].map(async (width) => {
      const experiment = swept(width);
      const { table } = await measure(experiment);
      const manifest = { seed: 1, digest: String(width), commit: null, experiment: experiment.file };
      return { name: 'x', table, manifest };
    }),
  );
  const { verdict } = diffResults([results[0]!], [results[1]!], { atol: 0, rtol: 0, compare: 'auto' })[0]!;
  expect(verdict).toBe('same');
});

/** How often fresh seeds would fail though theory is right: two-sided at 4.5 standard errors, times the 12 comparisons below. */
const MOST_ERRORS = 4.5; // 8e-5

test('features and angle of widths that differ are those of theory, at given rates and at those of Eq. 8', async () => {
  const experiment = experimentOf({
    network: { architecture: 'mlp', depth: 12 },
    loss: 'linear',
    data: {
      samples: 1,
      input: { law: 'normal', scale: 'sqrt(d)', normalize: 'unit-norm' },
      target: { law: 'constant', value: 1 },
    },
    scaling: undefined,
    sweep: {
      scaling: ['MF+muP', { name: 'one rate', learningRate: { input: 0, hidden: 1, output: 0 } }],
      width: ['300', '100*l', '1300 - 100*l'],
    },
    draws: 64,
    record: {
      layers: 'output',
      quantities: ['bfa_rad', 'bfa_theory_rad', 'feature_rms', 'feature_rms_theory'],
    },
    slopes: undefined,
  });
  const { columns, rows } = (await measure(experiment)).table;
  const value = (row: (typeof rows)[number], name: string) => Number(row[columns.indexOf(name)]);
  const nameOf = (row: (typeof rows)[number]) =>
    `${row[columns.indexOf('width_formula')]} ${row[columns.indexOf('scaling')]}`;
  const names = new Set(rows.map(nameOf));
  expect(names.size).toBe(6);
  for (const name of names) {
    const own = rows.filter((row) => nameOf(row) === name);
    const errors = (of: (row: (typeof rows)[number]) => number, bias: number) => {
      const all = own.map(of);
      const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
      const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (all.length - 1);
      return Math.max(0, Math.abs(mean) - bias) / Math.sqrt(variance / all.length);
    };
    const features = errors(
      (row) => Math.log(value(row, 'feature_rms') / value(row, 'feature_rms_theory')),
      0,
    );
    expect(features).toBeLessThan(MOST_ERRORS);
    // The angle is that of infinite width; at 100 and more it is some L/m of itself off.
    const angle = errors((row) => value(row, 'bfa_rad') - value(row, 'bfa_theory_rad'), 0.02);
    expect(angle).toBeLessThan(MOST_ERRORS);
  }
});
