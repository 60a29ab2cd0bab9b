import { describe, expect, test } from 'vitest';
import { addressesIn, checkPicture } from './addresses.js';
import { renderChart, type VegaLiteSpec } from './render.js';

const table = 'x,site\n1,http://example.org\n2,javascript:alert(1)\n';
const x = { field: 'x', type: 'quantitative' };
const base = { data: { name: 'table' }, mark: 'point', encoding: { x } };

describe('a spec that leads elsewhere is refused, with the place', () => {
  test.each<[string, object, string]>([
    ['a link', { encoding: { x, href: { field: 'site' } } }, 'encoding.href'],
    ['a link of a mark', { mark: { type: 'point', href: 'https://example.org' } }, 'mark.href'],
    ['a link of the theme', { config: { point: { href: 'https://example.org' } } }, 'config.point.href'],
    ['a picture', { mark: { type: 'image', url: 'https://example.org/a.png' } }, 'mark'],
    ['pictures by a column', { mark: 'image', encoding: { x, url: { field: 'site' } } }, 'encoding.url'],
    [
      'other data',
      { layer: [{ data: { url: 'https://example.org/a.csv' }, mark: 'point' }] },
      'layer[0].data.url',
    ],
    [
      'data that are looked up',
      { transform: [{ lookup: 'x', from: { data: { url: 'a.csv' }, key: 'x', fields: ['y'] } }] },
      'transform[0].from.data.url',
    ],
    [
      'an address in a style',
      { config: { background: 'url(http://example.org/a.svg#b)' } },
      'config.background',
    ],
    [
      'one that is escaped by a case',
      { config: { view: { fill: 'URL( "//example.org")' } } },
      'config.view.fill',
    ],
    ['a script', { params: [{ name: 'a', value: 'JavaScript:alert(1)' }] }, 'params[0].value'],
    [
      'options of a page',
      { usermeta: { embedOptions: { patch: 'https://example.org' } } },
      'usermeta.embedOptions',
    ],
  ])('such as %s', async (_, change, place) => {
    const spec = { ...base, ...change } as VegaLiteSpec;
    const { layer } = spec;
    const { mark, encoding, ...views } = spec;
    const given = layer === undefined ? spec : views;
    expect(addressesIn(given).some((problem) => problem.startsWith(`${place}: `))).toBe(true);
    await expect(renderChart(given, table)).rejects.toThrow(`${place}: `);
  });
});

test('one that is computed is found in the picture', async () => {
  const spec = {
    ...base,
    transform: [{ calculate: "'ur' + 'l(' + datum.site + ')'", as: 'paint' }],
    mark: { type: 'point', filled: true },
    encoding: { x, color: { field: 'paint', type: 'nominal', scale: null } },
  };
  await expect(renderChart(spec, table)).rejects.toThrow('an address is in the picture');
  expect(() =>
    checkPicture('<path fill="url(#gradient)"/><text>see http://example.org</text>'),
  ).not.toThrow();
});

test('the table is no other data, by its name or by its address as a published spec has it', async () => {
  for (const data of [{ name: 'table' }, { url: 'table.csv', format: { type: 'csv' } }]) {
    expect(addressesIn({ ...base, data })).toEqual([]);
    expect((await renderChart({ ...base, data }, table)).svg).toMatch(/^<svg/);
  }
});
