/** `diff`: what changed between two results. */
import { extname } from 'node:path';
import { type DiffOptions, diffExperiment, diffResults, isSame } from '../../compare/diff.js';
import { UserError } from '../../store/user-error.js';
import { writeFile } from '../../store/write-file.js';
import { readSide, type Side } from '../diff/compared-results.js';
import { type DiffReport, markdownReport, textReport } from '../diff/report.js';
import type { Effects } from '../effects.js';
import { EXIT } from '../exit-code.js';

export interface DiffCommand extends Omit<DiffOptions, 'atol' | 'rtol'> {
  /** As they were typed in: what is wrong is told together with all else. */
  readonly atol: number | string;
  readonly rtol: number | string;
  readonly out: string;
  /** Names of the experiments to compare; empty for all. */
  readonly experiment: readonly string[];
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly plot?: string | undefined;
  readonly quantity?: string | undefined;
}

/**
 * Compares `before`, by default HEAD, with `after`, by default the results of the working tree.
 *
 * @returns the exit code: 0 the same or the same law, 1 different.
 * @throws UserError for what cannot be read or drawn.
 */
export async function diff(
  before: string | undefined,
  after: string | undefined,
  command: DiffCommand,
  effects: Effects,
): Promise<number> {
  const problems = problemsOf(command);
  const options = command as DiffOptions;
  const format = command.plot === undefined ? undefined : formatOf(command.plot);
  const [old, now] = await readSides(before ?? 'HEAD', after ?? command.out, command, problems);
  // Two single experiments are compared whatever they are called.
  const experiments =
    old.isSingle && now.isSingle
      ? [diffExperiment(old.results[0]!, now.results[0]!, options)]
      : diffResults(old.results, now.results, options);
  const report: DiffReport = {
    before: old.label,
    after: now.label,
    atol: options.atol,
    rtol: options.rtol,
    same: experiments.every(({ verdict }) => isSame(verdict)),
    warnings: [...old.warnings, ...now.warnings],
    experiments,
  };
  if (!command.quiet) print(report, command, effects);
  if (format) await plot(old, now, report, command, format, effects);
  return report.same ? EXIT.fine : EXIT.different;
}

async function readSides(
  before: string,
  after: string,
  { out, experiment }: DiffCommand,
  problems: readonly string[],
): Promise<[Side, Side]> {
  const settled = await Promise.allSettled([
    readSide(before, out, experiment),
    readSide(after, out, experiment),
  ]);
  const reasons = settled.flatMap((side) => (side.status === 'rejected' ? [side.reason] : []));
  const bug = reasons.find((reason) => !(reason instanceof UserError));
  if (bug) throw bug;
  const told = new Set([...problems, ...reasons.map(({ message }) => message)]);
  if (told.size > 0) throw new UserError([...told].join('\n'));
  const [old, now] = settled.map((side) => (side as PromiseFulfilledResult<Side>).value) as [Side, Side];
  if (old.results.length + now.results.length === 0) {
    const names = experiment.length > 0 ? ` of ${experiment.join(', ')}` : '';
    throw new UserError(`expected results${names} in ${old.label} or ${now.label}; found none in either`);
  }
  return [old, now];
}

function print(
  report: DiffReport,
  { json, markdown }: DiffCommand,
  { write, tell, terminal }: Effects,
): void {
  report.warnings.forEach(tell);
  if (json) write(`${JSON.stringify(report, null, 2)}\n`);
  else if (markdown) write(markdownReport(report));
  else write(textReport(report, terminal));
}

const FORMATS = ['svg', 'png', 'html'] as const;
type Format = (typeof FORMATS)[number];

const formatOf = (path: string): Format | undefined => FORMATS.find((each) => extname(path) === `.${each}`);

/** What is wrong with the options, one by one and together. */
function problemsOf({ plot: file, quantity, ...sizes }: DiffCommand): readonly string[] {
  const problems = (['atol', 'rtol'] as const)
    .filter((name) => !(typeof sizes[name] === 'number' && sizes[name] >= 0))
    .map((name) => `--${name} ${sizes[name]}: expected a number >= 0`);
  if (file !== undefined && formatOf(file) === undefined)
    problems.push(`--plot ${file}: expected a file name that ends in .svg, .png or .html`);
  if (file === undefined && quantity !== undefined)
    problems.push(`--quantity ${quantity}: expected --plot beside it, which draws the quantity`);
  return problems;
}

/** Draws the first experiment that differs, or else the first. */
async function plot(
  old: Side,
  now: Side,
  { experiments }: DiffReport,
  command: DiffCommand,
  format: Format,
  { drawChart, tell }: Effects,
): Promise<void> {
  const pairs = experiments.flatMap(({ name, verdict }) => {
    const after = now.results.find((each) => each.name === name);
    const before =
      old.isSingle && now.isSingle ? old.results[0] : old.results.find((each) => each.name === name);
    return before && after ? [{ before, after, isDifferent: !isSame(verdict) }] : [];
  });
  const pair = pairs.find(({ isDifferent }) => isDifferent) ?? pairs[0];
  if (!pair) throw new UserError('--plot: no experiment is on both sides; there is nothing to draw');
  const { diffChart } = await import('../diff/chart.js');
  const labels = { before: old.label, after: now.label };
  const refuse = (message: string) => new UserError(`--plot ${command.plot}: ${message}`);
  const warn = (message: string) => tell(`--plot ${command.plot}: ${message}`);
  let chart: Awaited<ReturnType<typeof diffChart>>;
  try {
    chart = await diffChart(pair.before, pair.after, command.quantity, labels, { drawChart, warn });
  } catch (error) {
    if (error instanceof UserError || !(error as Error).message.startsWith('chart: ')) throw error;
    throw refuse((error as Error).message);
  }
  if (format === 'png' && chart.pngProblem !== undefined) throw refuse(chart.pngProblem);
  writeFile(command.plot!, chart[format]);
}
