/** `run`: measure experiments and write their tables and manifests. */
import { join } from 'node:path';
import type { Experiment } from '../../config/resolve.js';
import type { BackendName } from '../../core/backend-name.js';
import type { WeightsChoice } from '../../plan/batch.js';
import { digestOf } from '../../plan/digest.js';
import { formatShard, type Shard } from '../../plan/shard.js';
import { type Job, jobOf, resumeJob } from '../../run/job.js';
import { fitsOf } from '../../run/optima.js';
import {
  type FinishedExperiment,
  type InexactCell,
  type RunListener,
  runJobs,
  type Tally,
} from '../../run/run.js';
import { asUserError, isThere, shown } from '../../store/files.js';
import { currentRevision, isOutside } from '../../store/git.js';
import { checkResultsFolder, type Outcome, ResultsFolder } from '../../store/results-folder.js';
import { UserError } from '../../store/user-error.js';
import { adviceOn } from '../advice.js';
import { type BackendChoice, chooseBackend } from '../backend-choice.js';
import { EXIT } from '../exit-code.js';
import { readExperiments } from '../experiments.js';
import { fitWorkers } from '../fit.js';
import { InOrder } from '../in-order.js';
import { prepareModels } from '../prepared-models.js';
import { startProgress } from '../progress.js';
import { type Circumstances, circumstancesOf, manifestOf } from '../provenance.js';
import { stopSignal } from '../signals.js';
import { fitsText, recordsOf } from '../slopes-report.js';

export interface RunCommand {
  readonly out: string;
  readonly set: readonly string[];
  readonly backend: BackendChoice;
  readonly weights: WeightsChoice;
  readonly workers?: number | undefined;
  readonly shard?: Shard | undefined;
  /** Whether the cells that an earlier run has left are discarded, and another result may be lost. */
  readonly fresh?: boolean | undefined;
  /** Whether the folder of a run that cannot be seen from here is taken. */
  readonly takeOver?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Runs the experiments of the command line. */
export async function run(words: readonly string[], command: RunCommand): Promise<number> {
  const tell = (line: string) => void (command.quiet || process.stderr.write(`${line}\n`));
  const experiments = readExperiments(words, command.set, tell);
  experiments.flatMap(adviceOn).forEach(tell);
  return measure(experiments, command, async (folder, name, outcome) => {
    const chart = join(folder, 'chart.svg');
    if (command.quiet || !isChange(outcome) || !isThere(chart)) return;
    process.stderr.write(
      `${shown(chart)} shows the table before; feature-speed plot ${name} draws it again\n`,
    );
  });
}

/** Whether drawings that are there are of the table before. */
const isChange = ({ kind }: Outcome) => kind === 'moved' || kind === 'replaced';

/**
 * Runs experiments; after each `then` is called with its folder, while others still run, and what it says is said in their order.
 *
 * @returns the exit code.
 */
export async function measure(
  read: readonly Experiment[],
  command: Omit<RunCommand, 'set'>,
  then: (
    folder: string,
    name: string,
    outcome: Outcome,
    say: (text: string) => void,
  ) => Promise<void> = async () => {},
): Promise<number> {
  const { out, weights, shard } = command;
  const experiments = await prepareModels(read, weights);
  for (const { name } of experiments) checkResultsFolder(out, name);
  const planned = experiments.map((experiment) => jobOf(experiment, weights, shard));
  const backends = new Map<string, BackendName>();
  for (const job of planned) {
    const { name, model } = job.experiment;
    const { batches } = shard ? jobOf(job.experiment, weights) : job;
    const backend = await chooseBackend(command.backend, batches, model);
    backends.set(name, backend);
  }
  const placed = planned.map((job) => ({ ...job, backend: backends.get(job.experiment.name)! }));
  const workers = fitWorkers(placed, command.workers);
  const revision = await currentRevision('.', out);
  if (revision.problem !== null && !isOutside(revision.problem)) tell(revision.problem);
  const circumstances = new Map(
    [...new Set(backends.values())].map((backend) => [backend, circumstancesOf(revision, backend, workers)]),
  );

  const names = experiments.map(({ name }) => name);
  const lines = new InOrder(
    names,
    (text) => void (command.json ? process.stderr : process.stdout).write(text),
  );
  const interrupted = stopSignal();
  const compromised = new AbortController();
  const folders = new Map<string, ResultsFolder>();
  const summaries = new Map<string, object>();
  const errors: unknown[] = [];
  let code: number = EXIT.fine;
  try {
    for (const { name } of experiments) {
      const onCompromised = (error: UserError) => compromised.abort(error);
      folders.set(name, await ResultsFolder.open(out, name, { takesOver: command.takeOver, onCompromised }));
    }
    if (!command.fresh) await refuseLoss();
    const jobs = planned.map(resume);
    const progress = startProgress(...sizeOf(jobs), command.quiet === true);
    try {
      const listener: RunListener = {
        advanced: (_, batch, share) => progress.advance(batch, share),
        progressed: (_, batch) => progress.finish(batch),
        // What cannot be written or drawn is told at the end, and does not take the other experiments with it.
        finished: (result) => {
          progress.stop();
          return finish(result)
            .catch((error) => void errors.push(error))
            .finally(() => lines.finish(result.experiment.name));
        },
        stopped: (tally) => {
          progress.stop();
          stop(tally);
        },
      };
      const signal = AbortSignal.any([interrupted, compromised.signal]);
      for (const backend of circumstances.keys()) {
        const own = jobs.filter(({ experiment }) => backends.get(experiment.name) === backend);
        await runJobs(own, { backend, workers, signal }, listener);
      }
    } finally {
      progress.stop();
    }
  } catch (error) {
    errors.push(asUserError((error as NodeJS.ErrnoException).path ?? out, error));
  } finally {
    lines.end();
    for (const folder of folders.values()) folder.close();
  }
  const { aborted: isLost, reason: loss } = compromised.signal;
  if (isLost && !errors.includes(loss)) errors.push(loss);
  const bug = errors.find((error) => !(error instanceof UserError));
  if (bug) throw bug;
  if (errors.length > 0) throw new UserError(errors.map((error) => (error as Error).message).join('\n'));
  if (interrupted.aborted) return interrupted.reason as number;
  if (command.json) {
    const inOrder = experiments.map(({ name }) => summaries.get(name));
    process.stdout.write(`${JSON.stringify({ experiments: inOrder }, null, 2)}\n`);
  }
  return code;

  /** Refuses, before anything is measured, what would take the place of a result that is nowhere else. */
  async function refuseLoss(): Promise<void> {
    const checks = experiments.map((experiment) =>
      folders.get(experiment.name)!.checkReplacement({
        name: experiment.name,
        experiment: experiment.file,
        digest: digestOf(experiment, weights),
        backend: backends.get(experiment.name)!,
        weights_choice: weights,
        shard: shard ? formatShard(shard) : null,
        status: 'complete',
      }),
    );
    for (const check of await Promise.allSettled(checks)) {
      if (check.status === 'rejected') errors.push(check.reason);
    }
    if (errors.length > 0) throw errors.pop();
  }

  function resume(job: Job): Job {
    const { experiment } = job;
    const backend = backends.get(experiment.name)!;
    const origin = { digest: digestOf(experiment, weights), backend };
    const checkpoint = folders.get(experiment.name)!.checkpoint(origin, command.fresh === true);
    const resumed = resumeJob(job, checkpoint);
    const found = job.cells.filter(({ key }) => checkpoint.cells.has(key)).length;
    if (found > 0) tell(`${experiment.name}: ${found} of ${job.cells.length} cells were measured before`);
    const others = checkpoint.cells.size - found;
    if (others > 0)
      tell(
        `${experiment.name}: ${others} cells that were measured before are none of this run's, and not used`,
      );
    if (checkpoint.damaged > 0)
      tell(`${experiment.name}: ${checkpoint.damaged} damaged files of the checkpoint are ignored`);
    return resumed;
  }

  async function finish(result: FinishedExperiment): Promise<void> {
    const { name } = result.experiment;
    const folder = folders.get(name)!;
    const manifest = manifestOf(result, result.table.rows.length, weights, shard, circumstancesAt(name));
    // A shard, or a run of which cells failed, has not all that slopes and optima are fitted to.
    const fits = !shard && manifest.status === 'complete' ? fitsOf(result.experiment, result.table) : {};
    const outcome = await folder
      .finish(result.table, fits, manifest, command.fresh === true)
      .finally(() => command.quiet || tellOfCells(result));
    if (result.failed.length + result.diverged.length + result.inexact.length > 0) code = EXIT.incomplete;
    if (!command.quiet) lines.say(name, reportText(result, folder.path, outcome));
    const fitted = fitsText(fits);
    if (fitted !== '' && !command.quiet && !command.json) lines.say(name, fitted);
    const { status, counts, elapsed_ms } = manifest;
    summaries.set(name, {
      name,
      folder: folder.path,
      status,
      outcome: outcome.kind,
      ...(outcome.line !== null && { note: outcome.line }),
      ...counts,
      elapsed_ms,
      ...(fits['slopes.csv'] && { slopes: recordsOf(fits['slopes.csv']) }),
      ...(fits['optima.csv'] && { optima: recordsOf(fits['optima.csv']) }),
    });
    await then(folder.path, name, outcome, (text) => lines.say(name, text));
    const page = join(out, 'report.html');
    if (result.experiment.figure !== undefined && isChange(outcome) && isThere(page)) {
      tell(`${shown(page)} shows the table of ${name} before; feature-speed report writes it anew`);
    }
  }

  function stop(tally: Tally): void {
    const { experiment, cells, measured } = tally;
    try {
      folders
        .get(experiment.name)!
        .stop(manifestOf(tally, 0, weights, shard, circumstancesAt(experiment.name)));
    } catch (error) {
      // Of a disk that is full the message says so already.
      if (!(error instanceof UserError)) throw error;
    }
    tell(
      `${experiment.name}: stopped; ${measured} of ${cells} cells are kept, the same command goes on from there`,
    );
  }

  function circumstancesAt(name: string): Circumstances {
    return circumstances.get(backends.get(name)!)!;
  }

  function tell(line: string): void {
    if (!command.quiet) process.stderr.write(`${line}\n`);
  }
}

/** Cells and cost of all that is to be measured. */
function sizeOf(jobs: readonly Job[]): [cells: number, cost: number] {
  const batches = jobs.flatMap((job) => job.batches);
  return [
    jobs.reduce((sum, job) => sum + job.missing.length, 0),
    batches.reduce((sum, batch) => sum + batch.cost, 0),
  ];
}

function reportText(result: FinishedExperiment, folder: string, outcome: Outcome): string {
  const { experiment, cells, table, elapsedMs } = result;
  const { name } = experiment;
  const work = `${name}: ${cells} cells, ${table.rows.length} rows, ${(elapsedMs / 1000).toFixed(1)} s of work -> ${shown(folder)}\n`;
  const lines = [
    ...(outcome.kind === 'reproduced' ? [] : [work]),
    ...(outcome.line === null ? [] : [`${name}: ${outcome.line}\n`]),
  ];
  return lines.join('');
}

const MOST_TOLD = 5;

/** Names the cells that diverged, failed or are no result, some of them. */
function tellOfCells({ diverged, inexact, failed }: FinishedExperiment): void {
  const tell = (lines: readonly string[]) => {
    for (const text of lines.slice(0, MOST_TOLD)) process.stderr.write(`  ${text}\n`);
    if (lines.length > MOST_TOLD)
      process.stderr.write(`  and ${lines.length - MOST_TOLD} more, in manifest.json\n`);
  };
  tell(diverged.map(({ cell, layer }) => `diverged at layer ${layer}: ${cell}`));
  tell(inexact.map(describeInexact));
  tell(failed.map(({ cell, reason }) => `failed: ${cell}: ${reason}`));
}

/** `not a result: CELL: Thm 2.1 at layer 7 is off by 3e-2, where rounding makes 2e-5`. */
function describeInexact({ cell, step, layer, identity, deviation, bound }: InexactCell): string {
  const at = `at layer ${layer}${step > 1 ? ` of step ${step}` : ''}`;
  const brief = (value: number) => String(Number(value.toPrecision(2)));
  const what =
    identity === 'range'
      ? `numbers ${at} are near ${brief(deviation)}, below the range of float32`
      : `${identity} ${at} is off by ${brief(deviation)}, where rounding makes ${brief(bound)} at the most`;
  return `not a result, left out: ${cell}: ${what}`;
}
