import { expect, test } from 'vitest';
import type { ExperimentFile } from '../config/file/experiment.js';
import { parseExperiment } from '../config/file/load.js';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import { expandCells } from '../plan/cell.js';
import type { Table } from '../results/table.js';
import { curvesOf, fitsOf } from './optima.js';
import { columnsOf, identitiesOf } from './rows.js';

const FILE: ExperimentFile = {
  network: { width: 8 },
  scaling: 'NTK',
  step: { size: 'eta', count: 4 },
  sweep: { depth: [4, 8, 16], eta: [0.125, 0.25, 0.5, 1, 2, 4, 8] },
  draws: 3,
  record: { layers: 'output', quantities: ['loss'], steps: [1, 3, 4] },
  optima: [{ quantity: 'loss', along: 'eta', steps: { from: 3, to: 4 }, drift: { depth: 0 }, margin: 0.1 }],
};

/** A table whose losses are exp(f), with the optimum of a depth and a draw. */
function tableOf(experiment: Experiment, optimum: (depth: number, draw: number) => number): Table {
  const identityOf = identitiesOf(experiment);
  const rows = expandCells(experiment).flatMap((cell) => {
    const { depth, parameters } = cell.setting;
    const away = Math.log(parameters.eta! / optimum(depth, cell.draw)) ** 2;
    return [1, 3, 4].map((t) => [
      ...identityOf(cell, 'dense'),
      depth - 1,
      t,
      // Steps that are not asked for would move it far away.
      t === 1 ? parameters.eta! : Math.exp(away + t),
    ]);
  });
  return { columns: columnsOf(experiment), rows };
}
const columnOf = ({ columns, rows }: Table, name: string) => rows.map((row) => row[columns.indexOf(name)]);

test('finds the optimum of every setting, with what that of the smallest network costs the others', () => {
  const experiment = resolveExperiment(FILE, 'e');
  const fits = fitsOf(
    experiment,
    tableOf(experiment, (depth) => 4 / depth),
  );
  const optima = fits['optima.csv']!;
  expect(optima.columns).toEqual(
    'experiment,architecture,activation,depth,width,branch_scale,scaling,quantity,from_step,to_step,along,optimum,low,high,quantity_at_optimum,censored,regret'.split(
      ',',
    ),
  );
  const numbers = (name: string) => columnOf(optima, name).map(Number);
  expect(numbers('depth')).toEqual([4, 8, 16]);
  [1, 0.5, 0.25].forEach((at, i) => {
    expect(numbers('optimum')[i]).toBeCloseTo(at, 5);
    expect(numbers('low')[i]).toBeCloseTo(at, 5);
  });
  expect(numbers('quantity_at_optimum')[0]).toBeCloseTo(Math.exp(3.5), 3);
  expect(columnOf(optima, 'censored')).toEqual(['no', 'no', 'no']);
  [1, 2, 4].forEach((factor, i) => {
    expect(numbers('regret')[i]! / Math.exp(Math.log(factor) ** 2)).toBeCloseTo(1, 5);
  });
});

test('fits its drift as an exponent with a verdict, by the rule of slopes', () => {
  const experiment = resolveExperiment(FILE, 'e');
  const drifted = (exponent: number) => {
    const table = tableOf(experiment, (depth, draw) => (depth / 8) ** exponent * (1 + draw / 20));
    const slopes = fitsOf(experiment, table)['slopes.csv']!;
    return Object.fromEntries(slopes.columns.map((name, j) => [name, slopes.rows[0]![j]]));
  };
  expect(drifted(0)).toMatchObject({
    axis: 'depth',
    quantity: 'optimum of loss along eta',
    verdict: 'holds',
  });
  expect(Number(drifted(-0.5).slope)).toBeCloseTo(-0.5, 5);
  expect(drifted(-0.5).verdict).toBe('fails');
  // At an end of the sweep the exponent is not known.
  expect(drifted(4)).toMatchObject({ slope: null, verdict: 'undecided' });
});

test('finds an optimum of every length of training, and the drift with it', () => {
  const search = { ...FILE.optima![0]!, steps: [1, 3, { from: 3, to: 4 }], drift: { depth: 0, steps: -0.5 } };
  const experiment = resolveExperiment({ ...FILE, optima: [search] }, 'e');
  const { columns, rows } = tableOf(experiment, () => 1);
  const [eta, step, loss] = ['eta', 'step_number', 'loss'].map((name) => columns.indexOf(name));
  const of = (t: number) => t ** -0.5;
  const moved = rows.map((row) => {
    const t = Number(row[step!]);
    const away = Math.log(Number(row[eta!]) / of(t)) ** 2;
    return row.map((value, j) => (j === loss ? Math.exp(away) : value));
  });
  const fits = fitsOf(experiment, { columns, rows: moved });
  const optima = fits['optima.csv']!;
  expect(columnOf(optima, 'to_step')).toEqual([1, 1, 1, 3, 3, 3, 4, 4, 4]);
  const found = columnOf(optima, 'optimum').map(Number);
  expect(found[0]).toBeCloseTo(1, 5);
  expect(found[3]).toBeCloseTo(of(3), 5);
  const slopes = fits['slopes.csv']!;
  // Of depth one for every length, of the length one for every depth.
  expect(columnOf(slopes, 'axis')).toEqual([...Array(3).fill('depth'), ...Array(3).fill('steps')]);
  expect(columnOf(slopes, 'step_number')).toEqual([1, 3, 4, null, null, null]);
  expect(columnOf(slopes, 'depth').slice(3)).toEqual([4, 8, 16]);
  expect(Number(columnOf(slopes, 'slope')[3])).toBeLessThan(-0.4);
});

test('charts get every point of the curves, the optimum beside the first, and nothing where all draws diverged', () => {
  const experiment = resolveExperiment(FILE, 'e');
  const { columns, rows } = tableOf(experiment, () => 1);
  const [eta, loss] = ['eta', 'loss'].map((name) => columns.indexOf(name));
  const table = {
    columns,
    rows: rows.map((row) => (row[eta!] === 8 ? row.map((v, j) => (j === loss ? null : v)) : row)),
  };
  const curves = curvesOf(experiment, table);
  const optima = fitsOf(experiment, table)['optima.csv']!;
  expect(curves.columns).toEqual([...optima.columns, 'at', 'value']);
  expect(curves.rows).toHaveLength(3 * 7);
  expect(columnOf(curves, 'at').slice(0, 7)).toEqual([0.125, 0.25, 0.5, 1, 2, 4, 8]);
  expect(columnOf(curves, 'optimum').filter((value) => value !== null)).toEqual(columnOf(optima, 'optimum'));
  expect(columnOf(curves, 'depth')).toEqual([4, 8, 16].flatMap((depth) => Array(7).fill(depth)));
  const values = columnOf(curves, 'value');
  expect(Number(values[3])).toBeCloseTo(Math.exp(3.5), 3);
  expect(values[6]).toBeNull();
});

test('a quantity that has become 0 is the best there is', () => {
  const experiment = resolveExperiment(FILE, 'e');
  const { columns, rows } = tableOf(experiment, () => 1);
  const [eta, loss] = ['eta', 'loss'].map((name) => columns.indexOf(name));
  const vanished = rows.map((row) => (row[eta!] === 4 ? row.map((v, j) => (j === loss ? 0 : v)) : row));
  const optima = fitsOf(experiment, { columns, rows: vanished })['optima.csv']!;
  expect(Number(columnOf(optima, 'optimum')[0])).toBeCloseTo(4, 1);
});

test.each<[changes: object, message: string]>([
  [
    { along: 'rate' },
    'optima[0].along: expected stepSize or a parameter of the sweep, got "rate"; swept are eta',
  ],
  [
    { quantity: 'bfa_rad' },
    'optima[0].quantity: expected one of record.quantities, got "bfa_rad"; add it there',
  ],
  [
    { drift: { width: 0 } },
    'optima[0].drift.width: expected an axis of two values or more, got "width"; give sweep.width',
  ],
  [
    { drift: { steps: 0 } },
    'optima[0].drift.steps: expected an axis of two values or more, got "steps"; give optima[0].steps as a list',
  ],
  [
    { steps: [1, 2] },
    'optima[0].steps[1]: expected steps that are recorded, got 2; of 4 steps see record.steps',
  ],
  [
    { steps: [4, { from: 3, to: 4 }] },
    'optima[0].steps: expected lengths that end at different steps, got [4,4]; tables tell them by their last',
  ],
  [
    { steps: { from: 2, to: 2 } },
    'optima[0].steps: expected steps that are recorded, got {"from":2,"to":2}; of 4 steps see record.steps',
  ],
])('%j is refused with its reason', (changes, message) => {
  const file = { ...FILE, optima: [{ ...FILE.optima![0], ...changes }] };
  const parsed = parseExperiment(JSON.stringify(file), 'e.json');
  expect(parsed.ok ? [] : parsed.problems.map((each) => `${each.path}: ${each.message}`)).toEqual([message]);
});
