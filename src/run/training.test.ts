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

const EXPERIMENT: Experiment = resolveExperiment(
  {
    network: { depth: 4, width: 6, inputWidth: 3, outputWidth: 2 },
    scaling: { name: 'P', learningRate: 'polyak' },
    loss: 'cross-entropy',
    data: { samples: 20, batch: 5, heldOut: 4, target: { law: 'one-hot' } },
    step: { count: 300, train: 'all', size: '0.1*(1 - t/T)' },
    sweep: { depth: [3, 4] },
    draws: 2,
    record: { quantities: ['loss', 'bfa_rad', 'loss_held_out'], steps: [1, 10, 150, 300] },
  },
  'test',
);

async function run(keeps = true) {
  const checkpoint = Checkpoint.open(folder, { digest: 'abc', backend: 'wasm' });
  const job = jobOf(EXPERIMENT, 'auto');
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

test('a training that dies at up to ten random moments ends with the bytes of one that does not', async () => {
  const whole = await run(false);
  // A header and an end; two draws at four steps of two layers, and of three.
  expect(whole.csv.split('\n')).toHaveLength(2 + 2 * 4 * (2 + 3));
  let deaths = 0;
  let seed = 1;
  const random = () => {
    seed = (48271 * seed) % 2147483647;
    return seed / 2147483647;
  };
  vi.mocked(writeSnapshot).mockImplementation((...args) => {
    write(...args);
    if (deaths === 10 || random() < 0.3) return;
    deaths += 1;
    throw new Error('killed');
  });
  let last = await run();
  for (let i = 0; i < 20 && last.failed > 0; i++) last = await run();
  expect(deaths).toBeGreaterThan(4);
  expect(last.failed).toBe(0);
  expect(last.csv).toBe(whole.csv);
  // It did go on, and left nothing behind.
  expect(last.shares[0]).toBeGreaterThan(0);
  expect(snapshots()).toEqual([]);
});

test('a snapshot that is damaged, or of another experiment, is not used', async () => {
  const whole = await run(false);
  vi.mocked(writeSnapshot).mockImplementation((path, snapshot) => {
    write(path, { ...snapshot, origin: { ...snapshot.origin, digest: 'other' } });
    throw new Error('killed');
  });
  expect((await run()).failed).toBe(4);
  vi.mocked(writeSnapshot).mockImplementation(write);
  expect((await run()).csv).toBe(whole.csv);

  rmSync(folder, { recursive: true });
  folder = mkdtempSync(join(tmpdir(), 'training-'));
  vi.mocked(writeSnapshot).mockImplementation((path, snapshot) => {
    write(path, snapshot);
    const bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 1;
    writeFileSync(path, bytes);
    throw new Error('killed');
  });
  expect((await run()).failed).toBe(4);
  vi.mocked(writeSnapshot).mockImplementation(write);
  expect((await run()).csv).toBe(whole.csv);
});
