import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AXIS_NAMES, type AxisName } from '../config/axes.js';
import { parseExperiment } from '../config/file/load.js';
import type { Experiment } from '../config/resolve.js';
import { expandCells } from '../plan/cell.js';
import { readTable, type Table, toCsv } from '../results/table.js';
import { withLabels } from './earlier-table.js';
import { mergeTables } from './merge.js';
import { columnsOf, tableOf } from './rows.js';

/** Some values of every axis; a new one is to be added here, which the type asks for. */
const VALUES: Readonly<Record<AxisName, readonly unknown[]>> = {
  architecture: ['resnet-2'],
  activation: ['relu', 'tanh', 'linear'],
  depth: [3, 4, 9],
  width: [1, 7],
  inputWidth: [2, 5],
  outputWidth: [1, 3],
  samples: [1, 2],
  hiddenWidth: ['m', 5, '2*m'],
  branchScale: [0, 0.5, '1/L', '1/(2*sqrt(L))', 'a/L'],
  scaling: ['NTK', 'MF+muP', { name: 'own c=1', sigmaOutput: 'c/m' }, { name: 'own', sigmaInput: 0.1 }],
  stepSize: [0.1, '1/L', 'exp(-c)', 1e-9],
  loss: ['squared', 'linear'],
  train: ['hidden', 'all', ['input', 2], ['output']],
};
const PARAMETERS = { a: [0.5, 0.25, 1 / 3], c: [1, 2, 1e-7], Speed_2: [-1, 0, 12345.678] };

const some = <T>(values: readonly T[]) =>
  fc.shuffledSubarray([...values], { minLength: 1, maxLength: Math.min(2, values.length) });

/** Experiments with any axes and parameters, in any order, that are small. */
const experiments: fc.Arbitrary<Experiment> = fc
  .tuple(
    fc.shuffledSubarray([...AXIS_NAMES, ...Object.keys(PARAMETERS)], { maxLength: 5 }),
    fc.record(Object.fromEntries(Object.entries({ ...VALUES, ...PARAMETERS }).map(([k, v]) => [k, some(v)]))),
  )
  .map(([keys, values]) => {
    // Formulas may use all parameters, so all are there.
    const swept = [...new Set([...keys, ...Object.keys(PARAMETERS)])];
    const file = {
      network: { depth: 4, width: 3, branchScale: 'a/L' },
      scaling: { name: 'mine', sigmaInput: 'abs(c)', sigmaOutput: 'abs(Speed_2)' },
      data: { input: { law: 'normal', scale: 'a + c + abs(Speed_2)' } },
      sweep: Object.fromEntries(
        swept.map((key) => [key, keys.includes(key) ? values[key] : PARAMETERS[key as 'a'].slice(0, 1)]),
      ),
      draws: 2,
      record: { layers: 'output', quantities: ['loss', 'feature_rms'] },
    };
    const parsed = parseExperiment(JSON.stringify(file), 'any.json');
    return parsed.ok ? parsed.experiment : undefined;
  })
  .filter((experiment) => experiment !== undefined);

/** The table of an experiment whose measurements are made up: another for every cell. */
function madeUp(experiment: Experiment): Table {
  const finished = expandCells(experiment).map((cell, i) => ({
    cell,
    weights: 'dense',
    measured: {
      layers: [cell.setting.depth - 1],
      divergedAt: undefined,
      inexact: undefined,
      values: { loss: Float64Array.of(i / 7), feature_rms: Float64Array.of(Number.NaN) },
    },
  }));
  return tableOf(experiment, finished);
}

describe('whatever the axes and parameters of an experiment', () => {
  test('cells have keys of their own, and the table reads back as it was', () => {
    fc.assert(
      fc.property(experiments, (experiment) => {
        const keys = expandCells(experiment).map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        const table = madeUp(experiment);
        // A row that is not told from another would be refused.
        expect(readTable(Buffer.from(toCsv(table)))).toEqual(table);
        expect(table.columns).toEqual(columnsOf(experiment));
      }),
      { numRuns: 60 },
    );
  });

  test('parts are merged to the whole, also those that are without labels', () => {
    fc.assert(
      fc.property(experiments, (experiment) => {
        const whole = madeUp(experiment);
        const at = whole.columns.indexOf('branch_scale_formula');
        const part = (rest: number): Table => ({
          columns: whole.columns,
          rows: whole.rows.filter((_, i) => i % 2 === rest),
        });
        const bare = {
          columns: whole.columns.toSpliced(at, 1),
          rows: part(1).rows.map((row) => row.toSpliced(at, 1)),
        };
        const parts = [
          { name: 'new', table: part(0) },
          { name: 'old', table: bare },
        ];
        expect(mergeTables(experiment, 'dense', parts, undefined)).toEqual(whole);
        expect(withLabels(experiment, bare)).toEqual(part(1));
      }),
      { numRuns: 30 },
    );
  });

  test('random numbers hang on the network, and not on how a parameter, a step or a loss is swept', () => {
    const seeds = (sweep: object, branchScale: unknown) => {
      const file = { network: { depth: 4, width: 3, branchScale }, scaling: 'NTK', sweep };
      const text = JSON.stringify({ ...file, record: { quantities: ['loss'] } });
      const parsed = parseExperiment(text, 'any.json');
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      return expandCells(parsed.experiment).map(({ seed }) => seed.join());
    };
    const [plain] = seeds({}, 0.25);
    expect(seeds({ c: [1, 2] }, 'c/L')[0]).toBe(plain);
    expect(new Set(seeds({ c: [1, 2] }, 'c/L')).size).toBe(2);
    const steps = { stepSize: [0.1, '1/L'], loss: ['squared', 'linear'], train: ['all', ['input']] };
    expect(new Set(seeds(steps, 0.25))).toEqual(new Set([plain]));
    expect(new Set(seeds({ samples: [1, 2], inputWidth: [4, 5] }, 0.25)).size).toBe(4);
  });

  test('a parameter with common random numbers shares them through the branch scale that it makes', () => {
    const text = (common: readonly string[]) =>
      JSON.stringify({
        network: { depth: 4, width: 3, branchScale: 'c/L' },
        scaling: 'NTK',
        sweep: { c: [1, 2], depth: [4, 5] },
        commonRandomNumbers: common,
        record: { quantities: ['loss'] },
      });
    const parsed = parseExperiment(text(['c']), 'any.json');
    if (!parsed.ok) throw new Error('expected an experiment');
    const cells = expandCells(parsed.experiment);
    expect(new Set(cells.map(({ seed }) => seed.join())).size).toBe(2);
    expect(new Set(cells.map(({ key }) => key)).size).toBe(4);
  });
});
