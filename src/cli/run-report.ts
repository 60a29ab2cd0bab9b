/** What `run` says while it measures, and at its end. */
import { join } from 'node:path';
import { OPTIMA, REPORT, SLOPES } from '../results/file-names.js';
import type { FoldersListener, WrittenExperiment } from '../run/into-folders.js';
import type { PlacedJob, Placement } from '../run/placement.js';
import type { FinishedExperiment, InexactCell, Tally } from '../run/run.js';
import { isThere, shown } from '../store/files.js';
import { isChange } from '../store/results-folder.js';
import { type Effects, quietly } from './effects.js';
import { EXIT } from './exit-code.js';
import { fitsText, recordsOf } from './fits-report.js';
import { InOrder } from './in-order.js';
import { type Progress, startProgress } from './progress.js';

export interface RunReportOptions {
  readonly out: string;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

export class RunReport implements FoldersListener {
  private readonly effects: Effects;
  private readonly document: (text: string) => void;
  private readonly lines: InOrder;
  private readonly summaries = new Map<string, object>();
  private progress: Progress | undefined;
  private code: number = EXIT.fine;

  /** @param then is called with each experiment when it is written; what it says is said in their order. */
  constructor(
    private readonly placement: Placement,
    private readonly options: RunReportOptions,
    effects: Effects,
    private readonly then: (written: WrittenExperiment, say: (text: string) => void) => Promise<void>,
  ) {
    this.effects = quietly(effects, options.quiet);
    this.document = effects.write;
    const { write, tell } = this.effects;
    const names = placement.jobs.map(({ experiment }) => experiment.name);
    // The document has stdout for itself.
    this.lines = new InOrder(names, options.json ? (text) => tell(text.replace(/\n$/, '')) : write);
  }

  readonly tell = (line: string): void => this.effects.tell(line);

  readonly began = (jobs: readonly PlacedJob[]): void => {
    const cells = jobs.reduce((sum, job) => sum + job.missing.length, 0);
    const cost = jobs.flatMap(({ batches }) => batches).reduce((sum, batch) => sum + batch.cost, 0);
    this.progress = startProgress(cells, cost, this.effects.terminal);
  };

  readonly advanced: FoldersListener['advanced'] = (_, batch, share) => this.progress?.advance(batch, share);

  readonly progressed: FoldersListener['progressed'] = (_, batch) => this.progress?.finish(batch);

  readonly measured = (result: FinishedExperiment): void => {
    this.progress?.stop();
    const { diverged, inexact, failed } = result;
    if (diverged.length + inexact.length + failed.length > 0) this.code = EXIT.incomplete;
    some(diverged.map(({ cell, layer }) => `diverged at layer ${layer}: ${cell}`)).forEach(this.tell);
    some(inexact.map(describeInexact)).forEach(this.tell);
    some(failed.map(({ cell, reason }) => `failed: ${cell}: ${reason}`)).forEach(this.tell);
  };

  readonly written = async (written: WrittenExperiment): Promise<void> => {
    const { result, manifest, fits, folder, outcome } = written;
    const { json, out } = this.options;
    const { name, figure } = result.experiment;
    const say = (text: string) => this.lines.say(name, text);
    const work = `${result.cells} cells, ${result.table.rows.length} rows, ${(result.elapsedMs / 1000).toFixed(1)} s of work`;
    if (outcome.kind !== 'reproduced') say(`${name}: ${work} -> ${shown(folder)}\n`);
    if (outcome.line !== null) say(`${name}: ${outcome.line}\n`);
    if (!json) say(fitsText(fits, this.effects.terminal));
    const { status, counts, elapsed_ms } = manifest;
    this.summaries.set(name, {
      name,
      folder,
      status,
      outcome: outcome.kind,
      ...(outcome.line !== null && { note: outcome.line }),
      ...counts,
      elapsed_ms,
      ...(fits[SLOPES] && { slopes: recordsOf(fits[SLOPES]) }),
      ...(fits[OPTIMA] && { optima: recordsOf(fits[OPTIMA]) }),
    });
    await this.then(written, say);
    const page = join(out, REPORT);
    if (figure !== undefined && isChange(outcome) && isThere(page))
      this.tell(`${shown(page)} shows the table of ${name} before; feature-speed report writes it anew`);
  };

  readonly done = (name: string): void => this.lines.finish(name);

  readonly stopped = ({ experiment, cells, measured }: Tally): void => {
    this.progress?.stop();
    this.tell(
      `${experiment.name}: stopped; ${measured} of ${cells} cells are kept, the same command goes on from there`,
    );
  };

  /** Says what waits for experiments that have come to no end. */
  end(): void {
    this.progress?.stop();
    this.lines.end();
  }

  /** Writes the document, where it was asked for; the exit code. */
  conclude(): number {
    const inOrder = this.placement.jobs.map(({ experiment }) => this.summaries.get(experiment.name));
    if (this.options.json) this.document(`${JSON.stringify({ experiments: inOrder }, null, 2)}\n`);
    return this.code;
  }
}

const MOST_TOLD = 5;

/** Some of the lines, indented. */
function some(lines: readonly string[]): readonly string[] {
  const rest = lines.length - MOST_TOLD;
  return [
    ...lines.slice(0, MOST_TOLD).map((line) => `  ${line}`),
    ...(rest > 0 ? [`  and ${rest} more, in manifest.json`] : []),
  ];
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
