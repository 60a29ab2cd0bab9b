import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { Folder } from './program-under-test.js';

const folder = new Folder();
afterAll(() => folder.remove());

const config = {
  network: { width: 8, inputWidth: 4, outputWidth: 1, branchScale: 'c/sqrt(L)' },
  scaling: 'NTK',
  step: { kind: 'update', size: 0.01, count: 3 },
  sweep: { c: [0.25, 0.5, 1], depth: [3, 5] },
  record: { layers: 'output', quantities: ['loss', 'step_number'] },
};
const drawn = () => JSON.parse(readFileSync(folder.at('results/mine/chart.vl.json'), 'utf8'));

test('a spec beside the config is found; without one there is a chart of the sweep, which makes room for one', async () => {
  folder.write('my/mine.json', config);
  expect((await folder.call('run my/mine.json --quiet --backend wasm')).code).toBe(0);
  expect((await folder.call('plot mine --quiet')).code).toBe(0);
  const { usermeta, encoding, facet, spec } = drawn();
  expect(usermeta.is_default).toBe(true);
  expect(encoding).toBeUndefined();
  // c comes before the depth, though its column comes after.
  expect([spec.encoding.x.field, spec.encoding.color.field, facet.field]).toEqual([
    'step_number',
    'c',
    'depth',
  ]);

  const own = { data: { name: 'table' }, mark: 'point', encoding: { x: { field: 'loss' } } };
  folder.write('my/mine.vl.json', own);
  expect((await folder.call('plot my/mine.json --quiet')).code).toBe(0);
  expect(drawn().mark).toBe('point');
  // It stays when it is drawn by its name, as what it was drawn with before.
  expect((await folder.call('plot mine --quiet')).code).toBe(0);
  expect(drawn().mark).toBe('point');
});
