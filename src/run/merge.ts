/** Shards put together: the tables of parts of an experiment as the table of the whole. */
import { type Experiment, recordedSteps } from '../config/resolve.js';
import { type WeightsChoice, weightsChooser } from '../plan/batch.js';
import { type Cell, expandCells } from '../plan/cell.js';
import { shardOf } from '../plan/shard.js';
import type { Table, Value } from '../results/table.js';
import { keyReader, rounded, withLabels } from './earlier-table.js';
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
  const weightsAt = weightsChooser(weights, experiment);
  const placeIn = placeReader(columns);
  const planned = new Map(
    cells.map((cell) => [
      cell.key,
      {
        cell,
        // How many layers a model has, its rows tell; a cell is measured whole, or not at all.
        places: experiment.model ? undefined : placesOf(experiment, cell),
        found: new Map<string, Found>(),
      },
    ]),
  );
  for (const part of parts) {
    const table = withLabels(experiment, part.table);
    if (table.columns.join() !== columns.join()) {
      throw new MergeError(`${part.name}: expected the columns ${columns}, got ${part.table.columns}`);
    }
    const keyOfRow = keyReader(experiment, columns);
    for (const row of table.rows) {
      const [key, place] = [keyOfRow(row), placeIn(row)];
      const plan = planned.get(key);
      if (!plan || plan.places?.includes(place) === false) {
        throw new MergeError(`${part.name}: ${place} of ${key} is not in the experiment`);
      }
      const { cell, found } = plan;
      const identity = identityOf(cell, weightsAt(cell.setting));
      const other = identity.findIndex((value, i) => value !== rounded(row[i]!));
      if (other !== -1) {
        const [expected, got] = [identity[other], row[other]].map((value) => value ?? 'nothing');
        throw new MergeError(
          `${part.name}: expected ${columns[other]} ${expected} as in its experiment, got ${got} at ${place} of ${key}`,
        );
      }
      const before = found.get(place);
      if (before?.row.some((value, i) => value !== row[i])) {
        throw new MergeError(
          `${part.name} and ${before.part.name} differ in ${differingColumn(columns, row, before.row)} of ${place} of ${key}`,
        );
      }
      found.set(place, before ?? { part, row });
    }
  }
  const plans = [...planned.values()];
  const inexact = new Set(parts.flatMap((part) => part.inexact ?? []));
  const missing = plans.filter(
    ({ cell, places, found }) =>
      found.size < (places?.length ?? recordedSteps(experiment).length) &&
      !(found.size === 0 && inexact.has(cell.key)),
  );
  if (missing.length > 0) {
    const keys = missing.map(({ cell }) => cell.key);
    throw new MergeError(describeGap(keys, cells.length, shards));
  }
  const rows = plans.flatMap(({ places, found }) =>
    found.size === 0 ? [] : (places ?? [...found.keys()]).map((place) => found.get(place)!.row),
  );
  return { columns, rows };
}

/** Where a cell has rows, in the order of the table. */
function placesOf(experiment: Experiment, { setting: { depth } }: Cell): string[] {
  const { record } = experiment;
  const layers = record.layers === 'all' ? Array.from({ length: depth - 1 }, (_, i) => i + 1) : [depth - 1];
  return recordedSteps(experiment).flatMap((step) => layers.map((layer) => placeOf(step, layer)));
}

/** Reads the place in its cell off a row. */
function placeReader(columns: readonly string[]) {
  const [layer, step] = [columns.indexOf('layer'), columns.indexOf('step_number')];
  return (row: readonly Value[]) => placeOf(step === -1 ? 1 : Number(row[step]), Number(row[layer]));
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
