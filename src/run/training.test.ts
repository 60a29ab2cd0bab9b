/** Long trainings that die on the way: what their snapshots are good for. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Experiment, resolveExperiment } from '../config/resolve.js';
import { toCsv } from '../results/table.js';
import { Checkpoint } from '../store/checkpoint.js';
import { writeSnapshot } from '../store/snapshot.js';
import { jobOf, resumeJob } from './job.js';
import { runJobs } from './run.js';

vi.mock(import('../store/snapshot.js'), async (original) => {
  const module = await original();
  return { ...module, writeSnapshot: vi.fn(module.writeSnapshot) };
});
const { writeSnapshot: write } =
  await vi.importActual<typeof import('../store/snapshot.js')>('../store/snapshot.js');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'training-'));
  vi.mocked(writeSnapshot).mockReset().mockImplementation(write);
  // How often snapshots are written hangs on the clock, and so on how busy a machine is; this one ticks as it is read.
  let ticks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => ticks++);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const experimentOf = (count: number): Experiment =>
  resolveExperiment(
    {
      network: { depth: 3, width: 6, inputWidth: 3, outputWidth: 2 },
      scaling: { name: 'P', learningRate: 'polyak' },
      loss: 'cross-entropy',
      data: { samples: 20, batch: 5, heldOut: 4, target: { law: 'one-hot' } },
      step: { count, train: 'all', size: '0.1*(1 - t/T)' },
      draws: 2,
      record: { quantities: ['loss', 'bfa_rad', 'loss_held_out'], steps: [1, 10, count / 2, count] },
    },
    'test',
  );

async function run(experiment: Experiment, keeps = true) {
  const checkpoint = Checkpoint.open(folder, { digest: 'abc', backend: 'wasm' });
  const job = jobOf(experiment, 'auto');
  const told = { csv: '', failed: 0, shares: [] as number[] };
  await runJobs(
    [keeps ? resumeJob(job, checkpoint) : job],
    { backend: 'wasm', workers: 0, snapshotMs: 0 },
    {
      advanced: (_, __, share) => void told.shares.push(share),
      finished: ({ table, failed }) => {
        told.csv = toCsv(table);
        told.failed = failed.length;
      },
    },
  );
  return told;
}
const snapshots = () => readdirSync(folder).filter((name) => name.endsWith('.training'));

test('a training of 400 steps that dies at ten random moments ends with the bytes of one that does not', async () => {
  const experiment = experimentOf(400);
  const whole = await run(experiment, false);
  // A header and an end; two draws at four steps of two layers.
  expect(whole.csv.split('\n')).toHaveLength(2 + 2 * 4 * 2);
  let deaths = 0;
  let seed = 1;
  /** Snapshots until the next death, of which there is one in some twenty steps. */
  const life = () => {
    seed = (48271 * seed) % 2147483647;
    return 1 + (seed % 4);
  };
  let left = life();
  vi.mocked(writeSnapshot).mockImplementation((...args) => {
    left -= 1;
    // Every other death comes before the snapshot is there.
    if (left === 0 && deaths % 2 === 1) die();
    write(...args);
    if (left === 0) die();
  });
  const die = () => {
    if (deaths === 10) return;
    deaths += 1;
    left = life();
    throw new Error('killed');
  };
  let last = await run(experiment);
  for (let i = 0; i < 20 && last.failed > 0; i++) last = await run(experiment);
  expect(deaths).toBe(10);
  expect(last.failed).toBe(0);
  expect(last.csv).toBe(whole.csv);
  // It did go on, and left nothing behind.
  expect(last.shares[0]).toBeGreaterThan(0);
  expect(snapshots()).toEqual([]);
});

test('a snapshot that is damaged, or of another experiment, is not used', async () => {
  const experiment = experimentOf(60);
  const whole = await run(experiment, false);
  vi.mocked(writeSnapshot).mockImplementation((path, snapshot) => {
    write(path, { ...snapshot, origin: { ...snapshot.origin, digest: 'other' } });
    throw new Error('killed');
  });
  expect((await run(experiment)).failed).toBe(2);
  vi.mocked(writeSnapshot).mockImplementation(write);
  expect((await run(experiment)).csv).toBe(whole.csv);

  rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'training-'));
  vi.mocked(writeSnapshot).mockImplementation((path, snapshot) => {
    write(path, snapshot);
    const bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(path, bytes);
    throw new Error('killed');
  });
  expect((await run(experiment)).failed).toBe(2);
  vi.mocked(writeSnapshot).mockImplementation(write);
  expect((await run(experiment)).csv).toBe(whole.csv);
});
