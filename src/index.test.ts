import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  bfaLimit,
  conjecturedAngle,
  type ExperimentFile,
  GaussianSampler,
  measure,
  plan,
  QUANTITIES,
  readExperiment,
  scalings,
} from './index.js';

const FILE: ExperimentFile = {
  network: { width: 64 },
  scaling: 'NTK',
  sweep: { branchScale: ['1/sqrt(L)', 1], depth: [4, 8] },
  draws: 2,
  record: { layers: 'output', quantities: ['bfa_rad', 'bfa_theory_rad'] },
};

describe('an experiment is read', () => {
  test('from an object, a file, or by the name of one that comes with the program', () => {
    expect(readExperiment(FILE).name).toBe('experiment');
    expect(readExperiment(FILE, { name: 'mine', set: ['draws=7'] })).toMatchObject({
      name: 'mine',
      draws: 7,
    });
    expect(readExperiment('smoke')).toEqual(readExperiment('configs/smoke.json'));
  });

  test('with all problems of an object at once, by path and without lines that it has not', () => {
    const wrong = { ...FILE, network: { width: 0 }, draws: -1, record: { layers: 'last' } };
    expect(() => readExperiment(wrong as unknown as ExperimentFile, { name: 'mine' })).toThrow(
      /^mine network\.width: expected .*\nmine draws: expected .*\nmine record/,
    );
  });
});

test('a plan has the cells, batches and rows that are measured', async () => {
  const experiment = readExperiment(FILE);
  const { columns } = await measure(experiment);
  expect(plan(experiment)).toMatchObject({ cells: 8, batches: 1, rows: columns.layer!.length });
});

describe('measuring', () => {
  test('gives columns of equal length in plan order, with the angles near their limit', async () => {
    const { columns, table, diverged, failed, inexact } = await measure(readExperiment(FILE));
    expect([diverged, failed, inexact]).toEqual([[], [], []]);
    expect(Object.keys(columns)).toEqual(table.columns);
    expect(columns.depth).toEqual([4, 4, 8, 8, 4, 4, 8, 8]);
    expect(columns.scaling).toEqual(Array(8).fill('NTK'));
    for (const [i, angle] of columns.bfa_rad!.entries())
      expect(Math.abs(Number(angle) - Number(columns.bfa_theory_rad![i]))).toBeLessThan(0.4); // 5 sigma at width 64
  });

  test('gives the same bytes on this thread and on two others', async () => {
    const experiment = readExperiment({ ...FILE, sweep: { depth: [4], width: [8, 16] } });
    const here = await measure(experiment);
    // Threads are started from what is built.
    const built: typeof import('./index.js') = await import('../dist/index.js' as string);
    const there = await built.measure(experiment, { workers: 2 });
    expect(there.toCsv()).toBe(here.toCsv());
    expect(here.toCsv().split('\n')[0]).toBe(here.table.columns.join());
  });

  test('gives the same bytes where others have turned to another backend since', async () => {
    const experiment = readExperiment('smoke');
    const before = (await measure(experiment)).toCsv();
    await measure(experiment, { backend: 'cpu' });
    expect((await measure(experiment)).toCsv()).toBe(before);
    const { setBackend } = await import('@tensorflow/tfjs-core');
    await setBackend('cpu');
    expect((await measure(experiment)).toCsv()).toBe(before);
  });

  test('tells of every batch, and ends where it is aborted', async () => {
    const experiment = readExperiment({ ...FILE, sweep: { depth: [4], width: [8, 16, 32] } });
    const told: number[] = [];
    await measure(experiment, { onProgress: ({ done, all }) => told.push(done / all) });
    expect(told).toHaveLength(3);
    expect(told.at(-1)).toBeCloseTo(1);
    const stop = new AbortController();
    const seen: number[] = [];
    const stopped = measure(experiment, {
      signal: stop.signal,
      onProgress: ({ done }) => {
        seen.push(done);
        stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(seen).toHaveLength(1);
    await expect(measure(experiment, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  });
});

test('theory, scalings, glossary and sampler are at hand', () => {
  expect(bfaLimit({ activation: 'relu', depth: 10, branchScale: 1 })[9]).toBeCloseTo(
    Math.acos(Math.sqrt((3 * 8) / (2 * 64 + 1))),
  );
  expect(conjecturedAngle(1)).toBeCloseTo(0.721, 4);
  const { scalings: rows } = scalings({ depth: 16, width: 256, input: 8, output: 2 });
  expect(rows.map(({ scaling }) => scaling)).toContain('FSC (Table 2)');
  expect(QUANTITIES.bfa_rad.symbol).toBe('theta_v');
  const numbers = new GaussianSampler().draw([{ seed: [1, 2, 3, 4], role: 0, layer: 0 }], 4, [1]);
  expect(numbers).toHaveLength(4);
});

test('the example at the top of the library runs as it stands', () => {
  const source = readFileSync(new URL('index.ts', import.meta.url), 'utf8');
  const example = [...source.split('*/')[0]!.matchAll(/^ \* {5}(.*)$/gm)].map(([, line]) => line).join('\n');
  expect(example).toContain("from 'feature-speed'");
  const root = fileURLToPath(new URL('..', import.meta.url));
  // The package knows itself by its name.
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', example], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  expect(printed).toMatch(/^\[ 10, 100, 10, 100 \] \[\s+[\d.]+,\s/);
});
