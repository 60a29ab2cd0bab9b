/** Shards put together: the tables of parts of an experiment as the table of the whole. */
import { entryOf } from '../config/axes.js';
import { isLabelColumn } from '../config/columns.js';
import type { Experiment } from '../config/resolve.js';
import { chooseWeights, type WeightsChoice } from '../plan/batch.js';
import { type Cell, expandCells, keyNames, keyOf } from '../plan/cell.js';
import { shardOf } from '../plan/shard.js';
import { twelveDigits } from '../quantities.js';
import type { Table, Value } from '../results/table.js';
import { columnsOf, identitiesOf } from './rows.js';

/** The table of a shard, and what it is called where something is wrong with it. */
export interface Part {
  readonly name: string;
  readonly table: Table;
  /** Keys of the cells that broke an identity: no results, which have no rows. */
  readonly inexact?: readonly string[] | undefined;
}

/** The parts do not make up the whole. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

/** A row that was found, and in which part. */
interface Found {
  readonly part: Part;
  readonly row: readonly Value[];
}

/**
 * The table that one run of the experiment would have written: cells in plan order, layers rising.
 *
 * @param weights the choice with which the parts were measured.
 * @param shards how many the parts are shards of, if all are of as many; for the message of what is missing.
 * @throws MergeError for cells or layers that are in no part, that are in two and differ, that are none of the
 * experiment's, and that say otherwise what they were measured with.
 */
export function mergeTables(
  experiment: Experiment,
  weights: WeightsChoice,
  parts: readonly Part[],
  shards: number | undefined,
): Table {
  const columns = columnsOf(experiment);
  const cells = expandCells(experiment);
  const identityOf = identitiesOf(experiment);
  const planned = new Map(
    cells.map((cell) => [
      cell.key,
      { cell, places: placesOf(experiment, cell), found: new Map<string, Found>() },
    ]),
  );
  for (const part of parts) {
    const own = part.table.columns;
    // Tables of earlier versions are without labels, which the experiment knows.
    const needed = columns.filter((column) => !isLabelColumn(column) || own.includes(column));
    if (own.join() !== needed.join()) {
      throw new MergeError(`${part.name}: expected the columns ${columns}, got ${own}`);
    }
    const from = columns.map((column) => own.indexOf(column));
    const placeIn = identityReader(experiment, columns);
    for (const read of part.table.rows) {
      const found = from.map((j) => (j === -1 ? null : read[j]!));
      const { key, place } = placeIn(found);
      const plan = planned.get(key);
      if (!plan?.places.includes(place)) {
        throw new MergeError(`${part.name}: ${place} of ${key} is not in the experiment`);
      }
      const { cell } = plan;
      const identity = identityOf(cell, chooseWeights(weights, experiment, cell.setting));
      const row = found.map((value, j) => (from[j] === -1 ? identity[j]! : value));
      const other = identity.findIndex((value, i) => value !== rounded(row[i]!));
      if (other !== -1) {
        const [expected, got] = [identity[other], row[other]].map((value) => value ?? 'nothing');
        throw new MergeError(
          `${part.name}: expected ${columns[other]} ${expected} as in its experiment, got ${got} at ${place} of ${key}`,
        );
      }
      const before = plan.found.get(place);
      if (before?.row.some((value, i) => value !== row[i])) {
        throw new MergeError(
          `${part.name} and ${before.part.name} differ in ${differingColumn(columns, row, before.row)} of ${place} of ${key}`,
        );
      }
      plan.found.set(place, before ?? { part, row });
    }
  }
  const plans = [...planned.values()];
  const inexact = new Set(parts.flatMap((part) => part.inexact ?? []));
  const missing = plans.filter(
    ({ cell, places, found }) => found.size < places.length && !(found.size === 0 && inexact.has(cell.key)),
  );
  if (missing.length > 0) {
    const keys = missing.map(({ cell }) => cell.key);
    throw new MergeError(describeGap(keys, cells.length, shards));
  }
  const rows = plans.flatMap(({ places, found }) =>
    found.size === 0 ? [] : places.map((place) => found.get(place)!.row),
  );
  return { columns, rows };
}

/** Tables of earlier versions have all digits. */
const rounded = (value: Value) => (typeof value === 'number' ? twelveDigits(value) : value);

/** Where a cell has rows, in the order of the table. */
function placesOf({ record, step }: Experiment, { setting: { depth } }: Cell): string[] {
  const layers = record.layers === 'all' ? Array.from({ length: depth - 1 }, (_, i) => i + 1) : [depth - 1];
  const steps = Array.from({ length: step.count }, (_, i) => i + 1);
  return steps.flatMap((step) => layers.map((layer) => placeOf(step, layer)));
}

/** Reads the key of a cell and the place in it off a row. */
function identityReader(experiment: Experiment, columns: readonly string[]) {
  const names = keyNames(experiment);
  const places = new Map(columns.map((column, j) => [column, j]));
  return (row: readonly Value[]) => {
    const at = (column: string) => rounded(row[places.get(column)!]!);
    const key = keyOf(names, { axis: (axis) => at(entryOf(axis).column), parameter: at }, at('draw'));
    const step = places.has('step_number') ? Number(at('step_number')) : 1;
    return { key, place: placeOf(step, Number(at('layer'))) };
  };
}

/** Where a row of a cell is, in words. */
function placeOf(step: number, layer: number): string {
  return step === 1 ? `layer ${layer}` : `step ${step}, layer ${layer}`;
}

function differingColumn(columns: readonly string[], a: readonly Value[], b: readonly Value[]): string {
  return columns[a.findIndex((value, i) => value !== b[i])]!;
}

function describeGap(keys: readonly string[], cells: number, shards: number | undefined): string {
  const gap = `${keys.length} of ${cells} cells are in none of the parts, the first is ${keys[0]}`;
  if (!shards) return gap;
  const indices = [...new Set(keys.map((key) => shardOf(key, shards)))].sort((a, b) => a - b);
  const most = 20;
  const rest = indices.length > most ? ' ...' : '';
  return `${gap}; run shard ${indices
    .slice(0, most)
    .map((i) => `${i}/${shards}`)
    .join(', ')}${rest} to its end`;
}
