/** Trainings of networks of the user's own: killed, in shards, with steps that nobody measures. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExperimentFile } from '../../config/file/experiment.js';
import { type Experiment, resolveExperiment } from '../../config/resolve.js';
import { fromCsv, toCsv } from '../../results/table.js';
import { Checkpoint } from '../../store/checkpoint.js';
import { writeSnapshot } from '../../store/snapshot.js';
import { jobOf, resumeJob } from '../job.js';
import { runJobs } from '../run.js';
import { modelsIn } from './model-source.js';

vi.mock(import('../../store/snapshot.js'), async (original) => {
  const module = await original();
  return { ...module, writeSnapshot: vi.fn(module.writeSnapshot) };
});
const { writeSnapshot: write } =
  await vi.importActual<typeof import('../../store/snapshot.js')>('../../store/snapshot.js');

/** Batch normalisation, a layer that is called twice, and one that is frozen. */
const MODULE = `
export default ({ tf, depth, units = 3 }) => {
  const dense = (name, rest) => tf.layers.dense({ name, units: 6, useBias: false, ...rest });
  const shared = dense('shared');
  const x = tf.input({ shape: [4] });
  let h = dense('embed').apply(x);
  for (let l = 1; l <= depth; l++) {
    h = tf.layers.batchNormalization({ name: 'norm' + l, momentum: 0.5 }).apply(h);
    h = tf.layers.activation({ activation: 'tanh' }).apply(shared.apply(h));
  }
  h = dense('frozen', { trainable: false }).apply(h);
  return tf.model({ inputs: x, outputs: tf.layers.dense({ name: 'out', units }).apply(h) });
};`;

const FILE = {
  network: { model: 'net.mjs', depth: 1 },
  scaling: { name: 'N', learningRate: 'normalized' },
  loss: 'cross-entropy',
  data: { samples: 12, batch: 5, heldOut: 4 },
  step: { count: 20, size: '0.1*(1 - t/T)' },
  sweep: { depth: [1, 2] },
  draws: 1,
  record: {
    quantities: ['loss', 'accuracy', 'bfa_rad', 'loss_held_out', 'accuracy_held_out', 'weight_variance'],
    steps: [1, 7, 12, 20],
  },
} as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-training-'));
  writeFileSync(join(folder, 'net.mjs'), MODULE);
  vi.mocked(writeSnapshot).mockReset().mockImplementation(write);
  // How often snapshots are written hangs on the clock, which here ticks as it is read.
  let ticks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => ticks++);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function experimentOf(changes: object = {}): Experiment {
  const model = modelsIn([folder])('net.mjs');
  if (typeof model === 'string') throw new Error(model);
  return resolveExperiment({ ...FILE, ...changes } as unknown as ExperimentFile, 'test', model);
}

async function run(experiment: Experiment, keeps = false) {
  const checkpoint = Checkpoint.open(join(folder, 'kept'), { digest: 'abc', backend: 'wasm' });
  const job = jobOf(experiment, 'auto');
  const told = { csv: '', failed: [] as readonly { reason: string }[], shares: [] as number[], diverged: 0 };
  await runJobs(
    [keeps ? resumeJob(job, checkpoint) : job],
    { backend: 'wasm', workers: 0, snapshotMs: 0 },
    {
      advanced: (_, __, share) => void told.shares.push(share),
      finished: ({ table, failed, diverged }) => {
        told.csv = toCsv(table);
        told.failed = failed;
        told.diverged = diverged.length;
      },
    },
  );
  return told;
}

const column = (csv: string, name: string) => {
  const { columns, rows } = fromCsv(csv);
  return rows.map((row) => row[columns.indexOf(name)] as number);
};

test('a training that dies again and again ends with the bytes of one that does not', async () => {
  const whole = await run(experimentOf());
  expect(whole.failed).toEqual([]);
  let deaths = 0;
  vi.mocked(writeSnapshot).mockImplementation((...args) => {
    write(...args);
    if (deaths === 4) return;
    deaths += 1;
    throw new Error('killed');
  });
  let last = await run(experimentOf(), true);
  for (let i = 0; i < 6 && last.failed.length > 0; i++) last = await run(experimentOf(), true);
  expect(deaths).toBe(4);
  expect(last.failed).toEqual([]);
  expect(last.csv).toBe(whole.csv);
  expect(last.shares[0]).toBeGreaterThan(0);
  expect(readdirSync(join(folder, 'kept')).filter((name) => name.endsWith('.training'))).toEqual([]);
});

test('what is measured, and when, moves no number: batch normalisation takes each batch once', async () => {
  const some = await run(experimentOf());
  const all = await run(
    experimentOf({
      step: { ...FILE.step, kind: 'velocity' },
      record: { ...FILE.record, steps: { from: 1, to: 20, step: 1 } },
    }),
  );
  const at = (csv: string, name: string) => {
    const [steps, layers] = ['step_number', 'layer'].map((key) => column(csv, key));
    const values = column(csv, name);
    return values.filter((_, i) => [1, 7, 12, 20].includes(steps![i]!) && layers![i] === 1);
  };
  for (const name of ['loss', 'loss_held_out', 'accuracy', 'accuracy_held_out', 'weight_variance']) {
    expect(at(all.csv, name), name).toEqual(at(some.csv, name));
  }
  expect(at(some.csv, 'loss')).toHaveLength(2 * 4);
  // By its moving averages it is another network than over the batch.
  const inference = experimentOf({ network: { ...FILE.network, batchNorm: 'inference' } });
  expect(at((await run(inference)).csv, 'loss')[0]).not.toBe(at(some.csv, 'loss')[0]);
});

test('a layer that is frozen stays, and one that is called twice learns as one', async () => {
  const { csv } = await run(experimentOf({ sweep: { depth: [2] } }));
  const [names, variances] = ['layer_name', 'weight_variance'].map((name) => column(csv, name));
  const of = (name: string) => variances!.filter((_, i) => (names![i] as unknown as string) === name);
  expect(of('frozen')).toEqual([null, null, null, null]);
  expect(of('shared (2)')).toEqual([null, null, null, null]);
  expect(new Set(of('shared')).size).toBe(4);
});

test('of one that leaves float32 the numbers of the steps before stay', async () => {
  const { csv, diverged } = await run(
    experimentOf({
      scaling: { name: 'E', learningRate: 1e6 },
      loss: 'squared',
      sweep: { depth: [1] },
      record: { layers: 'output', quantities: ['loss'], steps: [1, 12, 20] },
    }),
  );
  expect(diverged).toBe(1);
  expect(column(csv, 'loss').map((loss) => loss !== null)).toEqual([true, false, false]);
});
