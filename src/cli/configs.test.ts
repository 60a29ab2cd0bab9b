import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderChart } from '../charts/render.js';
import { withCurves } from '../charts/spec.js';
import { recordedSteps } from '../config/resolve.js';
import { cutBatches } from '../plan/batch.js';
import { expandCells } from '../plan/cell.js';
import { readManifest } from '../results/manifest.js';
import { fromCsv, toCsv } from '../results/table.js';
import { curvesOf, fitsOf } from '../run/optima.js';
import { slopesOf } from '../run/slopes.js';
import { readExperiments } from './experiments.js';
import { recordsOf } from './fits-report.js';

const names = readdirSync('configs')
  .filter((file) => file.endsWith('.json') && !file.endsWith('.vl.json') && file !== 'schema.json')
  .map((file) => file.replace('.json', ''));

/** The axes of the paper end before some of the points, some networks leave float32, and the charts say so. */
const OUTSIDE_THE_AXES: Readonly<Record<string, readonly string[]>> = {
  'figure-1a': ['17 of 4950 points are not shown: outside the axis (17)'],
  'figure-2a': ['26 of 216 points are not shown: outside the axis (26)'],
  'figure-2b': ['2 of 324 points are not shown: outside the axis (2)'],
};

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
    const { columns, rows: measured } = fromCsv(text);
    const { inexact = [] } = readManifest(readFileSync(`results/${name}/manifest.json`));
    // A model has as many as it likes.
    const calls = new Set(measured.map((row) => row[columns.indexOf('layer')])).size;
    const layers = (depth: number) =>
      experiment!.record.layers === 'all' ? (experiment!.model ? calls : depth - 1) : 1;
    const steps = recordedSteps(experiment!).length;
    const rows = cells
      .filter(({ key }) => !inexact.some(({ cell }) => cell === key))
      .reduce((sum, { setting }) => sum + steps * layers(setting.depth), 0);
    expect(measured).toHaveLength(rows);
    const warnings: string[] = [];
    const curves = experiment!.optima ? toCsv(curvesOf(experiment!, fromCsv(text))) : '';
    const spec = withCurves(JSON.parse(readFileSync(`configs/${name}.vl.json`, 'utf8')), curves);
    const { svg, png } = await renderChart(spec, text, { onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual(OUTSIDE_THE_AXES[name] ?? []);
    // `feature-speed plot` draws them again.
    expect(readFileSync(`results/${name}/chart.svg`, 'utf8') === svg).toBe(true);
    expect(Buffer.compare(readFileSync(`results/${name}/chart.png`), png)).toBe(0);
  });

  test('is specified in a hundred lines at the most', () => {
    const lines = readFileSync(`configs/${name}.vl.json`, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(100);
  });
});

test.each(['transfer-depth', 'transfer-width', 'transfer-length', 'init-std', 'init-std-wine'])(
  'results/%s has the optima of its table, and their drifts',
  (name) => {
    const [experiment] = readExperiments([`configs/${name}.json`], []);
    const fits = fitsOf(experiment!, fromCsv(readFileSync(`results/${name}/table.csv`, 'utf8')));
    for (const [file, table] of Object.entries(fits)) {
      expect(readFileSync(`results/${name}/${file}`, 'utf8')).toBe(toCsv(table));
    }
    expect(Object.keys(fits)).toContain('optima.csv');
  },
);

test.each(['width-check', 'depth-check'])(
  'results/%s has the slopes of its table, of which none fails, and at the first step only balances and loss decay, (L+2)/(4L), may be undecided',
  (name) => {
    const [experiment] = readExperiments([`configs/${name}.json`], []);
    const slopes = slopesOf(experiment!, fromCsv(readFileSync(`results/${name}/table.csv`, 'utf8')));
    expect(readFileSync(`results/${name}/slopes.csv`, 'utf8')).toBe(toCsv(slopes));
    expect(slopes.rows).toHaveLength(6 * 3 * 5);
    const open = recordsOf(slopes).filter(({ verdict }) => verdict !== 'holds');
    expect(open.filter(({ verdict }) => verdict !== 'undecided')).toEqual([]);
    const first = open.filter(({ step_number }) => step_number === 1);
    const mayBeOpen = ['contribution_balance', 'loss_change'];
    expect(first.filter(({ quantity }) => !mayBeOpen.includes(String(quantity)))).toEqual([]);
  },
);
