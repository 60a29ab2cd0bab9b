import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Folder } from './program-under-test.js';

// The process is started from what is built.
const { drawChart } = (await import(
  new URL('../../dist/cli/drawing.js', import.meta.url).href
)) as typeof import('./drawing.js');

const folder = new Folder();
afterAll(() => folder.remove());

const table = 'layer\n1\n2\n';
const data = { name: 'table' };
const x = { field: 'layer', type: 'quantitative' };
const good = { data, mark: 'point', encoding: { x } };
const endless = {
  ...good,
  transform: [{ calculate: `test(regexp('^(a+)+$'), '${'a'.repeat(60)}b')`, as: 'z' }],
};
const huge = {
  data,
  layer: [
    {
      data: { sequence: { start: 0, stop: 1e9 } },
      mark: 'point',
      encoding: { x: { field: 'data', type: 'quantitative' } },
    },
  ],
};

describe('a spec', () => {
  test('that takes too long or too much memory is stopped', async () => {
    const draw = (spec: typeof good, limits: { seconds: number; megabytes: number }) =>
      drawChart(spec, table, {}, undefined, limits);
    await expect(draw(endless, { seconds: 1, megabytes: 500 })).rejects.toThrow(
      'chart: drawing takes more than 1 s; use a simpler spec or fewer rows',
    );
    await expect(draw(huge as never, { seconds: 150, megabytes: 100 })).rejects.toThrow(
      /^chart: drawing takes more memory than there is, or than 0.1 GB/,
    );
  });

  test('is stopped when it is asked', async () => {
    const stop = new AbortController();
    const drawn = drawChart(endless, table, {}, stop.signal);
    setTimeout(() => stop.abort(), 300);
    await expect(drawn).rejects.toThrow('chart: drawing was stopped');
  });

  test('is drawn after such ones, with its warnings and its message as in this thread', async () => {
    const warnings: string[] = [];
    const onWarning = (text: string) => warnings.push(text);
    const { svg } = await drawChart({ ...good, encoding: { x, feild: x } }, table, { onWarning });
    expect(svg).toMatch(/^<svg/);
    expect(warnings.join()).toMatch(/feild/);
    await expect(drawChart({ ...good, mark: 'blob' }, table)).rejects.toThrow(
      /^chart: mark: expected one of/,
    );
  });
});

test('plot draws every folder that it can, tells of the others, and leaves no PNG that is not of the chart', async () => {
  for (const name of ['a', 'b', 'c', 'd'])
    folder.write(`${name}/table.csv`, `experiment,layer\n${name},1\n${name},2\n`);
  folder.write('configs/a.vl.json', { ...good, mark: { type: 'point', href: 'https://example.org' } });
  folder.write('configs/b.vl.json', good);
  folder.write('configs/c.vl.json', { ...good, width: 30_000, height: 3000 });
  folder.write('configs/d.vl.json', '{');
  folder.write('c/chart.png', 'of before');
  const { code, stdout, stderr } = await folder.call('plot a b c d nowhere');
  expect(code).toBe(2);
  expect(stdout).toBe('b: b/chart.{svg,png,html}\nc: c/chart.{svg,html}\n');
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/a\.vl\.json with a\/table\.csv: chart: mark\.href: has an address/),
    expect.stringMatching(/^c\/chart\.png: the picture of .* is too large for a PNG/),
    expect.stringMatching(/d\.vl\.json: not JSON: /),
    expect.stringMatching(/^nowhere: expected a folder/),
    '',
  ]);
  expect(folder.list('a')).toEqual(['table.csv']);
  expect(folder.list('c')).toEqual(['chart.html', 'chart.svg', 'chart.vl.json', 'table.csv']);
  expect(existsSync(folder.at('b/chart.png'))).toBe(true);
});
