/** Shards put together: the tables of parts of an experiment as the table of the whole. */
import type { Experiment } from '../config/resolve.js';
import { type CellIdentity, expandCells, keyOf } from '../plan/cell.js';
import { shardOf } from '../plan/shard.js';
import { twelveDigits } from '../quantities.js';
import type { Table, Value } from '../results/table.js';

/** The table of a shard, and what it is called where something is wrong with it. */
export interface Part {
  readonly name: string;
  readonly table: Table;
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
 * @param shards how many the parts are shards of, if all are of as many; for the message of what is missing.
 * @throws MergeError for cells or layers that are in no part, that are in two and differ, and that are none of the
 * experiment's.
 */
export function mergeTables(
  experiment: Experiment,
  parts: readonly Part[],
  shards: number | undefined,
): Table {
  const columns = parts[0]!.table.columns;
  const found = new Map<string, Map<string, Found>>();
  for (const part of parts) {
    if (part.table.columns.join() !== columns.join()) {
      throw new MergeError(`${part.name}: has other columns than ${parts[0]!.name}`);
    }
    const identityOf = identityReader(columns, part.name);
    for (const row of part.table.rows) {
      const { key, layer } = identityOf(row);
      const layers = found.get(key) ?? new Map<string, Found>();
      const other = layers.get(layer);
      if (other?.row.some((value, i) => value !== row[i])) {
        throw new MergeError(
          `${part.name} and ${other.part.name} differ in ${differingColumn(columns, row, other.row)} of ${layer} of ${key}`,
        );
      }
      found.set(key, layers.set(layer, other ?? { part, row }));
    }
  }

  const cells = expandCells(experiment);
  const layersOf = (depth: number) => {
    const layers =
      experiment.record.layers === 'all' ? Array.from({ length: depth - 1 }, (_, i) => i + 1) : [depth - 1];
    const steps = Array.from({ length: experiment.step.count }, (_, i) => i + 1);
    return steps.flatMap((step) => layers.map((layer) => placeOf(step, layer)));
  };
  const missing = cells.filter(
    ({ key, setting }) => !layersOf(setting.depth).every((layer) => found.get(key)?.has(layer)),
  );
  if (missing.length > 0)
    throw new MergeError(
      describeGap(
        missing.map(({ key }) => key),
        cells.length,
        shards,
      ),
    );

  const rows = cells.flatMap(({ key, setting }) =>
    layersOf(setting.depth).map((layer) => found.get(key)!.get(layer)!),
  );
  const used = new Set(rows.map(({ row }) => row));
  for (const [key, layers] of found) {
    for (const [layer, { part, row }] of layers) {
      if (!used.has(row)) throw new MergeError(`${part.name}: ${layer} of ${key} is not in the experiment`);
    }
  }
  return { columns, rows: rows.map(({ row }) => row) };
}

/** Reads the key of a cell and the layer off a row. */
function identityReader(columns: readonly string[], name: string) {
  const column = (title: string) => {
    const at = columns.indexOf(title);
    if (at === -1) throw new MergeError(`${name}: has no column ${title}`);
    return {
      text: (row: readonly Value[]) => String(row[at]),
      // Tables of earlier versions have all digits.
      number: (row: readonly Value[]) => twelveDigits(Number(row[at])),
    };
  };
  const readers = {
    architecture: column('architecture').text,
    activation: column('activation').text,
    depth: column('depth').number,
    width: column('width').number,
    inputWidth: column('input_width').number,
    outputWidth: column('output_width').number,
    samples: column('samples').number,
    branchScale: column('branch_scale').number,
    scaling: column('scaling').text,
    draw: column('draw').number,
  };
  const layer = column('layer').number;
  const step = columns.includes('step_number') ? column('step_number').number : () => 1;
  return (row: readonly Value[]) => {
    const values = Object.fromEntries(Object.entries(readers).map(([part, read]) => [part, read(row)]));
    return { key: keyOf(values as unknown as CellIdentity), layer: placeOf(step(row), layer(row)) };
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
