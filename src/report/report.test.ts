import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderChart } from '../charts/render.js';
import { readVerdicts } from '../claims/record.js';
import { experimentOf } from '../cli/experiments.js';
import { readManifest } from '../results/manifest.js';
import { readTable, toCsv } from '../results/table.js';
import { withLabels } from '../run/earlier-table.js';
import { FIGURE_NAMES, type FigureResults, renderReport } from './report.js';

const file = (path: string) => readFileSync(new URL(path, import.meta.url));

const figures = Object.fromEntries(
  FIGURE_NAMES.map((name): [string, FigureResults] => {
    const manifest = readManifest(file(`../../results/${name}/manifest.json`));
    const table = readTable(file(`../../results/${name}/table.csv`));
    const spec = JSON.parse(file(`../../configs/${name}.vl.json`).toString());
    return [name, { table: withLabels(experimentOf(manifest, name), table), manifest, spec }];
  }),
);
const claims = readVerdicts(file('./sample-claims.test.json').toString());

const page = await renderReport({ figures, claims });
/** The page without what its scripts are made of. */
const markup = page.replace(/<script>.*?<\/script>/gs, '');

const FIRST = figures['figure-1b']!;
/** An experiment that is none of the figures, drawn and not. */
const other = {
  manifest: { ...FIRST.manifest, name: 'claims', title: '<b>' },
  description: 'A "law"',
  png: new Uint8Array([1, 2, 3]),
};
const bare = {
  manifest: { ...FIRST.manifest, name: 'bare', title: '<b>' },
  description: undefined,
  png: undefined,
};

/** A page with all that a page may have: each test below says what its part of it is. */
const another = await renderReport({
  figures: {
    ...figures,
    'figure-1a': { ...figures['figure-1a']!, isAltered: true },
    'figure-1b': { ...FIRST, table: withAngle(FIRST.table, 3) },
    'figure-1c': {
      ...figures['figure-1c']!,
      manifest: { ...figures['figure-1c']!.manifest, status: 'partial' },
    },
  },
  others: [other, bare],
  claims: null,
});

/** The same with another angle in its fourth row. */
function withAngle({ columns, rows }: FigureResults['table'], angle: number): FigureResults['table'] {
  const column = columns.indexOf('bfa_rad');
  return { columns, rows: rows.map((row, i) => (i === 3 ? row.with(column, angle) : row)) };
}

describe('the page', () => {
  test('holds the committed results in a third of 3 MB, and the library once', () => {
    expect(Buffer.byteLength(page)).toBeLessThan(1e6);
    expect(page.match(/Jeffrey Heer|UW Interactive Data Lab|t\.vega=\{\}/g)?.length ?? 0).toBeLessThanOrEqual(
      1,
    );
    expect(page.match(/<script>/g)).toHaveLength(3);
  });

  test('refers to nothing outside of itself', () => {
    expect(markup.match(/\b(src|srcset|action|data)="[^"]*"/g)).toBeNull();
    expect(markup.match(/href="(?!#)[^"]*"/g)).toBeNull();
    expect(markup).not.toMatch(/@import|url\(/);
  });

  test('is the same bytes for the same results', async () => {
    expect(await renderReport({ figures, claims })).toBe(page);
  });

  test('has every anchor that it links to, and no id twice', () => {
    const ids = Array.from(markup.matchAll(/ id="([^"]*)"/g), ([, id]) => id!);
    expect(ids.filter((id, i) => ids.indexOf(id) < i)).toEqual([]);
    const links = Array.from(markup.matchAll(/href="#([^"]*)"/g), ([, id]) => id!);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('escapes what it is given', async () => {
    const evil = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>';
    const attacked = await renderReport({
      figures: {
        ...figures,
        'figure-2b': {
          ...figures['figure-2b']!,
          manifest: {
            ...figures['figure-2b']!.manifest,
            digest: evil,
            commit: evil,
            experiment: { [evil]: evil },
          },
        },
      },
      claims: [{ ...claims[0]!, id: evil, title: evil, statement: evil, note: evil }],
    });
    expect(attacked.match(/<script>/g)).toHaveLength(3);
    expect(attacked).not.toContain('<img');
  });

  test('says which claims hold and which fail, with the reason', () => {
    expect(markup).toContain('3 of 4 claims hold');
    expect(markup).toMatch(/<details class="claim" id="claim-zero-output" open>/);
    expect(markup).toContain('is about 0.92 &amp; not of order L<sup>−1/2</sup>.');
    expect(markup).toContain('−0.5 ± 0.1');
  });

  test('says what writes the claims when there are none', () => {
    expect(another).toContain('<code>feature-speed verify --record</code> checks every claim');
  });

  test('has every scaling of Tables 1 and 2 in both settings, with what is ours marked', () => {
    const section = /<section id="scalings".*?<\/section>/s.exec(markup)![0];
    expect(section.match(/<caption><b>[^<]*/g)).toEqual(
      ['Table 1, dense', 'Table 2, dense', 'Table 1, sparse', 'Table 2, sparse'].map(
        (name) => `<caption><b>${name} setting`,
      ),
    );
    expect(section.match(/scope="rowgroup"/g)).toHaveLength(8);
    // sigma_hid of all eight, and eta_1 and eta_hid of the dense NTK.
    expect(section.match(/<sup title="ours/g)).toHaveLength(10);
    expect(section).toContain(
      '† Ours, not the print (NTK): η<sub>1</sub> and η<sub>hid</sub> have a factor k',
    );
  });

  test('warns of a run that is not complete', () => {
    expect(another).toContain('the run is partial');
    expect(markup).not.toContain('Not all cells are here');
  });

  test('says of each figure how many points its axes do not show, as its chart does', async () => {
    for (const name of ['figure-1b', 'figure-2a']) {
      const [, caption] = new RegExp(`id="${name}".*?<figcaption>(.*?)</figcaption>`, 's').exec(markup)!;
      const said = /\d+ of \d+ points? (?:is|are) not shown: [^.]*/.exec(caption!) ?? [];
      const chart: string[] = [];
      const { spec, table } = figures[name]!;
      await renderChart(spec, toCsv(table), { onWarning: (warning) => chart.push(warning) });
      expect([...said]).toEqual(chart);
    }

    // One of 3 rad is above the axis.
    expect(another).toMatch(/1 of \d+ points are not shown: outside the axis \(1\)\./);
  });

  test('has other experiments with their pictures, safe from what they are called', () => {
    expect(another).toContain('<h3 id="experiment-claims-title">&lt;b&gt;</h3>');
    expect(another).toContain('alt="A &quot;law&quot;" src="data:image/png;base64,AQID"');
    expect(another).toContain('<code>feature-speed plot bare</code>');
    expect(another).toContain('<a href="#experiments">');
    expect(markup).not.toContain('id="experiments"');
  });

  test('compares with the paper only what has its settings', () => {
    const page1a = /id="figure-1a".*?<\/table>/s;
    const [section] = page1a.exec(another)!;
    expect(section).toContain('These are not the settings of the paper');
    expect(section).not.toContain('>published<');
    expect(page1a.exec(markup)![0]).toContain('>published<');
  });

  test('computes its numbers: another table is another agreement', async () => {
    const { table, ...rest } = figures['figure-1a']!;
    const column = table.columns.indexOf('bfa_rad');
    const halved = table.rows.map((row) =>
      row.map((value, j) => (j === column && typeof value === 'number' ? value / 2 : value)),
    );
    const other = await renderReport({
      figures: { ...figures, 'figure-1a': { ...rest, table: { ...table, rows: halved } } },
      claims,
    });
    const last = (text: string) =>
      /Angle at the last layer, v.*?<td class="number">1\.46<\/td><td class="number">([\d.]+)/s.exec(
        text,
      )?.[1];
    expect(Number(last(other))).toBeCloseTo(Number(last(page)) / 2, 2);
  });

  test('is refused when a table lacks what a figure shows', async () => {
    const { table, ...rest } = figures['figure-1a']!;
    const columns = table.columns.map((column) => (column === 'bfa_rad' ? 'other' : column));
    const lacking = { ...figures, 'figure-1a': { ...rest, table: { ...table, columns } } };
    await expect(renderReport({ figures: lacking, claims })).rejects.toThrow(
      'figure-1a: the table lacks the column bfa_rad',
    );
  });
});
