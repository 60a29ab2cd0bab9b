/** Slopes and optima as short tables: a line for each scaling and network, all steps and values of the other axis in one. */
import { OPTIMUM_COLUMNS, SLOPE_COLUMNS } from '../config/columns.js';
import { largest, smallest } from '../core/extremes.js';
import { OPTIMA, SLOPES } from '../results/file-names.js';
import type { Table, Value } from '../results/table.js';
import type { Fits } from '../store/results-folder.js';
import type { Terminal } from './terminal.js';
import { textTable } from './text-table.js';

type SlopeRecord = Readonly<Record<string, Value>>;

/** Rows of a table by the names of their columns. */
export function recordsOf({ columns, rows }: Table): SlopeRecord[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, j) => [name, row[j]!])));
}

/** Columns that a line has in words of its own, or puts together: the slopes of all steps and values of the other axis. */
const TOLD: readonly string[] = [
  'experiment',
  'architecture',
  'activation',
  'depth',
  'width',
  'branch_scale',
  'scaling',
  ...SLOPE_COLUMNS,
];

/** All that was fitted. */
export function fitsText({ [SLOPES]: slopes, [OPTIMA]: optima }: Fits, terminal: Terminal): string {
  return [
    ...(slopes ? [slopesText(slopes, terminal)] : []),
    ...(optima ? [optimaText(optima, terminal)] : []),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

/** The optima of every setting: where, with the interval, the quantity there, and what the optimum of the smallest network costs. */
function optimaText(optima: Table, terminal: Terminal): string {
  const told: readonly string[] = ['experiment', 'activation', ...OPTIMUM_COLUMNS];
  const others = optima.columns.filter((column) => !told.includes(column));
  const brief = (value: Value | undefined) =>
    value === null || value === undefined ? '' : String(Number(Number(value).toPrecision(3)));
  const rows = recordsOf(optima).map((record) => {
    const { from_step, to_step, quantity, along, optimum, low, high, censored, regret } = record;
    const end = censored === 'no' ? '' : ` (${censored} end)`;
    return [
      ...others.map((column) => String(record[column] ?? '')),
      `${from_step} .. ${to_step}`,
      optimum === null ? 'none' : `${along} = ${brief(optimum)}${end}`,
      `${brief(low)} .. ${brief(high)}`,
      `${quantity} ${brief(record.quantity_at_optimum)}`,
      brief(regret),
    ];
  });
  return textTable([...others, 'steps', 'optimum', '95 %', 'quantity', 'regret'], rows, terminal);
}

/** `|feature_rms| ~ depth^slope`, by scaling: the smallest and largest slope, what is expected, and the verdicts. */
function slopesText(slopes: Table, terminal: Terminal): string {
  const lines = new Map<string, SlopeRecord[]>();
  const others = slopes.columns.filter((column) => !TOLD.includes(column));
  for (const record of recordsOf(slopes)) {
    const { quantity, axis, scaling, architecture, activation, branch_scale } = record;
    const own = others.map((column) => record[column]);
    const key = JSON.stringify([quantity, axis, scaling, architecture, activation, branch_scale, ...own]);
    lines.set(key, [...(lines.get(key) ?? []), record]);
  }
  const rows = [...lines.values()].map((records) => {
    const { quantity, axis, scaling, architecture, activation, branch_scale, expected, margin } = records[0]!;
    const beta = architecture === 'mlp' || !branch_scale ? [] : [`beta = ${branch_scale}`];
    const own = others
      .filter((column) => records[0]![column] !== null)
      .map((column) => `${column} = ${records[0]![column]}`);
    const network = [activation ? `${activation} ${architecture}` : architecture, ...beta, ...own].join(', ');
    return [
      ...[quantity, axis, scaling, network].map((value) => String(value ?? '')),
      rangeText(records),
      expected === null ? '' : `${expected} +- ${margin}`,
      verdictText(records),
    ];
  });
  return textTable(
    ['quantity', 'axis', 'scaling', 'network', 'slope', 'expected', 'verdict'],
    rows,
    terminal,
  );
}

function rangeText(records: readonly SlopeRecord[]): string {
  const slopes = records.flatMap(({ slope }) => (slope === null ? [] : [Number(slope)]));
  if (slopes.length === 0) return 'none';
  const [least, most] = [smallest(slopes).toFixed(2), largest(slopes).toFixed(2)];
  return least === most ? least : `${least} .. ${most}`;
}

function verdictText(records: readonly SlopeRecord[]): string {
  const count = (verdict: Value | undefined) => records.filter((record) => record.verdict === verdict).length;
  const { verdict } = records[0]!;
  if (count(verdict) === records.length) return String(verdict ?? '');
  return ['holds', 'fails', 'undecided']
    .flatMap((each) => (count(each) > 0 ? [`${each} ${count(each)}`] : []))
    .join(', ');
}
