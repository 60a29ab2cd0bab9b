import { describe, expect, test } from 'vitest';
import { REQUIRED_COLUMNS } from '../config/columns.js';
import type { ExperimentFile } from '../config/file/experiment.js';
import { resolveExperiment } from '../config/resolve.js';
import { type Cell, expandCells } from '../plan/cell.js';
import type { Table, Value } from '../results/table.js';
import { slopesOf } from './slopes.js';

const FILE: ExperimentFile = {
  network: {},
  scaling: 'MF+muP',
  sweep: { depth: [4, 8, 16], width: [16, 32, 64] },
  draws: 2,
  record: { quantities: ['loss'] },
  slopes: [{ quantity: 'loss', axis: 'width', expected: 0.5 }],
};

type Loss = (cell: Cell, step: number) => number | null;

/** The table that the file asks for, with a loss that is given, and another one at inner layers. */
function tableWith(file: ExperimentFile, loss: Loss): Table {
  const experiment = resolveExperiment(file, 'test');
  const steps = Array.from({ length: experiment.step.count }, (_, i) => i + 1);
  const columns = REQUIRED_COLUMNS.toSpliced(-1, 0, ...Object.keys(experiment.parameters));
  const rows = expandCells(experiment).flatMap((cell) =>
    steps.flatMap((step) =>
      Array.from({ length: cell.setting.depth - 1 }, (_, i) => i + 1).map((layer): Value[] => {
        const { architecture, activation, depth, width, branchScale, scaling, parameters } = cell.setting;
        const own: Readonly<Record<string, Value>> = {
          draw: cell.draw,
          architecture,
          activation,
          depth,
          width,
          input_width: cell.setting.inputWidth,
          output_width: cell.setting.outputWidth,
          samples: cell.setting.samples,
          branch_scale: branchScale,
          scaling: scaling.name,
          layer,
        };
        const value = layer === depth - 1 ? loss(cell, step) : 1;
        return [...columns.map((name) => own[name] ?? parameters[name] ?? null), step, value];
      }),
    ),
  );
  return { columns: [...columns, 'step_number', 'loss'], rows };
}

function slopes(changes: Partial<ExperimentFile>, loss: Loss) {
  const file = { ...FILE, ...changes };
  const { columns, rows } = slopesOf(resolveExperiment(file, 'test'), tableWith(file, loss));
  return rows.map((row) => Object.fromEntries(columns.map((name, j) => [name, row[j]])));
}

/** Noise of mean 1 in the logarithm: up for one draw, down for the other. */
const noise = (draw: number, size: number) => Math.exp(draw === 0 ? size : -size);

test('a power law at the last layer has its exponent, once for each value of the other axis', () => {
  const found = slopes({}, ({ setting: { width, depth } }) => -3 * depth * width ** 0.5);
  expect(found.map(({ depth, width, slope, verdict }) => [depth, width, slope, verdict])).toEqual([
    [4, null, 0.5, 'holds'],
    [8, null, 0.5, 'holds'],
    [16, null, 0.5, 'holds'],
  ]);
  expect(found[0]).toMatchObject({
    experiment: 'test',
    architecture: 'resnet',
    scaling: 'MF+muP',
    branch_scale: '1',
    step_number: 1,
    quantity: 'loss',
    axis: 'width',
    low: 0.5,
    high: 0.5,
    expected: 0.5,
    margin: 0.1,
  });
});

test('each step has a slope, and each scaling what it is expected to have', () => {
  const found = slopes(
    {
      sweep: { width: [16, 32, 64], depth: [4], scaling: ['FSC', 'NTK', 'MF+muP'] },
      step: { count: 2 },
      slopes: [{ quantity: 'loss', axis: 'width', expected: { FSC: 1, NTK: 2 } }],
    },
    ({ setting }, step) => setting.width ** step,
  );
  expect(found.map((row) => [row.scaling, row.step_number, row.slope, row.expected, row.verdict])).toEqual([
    ['FSC', 1, 1, 1, 'holds'],
    ['FSC', 2, 2, 1, 'fails'],
    ['NTK', 1, 1, 2, 'fails'],
    ['NTK', 2, 2, 2, 'holds'],
    ['MF+muP', 1, 1, null, null],
    ['MF+muP', 2, 2, null, null],
  ]);
});

test('a branch scale is followed along the depth by its formula, also where two are equal in numbers', () => {
  const found = slopes(
    {
      // They meet at L = 4, where the table has the rows twice.
      sweep: { width: [16], depth: [4, 16, 64], branchScale: ['1/L', '1/(2*sqrt(L))'] },
      slopes: [{ quantity: 'loss', axis: 'depth' }],
    },
    ({ setting: { branchScale }, draw }) => branchScale * noise(draw, 0.1),
  );
  expect(found.map(({ branch_scale, slope }) => [branch_scale, slope])).toEqual([
    ['1/L', -1],
    ['1/(2*sqrt(L))', -0.5],
  ]);
  expect(Number(found[0]!.high) - Number(found[0]!.low)).toBeCloseTo(
    Number(found[1]!.high) - Number(found[1]!.low),
    5,
  );
});

describe('a verdict is by the interval and not by the slope:', () => {
  const one = (expected: number, size: number, sweep: ExperimentFile['sweep'] = {}) =>
    slopes(
      {
        sweep: { depth: [4], width: [16, 32, 64], ...sweep },
        slopes: [{ quantity: 'loss', axis: 'width', expected }],
      },
      ({ setting, draw }) => setting.width * noise(draw, size),
    )[0]!;

  test.each([
    [1, 0.001, 'holds'],
    [1.09, 0.001, 'holds'],
    [1.11, 0.001, 'fails'],
    [0.89, 0.001, 'fails'],
    [1, 0.5, 'undecided'],
    [2, 0.5, 'undecided'],
    [9, 0.5, 'fails'],
  ])('expected %f, noise %f: %s', (expected, size, verdict) => {
    expect(one(expected, size).verdict).toBe(verdict);
  });

  test('two numbers decide nothing', () => {
    const { low, high, verdict } = slopes(
      {
        sweep: { depth: [4], width: [16, 32] },
        draws: 1,
      },
      ({ setting }) => Math.sqrt(setting.width),
    )[0]!;
    expect([low, high, verdict]).toEqual([null, null, 'undecided']);
  });

  test.each([null, 0])('nor does a draw that has %s', (missing) => {
    const { slope, low, verdict } = slopes({}, ({ setting, draw }) =>
      setting.width === 16 && draw === 1 ? missing : setting.width ** 0.5,
    )[0]!;
    expect([slope, low, verdict]).toEqual([null, null, 'undecided']);
  });
});
