/** The draws of two tables, by setting and layer: what laws are compared by. */

import { column, STEP_NUMBER, type Table, type Value } from '../results/table.js';
import type { SettingSample } from './laws.js';
import { keysOf } from './rows.js';

/**
 * Columns that do not change the law, and the layer and the step: what one network has at several of them is no independent
 * draw, and is compared as a whole.
 */
const NOT_A_SETTING = ['draw', 'weights', 'layer', STEP_NUMBER];

/** Networks of one setting. */
interface Setting {
  /** In the order of their numbers; the k-th row of a draw at a layer is a network of its own. */
  readonly networks: readonly string[];
  /** For each layer, and step where there are several, the row of each network. */
  readonly layers: ReadonlyMap<Value, ReadonlyMap<string, number>>;
  readonly weights: Value;
}

export interface Draws {
  /** Their values, of the quantities given; a layer is known by a row of the second table. */
  settings(quantities: readonly string[]): SettingSample<number>[];
  /** Layers of settings, counted. */
  readonly added: number;
  readonly removed: number;
  readonly common: number;
  /** Draws of the settings that both have, when they differ. */
  readonly counts: { readonly before: number; readonly after: number } | null;
  /** Kinds of weights, of the settings where they differ. */
  readonly weights: { readonly before: Value; readonly after: Value; readonly settings: number } | null;
}

/** Sorts the rows of two tables into draws of the same law. */
export function matchDraws(before: Table, after: Table, varying: readonly string[]): Draws {
  const by = varying.filter((column) => !NOT_A_SETTING.includes(column));
  const [old, now] = [settingsOf(before, by), settingsOf(after, by)];
  const draws = { before: new Set<string>(), after: new Set<string>() };
  let [added, removed, common, others] = [0, 0, 0, 0];
  let weights: readonly [Value, Value] | undefined;
  const settings: { was: Setting; is: Setting; layers: readonly Value[] }[] = [];
  for (const [key, was] of old) {
    const is = now.get(key);
    if (!is) {
      removed += was.layers.size;
      continue;
    }
    for (const network of was.networks) draws.before.add(network);
    for (const network of is.networks) draws.after.add(network);
    if (was.weights !== is.weights) {
      weights ??= [was.weights, is.weights];
      others += 1;
    }
    const layers = [...was.layers.keys()].filter((layer) => is.layers.has(layer));
    common += layers.length;
    removed += was.layers.size - layers.length;
    added += is.layers.size - layers.length;
    settings.push({ was, is, layers });
  }
  for (const [key, is] of now) if (!old.has(key)) added += is.layers.size;
  const isSame =
    draws.before.size === draws.after.size && [...draws.before].every((draw) => draws.after.has(draw));
  return {
    settings: (quantities) =>
      settings.map(({ was, is, layers }) => ({
        layers: layers.map((layer) => is.layers.get(layer)!.values().next().value!),
        samples: (q) =>
          layers.map((layer) => ({
            before: valuesOf(before, was, layer, quantities[q]!),
            after: valuesOf(after, is, layer, quantities[q]!),
          })),
      })),
    added,
    removed,
    common,
    counts: isSame ? null : { before: draws.before.size, after: draws.after.size },
    weights: weights ? { before: weights[0], after: weights[1], settings: others } : null,
  };
}

function settingsOf(table: Table, by: readonly string[]): Map<string, Setting> {
  const [draws, layersOfRows, weightsOfRows] = ['draw', 'layer', 'weights'].map((name) =>
    column(table, name),
  );
  const steps = column(table, STEP_NUMBER);
  const settings = new Map<string, { layers: Map<Value, Map<string, number>>; weights: Value }>();
  for (const [row, key] of keysOf(table, by).entries()) {
    const setting = settings.get(key) ?? { layers: new Map(), weights: weightsOfRows?.[row] ?? null };
    settings.set(key, setting);
    const ofLayer = layersOfRows?.[row] ?? null;
    const layer = steps ? `${ofLayer} at step ${steps[row]}` : ofLayer;
    const networks = setting.layers.get(layer) ?? new Map();
    setting.layers.set(layer, networks);
    const draw = String(draws?.[row] ?? '');
    // A draw that comes twice is taken for another one, by the count of rows, which is as unique as it is cheap.
    networks.set(networks.has(draw) ? `${draw} (row ${networks.size + 1} of the layer)` : draw, row);
  }
  return new Map(
    Array.from(settings, ([key, { layers, weights }]) => {
      const networks = new Set(Array.from(layers.values(), (rows) => [...rows.keys()]).flat());
      return [
        key,
        {
          layers,
          weights,
          networks: [...networks].sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b)),
        },
      ];
    }),
  );
}

function valuesOf(
  table: Table,
  { networks, layers }: Setting,
  layer: Value,
  quantity: string,
): (number | null)[] {
  const rows = layers.get(layer)!;
  const at = table.columns.indexOf(quantity);
  return networks.map((network) => {
    const row = rows.get(network);
    return row === undefined ? null : (table.rows[row]![at] as number | null);
  });
}
