import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ExperimentFile } from '../config/file/experiment.js';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import type { CellMeasurement } from '../core/experiment.js';
import type { BatchLimits, WeightsChoice } from '../plan/batch.js';
import { expandCells } from '../plan/cell.js';
import { OF_MATRICES } from '../quantities/quantity.js';
import { needsOf, QUANTITY_NAMES, quantityEntry } from '../quantities.js';
import { type Table, toCsv, type Value } from '../results/table.js';
import { jobOf } from './job.js';
import { measureTask } from './measure-task.js';
import { tableOf } from './rows.js';
import { type FinishedExperiment, runJobs } from './run.js';

// The measurement of a batch, to be broken where a test says so.
vi.mock(import('./measure-task.js'), async (original) => {
  const module = await original();
  return { ...module, measureTask: vi.fn(module.measureTask) };
});
const { measureTask: measure } =
  await vi.importActual<typeof import('./measure-task.js')>('./measure-task.js');
beforeEach(() => {
  vi.mocked(measureTask).mockReset().mockImplementation(measure);
});

/** What built-in networks have, whether their weights are formed or not. */
const RECORDED = QUANTITY_NAMES.filter(
  (name) => !quantityEntry(name).isOfModels && !OF_MATRICES.some((need) => needsOf([name]).has(need)),
);

const experimentOf = (changes: Partial<ExperimentFile> = {}, name = 'test'): Experiment =>
  resolveExperiment(
    {
      network: {},
      scaling: 'MF+muP',
      sweep: { branchScale: [1, '1/sqrt(L)'], depth: [5, 3, 8], width: [24, 16] },
      draws: 2,
      record: { quantities: RECORDED },
      ...changes,
    },
    name,
  );

async function run(experiment: Experiment, limits?: BatchLimits, weights: WeightsChoice = 'auto') {
  const finished: FinishedExperiment[] = [];
  await runJobs(
    [jobOf(experiment, weights, undefined, limits)],
    { backend: 'wasm', workers: 0 },
    { finished: (result) => void finished.push(result) },
  );
  return finished[0]!;
}

const column = ({ columns, rows }: Table, name: string): Value[] => {
  const at = columns.indexOf(name);
  expect(at, name).toBeGreaterThanOrEqual(0);
  return rows.map((row) => row[at]!);
};

describe('the table has the same bytes however the cells are cut into batches', () => {
  test.each<[string, Partial<ExperimentFile>, WeightsChoice]>([
    ['one sample, matrix-free', {}, 'matrix-free'],
    ['one sample, dense', {}, 'dense'],
    ['three samples, matrix-free', { data: { samples: 3 } }, 'matrix-free'],
    ['three samples, dense', { data: { samples: 3 } }, 'dense'],
    [
      'velocities at the output',
      { step: { kind: 'velocity' }, record: { layers: 'output', quantities: ['bfa_rad'] } },
      'auto',
    ],
  ])('%s', async (_, changes, weights) => {
    const experiment = experimentOf(changes);
    const whole = await run(experiment, undefined, weights);
    const cuts = await Promise.all(
      [
        { bytes: 1, stateSize: 1e9 },
        { bytes: 20_000, stateSize: 1e9 },
        { bytes: 1e9, stateSize: 1 },
        { bytes: 1e9, stateSize: 130 },
      ].map((limits) => run(experiment, limits, weights)),
    );
    expect(cuts.map(({ batches }) => batches)).toContain(24); // a cell each
    for (const { table } of cuts) expect(toCsv(table)).toBe(toCsv(whole.table));
    expect(column(whole.table, 'bfa_rad').some((angle) => typeof angle === 'number' && angle > 0)).toBe(true);
  });
});

test('rows are in plan order: cells as the file nests them, layers rising', async () => {
  const experiment = experimentOf();
  const { table, cells } = await run(experiment);
  const planned = expandCells(experiment).flatMap(({ setting, draw }) =>
    Array.from({ length: setting.depth - 1 }, (_, i) => [
      setting.branchScale,
      setting.depth,
      setting.width,
      draw,
      i + 1,
    ]),
  );
  const names = ['branch_scale', 'depth', 'width', 'draw', 'layer'];
  const columns = names.map((name) => column(table, name));
  expect(table.rows.map((_, i) => columns.map((values) => values[i]))).toEqual(planned);
  expect(cells).toBe(24);
});

test('a cell measures the same whatever experiment it is part of', async () => {
  const small = await run(experimentOf({ sweep: { depth: [3], width: [16], branchScale: [1] } }));
  const { table } = await run(experimentOf());
  const [depth, width, beta] = ['depth', 'width', 'branch_scale'].map((name) =>
    column(table, name),
  ) as Value[][];
  const rows = table.rows.filter((_, i) => depth![i] === 3 && width![i] === 16 && beta![i] === 1);
  expect(rows).toEqual(small.table.rows);
});

test('architectures and activations of a sweep measure what each of them measures alone', async () => {
  const sweep = { architecture: ['resnet', 'mlp'] as const, activation: ['relu', 'tanh'] as const };
  const small = { depth: [5, 3], width: [16] };
  const network = { branchScale: '1/sqrt(L)' };
  const { table } = await run(
    experimentOf({
      network,
      sweep: { architecture: [...sweep.architecture], activation: [...sweep.activation], ...small },
    }),
  );
  const alone: Table[] = [];
  for (const architecture of sweep.architecture) {
    for (const activation of sweep.activation) {
      const own = architecture === 'mlp' ? {} : network;
      const one = await run(experimentOf({ network: { ...own, architecture, activation }, sweep: small }));
      alone.push(one.table);
    }
  }
  expect(table.rows).toEqual(alone.flatMap(({ rows }) => rows));
});

test('common random numbers divide the variance of the difference of two branch scales by more than ten', async () => {
  const draws = 100;
  const varianceOf = async (changes: Partial<ExperimentFile>) => {
    const { table } = await run(
      experimentOf({
        network: { depth: 20, width: 100 },
        step: { kind: 'velocity' },
        sweep: { branchScale: ['1/sqrt(L)', '1.1/sqrt(L)'] },
        draws,
        record: { layers: 'output', quantities: ['bfa_rad'] },
        ...changes,
      }),
    );
    const angles = column(table, 'bfa_rad') as number[];
    const differences = Array.from({ length: draws }, (_, i) => angles[draws + i]! - angles[i]!);
    const mean = differences.reduce((sum, x) => sum + x, 0) / draws;
    return differences.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (draws - 1);
  };
  const [independent, coupled] = [
    await varianceOf({}),
    await varianceOf({ commonRandomNumbers: ['branchScale'] }),
  ];
  expect(independent / coupled).toBeGreaterThan(10);
});

test('only the quantities that are asked for are recorded, in the order of the glossary', async () => {
  const { table } = await run(
    experimentOf({ record: { layers: 'output', quantities: ['loss', 'bfa_rad'] } }),
  );
  expect(table.columns.slice(-3)).toEqual(['layer', 'bfa_rad', 'loss']);
  expect(table.rows).toHaveLength(24);
  expect(column(table, 'layer')).toEqual(column(table, 'depth').map((depth) => Number(depth) - 1));
});

describe('a batch that throws', () => {
  const breakWidth = (width: number) =>
    vi.mocked(measureTask).mockImplementation(async (task) => {
      if (task.cells[0]!.setting.width === width) throw new Error('no memory');
      return measure(task);
    });

  test('fails its cells and no others', async () => {
    const experiment = experimentOf();
    const whole = await run(experiment);
    breakWidth(24);
    const { table, failed, diverged, cells, batches } = await run(experiment);

    expect({ cells, batches, diverged }).toEqual({ cells: 24, batches: 2, diverged: [] });
    const wide = expandCells(experiment).filter(({ setting }) => setting.width === 24);
    expect(failed.map(({ cell }) => cell).sort()).toEqual(wide.map(({ key }) => key).sort());
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['no memory']));
    const widths = column(whole.table, 'width');
    expect(table.rows).toEqual(whole.table.rows.filter((_, i) => widths[i] === 16));
  });

  test('leaves the other experiments whole, also when all cells of its own fail', async () => {
    breakWidth(24);
    const finished = new Map<string, FinishedExperiment>();
    const narrow = experimentOf({ sweep: { depth: [3], width: [16] } }, 'narrow');
    const wide = experimentOf({ sweep: { depth: [3], width: [24] } }, 'wide');
    await runJobs(
      [wide, narrow].map((experiment) => jobOf(experiment, 'auto')),
      { backend: 'wasm', workers: 0 },
      { finished: (result) => void finished.set(result.experiment.name, result) },
    );
    expect(finished.get('wide')).toMatchObject({ cells: 2, table: { rows: [] } });
    expect(finished.get('wide')!.failed).toHaveLength(2);
    expect(finished.get('narrow')!.failed).toEqual([]);
    expect(finished.get('narrow')!.table.rows).toHaveLength(4);
  });
});

test('a cell that overflows is reported with its layer, and no number of its neighbour changes', async () => {
  const loud = { name: 'loud', sigmaHidden: '30*sqrt(2/m)' };
  const deep = (scaling: NonNullable<ExperimentFile['sweep']>['scaling']) =>
    run(
      experimentOf({
        scaling: undefined,
        sweep: { scaling, depth: [200], width: [100], branchScale: [0.2] },
      }),
    );
  const good = await deep(['MF+muP']);
  const both = await deep(['MF+muP', loud]);
  expect(good.diverged).toEqual([]);
  expect(both.diverged.map(({ cell }) => cell.split(' ').slice(-2))).toEqual([
    ['scaling=loud', 'draw=0'],
    ['scaling=loud', 'draw=1'],
  ]);
  for (const { layer } of both.diverged) expect(layer).toBeGreaterThan(1);
  for (const { layer } of both.diverged) expect(layer).toBeLessThan(200);
  expect(both.table.rows.slice(0, good.table.rows.length)).toEqual(good.table.rows);
});

describe('a table', () => {
  const tableWith = (value: number, changes: Partial<ExperimentFile> = {}) => {
    const experiment = experimentOf({ sweep: { depth: [3], width: [16] }, draws: 1, ...changes });
    const [cell] = expandCells(experiment);
    const values = Object.fromEntries(QUANTITY_NAMES.map((name) => [name, Float64Array.of(value, value)]));
    const measured = { layers: [1, 2], values, divergedAt: undefined } as unknown as CellMeasurement;
    return tableOf(experiment, [{ cell: cell!, weights: 'dense', measured }]);
  };

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('has a gap for %d', (value) => {
    const table = tableWith(value);
    expect(column(table, 'loss')).toEqual([null, null]);
    expect(column(table, 'bfa_rad')).toEqual([null, null]);
  });

  test('has 0 for 0', () => {
    expect(column(tableWith(0), 'loss')).toEqual([0, 0]);
  });

  test('has the step size of an update, and a gap for a velocity', () => {
    expect(column(tableWith(1, { step: { size: '1/L' } }), 'step_size')).toEqual([
      0.333333333333, 0.333333333333,
    ]);
    expect(column(tableWith(1, { step: { kind: 'velocity' } }), 'step_size')).toEqual([null, null]);
  });

  test('has the theory of one sample with scale-invariant rates, from layer 2 on', () => {
    const table = tableWith(1, { data: { target: { law: 'constant', value: -1 } } });
    // One trained layer moves along -b exactly: the angle is 0, and with sigma_L = 1/m the sensitivity is 1.
    expect(column(table, 'bfa_theory_rad')).toEqual([null, expect.closeTo(0, 7)]);
    expect(column(table, 'sensitivity_theory')).toEqual([null, expect.closeTo(1, 12)]);
  });

  test('has the theory of the sensitivity at the residual |y|, which a linear loss has whatever f_L is', () => {
    const data = { target: { law: 'constant', value: 4 } } as const;
    expect(column(tableWith(1, { data }), 'sensitivity_theory')).toEqual([null, expect.closeTo(1 / 4, 12)]);
    const scaling = 'NTK';
    expect(column(tableWith(1, { loss: 'linear', scaling }), 'sensitivity_theory')[1]).toBeGreaterThan(0);
    // f_L is as large as the target, and |f_L - y| random.
    expect(
      column(tableWith(1, { data, scaling, network: { depth: 3 } }), 'sensitivity_theory')[1],
    ).not.toBeNull();
    const small = { target: { law: 'constant', value: 0.5 } } as const;
    expect(column(tableWith(1, { data: small, scaling }), 'sensitivity_theory')).toEqual([null, null]);
  });

  test('has no theory beside a cell without an angle', () => {
    const table = tableWith(Number.NaN);
    expect(column(table, 'bfa_theory_rad')).toEqual([null, null]);
    expect(column(table, 'sensitivity_theory')).toEqual([null, null]);
  });

  test.each<[string, Partial<ExperimentFile>]>([
    ['several samples', { data: { samples: 2 } }],
    ['a large step', { step: { size: 1 } }],
    ['a step that is large beside the target', { data: { target: { law: 'constant', value: 1e-3 } } }],
    ['an explicit learning rate', { scaling: { name: 'mine', learningRate: 0.1 } }],
    ['a learning rate of 0', { scaling: { name: 'mine', learningRate: 0 } }],
    ['branch scale 0', { network: { branchScale: 0 } }],
    ['hidden weights that are not critical', { scaling: { name: 'mine', sigmaHidden: '1/sqrt(m)' } }],
  ])('has no theory for %s', (_, changes) => {
    const table = tableWith(1, changes);
    expect(column(table, 'bfa_theory_rad')).toEqual([null, null]);
    expect(column(table, 'sensitivity_theory')).toEqual([null, null]);
    expect(column(table, 'bfa_rad')).toEqual([1, 1]);
  });

  test('has no theory of the sensitivity for several outputs, whose angle has one', () => {
    const table = tableWith(1, { network: { outputWidth: 2 } });
    expect(column(table, 'sensitivity_theory')).toEqual([null, null]);
    expect(column(table, 'bfa_theory_rad')).toEqual([null, expect.closeTo(0, 7)]);
  });
});
