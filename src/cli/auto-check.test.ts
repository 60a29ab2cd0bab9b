import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTable } from '../results/table.js';

/** (FL) over (LD), (LD) and (BC) of section 4.1. */
const QUANTITIES = ['sensitivity', 'loss_change', 'contribution_balance'] as const;
const FACTOR = 1.5;

const table = readTable(readFileSync('results/auto-check/table.csv'));
const records = table.rows.map((row) => Object.fromEntries(table.columns.map((name, j) => [name, row[j]])));

/** Largest over smallest mean over the draws, of all depths and widths. */
function spread(network: string, scaling: string, quantity: string): number {
  const settings = new Map<string, (typeof records)[number][]>();
  for (const record of records) {
    if (`${record.activation} ${record.architecture}` !== network || record.scaling !== scaling) continue;
    const key = `${record.depth} ${record.width}`;
    settings.set(key, [...(settings.get(key) ?? []), record]);
  }
  expect(settings.size).toBe(25);
  const means = Array.from(settings.values(), (draws) => {
    expect(draws).toHaveLength(4);
    return draws.reduce((sum, draw) => sum + Math.abs(Number(draw[quantity])), 0) / draws.length;
  });
  return Math.max(...means) / Math.min(...means);
}

describe.each(['relu mlp', 'tanh mlp', 'gelu mlp', 'relu resnet', 'tanh resnet', 'gelu resnet'])(
  'over depth 4 .. 64 and width 64 .. 1024 of a %s',
  (network) => {
    test.each(QUANTITIES)(`%s stays within a factor ${FACTOR} with auto, and not with NTK`, (quantity) => {
      expect(spread(network, 'auto', quantity)).toBeLessThan(FACTOR);
      expect(spread(network, 'NTK (Table 1)', quantity)).toBeGreaterThan(FACTOR);
    });

    test('the contributions are balanced at every setting with auto', () => {
      const own = records.filter((r) => `${r.activation} ${r.architecture}` === network);
      const balances = (scaling: string) =>
        own.filter((r) => r.scaling === scaling).map((r) => Number(r.contribution_balance));
      expect(Math.max(...balances('auto'))).toBeLessThan(FACTOR);
      expect(Math.max(...balances('NTK (Table 1)'))).toBeGreaterThan(FACTOR);
    });
  },
);
