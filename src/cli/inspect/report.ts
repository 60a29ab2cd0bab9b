/** What `inspect` prints: the table of the layers, and below it what section 4.2 wants changed. */
import type { Inspection, LayerRow } from '../../model/index.js';
import { toCsv } from '../../results/table.js';
import type { Terminal } from '../terminal.js';
import { textTable } from '../text-table.js';

/** What is told beside the table. */
export interface Subject {
  readonly name: string;
  /** On what it was measured; nothing for a capture. */
  readonly setting: Readonly<Record<string, string | number>>;
}

/** Columns of the CSV, in order; `layer` counts from 1. */
const COLUMNS = [
  'feature_rms',
  'backward_rms',
  'contribution',
  'contribution_share',
  'bfa_rad',
  'sensitivity',
  'feature_speed_rms',
  'learning_rate',
  'learning_rate_factor',
  'speed_formula_residual',
] as const satisfies readonly (keyof LayerRow)[];

/** The table as CSV; what does not exist is an empty cell. */
export function inspectionCsv({ layers }: Inspection): string {
  return toCsv({
    columns: ['layer', 'layer_name', 'shape', 'is_cut', ...COLUMNS],
    rows: layers.map((row, i) => [
      i + 1,
      row.name,
      row.shape.join('x'),
      row.is_cut ? 1 : 0,
      ...COLUMNS.map((column) => row[column]),
    ]),
  });
}

const short = (value: number | null, digits = 3): string =>
  value === null ? '' : String(Number(value.toPrecision(digits)));

const percent = (value: number | null): string => (value === null ? '' : `${short(100 * value)} %`);

/** What is printed for people. */
export function inspectionText(
  { name, setting }: Subject,
  inspection: Inspection,
  terminal: Terminal,
): string {
  const { layers, notes } = inspection;
  const hasRates = layers.some((row) => row.learning_rate !== null);
  const { output_multiplier: multiplier, learning_rates: advised } = inspection.advice;
  // Gradients hang on the multiplier, and so do the rates.
  const isMoved = multiplier !== null && multiplier !== 1;
  const head = [
    ...['layer', 'shape', 'features', 'backward', 'share', 'BFA', 'S', 'speed'],
    hasRates ? 'rate, Eq. 8' : 'rate times',
    ...(isMoved ? ['with Eq. 7'] : []),
    'Thm 2.1',
  ];
  const rows = layers.map((row) => [
    row.name,
    row.shape.join(' x '),
    short(row.feature_rms),
    short(row.backward_rms),
    percent(row.contribution_share),
    row.bfa_rad === null ? '' : row.bfa_rad.toFixed(3),
    short(row.sensitivity),
    short(row.feature_speed_rms),
    short(hasRates ? row.learning_rate : row.learning_rate_factor, 4),
    ...(isMoved ? [row.learning_rate === null ? '' : short(advised[row.name] ?? null, 4)] : []),
    row.speed_formula_residual === null ? '' : row.speed_formula_residual.toExponential(1),
  ]);
  const aligns = head.map((_, i) => (i < 2 ? 'left' : 'right'));
  const settings = Object.entries(setting).map(([key, value]) => `${key.replaceAll('_', ' ')} ${value}`);
  return [
    name,
    settings.join(' · '),
    ...notes.map((note) => `note: ${note}`),
    textTable(head, rows, terminal, aligns),
    'features, backward, speed: rms; share: of the loss decay; BFA in rad; S: sensitivity (Eq. 4); rates of gradient descent',
    'Thm 2.1: its relative residual where all paths from the trained weights before lead through the layer; elsewhere it says nothing',
    '',
    ...adviceOf(inspection),
    '',
  ].join('\n');
}

/** Names that are listed of those out of balance. */
const MOST_LISTED = 12;

function adviceOf({
  layers,
  loss,
  loss_decay: decay,
  trained_layers: learning,
  advice,
}: Inspection): string[] {
  const lines: string[] = [];
  if (loss !== null) lines.push(`loss ${short(loss, 4)}, decaying by ${short(decay, 4)} in a unit of time`);
  if (advice.speed_formula_residual === null) lines.push('Thm 2.1: no layer is a cut');
  else {
    const cuts = layers.filter((row) => row.is_cut).length;
    lines.push(
      `Thm 2.1: largest residual ${advice.speed_formula_residual.toExponential(1)} at ${cuts} cuts, at ${advice.worst_cut}`,
    );
  }
  const sizes = layers.map((row) => row.feature_rms).filter((size) => size > 0);
  const [least, most] = sizes.reduce(([a, b], size) => [Math.min(a, size), Math.max(b, size)], [Infinity, 0]);
  lines.push(
    `(SP) features have rms ${short(least)} to ${short(most)}${most > 10 || least < 0.1 ? '; layer normalisation holds them at 1' : ''}`,
  );
  return [...lines, ...balanceLines(advice, learning), ...multiplierLines(advice)];
}

function balanceLines(advice: Inspection['advice'], learning: number): string[] {
  const { contribution_balance: balance, out_of_balance: far, without_gradient: none } = advice;
  const lines: string[] = [];
  if (balance !== null) {
    lines.push(
      `(BC) contributions of ${learning} layers: the largest is ${short(balance)} times the smallest${far.length === 0 ? ', balanced' : ''}`,
    );
  }
  for (const { name, times } of far.slice(0, MOST_LISTED)) {
    lines.push(`     ${name}: ${short(times)} times the mean; multiply its rate by ${short(1 / times)}`);
  }
  if (far.length > MOST_LISTED)
    lines.push(`     and ${far.length - MOST_LISTED} more that are nearer (--json lists them)`);
  if (none.length > 0) lines.push(`     no gradient reaches ${none.join(', ')}`);
  return lines;
}

function multiplierLines(advice: Inspection['advice']): string[] {
  const {
    features_layer: at,
    equation_7: now,
    equation_7_reached: reached,
    output_multiplier: factor,
  } = advice;
  if (at === null || now === null) {
    return ['(FL) Eq. 7: no layer with weights follows hidden features; it asks for nothing'];
  }
  const lines = [`(FL) Eq. 7 at ${at}: m |b|_rms cos(theta) = ${short(now)}, to be 1`];
  if (reached === null)
    lines.push(`     multiply these features by about ${short(1 / now)} on their way to the output`);
  else if (factor === null) {
    lines.push(`     no output multiplier gives 1; the most is ${short(reached)}, the loss being bounded`);
  } else if (factor === 1) lines.push('     as it is');
  else {
    lines.push(
      `     output multiplier ${short(factor, 6)}: multiply these features by it on their way to the output (--output-multiplier)`,
      '     the last column of rates is with it; --rates FILE takes them from an output of --json',
    );
  }
  return lines;
}
