import { describe, expect, test } from 'vitest';
import { renderChart, type VegaLiteSpec } from './render.js';

const data = { name: 'table' };
const quantitative = (field: string, more: object = {}) => ({ field, type: 'quantitative', ...more });
const log = { scale: { type: 'log' } };

/** CSV of x = 1, 2, .. and the given values of y, with a series that is their parity. */
const tableOf = (ys: readonly (number | string)[]) =>
  `x,y,series\n${ys.map((y, i) => `${i + 1},${y},${i % 2 === 0 ? 'odd' : 'even'}\n`).join('')}`;

async function draw(spec: VegaLiteSpec, table: string) {
  const warnings: string[] = [];
  const chart = await renderChart({ data, ...spec }, table, { onWarning: (text) => warnings.push(text) });
  return { ...chart, warnings, dots: chart.svg.match(/<path aria-hidden="true" transform/g)?.length ?? 0 };
}

const onLog = { x: quantitative('x'), y: quantitative('y', log) };

/** Says the sentence, everywhere, and has no number that is none. */
function expectSaid(
  { svg, specWithUrl, html, warnings }: Awaited<ReturnType<typeof draw>>,
  sentence: string,
) {
  expect(warnings).toContain(sentence);
  for (const text of [svg, specWithUrl, html.replaceAll('\\u003c', '<')]) {
    expect(text.replaceAll('&lt;', '<')).toContain(sentence);
  }
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
}

describe('a logarithmic axis', () => {
  const sentence = '2 of 5 points are not shown: log of values <= 0 (2)';

  test('leaves out values <= 0 and says so; the others are as in a table without them', async () => {
    const drawn = await draw({ mark: 'point', encoding: onLog }, tableOf([1, 0, 10, -5, 100]));
    expectSaid(drawn, sentence);
    expect(drawn.dots).toBe(3);
    const places = (svg: string) => svg.match(/<path aria-hidden="true" transform="[^"]*"/g);
    const without = await draw({ mark: 'point', encoding: onLog }, 'x,y,series\n1,1,o\n3,10,o\n5,100,o\n');
    expect(places(drawn.svg)).toEqual(places(without.svg));
    expect(without.warnings).toEqual([]);
  });

  test('breaks a line there, and counts its dots once', async () => {
    const line = { mark: { type: 'line', point: true }, encoding: onLog };
    const drawn = await draw(line, tableOf([1, 0, 10, -5, 100]));
    expectSaid(drawn, sentence);
    expect(/class="mark-line[^>]*>.*? d="([^"]*)"/s.exec(drawn.svg)![1]!.match(/M/g)).toHaveLength(3);
  });

  test('is that of the layers that share it, and of every facet', async () => {
    const layered = await draw(
      {
        encoding: { x: quantitative('x') },
        layer: [
          { mark: 'point', encoding: { y: quantitative('y', log) } },
          { mark: 'line', encoding: { y: quantitative('y') } },
        ],
      },
      tableOf([1, 0, 10, -5, 100]),
    );
    expectSaid(layered, sentence);
    const facet = { facet: { row: { field: 'series' } }, spec: { mark: 'point', encoding: onLog } };
    const faceted = await draw(facet, tableOf([1, 0, 10, -5, 100]));
    expectSaid(faceted, sentence);
    expect(faceted.dots).toBe(3);
  });

  test('with nothing on it is empty, and the column is told', async () => {
    const spec = { mark: 'line', encoding: { x: quantitative('x'), y: quantitative('bfa_rad', log) } };
    const drawn = await draw(spec, 'x,bfa_rad\n1,\n2,\n');
    expect(drawn.warnings).toEqual(['the column bfa_rad is empty; nothing of it is drawn']);
    expect(drawn.svg).not.toMatch(/NaN|Infinity/);
  });

  test('with nothing that it can show says that of all', async () => {
    const drawn = await draw({ mark: 'point', encoding: onLog }, tableOf([0, -1, 0]));
    expectSaid(drawn, '3 of 3 points are not shown: log of values <= 0 (3)');
  });

  test('refuses values that an encoding computes, which cannot be left out', async () => {
    const encoding = { x: { field: 'series' }, y: quantitative('y', { ...log, aggregate: 'mean' }) };
    await expect(draw({ mark: 'point', encoding }, tableOf([-1, 1, -3, 5]))).rejects.toThrow(
      /aggregates or bins values to <= 0/,
    );
  });
});

describe('the end of an axis', () => {
  const upTo = (most: number, mark: unknown) => ({
    mark,
    encoding: { x: quantitative('x'), y: quantitative('y', { scale: { domain: [0, most] } }) },
  });

  test('cuts off what is beyond, and says how much', async () => {
    const drawn = await draw(upTo(4, 'point'), tableOf([1, 2, 3, 4, 5, 600]));
    expectSaid(drawn, '2 of 6 points are not shown: outside the axis (2)');
    expect(drawn.svg).toContain('clip-path');
    expect((await draw(upTo(600, 'point'), tableOf([1, 2, 600]))).warnings).toEqual([]);
  });

  test('is also that of categories', async () => {
    const encoding = {
      x: { field: 'series', type: 'nominal', scale: { domain: ['odd'] } },
      y: quantitative('y'),
    };
    const drawn = await draw({ mark: 'point', encoding }, tableOf([1, 2, 3]));
    expectSaid(drawn, '1 of 3 points are not shown: outside the axis (1)');
    expect(drawn.dots).toBe(2);
  });

  test('reasons are told together, and cells that are empty are none', async () => {
    const encoding = {
      x: quantitative('x'),
      y: quantitative('y', { scale: { type: 'log', domain: [1, 10] } }),
    };
    expectSaid(
      await draw({ mark: 'point', encoding }, tableOf([1, '', 0, 50, 7])),
      '2 of 4 points are not shown: log of values <= 0 (1), outside the axis (1)',
    );
  });
});

test('what an expression makes of a value and is no number is counted', async () => {
  const spec = {
    transform: [{ calculate: 'sqrt(datum.y)', as: 'root' }],
    mark: 'point',
    encoding: { x: quantitative('x'), y: quantitative('root') },
  };
  const drawn = await draw(spec, tableOf([1, -4, 9]));
  expectSaid(drawn, '1 of 3 points are not shown: not a number (1)');
  expect(drawn.dots).toBe(2);
});

test('the sentence stands under a title that is there', async () => {
  const drawn = await draw({ title: 'Of mine', mark: 'point', encoding: onLog }, tableOf([1, 0]));
  expect(JSON.parse(drawn.specWithUrl).title).toEqual({
    text: 'Of mine',
    subtitle: ['1 of 2 points are not shown: log of values <= 0 (1)'],
  });
});

test('a picture too large for a PNG is told, and has its SVG', async () => {
  const spec = { width: 20_000, height: 3000, mark: 'point', encoding: { x: quantitative('x') } };
  const { svg, png, pngProblem } = await draw(spec, tableOf([1, 2]));
  expect(svg).toMatch(/^<svg/);
  expect(png).toHaveLength(0);
  expect(pngProblem).toMatch(/^the picture of 40\d{3} x 6\d{3} dots is too large for a PNG; /);
});
