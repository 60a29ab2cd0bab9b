import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderChart, type VegaLiteSpec } from '../charts/render.js';
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
/** Results that are looked at as a whole; of the others, where there is no time, a part. */
const wholly = (...those: RegExp[]) =>
  those.map((those) =>
    drawn.filter((name) => process.env.FEATURE_SPEED_SLOW !== undefined || those.test(name)),
  );
const [figures, fitted] = wholly(/^figure-/, /^(transfer-length|init-std-wine)$/) as [string[], string[]];

const textOf = (name: string) => readFileSync(`results/${name}/table.csv`, 'utf8');
function specOf(name: string, text: string): VegaLiteSpec {
  const [experiment] = readExperiments([`configs/${name}.json`], []);
  const curves = experiment!.optima ? toCsv(curvesOf(experiment!, fromCsv(text))) : '';
  return withCurves(JSON.parse(readFileSync(`configs/${name}.vl.json`, 'utf8')), curves);
}

describe.each(drawn)('results/%s', (name) => {
  test('has the rows of the very cells of its config', () => {
    const [experiment] = readExperiments([`configs/${name}.json`], []);
    const cells = expandCells(experiment!);
    const { columns, rows: measured } = fromCsv(textOf(name));
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
  });

  test('is specified in a hundred lines at the most', () => {
    const lines = readFileSync(`configs/${name}.vl.json`, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(100);
  });
});

test.each(figures)('results/%s has the chart that is drawn of it', async (name) => {
  const text = textOf(name);
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const { svg, png } = await renderChart(specOf(name, text), text, { onWarning });
  expect(warnings).toEqual(OUTSIDE_THE_AXES[name] ?? []);
  // `feature-speed plot` draws them again.
  expect(readFileSync(`results/${name}/chart.svg`, 'utf8') === svg).toBe(true);
  expect(Buffer.compare(readFileSync(`results/${name}/chart.png`), png)).toBe(0);
});

test.each(drawn.filter((name) => !figures.includes(name)))(
  'the first rows of results/%s are drawn by its spec',
  async (name) => {
    const rows = textOf(name).split('\n').slice(0, 200).join('\n');
    const { svg } = await renderChart(specOf(name, `${rows}\n`), `${rows}\n`);
    expect(svg).toMatch(/<path/);
  },
);

test.each(fitted.filter((name) => existsSync(`results/${name}/optima.csv`)))(
  'results/%s has the optima of its table, and their drifts',
  (name) => {
    const [experiment] = readExperiments([`configs/${name}.json`], []);
    const fits = fitsOf(experiment!, fromCsv(textOf(name)));
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
