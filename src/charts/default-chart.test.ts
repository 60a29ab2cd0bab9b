import { describe, expect, test } from 'vitest';
import { type Table, toCsv } from '../results/table.js';
import { type Axis, defaultChart } from './default-chart.js';
import { renderChart } from './render.js';

type Values = readonly (string | number)[];

/** A table of all combinations, with two draws each; the quantity is the number of its row, or `of` that. */
function tableOf(
  axes: Readonly<Record<string, Values>>,
  quantity = 'loss',
  of = (row: number) => row + 1,
): Table {
  const names = Object.keys(axes);
  const cells = names.reduce<Values[]>(
    (rows, name) => rows.flatMap((row) => axes[name]!.map((value) => [...row, value])),
    [[]],
  );
  const rows = cells.flatMap((cell) => [0, 1].map((draw) => [draw, ...cell]));
  return { columns: ['draw', ...names, quantity], rows: rows.map((row, i) => [...row, of(i)]) };
}

const axesOf = (...columns: readonly string[]): readonly Axis[] =>
  columns.map((column) => ({ column, title: `the ${column}` }));

type Channel = Readonly<Record<string, unknown>>;
interface Unit {
  readonly encoding: Readonly<Record<string, Channel>>;
  readonly layer: readonly { readonly name: string }[];
}
const chartOf = (table: Table, ...columns: readonly string[]) =>
  defaultChart(table, axesOf(...columns)) as unknown as Unit & { facet?: Channel; spec: Unit };

async function expectDrawn(table: Table, ...columns: readonly string[]): Promise<string> {
  const warnings: string[] = [];
  const { svg } = await renderChart(defaultChart(table, axesOf(...columns))!, toCsv(table), {
    onWarning: (message) => warnings.push(message),
  });
  expect(warnings).toEqual([]);
  return svg;
}

describe('the default chart', () => {
  const two = tableOf({ width: [64, 128, 256, 512], scaling: ['NTK', 'FSC'] });

  test('shows the first quantity against the first axis of numbers, coloured by the next, with a band over draws', async () => {
    const { encoding, layer } = chartOf(two, 'scaling', 'width');
    expect(encoding.x).toMatchObject({ field: 'width', title: 'the width' });
    expect(encoding.color).toMatchObject({ field: 'scaling', sort: ['NTK', 'FSC'] });
    expect(layer.map(({ name }) => name)).toEqual(['band', 'measured']);
    const svg = await expectDrawn(two, 'scaling', 'width');
    expect(svg).toMatch(/stroke-dasharray/);
    expect(svg).toContain('loss, median of the draws');
  });

  test('has logarithmic axes where values are spaced by factors, and where they span decades', () => {
    expect(chartOf(two, 'width').encoding.x).toMatchObject({ scale: { type: 'log' } });
    const even = tableOf({ depth: [10, 20, 30, 40] });
    expect(chartOf(even, 'depth').encoding.x).not.toMatchObject({ scale: { type: 'log' } });
    expect(chartOf(even, 'depth').encoding.y).not.toMatchObject({ scale: { type: 'log' } });
    const wide = tableOf({ depth: [10, 20, 30, 40] }, 'loss', (row) => 10 ** row);
    expect(chartOf(wide, 'depth').encoding.y).toMatchObject({ scale: { type: 'log' } });
  });

  test('has a view for each value of the third axis, and rows of views for the fourth', async () => {
    const axes = { c: [0.1, 0.5, 2], scaling: ['NTK', 'FSC'], depth: [4, 8], width: [64, 128] };
    const { facet, spec } = chartOf(tableOf(axes), 'c', 'scaling', 'depth', 'width');
    expect(facet).toMatchObject({ column: { field: 'depth' }, row: { field: 'width' } });
    expect(spec.encoding.x).toMatchObject({ field: 'c' });
    await expectDrawn(tableOf(axes), 'c', 'scaling', 'depth', 'width');
  });

  test('goes along the steps where there are several, and leaves out axes that say nothing new', () => {
    const table = tableOf({ step_number: [1, 2, 3], depth: [4, 8] });
    const told: Table = {
      columns: [...table.columns.slice(0, 3), 'branch_scale', 'loss'],
      rows: table.rows.map((row) => [...row.slice(0, 3), 1 / Number(row[2]), row[3]!]),
    };
    const { encoding, facet } = chartOf(told, 'step_number', 'depth', 'branch_scale');
    expect(encoding.x).toMatchObject({ field: 'step_number' });
    expect(encoding.color).toMatchObject({ field: 'depth' });
    expect(facet).toBeUndefined();
  });

  test('has angles in parts of pi, and theory where the table has it', async () => {
    const table = tableOf({ layer: [2, 3, 4, 5] }, 'bfa_rad', (row) => row / 8);
    const withTheory: Table = {
      columns: [...table.columns, 'bfa_theory_rad'],
      rows: table.rows.map((row) => [...row, row[2]!]),
    };
    expect(chartOf(withTheory, 'layer').layer.map(({ name }) => name)).toEqual([
      'band',
      'measured',
      'theory',
    ]);
    expect(await expectDrawn(withTheory, 'layer')).toContain('π/4');
  });

  test('has points for categories, and for draws where nothing else varies', async () => {
    await expectDrawn(tableOf({ activation: ['relu', 'tanh'] }), 'activation');
    expect(chartOf(tableOf({ depth: [5] }), 'depth').encoding.x).toMatchObject({ field: 'draw' });
    await expectDrawn(tableOf({ depth: [5] }), 'depth');
  });

  test('is none for a table without a quantity that was measured', () => {
    expect(defaultChart(tableOf({ depth: [5] }, 'other'), [])).toBeUndefined();
  });
});
