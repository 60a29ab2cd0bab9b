import { expect, test } from 'vitest';
import { textTable } from './text-table.js';

const head = ['experiment', 'cells'];
const rows = [
  ['figure-1a', '25'],
  ['figure-1b\nand more', ''],
];

test('a table is drawn with its lines where there is room, or nobody knows how much', () => {
  for (const columns of [80, undefined]) expect(textTable(head, rows, { columns })).toMatch(/│ figure-1a/);
  expect(textTable(head, rows, { columns: 80 }, ['left', 'right'])).toMatch(/│ {4}25 │/);
});

test('a table that is wider than the terminal is a list of its rows, without what is empty', () => {
  expect(textTable(head, rows, { columns: 20 })).toBe(
    'experiment  figure-1a\ncells       25\n\nexperiment  figure-1b and more',
  );
});
