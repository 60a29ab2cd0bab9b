import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ExperimentFile } from '../../config/file/experiment.js';
import { resolveExperiment } from '../../config/resolve.js';
import { jobOf } from '../job.js';
import { checkTables, fitWorkers, machineOf } from './fit.js';

const folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const placed = (name: string, width: number) => {
  const file = {
    network: { depth: 10, width },
    scaling: 'NTK',
    draws: 4,
    record: { layers: 'output', quantities: ['loss'] },
  };
  return { ...jobOf(resolveExperiment(file as ExperimentFile, name), 'dense'), backend: 'wasm' as const };
};

test('what fits is run with the workers that were asked for', () => {
  expect(fitWorkers([placed('a', 50)], 3)).toBe(3);
  expect(fitWorkers([placed('a', 50)], undefined)).toBeGreaterThanOrEqual(1);
});

test('every experiment that does not fit is told at once', () => {
  const all = [placed('a', 1e5), placed('b', 50), placed('c', 2e5)];
  expect(() => fitWorkers(all, 1)).toThrow(/^a: a cell of .*\nc: a cell of .*$/);
});

test('tables that are no text any more are not read', () => {
  const path = join(folder, 'table.csv');
  writeFileSync(path, '');
  expect(() => checkTables([folder, folder])).not.toThrow();
  truncateSync(path, machineOf('wasm').textLength); // sparse: nothing of it is on the disk
  expect(() => checkTables([folder, folder])).toThrow(/of text, and Node\.js holds 0\.5 GB at once; merge/);
});
