import { expect, test } from 'vitest';
import { packTable } from './columns.js';

test('a table is packed by columns: what repeats once, cells exact, quantities to 5 digits, what is not wanted left out', () => {
  const rows = Array.from({ length: 6 }, (_, i) => [
    i,
    1 / Math.sqrt(200),
    i === 0 ? null : i / 7,
    'NTK',
    0.5,
  ]);
  const table = { columns: ['draw', 'branch_scale', 'bfa_rad', 'scaling', 'loss'], rows };
  expect(packTable(table, ['draw', 'branch_scale', 'bfa_rad', 'scaling', 'no_such'])).toEqual({
    rows: 6,
    columns: {
      draw: [0, 1, 2, 3, 4, 5],
      branch_scale: { of: [0.07071067811865475], at: [0, 0, 0, 0, 0, 0] },
      bfa_rad: [null, 0.14286, 0.28571, 0.42857, 0.57143, 0.71429],
      scaling: { of: ['NTK'], at: [0, 0, 0, 0, 0, 0] },
    },
  });
});
