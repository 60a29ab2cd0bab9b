/** Jobs -> batches -> workers -> checkpoint -> tables. */

import type { BackendName } from '../backends.js';
import type { Experiment } from '../config/resolve.js';
import { weightsChooser } from '../plan/batch.js';
import type { Batch } from '../plan/planned-batch.js';
import type { Table } from '../results/table.js';
import type { Inexact, RecordedCell } from '../store/cell-file.js';
import type { Job } from './job.js';
import { openExecutor as openPool } from './machine/executor.js';
import { tableOf } from './rows.js';
import { type BatchOutcome, taskOf } from './task.js';

export interface RunOptions {
  readonly backend: BackendName;
  /** Threads, or processes on native; 0: this thread. */
  readonly workers: number;
  /** Ends the run: the batches in hand are dropped, or finished in this thread, which cannot be interrupted. */
  readonly signal?: AbortSignal | undefined;
  /** How often what a long training has come to is kept, where there is a checkpoint; ms. */
  readonly snapshotMs?: number | undefined;
  /** Where batches are measured; default: a pool of workers. */
  readonly openExecutor?: typeof openPool | undefined;
}

/** So much of a training may be lost. */
const SNAPSHOT_MS = 5000;

/** A cell that is no result, with the reason. */
export interface InexactCell extends Inexact {
  readonly cell: string;
}

/** How far an experiment has come. */
export interface Tally {
  readonly experiment: Experiment;
  /** Cells that were asked for. */
  readonly cells: number;
  /** Cells that are measured, and how many of them were in the checkpoint when the run began. */
  readonly measured: number;
  readonly resumed: number;
  readonly batches: number;
  readonly weights: readonly string[];
  /** Time that the batches took, added up over the workers, those of resumed cells included; ms. */
  readonly elapsedMs: number;
  /** Cells that left the range of float32, with the first layer where they did. */
  readonly diverged: readonly { readonly cell: string; readonly layer: number }[];
  /** Cells that break an identity which holds exactly: they are no results, and have no rows. */
  readonly inexact: readonly InexactCell[];
  /** Cells that could not be measured. */
  readonly failed: readonly { readonly cell: string; readonly reason: string }[];
}

/** An experiment of which every cell is measured, or has failed. */
export interface FinishedExperiment extends Tally {
  readonly table: Table;
}

/** What a run tells while it goes on. */
export interface RunListener {
  /** A batch is done, and kept if there is a checkpoint. */
  progressed?(experiment: Experiment, batch: Batch): void;
  /** A share of the steps of a batch is taken. */
  advanced?(experiment: Experiment, batch: Batch, share: number): void;
  /** The last batch of an experiment is done. */
  finished(result: FinishedExperiment): void | Promise<void>;
  /** The run ends before the last batch of an experiment is done. */
  stopped?(tally: Tally): void;
}

/** A batch is given to a worker twice before its cells count as failed. */
const MOST_ATTEMPTS = 2;

/**
 * Runs jobs over one pool of workers; each is handed to the listener as soon as its last batch is done.
 *
 * A batch that throws twice, or whose worker dies twice, fails its cells and no others.
 *
 * @throws what the checkpoint or the listener throws; the run stops then, and what was kept before stays.
 */
export async function runJobs(
  jobs: readonly Job[],
  { backend, workers, signal, snapshotMs = SNAPSHOT_MS, openExecutor = openPool }: RunOptions,
  listener: RunListener,
): Promise<void> {
  const batches = jobs.reduce((sum, job) => sum + job.batches.length, 0);
  const executor = await openExecutor(Math.min(workers, batches), backend);
  const errors: unknown[] = [];
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    void executor.close();
  };
  const fail = (error: unknown) => {
    errors.push(error);
    stop();
  };
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  await Promise.all(jobs.map((job) => runJob(job).catch(fail)));
  signal?.removeEventListener('abort', stop);
  await executor.close();
  if (errors.length > 0) throw errors[0];

  async function runJob(job: Job): Promise<void> {
    const progress = new JobProgress(job);
    await Promise.all(job.batches.map((batch) => runBatch(job, batch, progress)));
    if (progress.isDone) await listener.finished(progress.finish());
    else listener.stopped?.(progress.tally());
  }

  async function runBatch(job: Job, batch: Batch, progress: JobProgress): Promise<void> {
    const { checkpoint, missing } = job;
    const keys = batch.cells.map((i) => missing[i]!.key);
    const snapshot = checkpoint && {
      path: checkpoint.snapshotPath(keys),
      origin: checkpoint.origin,
      everyMs: snapshotMs,
    };
    const task = taskOf(job.experiment, missing, batch, backend, snapshot);
    const onSteps = (taken: number) =>
      listener.advanced?.(job.experiment, batch, taken / job.experiment.step.count);
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      let isMeasured = false;
      try {
        const keep = async (outcome: BatchOutcome) => {
          isMeasured = true;
          await progress.keep(batch, outcome);
        };
        await executor.run(task, keep, onSteps);
        break;
      } catch (error) {
        if (isMeasured) fail(error);
        if (isStopped) return;
        if (attempt === MOST_ATTEMPTS) progress.fail(batch, error);
      }
    }
    listener.progressed?.(job.experiment, batch);
  }
}

/** What has become of the cells of a job, in whatever order its batches end. */
class JobProgress {
  private readonly measured: Map<string, RecordedCell>;
  private readonly failed = new Map<string, string>();
  private readonly weightsAt: ReturnType<typeof weightsChooser>;
  private elapsedMs: number;

  constructor(private readonly job: Job) {
    this.weightsAt = weightsChooser(job.weights, job.experiment);
    this.measured = new Map(job.checkpoint?.cells);
    this.elapsedMs = job.checkpoint?.elapsedMs ?? 0;
  }

  /** Notes the measurements of a batch, when they are in the checkpoint. */
  async keep(batch: Batch, { measurements, elapsedMs }: BatchOutcome): Promise<void> {
    const cells = batch.cells.map((index, i) => [this.job.missing[index]!.key, measurements[i]!] as const);
    await this.job.checkpoint?.save(cells, elapsedMs);
    for (const [key, measured] of cells) this.measured.set(key, measured);
    this.elapsedMs += elapsedMs;
  }

  fail(batch: Batch, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    for (const index of batch.cells) this.failed.set(this.job.missing[index]!.key, reason);
  }

  get isDone(): boolean {
    return this.job.cells.every(({ key }) => this.measured.has(key) || this.failed.has(key));
  }

  tally(): Tally {
    const { experiment, cells, batches, checkpoint } = this.job;
    return {
      experiment,
      cells: cells.length,
      measured: cells.filter(({ key }) => this.measured.has(key)).length,
      resumed: cells.filter(({ key }) => checkpoint?.cells.has(key)).length,
      batches: batches.length,
      weights: [...new Set(cells.map(({ setting }) => this.weightsAt(setting)))].sort(),
      elapsedMs: this.elapsedMs,
      diverged: cells.flatMap(({ key }) => {
        const layer = this.measured.get(key)?.divergedAt;
        return layer === undefined ? [] : [{ cell: key, layer }];
      }),
      inexact: cells.flatMap(({ key }) => {
        const inexact = this.measured.get(key)?.inexact;
        return inexact === undefined ? [] : [{ cell: key, ...inexact }];
      }),
      failed: cells.flatMap(({ key }) => {
        const reason = this.failed.get(key);
        return reason === undefined ? [] : [{ cell: key, reason }];
      }),
    };
  }

  finish(): FinishedExperiment {
    const finished = this.job.cells.flatMap((cell) => {
      const measured = this.measured.get(cell.key);
      return measured ? [{ cell, weights: this.weightsAt(cell.setting), measured }] : [];
    });
    return { ...this.tally(), table: tableOf(this.job.experiment, finished) };
  }
}
