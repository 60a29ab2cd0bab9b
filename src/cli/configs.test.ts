import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderChart } from '../charts/render.js';
import { cutBatches } from '../plan/batch.js';
import { expandCells } from '../plan/cell.js';
import { fromCsv } from '../results/table.js';
import { readExperiments } from './experiments.js';

const names = readdirSync('configs')
  .filter((file) => file.endsWith('.json') && !file.endsWith('.vl.json') && file !== 'schema.json')
  .map((file) => file.replace('.json', ''));

describe.each(names)('configs/%s.json', (name) => {
  const [experiment] = readExperiments([`configs/${name}.json`], []);
  const cells = expandCells(experiment!);

  test('is read, and its plan has every cell in one batch', () => {
    const planned = cutBatches(experiment!, cells, 'auto').flatMap((batch) => batch.cells);
    expect(planned.toSorted((i, j) => i - j)).toEqual(cells.map((_, i) => i));
  });
});

const drawn = names.filter((name) => existsSync(`configs/${name}.vl.json`));

describe.each(drawn)('results/%s', (name) => {
  test('has the rows of the very cells of its config, and a chart that draws them', async () => {
    const [experiment] = readExperiments([`configs/${name}.json`], []);
    const cells = expandCells(experiment!);
    const text = readFileSync(`results/${name}/table.csv`, 'utf8');
    const layers = (depth: number) => (experiment!.record.layers === 'all' ? depth - 1 : 1);
    const rows = cells.reduce((sum, { setting }) => sum + layers(setting.depth), 0);
    expect(fromCsv(text).rows).toHaveLength(rows);
    const warnings: string[] = [];
    const spec = JSON.parse(readFileSync(`configs/${name}.vl.json`, 'utf8'));
    const { svg, png } = await renderChart(spec, text, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual([]);
    expect(svg.match(/<path/g)!.length).toBeGreaterThan(20);
    expect(png.length).toBeGreaterThan(10_000);
  });
});
