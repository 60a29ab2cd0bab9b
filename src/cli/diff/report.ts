/** A diff in words: for people on a terminal, for a pull request. */
import { type ExperimentDiff, isSame } from '../../compare/diff.js';
import { FAMILY_LEVEL, FEWEST_DRAWS, type LawTest } from '../../compare/laws.js';
import type { Cell, QuantityChanges } from '../../compare/rows.js';
import type { Terminal } from '../terminal.js';
import { textTable } from '../text-table.js';

export interface DiffReport {
  readonly before: string;
  readonly after: string;
  readonly atol: number;
  readonly rtol: number;
  readonly same: boolean;
  readonly warnings: readonly string[];
  readonly experiments: readonly ExperimentDiff[];
}

const HEAD = ['experiment', 'quantity', 'changed', 'largest change', 'where'];

/** A table of what changed, and a line of verdict for each experiment. */
export function textReport(report: DiffReport, terminal: Terminal): string {
  const { green, red } = terminal;
  const lines = linesOf(report).map((line) => line.map(clean));
  const paint = ({ verdict }: ExperimentDiff) => (isSame(verdict) ? green(verdict) : red(verdict));
  return [
    `${clean(report.before)} -> ${clean(report.after)}`,
    ...(lines.length > 0 ? [textTable(HEAD, lines, terminal)] : []),
    ...report.experiments.map((each) => `${clean(each.name)}: ${paint(each)}${clean(reasons(each))}`),
    ...(report.experiments.length === 0 ? ['no results on either side'] : []),
    '',
  ].join('\n');
}

/** The same as GitHub's markdown. */
export function markdownReport(report: DiffReport): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = linesOf(report).map((line) => line.map(escapeMarkdown));
  const count = report.experiments.filter(({ verdict }) => !isSame(verdict)).length;
  return [
    `### Results: ${report.same ? 'no difference' : `${count} of ${report.experiments.length} experiments differ`}`,
    '',
    `${escapeMarkdown(report.before)} → ${escapeMarkdown(report.after)}`,
    '',
    row(['experiment', 'verdict', '']),
    row(['---', '---', '---']),
    ...report.experiments.map((each) =>
      row([
        escapeMarkdown(each.name),
        isSame(each.verdict) ? each.verdict : `**${each.verdict}**`,
        escapeMarkdown(reasons(each).replace(/^[:;,]? /, '')),
      ]),
    ),
    ...(lines.length > 0 ? ['', row(HEAD), row(HEAD.map(() => '---')), ...lines.map(row)] : []),
    '',
  ].join('\n');
}

function linesOf({ experiments }: DiffReport): string[][] {
  return experiments.flatMap((each) => [
    ...(each.rows?.quantities ?? [])
      .filter(({ changed }) => changed > 0)
      .map((changes) => rowLine(each, changes)),
    ...(each.laws && !isSame(each.verdict) ? each.laws.quantities : [])
      .filter(({ corrected }) => corrected <= FAMILY_LEVEL)
      .map((test) => lawLine(each, test)),
  ]);
}

function rowLine(
  { name, varying, rows }: ExperimentDiff,
  { quantity, changed, largest }: QuantityChanges,
): string[] {
  const share = `${changed} of ${rows!.common} rows`;
  return [
    name,
    quantity,
    share,
    `${number(largest!.before)} -> ${number(largest!.after)}`,
    place(largest!.cell, varying),
  ];
}

function lawLine({ name, varying }: ExperimentDiff, test: LawTest<Cell>): string[] {
  const { quantity, kind, before, after, shift, count, corrected } = test;
  const what = {
    welch: () => `mean ${number(before)} -> ${number(after)}`,
    fisher: () => `missing ${before} -> ${after} draws`,
    'closed-form': () => `${number(before)} -> ${number(after)}`,
    pairs: () =>
      `about ${((200 * Math.abs(shift!)) / (1 - Math.abs(shift!) || 1)).toPrecision(2)} % ${shift! > 0 ? 'up' : 'down'}`,
  }[kind]();
  const where = test.place ? place(test.place, varying) : `all settings, ${count} pairs of networks`;
  const how = kind === 'closed-form' ? 'closed form' : `law, p = ${probability(corrected)}`;
  return [name, quantity, how, what, where];
}

/** What an experiment's verdict rests on, after its name and verdict. */
function reasons({ rows, laws, notes, verdict, varying }: ExperimentDiff): string {
  const parts: string[] = [];
  if (rows && verdict !== 'same') {
    parts.push(
      `${rows.changed} of ${rows.common} rows changed, ${rows.added} added, ${rows.removed} removed`,
    );
  } else if (rows) parts.push(`${rows.common} rows`);
  if (laws?.smallest) {
    const { quantity, corrected, kind, place: at } = laws.smallest;
    const where = at ? place(at, varying) : 'all settings';
    parts.push(
      kind === 'closed-form' && corrected === 0
        ? `the closed form ${quantity} changed (${where})`
        : `smallest p = ${probability(corrected)} of ${laws.comparisons} comparisons (${quantity}; ${where})`,
    );
  }
  if (laws && laws.pooledOnly > 0) {
    parts.push(
      `${laws.pooledOnly} layers of settings with fewer than ${FEWEST_DRAWS} draws are compared as a whole only`,
    );
  }
  const all = [...parts, ...notes];
  return all.length > 0 ? `: ${all.join('; ')}` : '';
}

/** A cell by what tells it from others. */
function place(cell: Cell, varying: readonly string[]): string {
  const columns = varying.filter((column) => cell[column] !== null && cell[column] !== undefined);
  return columns.map((column) => `${column} ${short(cell[column]!)}`).join(', ') || 'the only row';
}

const short = (value: string | number): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;

/** Shortest text that reads back the same, so that a change in the last digit shows. */
const number = (value: number | null): string => (value === null ? 'missing' : String(value));

const probability = (p: number): string => (p === 0 ? '0' : p < 1e-4 ? p.toExponential(0) : p.toPrecision(2));

/** Names come from files: nothing in them reaches the terminal as a control character. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function escapeMarkdown(text: string): string {
  return clean(text)
    .replaceAll('->', '\u2192')
    .replace(/[\\`*_{}[\]<>#|~@]/g, (character) => (character === '<' ? '&lt;' : `\\${character}`));
}
