import { expect, test } from 'vitest';
import { renderChart, type VegaLiteSpec } from './render.js';
import { withCurves } from './spec.js';

/** A curve of three points, with its optimum in the first row; the last point has diverged. */
const CURVES = 'eta_of,optimum,low,high,censored,at,value\na,1.1,0.9,1.5,no,0.5,2\na,,,,,1,1\na,,,,,2,\n';
const x = { type: 'quantitative', scale: { type: 'log', base: 2 } };
const SPEC: VegaLiteSpec = {
  data: { name: 'curves' },
  layer: [
    {
      transform: [{ filter: 'isValid(datum.value)' }],
      mark: 'line',
      encoding: { x: { ...x, field: 'at' }, y: { field: 'value', type: 'quantitative' } },
    },
    {
      transform: [{ filter: 'isValid(datum.optimum)' }],
      mark: { type: 'point', style: 'optimum' },
      encoding: { x: { ...x, field: 'optimum' } },
    },
  ],
};
const dots = (svg: string) => svg.match(/aria-roledescription="point"|<path[^>]*A/g) ?? [];

test('a chart over curves brings them along, and is the same when drawn from what it publishes', async () => {
  const chart = await renderChart(withCurves(SPEC, CURVES), 'layer\n1\n');
  expect(dots(chart.svg)).toHaveLength(1);
  const published = JSON.parse(chart.specWithUrl) as VegaLiteSpec;
  expect(published.data).toMatchObject({ name: 'curves', format: { type: 'csv' } });
  // The columns that it reads, and no other.
  expect(String((published.data as { values: string }).values).split('\n')[0]).toBe('optimum,at,value');
  expect(chart.html).toContain('optimum,at,value');
  expect((await renderChart(published, 'layer\n1\n')).svg).toBe(chart.svg);
});

test('a chart over curves is refused where no optima are sought, and where it reads what they lack', async () => {
  await expect(renderChart(SPEC, 'layer\n1\n')).rejects.toThrow(
    'chart: data: {"name": "curves"} is of experiments with "optima", and this one has none; the data are {"name": "table"}',
  );
  const spec = { ...SPEC, layer: [{ mark: 'line', encoding: { x: { ...x, field: 'optimal' } } }] };
  await expect(renderChart(withCurves(spec, CURVES), 'layer\n1\n')).rejects.toThrow(
    /refers to "optimal" \(did you mean "optimum"\?\)/,
  );
});

test('a chart may be drawn over its table and its curves, each with its own columns', async () => {
  const chart = await renderChart(
    withCurves(
      {
        data: { name: 'table' },
        vconcat: [{ mark: 'point', encoding: { x: { field: 'layer', type: 'quantitative' } } }, SPEC],
      },
      CURVES,
    ),
    'layer,value\n1,7\n',
  );
  const published = JSON.parse(chart.specWithUrl) as { data: object; vconcat: { data: object }[] };
  expect(published.data).toMatchObject({ url: 'table.csv', format: { parse: { layer: 'number' } } });
  expect(published.vconcat[1]!.data).toMatchObject({ name: 'curves', format: { parse: { at: 'number' } } });
  expect((await renderChart(published as never, 'layer,value\n1,7\n')).svg).toBe(chart.svg);
});
