import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import type { BatchLimits } from '../plan/batch.js';
import { toCsv } from '../results/table.js';
import { Checkpoint } from '../store/checkpoint.js';
import { jobOf, resumeJob } from './job.js';
import { measureTask } from './measure-task.js';
import { type FinishedExperiment, runJobs, type Tally } from './run.js';

// Counts what is measured, and breaks where a test says so.
vi.mock(import('./measure-task.js'), async (original) => {
  const module = await original();
  return { ...module, measureTask: vi.fn(module.measureTask) };
});
const { measureTask: measure } =
  await vi.importActual<typeof import('./measure-task.js')>('./measure-task.js');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  vi.mocked(measureTask).mockReset().mockImplementation(measure);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** 20 cells, in batches of one width; beta = 1 and 1/(2 sqrt(L)) + 3/4 meet at L = 4. */
const EXPERIMENT: Experiment = resolveExperiment(
  {
    network: {},
    scaling: 'MF+muP',
    sweep: { branchScale: [1, '1/(2*sqrt(L)) + 0.75'], depth: [4, 3, 8], width: [24, 16] },
    draws: 2,
    record: { quantities: ['bfa_rad', 'bfa_theory_rad', 'loss', 'sensitivity_finite'] },
  },
  'test',
);
/** A cell each. */
const SINGLE: BatchLimits = { bytes: 1, stateSize: 1e9 };

async function run({ limits, signal }: { limits?: BatchLimits; signal?: AbortSignal } = {}) {
  const checkpoint = Checkpoint.open(folder, { digest: 'abc', backend: 'wasm' });
  let finished: FinishedExperiment | undefined;
  let stopped: Tally | undefined;
  const reported: number[] = [];
  const error = await runJobs(
    [resumeJob(jobOf(EXPERIMENT, 'auto', undefined, limits), checkpoint)],
    { backend: 'wasm', workers: 0, signal },
    {
      progressed: () =>
        void reported.push(readdirSync(folder).filter((name) => name.endsWith('.cells')).length),
      finished: (result) => {
        finished = result;
      },
      stopped: (tally) => {
        stopped = tally;
      },
    },
  ).catch((error: Error) => error);
  return { finished, stopped, reported, error };
}

const measuredKeys = () =>
  vi.mocked(measureTask).mock.calls.flatMap(([task]) => task.cells.map(({ key }) => key));

/** Lets the first batches pass and does `act` in place of the next. */
function after(batches: number, act: () => Promise<never>) {
  let count = 0;
  vi.mocked(measureTask).mockImplementation((task) => (count++ < batches ? measure(task) : act()));
}

test('a batch is on the disk before it is reported', async () => {
  const { reported } = await run({ limits: SINGLE });
  expect(reported).toHaveLength(20);
  reported.forEach((files, i) => {
    expect(files).toBeGreaterThan(i);
  });
});

test('settings that are equal in numbers are measured once, and their rows stand once', async () => {
  const { finished } = await run({ limits: SINGLE });
  expect(measuredKeys()).toHaveLength(20);
  expect(new Set(measuredKeys()).size).toBe(20);
  expect(finished).toMatchObject({ cells: 20, measured: 20, batches: 20 });
  expect(finished!.table.rows).toHaveLength(2 * 2 * (3 + 2 * 2 + 2 * 7));
  const { columns, rows } = finished!.table;
  const identities = rows.map((row) => JSON.stringify(row.slice(0, columns.indexOf('bfa_rad'))));
  expect(new Set(identities).size).toBe(rows.length);
});

test('a run that was stopped measures the rest, cut otherwise, and ends with the same bytes', async () => {
  const whole = await run();
  rmSync(folder, { recursive: true });

  const stop = new AbortController();
  after(9, async () => {
    stop.abort();
    throw new Error('stopped');
  });
  vi.mocked(measureTask).mockClear();
  const { stopped, finished, error } = await run({ limits: SINGLE, signal: stop.signal });
  expect([finished, error]).toEqual([undefined, undefined]);
  expect(stopped).toMatchObject({ cells: 20, resumed: 0, failed: [] });
  const first = measuredKeys().slice(0, 9);

  vi.mocked(measureTask).mockReset().mockImplementation(measure);
  const rest = await run();
  expect(rest.finished).toMatchObject({ cells: 20, measured: 20, resumed: stopped!.measured, failed: [] });
  expect(measuredKeys().filter((key) => first.includes(key))).toEqual([]);
  expect(toCsv(rest.finished!.table)).toBe(toCsv(whole.finished!.table));

  vi.mocked(measureTask).mockClear();
  const again = await run();
  expect(measuredKeys()).toEqual([]);
  expect(toCsv(again.finished!.table)).toBe(toCsv(whole.finished!.table));
  expect(again.finished!.elapsedMs).toBeCloseTo(rest.finished!.elapsedMs, 6);
});

test('damaged batches are measured again, and only they', async () => {
  const whole = await run({ limits: SINGLE });
  const names = readdirSync(folder);
  for (const name of names.slice(0, 3)) writeFileSync(join(folder, name), 'damaged');
  vi.mocked(measureTask).mockClear();
  const mended = await run();
  expect(new Set(measuredKeys()).size).toBe(3);
  expect(toCsv(mended.finished!.table)).toBe(toCsv(whole.finished!.table));
});

test('a batch that fails once is measured at the second attempt', async () => {
  let calls = 0;
  vi.mocked(measureTask).mockImplementation((task) => {
    calls += 1;
    return calls === 1 ? Promise.reject(new Error('the worker died')) : measure(task);
  });
  const { finished } = await run();
  expect(calls).toBe(3);
  expect(finished).toMatchObject({ cells: 20, measured: 20, batches: 2, failed: [] });
});

test('cells that fail twice are reported, and measured by the next run', async () => {
  const whole = await run();
  rmSync(folder, { recursive: true });
  vi.mocked(measureTask).mockImplementation((task) =>
    task.cells[0]!.setting.width === 24 ? Promise.reject(new Error('no memory')) : measure(task),
  );
  expect((await run()).finished).toMatchObject({ cells: 20, measured: 10, resumed: 0 });
  vi.mocked(measureTask).mockReset().mockImplementation(measure);
  const mended = await run();
  expect(mended.finished).toMatchObject({ measured: 20, resumed: 10, failed: [] });
  expect(toCsv(mended.finished!.table)).toBe(toCsv(whole.finished!.table));
});

test('a disk that does not take a batch stops the run, and what it took before is kept', async () => {
  const save = vi.spyOn(Checkpoint.prototype, 'save');
  const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  const write = save.getMockImplementation() ?? Checkpoint.prototype.save;
  save.mockRestore();
  let saves = 0;
  vi.spyOn(Checkpoint.prototype, 'save').mockImplementation(function (this: Checkpoint, ...words) {
    saves += 1;
    return saves > 5 ? Promise.reject(full) : write.apply(this, words);
  });
  const { error, stopped, finished } = await run({ limits: SINGLE });
  vi.restoreAllMocks();
  expect([error, finished]).toEqual([full, undefined]);
  expect(stopped!.failed).toEqual([]);
  expect(readdirSync(folder)).toHaveLength(5);
});
