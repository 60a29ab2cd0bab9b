import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type RenderedChart, renderChart, type VegaLiteSpec } from './render.js';
import { tab10 } from './theme.js';

type Cell = Readonly<Record<string, string | number>>;

/** CSV text; the columns are those of the first row. */
const csv = (rows: readonly Cell[]): string =>
  [Object.keys(rows[0]!).join(), ...rows.map((row) => Object.values(row).join())]
    .map((line) => `${line}\n`)
    .join('');

const cell = { experiment: 'test', width: 200, step: 'update', step_size: 0.001 };
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const branchScales = (depth: number): readonly (readonly [formula: string, beta: number])[] => {
  const c = 1 / Math.sqrt(depth);
  return [
    ['1/L', 1 / depth],
    ['1/(2*sqrt(L))', c / 2],
    ['1/sqrt(L)', c],
    ['2/sqrt(L)', 2 * c],
    ['1', 1],
  ];
};

/** A few cells of each figure, with numbers that look like it; layer 1 has no angle. */
const tables = {
  'figure-1a': csv(
    branchScales(40).flatMap(([formula, beta]) =>
      [0, 1].flatMap((draw) =>
        range(1, 39).map((layer) => ({
          ...cell,
          draw,
          depth: 40,
          branch_scale: beta,
          branch_scale_formula: formula,
          layer,
          bfa_rad: layer === 1 ? '' : Math.atan(beta * Math.sqrt(layer)) + draw / 50,
          bfa_theory_rad: layer === 1 || beta < 1 ? '' : Math.atan(Math.sqrt(layer)),
        })),
      ),
    ),
  ),
  'figure-1b': csv(
    range(10, 30).flatMap((depth) =>
      branchScales(depth).map(([formula, beta]) => {
        const branchScale = beta === 1 ? 0.999 : beta;
        const angle = Math.atan(branchScale * Math.sqrt(depth));
        const label = { branch_scale_formula: beta === 1 ? '0.999' : formula };
        const at = { ...cell, draw: 0, depth, branch_scale: branchScale, ...label, layer: depth - 1 };
        return { ...at, bfa_rad: angle, bfa_theory_rad: angle - 0.02 };
      }),
    ),
  ),
  'figure-1c': csv(
    [30, 100, 500].flatMap((depth) =>
      range(0, 19).flatMap((i) =>
        range(0, 4).map((draw) => {
          const branchScale = 10 ** (-3 + (3 * i) / 19);
          const angle = Math.atan(branchScale * Math.sqrt(depth));
          const at = { ...cell, draw, depth, branch_scale: branchScale, layer: depth - 1 };
          return { ...at, bfa_rad: angle + draw / 100, bfa_theory_rad: angle };
        }),
      ),
    ),
  ),
  'figure-2a': csv(
    ['NTK', 'MF+muP', 'FSC'].flatMap((scaling, i) =>
      range(5, 40).map((depth) => {
        const at = { ...cell, draw: 0, depth, branch_scale: 1, scaling, layer: depth - 1 };
        const sensitivity = [0.05, 1, 1 / Math.sqrt(depth)][i]! * Math.sqrt((2 * depth) / 3);
        return { ...at, sensitivity_finite: sensitivity, sensitivity_theory: sensitivity };
      }),
    ),
  ),
  'figure-2b': csv(
    range(20, 100).flatMap((depth) =>
      (
        [
          ['1/sqrt(L)', 1 / Math.sqrt(depth)],
          ['1/L', 1 / depth],
        ] as const
      ).map(([formula, beta]) => ({
        ...cell,
        draw: 0,
        depth,
        branch_scale: beta,
        branch_scale_formula: formula,
        layer: depth - 1,
        sensitivity_finite: beta * depth > 1.5 ? 10 : 7.5,
      })),
    ),
  ),
};
type Figure = keyof typeof tables;
const figures = Object.keys(tables) as readonly Figure[];

const specOf = (figure: Figure): VegaLiteSpec =>
  JSON.parse(readFileSync(new URL(`../../configs/${figure}.vl.json`, import.meta.url), 'utf8'));

const withoutTheory = (table: string): string =>
  table.replace(/bfa_theory_rad|sensitivity_theory/, 'unrelated');

/** Marks of one colour: paths whose stroke or fill it is. */
const count = (svg: string, colour: string): number => svg.split(`="${colour}"`).length - 1;
const theoryColour = '#222222';

/** A word at a fixed place on an otherwise white picture. */
const word = (text: string, style = 'normal'): Promise<RenderedChart> =>
  renderChart(
    {
      data: { name: 'table' },
      autosize: 'none',
      width: 40,
      height: 20,
      view: { stroke: null },
      mark: { type: 'text', text, fontStyle: style, x: 20, y: 10 },
    },
    'depth\n3\n',
  );

describe('the figures of the paper', () => {
  test.each(figures)('%s is drawn without a warning, with its theory', async (figure) => {
    const warnings: string[] = [];
    const { svg, png } = await renderChart(specOf(figure), tables[figure], {
      onWarning: (w) => warnings.push(w),
    });
    // The paper's axis ends at 4, which MF+muP passes.
    const cut = ['16 of 108 points are not shown: outside the axis (16)'];
    expect(warnings).toEqual(figure === 'figure-2a' ? cut : []);
    expect(svg.match(/NaN|undefined|Infinity/)).toBeNull();
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect(count(svg, theoryColour) > 0).toBe(figure !== 'figure-2b');
  });

  test.each(figures)('%s is drawn without theory where the table has no such column', async (figure) => {
    const { svg } = await renderChart(specOf(figure), withoutTheory(tables[figure]));
    expect(count(svg, theoryColour)).toBe(0);
    expect(svg.includes('— theory')).toBe(false);
  });

  test('1a has one dashed line per draw and branch scale, beta = 1 on top, and five names at their ends', async () => {
    const { svg } = await renderChart(specOf('figure-1a'), withoutTheory(tables['figure-1a']));
    const { purple, red, green, orange, blue } = tab10;
    const strokes = [...svg.matchAll(/stroke="(#\w{6})"[^>]*stroke-dasharray/g)].map(([, colour]) => colour);
    const lines = [blue, orange, green, red, purple].flatMap((colour) => [colour, colour]);
    expect(strokes).toEqual(lines);
    const names = svg.match(/<g class="mark-text role-mark labels.*?<\/g>/s)![0];
    expect([...names.matchAll(/>([^<]+)<\/text>/g)].map(([, name]) => name)).toEqual([
      'β = 1/L',
      'β = 1/(2√L)',
      'β = 1/√L',
      'β = 2/√L',
      'β = 1',
    ]);
  });

  test('1b has a dot per cell, and counts 0.999 as beta = 1', async () => {
    const { svg } = await renderChart(specOf('figure-1b'), withoutTheory(tables['figure-1b']));
    const { purple, red, green, orange, blue, grey } = tab10;
    expect([purple, red, green, orange, blue].map((colour) => count(svg, colour))).toEqual([
      21, 21, 21, 21, 21,
    ]);
    expect(count(svg, grey)).toBe(0);
  });

  test('1c shows all 20 points of L = 500, the last 17 of 100 and the last 15 of 30, in whatever order', async () => {
    const spec = specOf('figure-1c');
    const points = (svg: string): readonly (readonly [string, number])[] =>
      [...svg.matchAll(/ d="(M[^"]*)" stroke="(#\w{6})"/g)].map(([, d, colour]) => [
        colour!,
        d!.split('L').length,
      ]);
    const [header, ...rows] = tables['figure-1c'].trim().split('\n');
    for (const lines of [rows, rows.toReversed()]) {
      const { svg } = await renderChart(spec, withoutTheory([header, ...lines].join('\n')));
      expect(points(svg)).toEqual([
        [tab10.blue, 20],
        [tab10.orange, 17],
        [tab10.green, 15],
      ]);
    }
  });

  test('tick labels are all there', async () => {
    const labels = async (figure: Figure): Promise<readonly string[]> => {
      const { svg } = await renderChart(specOf(figure), tables[figure]);
      const groups = svg.match(/role-axis-label".*?<\/g>/gs) ?? [];
      return groups.flatMap((group) => [...group.matchAll(/>([^<]+)<\/text>/g)].map(([, text]) => text!));
    };
    const layers = ['0', '25', '50', '75', '100', '125', '150', '175', '200'];
    expect(await labels('figure-1a')).toEqual([...layers, '0', 'π/4', 'π/2']);
    expect(await labels('figure-1c')).toEqual(['10⁻¹', '10⁰', '10¹', '0', 'π/4', 'π/2']);
    expect((await labels('figure-2b')).slice(-3)).toEqual(['15.0', '17.5', '20.0']);
  });
});

describe('a picture', () => {
  test('has the same bytes whenever and in whatever company it is drawn', async () => {
    const draw = (figure: Figure): Promise<RenderedChart> => renderChart(specOf(figure), tables[figure]);
    const first = await draw('figure-1a');
    const [other, again] = await Promise.all([draw('figure-1c'), draw('figure-1a')]);
    expect(again.svg === first.svg).toBe(true);
    expect(Buffer.compare(again.png, first.png)).toBe(0);
    expect((await draw('figure-1c')).svg === other.svg).toBe(true);
  });

  test('is the same when drawn from what chart.vl.json says', async () => {
    const { specWithUrl, svg } = await renderChart(specOf('figure-1b'), tables['figure-1b']);
    const published = JSON.parse(specWithUrl);
    expect(published.$schema).toBe('https://vega.github.io/schema/vega-lite/v6.json');
    expect(published.data).toMatchObject({
      url: 'table.csv',
      format: { type: 'csv', parse: { bfa_rad: 'number' } },
    });
    const again = await renderChart({ ...published, data: { name: 'table' } }, tables['figure-1b']);
    expect(again.svg === svg).toBe(true);
  });

  test('is two dots per unit', async () => {
    const { png, svg } = await word('v');
    const header = new DataView(png.buffer, png.byteOffset);
    expect(svg).toMatch(/width="58" height="38"/);
    expect([header.getUint32(16), header.getUint32(20)]).toEqual([116, 76]);
  });

  test('takes an empty cell for missing and not for zero', async () => {
    const spec = {
      data: { name: 'table' },
      mark: 'circle',
      encoding: { y: { field: 'bfa_rad', type: 'quantitative' } },
    };
    const { svg } = await renderChart(spec, 'layer,bfa_rad\n1,\n2,0.5\n3,0.7\n');
    expect(svg.match(/<path aria-hidden="true" transform/g)).toHaveLength(2);
  });

  test('really shows every letter and sign of the labels', async () => {
    // A glyph that is not drawn looks like the blank, and one that the font lacks like every other such.
    const pictures = new Map<string, string>();
    const remember = async (name: string, text: string, style?: string): Promise<void> => {
      pictures.set(name, Buffer.from((await word(text, style)).png).toString('base64'));
    };
    await remember('blank', ' ');
    for (const letter of 'βπ√L=1⁻→∞') await remember(letter, letter);
    for (const letter of 'βLvµ') await remember(`italic ${letter}`, letter, 'italic');
    expect(new Set(pictures.values()).size).toBe(pictures.size);
  });

  const draws = process.env.FEATURE_SPEED_SLOW ? 500 : 100;
  test(`of ${200 * draws} rows is drawn in ${0.03 * draws} seconds`, async () => {
    const rows = range(1, draws).flatMap((draw) =>
      range(1, 200).map((layer) => ({
        experiment: 'test',
        draw,
        depth: 201,
        branch_scale: 1,
        branch_scale_formula: '1',
        layer,
        bfa_rad: 1 + draw / 1e3,
      })),
    );
    const start = process.cpuUsage();
    const { svg } = await renderChart(specOf('figure-1a'), csv(rows));
    expect(count(svg, tab10.purple)).toBe(draws + 1);
    // Of a processor: of the clock, a busy machine may take more.
    expect(process.cpuUsage(start).user / 1e3).toBeLessThan(30 * draws);
  }, 120_000);
});

describe('the page', () => {
  test('holds all it needs and fetches nothing', async () => {
    const { html } = await renderChart(specOf('figure-1a'), tables['figure-1a']);
    const outside = html.replace(/<script>.*?<\/script>/gs, '');
    expect(outside).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(outside).toContain('<meta name="viewport"');
    expect(outside).toContain("default-src 'none'");
    expect(outside.match(/<link|\bsrc=|\bhref=|https?:/)).toBeNull();
    // What is left are names of XML spaces and of a schema, and two links in comments and messages of the libraries.
    const addresses = [...html.matchAll(/https?:\/\/[\w./-]+/g)].map(([address]) => address);
    expect(new Set(addresses)).toEqual(
      new Set([
        'http://www.w3.org/1999/xlink',
        'http://www.w3.org/2000/svg',
        'http://www.w3.org/2000/xmlns/',
        'https://vega.github.io/schema/vega/v6.json',
        'https://github.com/Starcounter-Jack/JSON-Patch',
        'https://github.com/vega/vega-lite/issues/2415',
      ]),
    );
    expect(html.match(/<\/script>/g)).toHaveLength(4);
    expect(html.length).toBeLessThan(1.2e6);
  });

  test('has the table with the columns that the chart reads, and tooltips', async () => {
    const { html } = await renderChart(specOf('figure-1b'), tables['figure-1b']);
    const table = JSON.parse(/^const table = (.*);$/m.exec(html)![1]!) as string;
    expect(table.split('\n')[0]).toBe(
      'draw,depth,branch_scale,branch_scale_formula,layer,bfa_rad,bfa_theory_rad',
    );
    expect(table.trim().split('\n')).toHaveLength(1 + 21 * 5);
    const spec = JSON.parse(/^const spec = (.*);$/m.exec(html)![1]!);
    expect(spec.layer[0].encoding.tooltip.map(({ field }: { field: string }) => field)).toContain(
      'branch_scale',
    );
  });

  test('has the title that it is given, and cannot be broken by it or by the table', async () => {
    const spec = {
      data: { name: 'table' },
      mark: 'point',
      encoding: { x: { field: 'name', type: 'nominal' } },
    };
    const { html } = await renderChart(spec, 'name\n</script><b>\n', { title: 'a < b' });
    expect(html.slice(0, 2000)).toContain('<title>a &lt; b</title>');
    expect(html.includes('</script><b>')).toBe(false);
  });
});

describe('a mistake', () => {
  const point = { data: { name: 'table' }, mark: 'point' };
  const table = 'depth,layer\n3,1\n';
  test.each<readonly [string, unknown, string, string]>([
    [
      'a field that the table lacks',
      { ...point, encoding: { x: { field: 'dpth', type: 'quantitative' } } },
      table,
      'chart: the spec refers to "dpth" (did you mean "depth"?), which the table lacks; its columns are depth, layer',
    ],
    ['a spec that is none', [], table, 'chart: expected a Vega-Lite spec (a JSON object), got []'],
    [
      'other data',
      { ...point, data: { url: 'x.csv' } },
      table,
      'chart: data: expected {"name": "table"}, or {"name": "curves"} of optima, got {"url":"x.csv"}',
    ],
    [
      'data fetched in a layer',
      { ...point, mark: undefined, layer: [{ data: { url: 'x.csv' }, mark: 'point' }] },
      table,
      'fetches "x.csv"',
    ],
    ['an unknown mark', { ...point, mark: 'blob' }, table, 'got "blob"'],
    [
      'a broken expression',
      { ...point, transform: [{ calculate: '1 +* 2', as: 'a' }] },
      table,
      'Unexpected token *',
    ],
    [
      'an unknown function',
      { ...point, transform: [{ calculate: 'cot(1)', as: 'a' }] },
      table,
      'Unrecognized function: cot',
    ],
    ['a table without rows', point, 'depth,layer\n', 'chart: the table has no rows'],
    [
      'a sign that the font lacks',
      { ...point, mark: { type: 'text', text: '漢' } },
      table,
      'no glyph for "漢" (U+6F22) in "漢"',
    ],
  ])('such as %s gives one clear message', async (_, spec, text, message) => {
    const { mark, ...rest } = spec as { mark?: unknown };
    const given = (mark === undefined && !Array.isArray(spec) ? rest : spec) as VegaLiteSpec;
    await expect(renderChart(given, text)).rejects.toThrow(message);
  });

  test('that Vega-Lite only remarks on is passed on', async () => {
    const warnings: string[] = [];
    const spec = { ...point, encoding: { x: { feild: 'depth', type: 'quantitative' } } };
    await renderChart(spec, table, { onWarning: (message) => warnings.push(message) });
    expect(warnings.join()).toMatch(/^Dropping .*feild/);
  });
});
