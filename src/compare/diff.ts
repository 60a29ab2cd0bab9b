/**
 * What changed between two tables of one experiment.
 *
 *     tables, manifests -> the same draws?  -yes-> row by row
 *                                           -no--> law by law, and row by row what is the same draw none the less
 */
import { isLabelColumn } from '../config/columns.js';
import { fixedValue } from '../config/file/fixed-value.js';
import type { Manifest } from '../results/manifest.js';
import { column, STEP_NUMBER, type Table, type Value } from '../results/table.js';
import { type Draws, matchDraws } from './draws.js';
import { compareLaws, type LawComparison, type LawTest } from './laws.js';
import {
  type Cell,
  cellColumns,
  cellOf,
  compareRows,
  quantitiesOf,
  type RowsComparison,
  type Tolerance,
  varyingColumns,
} from './rows.js';

/** One experiment of one side. */
export interface Results {
  readonly name: string;
  readonly table: Table;
  /** null where there is a table alone: its seed is not known, and taken for the same. */
  readonly manifest: Pick<Manifest, 'seed' | 'digest' | 'commit' | 'experiment'> | null;
}

export interface DiffOptions extends Tolerance {
  /** `auto`: laws where the draws are others, else rows. */
  readonly compare: 'auto' | 'rows' | 'laws';
}

/** In the order of how much is said: these are the words of the report. */
export type Verdict =
  | 'same'
  | 'same law'
  | 'different'
  | 'different law'
  | 'too few draws'
  | 'added'
  | 'removed';

export interface ExperimentDiff {
  readonly name: string;
  readonly verdict: Verdict;
  /** What explains the rest, in sentences: another schema, seed, number of draws, kind of weights, setting. */
  readonly notes: readonly string[];
  /** Cell columns that have more than one value; what a cell is called by. */
  readonly varying: readonly string[];
  /** null where no two rows are the same draw, and for what was added or removed. */
  readonly rows: RowsComparison | null;
  /** null where rows alone decide. */
  readonly laws: LawComparison<Cell> | null;
}

/** Whether a verdict is no difference. */
export function isSame(verdict: Verdict): boolean {
  return verdict === 'same' || verdict === 'same law';
}

/** Compares the experiments of two sides by name, in the order of the second, then what the first had besides. */
export function diffResults(
  before: readonly Results[],
  after: readonly Results[],
  options: DiffOptions,
): ExperimentDiff[] {
  const only = (side: Results, verdict: 'added' | 'removed'): ExperimentDiff => ({
    name: side.name,
    verdict,
    notes: [`${side.table.rows.length} rows`],
    varying: [],
    rows: null,
    laws: null,
  });
  return [
    ...after.map((now) => {
      const old = before.find(({ name }) => name === now.name);
      return old ? diffExperiment(old, now, options) : only(now, 'added');
    }),
    ...before
      .filter(({ name }) => !after.some((now) => now.name === name))
      .map((old) => only(old, 'removed')),
  ];
}

/** Compares two tables, whatever their experiments are called. */
export function diffExperiment(before: Results, after: Results, options: DiffOptions): ExperimentDiff {
  const old = withColumnsOf(after.table, before);
  const now = withColumnsOf(before.table, after);
  const varying = varyingColumns(old, now);
  const quantities = quantitiesOf(old).filter((quantity) => now.columns.includes(quantity));
  const schema = schemaNotes(old, now);
  const draws = matchDraws(old, now, varying);
  const others = drawNotes(before, after, draws);
  const byLaw = options.compare === 'laws' || (options.compare === 'auto' && others.notes.length > 0);
  // Cells draw by their seed and number, so draws with the same number are the same while the seed and the weights are.
  const hasSameDraws = options.compare === 'rows' || !byLaw || (others.onlyDraws && before.manifest !== null);
  const rows = hasSameDraws ? compareRows(old, now, varying, options) : null;
  const laws = byLaw ? placed(compareLaws(quantities, draws.settings(quantities), options), now) : null;
  const settings = byLaw ? settingNotes(draws) : [];
  return {
    name: after.name,
    verdict: verdictOf(rows, laws, schema.length + settings.length > 0),
    notes: [
      ...(before.name === after.name ? [] : [`${before.name} before, ${after.name} after`]),
      ...schema,
      ...columnNotes(old, now),
      ...others.notes,
      ...settings,
      ...(rows?.common === 0 && draws.common === 0 ? identityNotes(old, now) : []),
    ],
    varying,
    rows,
    laws,
  };
}

/** A comparison with the cells of its rows, which belong to all draws. */
function placed({ quantities, smallest, ...rest }: LawComparison<number>, table: Table): LawComparison<Cell> {
  const withCell = ({ place, ...test }: LawTest<number>): LawTest<Cell> => ({
    ...test,
    place: place === null ? null : { ...cellOf(table, place), draw: null },
  });
  return { ...rest, quantities: quantities.map(withCell), smallest: smallest && withCell(smallest) };
}

function verdictOf(
  rows: RowsComparison | null,
  laws: LawComparison<Cell> | null,
  isExtended: boolean,
): Verdict {
  if (laws?.verdict === 'different law') return 'different law';
  if (isExtended) return 'different';
  if (!laws) return rows!.added + rows!.removed + rows!.changed === 0 ? 'same' : 'different';
  if (rows && rows.changed > 0) return 'different';
  // Draws that are the same to the last digit say more than a test of those that were added.
  return rows && rows.common > 0 ? 'same law' : laws.verdict;
}

/**
 * The table of a side with the columns of the other that tell its rows apart and that it is without, where the experiment has
 * one value for them: what is swept in one and fixed in the other.
 */
function withColumnsOf(other: Table, { table, manifest }: Results): Table {
  const lacking = cellColumns(other).filter((column) => !table.columns.includes(column));
  const fixed = lacking.flatMap((column): [string, Value][] => {
    const value =
      column === STEP_NUMBER ? 1 : manifest?.experiment && fixedValue(column, manifest.experiment);
    return typeof value === 'string' || typeof value === 'number' ? [[column, value]] : [];
  });
  if (fixed.length === 0) return table;
  const [columns, values] = [fixed.map(([column]) => column), fixed.map(([, value]) => value)];
  // Before the layer, where parameters stand.
  const at = table.columns.indexOf('layer');
  const inserted = <T>(list: readonly T[], more: readonly T[]) => [
    ...list.slice(0, at),
    ...more,
    ...list.slice(at),
  ];
  return {
    columns: inserted(table.columns, columns),
    rows: table.rows.map((row) => inserted(row, values)),
  };
}

/** Columns that one side has and that are not compared; and labels that are others for what is the same in numbers. */
function columnNotes(before: Table, after: Table): string[] {
  const told = (table: Table) => [...cellColumns(table), ...table.columns.filter(isLabelColumn)];
  const [old, now] = [told(before), told(after)];
  const added = now.filter((column) => !old.includes(column));
  const removed = old.filter((column) => !now.includes(column));
  const renamed = now.filter((column) => isLabelColumn(column) && old.includes(column));
  return [
    ...(added.length > 0 ? [`new columns, not compared: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`columns that are gone, not compared: ${removed.join(', ')}`] : []),
    ...renamed.flatMap((column) => differenceOf(before, after, column)),
  ];
}

function schemaNotes(before: Table, after: Table): string[] {
  const [old, now] = [quantitiesOf(before), quantitiesOf(after)];
  const added = now.filter((quantity) => !old.includes(quantity));
  const removed = old.filter((quantity) => !now.includes(quantity));
  return [
    ...(added.length > 0 ? [`new quantities: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`quantities that are gone: ${removed.join(', ')}`] : []),
  ];
}

/** What makes draws others; `onlyDraws`: their number and nothing else. */
function drawNotes(before: Results, after: Results, { counts: found, weights }: Draws) {
  // Where as many draws were asked for, those that are missing are rows that are.
  const asked = [before, after].map(({ manifest }) => {
    const experiment = manifest?.experiment as { draws?: unknown } | undefined;
    return experiment && (experiment.draws ?? 1);
  });
  const counts = asked[0] !== undefined && asked[0] === asked[1] ? null : found;
  const seeds = [before.manifest?.seed, after.manifest?.seed];
  const isOtherSeed = seeds[0] !== undefined && seeds[1] !== undefined && seeds[0] !== seeds[1];
  return {
    notes: [
      ...(isOtherSeed ? [`seed ${seeds.join(' -> ')}: other draws`] : []),
      ...(counts ? [`draws ${counts.before} -> ${counts.after}`] : []),
      ...(weights
        ? [
            `weights ${weights.before} -> ${weights.after} in ${weights.settings} settings: other draws of the same law`,
          ]
        : []),
    ],
    onlyDraws: counts !== null && !isOtherSeed && !weights && seeds[0] === seeds[1],
  };
}

function settingNotes({ added, removed, common }: Draws): string[] {
  const of = `beside ${common} layers of settings that are in both`;
  return [
    ...(added > 0 ? [`${added} added ${of}`] : []),
    ...(removed > 0 ? [`${removed} removed ${of}`] : []),
  ];
}

/** Why no row of one table is in the other: the columns that differ. */
function identityNotes(before: Table, after: Table): string[] {
  if (before.rows.length === 0 || after.rows.length === 0) return [];
  return cellColumns(after)
    .filter((column) => before.columns.includes(column))
    .flatMap((column) => differenceOf(before, after, column))
    .map((difference) => `no setting is in both; ${difference}`);
}

/** The values of a column before and after, where they are not the same. */
function differenceOf(before: Table, after: Table, name: string): string[] {
  const valuesOf = (table: Table) => [
    ...new Set(column(table, name)?.map((value) => String(value ?? 'none'))),
  ];
  const shown = (values: readonly string[]) =>
    values.length > 3 ? `${values.slice(0, 3).join(', ')}, ... (${values.length} values)` : values.join(', ');
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const isOther = old.length !== now.length || old.some((value) => !now.includes(value));
  return isOther ? [`${name}: ${shown(old)} -> ${shown(now)}`] : [];
}
