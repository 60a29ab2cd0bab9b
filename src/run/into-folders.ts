/** Experiments measured into their folders of results: locked, resumed, written, and nothing lost. */
import type { BackendName } from '../backends.js';
import { digestOf } from '../plan/digest.js';
import { formatShard } from '../plan/shard.js';
import type { Manifest } from '../results/manifest.js';
import { asUserError } from '../store/files.js';
import { currentRevision, isOutside } from '../store/git.js';
import { checkResultsFolder, type Fits, type Outcome, ResultsFolder } from '../store/results-folder.js';
import { UserError } from '../store/user-error.js';
import { resumeJob } from './job.js';
import type { openExecutor } from './machine/executor.js';
import { type Circumstances, circumstancesOf, manifestOf } from './manifest.js';
import { fitsOf } from './optima.js';
import type { PlacedJob, Placement } from './placement.js';
import { type FinishedExperiment, type RunListener, runJobs, type Tally } from './run.js';

export interface FoldersOptions {
  /** Folder of the folders. */
  readonly out: string;
  /** Whether the cells that an earlier run has left are discarded, and another result may be lost. */
  readonly fresh?: boolean | undefined;
  /** Whether the folder of a run that cannot be seen from here is taken. */
  readonly takeOver?: boolean | undefined;
  /** Ends the run: what is measured is kept. */
  readonly signal: AbortSignal;
  /** Where batches are measured; default: a pool of workers. */
  readonly openExecutor?: typeof openExecutor | undefined;
}

/** An experiment whose results are in their folder. */
export interface WrittenExperiment {
  readonly result: FinishedExperiment;
  readonly manifest: Manifest;
  readonly fits: Fits;
  /** Path of its folder. */
  readonly folder: string;
  readonly outcome: Outcome;
}

/** What is told while it goes on. */
export interface FoldersListener extends Pick<RunListener, 'advanced' | 'progressed'> {
  /** Everything is ready; what is still to be measured. */
  began(jobs: readonly PlacedJob[]): void;
  /** A line about an experiment, or the place. */
  tell(line: string): void;
  /** An experiment has been measured, and is now written. */
  measured(result: FinishedExperiment): void;
  written(experiment: WrittenExperiment): Promise<void>;
  /** Written or not, no more comes of it. */
  done(name: string): void;
  /** The run ends before its last cell. */
  stopped(tally: Tally): void;
}

/**
 * Measures what is placed; each experiment is written as soon as it is measured, while others still run.
 *
 * @throws UserError, of all that could not be written or said: it does not take the other experiments with it. Before anything
 * is measured, when a folder cannot be had, or a result would be lost that is nowhere else.
 */
export async function runIntoFolders(
  { jobs: planned, workers, weights, shard }: Placement,
  { out, fresh = false, takeOver, signal, openExecutor }: FoldersOptions,
  listener: FoldersListener,
): Promise<void> {
  for (const { experiment } of planned) checkResultsFolder(out, experiment.name);
  const revision = await currentRevision('.', out);
  if (revision.problem !== null && !isOutside(revision.problem)) listener.tell(revision.problem);
  const backends = new Map(planned.map(({ experiment, backend }) => [experiment.name, backend]));
  const circumstances = new Map(
    [...new Set(backends.values())].map((each) => [each, circumstancesOf(revision, each, workers)]),
  );
  const circumstancesAt = (name: string): Circumstances => circumstances.get(backends.get(name)!)!;

  const compromised = new AbortController();
  const folders = new Map<string, ResultsFolder>();
  const errors: unknown[] = [];
  try {
    for (const { experiment } of planned) {
      const onCompromised = (error: UserError) => compromised.abort(error);
      const { name } = experiment;
      folders.set(name, await ResultsFolder.open(out, name, { takesOver: takeOver, onCompromised }));
    }
    if (!fresh) await refuseLoss();
    const jobs = planned.map(resume);
    listener.began(jobs);
    for (const backend of circumstances.keys()) await runOn(backend, jobs);
  } catch (error) {
    errors.push(asUserError((error as NodeJS.ErrnoException).path ?? out, error));
  } finally {
    for (const folder of folders.values()) folder.close();
  }
  const { aborted: isLost, reason: loss } = compromised.signal;
  if (isLost && !errors.includes(loss)) errors.push(loss);
  throwAll(errors);

  function runOn(backend: BackendName, jobs: readonly PlacedJob[]): Promise<void> {
    const own = jobs.filter((job) => job.backend === backend);
    const either = AbortSignal.any([signal, compromised.signal]);
    return runJobs(
      own,
      { backend, workers, signal: either, openExecutor },
      {
        advanced: listener.advanced,
        progressed: listener.progressed,
        finished: (result) =>
          finish(result)
            .catch((error) => void errors.push(error))
            .finally(() => listener.done(result.experiment.name)),
        stopped: stop,
      },
    );
  }

  /** Refuses, before anything is measured, what would take the place of a result that is nowhere else. */
  async function refuseLoss(): Promise<void> {
    const checks = planned.map(({ experiment, backend }) =>
      folders.get(experiment.name)!.checkReplacement({
        name: experiment.name,
        experiment: experiment.file,
        digest: digestOf(experiment, weights),
        backend,
        weights_choice: weights,
        shard: shard ? formatShard(shard) : null,
        status: 'complete',
      }),
    );
    const settled = await Promise.allSettled(checks);
    throwAll(settled.flatMap((check) => (check.status === 'rejected' ? [check.reason] : [])));
  }

  function resume(job: PlacedJob): PlacedJob {
    const { experiment, backend } = job;
    const { name } = experiment;
    const origin = { digest: digestOf(experiment, weights), backend };
    const checkpoint = folders.get(name)!.checkpoint(origin, fresh);
    const found = job.cells.filter(({ key }) => checkpoint.cells.has(key)).length;
    const others = checkpoint.cells.size - found;
    if (found > 0) listener.tell(`${name}: ${found} of ${job.cells.length} cells were measured before`);
    if (others > 0) {
      listener.tell(
        `${name}: ${others} cells that were measured before are none of this run's, and not used`,
      );
    }
    if (checkpoint.damaged > 0) {
      listener.tell(`${name}: ${checkpoint.damaged} damaged files of the checkpoint are ignored`);
    }
    return { ...resumeJob(job, checkpoint), backend };
  }

  async function finish(result: FinishedExperiment): Promise<void> {
    const { name } = result.experiment;
    const folder = folders.get(name)!;
    const manifest = manifestOf(result, result.table.rows.length, weights, shard, circumstancesAt(name));
    // A shard, or a run of which cells failed, has not all that slopes and optima are fitted to.
    const fits = !shard && manifest.status === 'complete' ? fitsOf(result.experiment, result.table) : {};
    const outcome = await folder
      .finish(result.table, fits, manifest, fresh)
      .finally(() => listener.measured(result));
    await listener.written({ result, manifest, fits, folder: folder.path, outcome });
  }

  function stop(tally: Tally): void {
    const { name } = tally.experiment;
    try {
      folders.get(name)!.stop(manifestOf(tally, 0, weights, shard, circumstancesAt(name)));
    } catch (error) {
      // Of a disk that is full the message says so already.
      if (!(error instanceof UserError)) throw error;
    }
    listener.stopped(tally);
  }
}

/** Throws what is among these: a bug as it is, else all that the user should hear in one error. */
function throwAll(errors: readonly unknown[]): void {
  const bug = errors.find((error) => !(error instanceof UserError));
  if (bug) throw bug;
  if (errors.length > 0) throw new UserError(errors.map((error) => (error as Error).message).join('\n'));
}
