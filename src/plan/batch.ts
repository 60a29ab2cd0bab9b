/** Batches: cells that run together as the lanes of one step. How they are cut never shows in the results. */
import { AXIS_NAMES, entryOf } from '../config/axes.js';
import { type Experiment, isTraining } from '../config/resolve.js';
import { axisValue, type Setting } from '../config/settings.js';
import { isOfMatrices } from '../quantities.js';
import type { Cell } from './cell.js';
import { backendBytes, callsNs, directionsNs, hostBytes, workNs } from './cost.js';
import { type Demand, demandOf } from './demand.js';
import { modelBatches } from './model-cost.js';
import type { Batch, WeightsKind } from './planned-batch.js';

export type WeightsChoice = 'auto' | WeightsKind;

export interface BatchLimits {
  /** A batch of more than one cell stays below this; bytes. */
  readonly bytes: number;
  /** Numbers that one state holds, lanes x n x m; beyond the cache, calls get slower and not fewer. */
  readonly stateSize: number;
}

/** Two workers stay well below 1 GB; at 64k numbers the overhead of a call is a tenth of its work. */
export const DEFAULT_LIMITS: BatchLimits = { bytes: 160e6, stateSize: 65_536 };

/**
 * Cuts the cells into batches, the costly first so that workers end together.
 *
 * Cells of one width, architecture and activation share a batch whatever their depth, branch scale and scaling: lanes
 * are ragged. The table of axes has what the cells of a batch have in common.
 */
export function cutBatches(
  experiment: Experiment,
  cells: readonly Cell[],
  choice: WeightsChoice,
  limits: BatchLimits = DEFAULT_LIMITS,
): Batch[] {
  if (experiment.model) return modelBatches(experiment, experiment.model, cells);
  const kinds = new Map<string, number[]>();
  cells.forEach(({ setting }, i) => {
    const kind = kindOf(setting);
    const same = kinds.get(kind);
    if (same) same.push(i);
    else kinds.set(kind, [i]);
  });
  const batches = [...kinds.values()].flatMap((indices) => {
    const { width, samples } = cells[indices[0]!]!.setting;
    const weights = chooseWeights(choice, experiment, cells[indices[0]!]!.setting);
    const depth = (i: number) => cells[i]!.setting.depth;
    // The cells of a kind cost the same at the same depth.
    const costs = new Map<number, Cost>();
    const cost = (i: number): Cost => {
      const known = costs.get(depth(i)) ?? costOf({ ...demandOf(experiment, cells[i]!.setting), weights });
      costs.set(depth(i), known);
      return known;
    };
    const lanes = Math.max(1, Math.floor(limits.stateSize / ((experiment.data.batch ?? samples) * width)));
    const groups: number[][] = [];
    let bytes = 0;
    for (const i of indices.sort((i, j) => depth(j) - depth(i) || i - j)) {
      const own = cost(i).bytes;
      const last = groups.at(-1);
      if (last && last.length < lanes && bytes + own <= limits.bytes) {
        last.push(i);
        bytes += own;
      } else {
        groups.push([i]);
        bytes = own;
      }
    }
    return groups.map((group): Batch => {
      const total = (of: 'bytes' | 'hostBytes' | 'work') => group.reduce((sum, i) => sum + cost(i)[of], 0);
      return {
        cells: group,
        width,
        samples,
        weights,
        bytes: total('bytes'),
        hostBytes: total('hostBytes'),
        cost: (total('work') + cost(group[0]!).calls) / 1e6,
      };
    });
  });
  return batches.sort((a, b) => b.cost - a.cost);
}

/** What the cells of a batch have in common, in words. */
function kindOf(setting: Setting): string {
  return [
    ...OF_BATCH.map((axis) => axisValue(axis, setting)),
    // One step measures what is normalized, or what is not.
    setting.scaling.isNormalized,
    // Lanes of widths that differ are of one depth.
    ...(setting.widths ?? []),
  ].join();
}

const OF_BATCH = AXIS_NAMES.filter((axis) => entryOf(axis).isOfBatch);

/** What one cell costs: bytes and ns; `calls` is of a batch whose deepest it is. */
const costOf = (demand: Demand) => ({
  bytes: backendBytes(demand),
  hostBytes: hostBytes(demand),
  work: workNs(demand),
  calls: callsNs(demand),
});
type Cost = ReturnType<typeof costOf>;

/** Lanes that share the calls of a batch, when weights are chosen: a cell does not know how many others there will be. */
const TYPICAL_LANES = 16;

/**
 * The weights of a cell: what was asked for, or the cheaper by processor time, of one matrix of each kind. That is by the
 * samples of all steps, and by width, input width and output width, and by nothing that may differ between cells of
 * one curve over depth, which have the same weights so; where widths grow with depth, by all matrices.
 */
export function chooseWeights(
  choice: WeightsChoice,
  experiment: Experiment,
  setting: Setting,
): Batch['weights'] {
  // The weights of a model are its own.
  if (experiment.model) return 'dense';
  if (choice !== 'auto') return choice;
  if (isTraining(experiment) || experiment.record.quantities.some(isOfMatrices)) return 'dense';
  // The pilots of normalized scales meet the same vectors again.
  const demand = { ...demandOf(experiment, setting), isNormalized: false };
  const shallow = demand.widths ? demand : { ...demand, depth: 3 };
  const cost = (weights: Batch['weights']) =>
    workNs({ ...shallow, weights }) + directionsNs({ ...shallow, weights }) / TYPICAL_LANES;
  return cost('matrix-free') <= cost('dense') ? 'matrix-free' : 'dense';
}

/** The same for any setting of an experiment, chosen once for those that may share a batch. */
export function weightsChooser(choice: WeightsChoice, experiment: Experiment) {
  const chosen = new Map<string, Batch['weights']>();
  return (setting: Setting): Batch['weights'] => {
    const kind = kindOf(setting);
    const weights = chosen.get(kind) ?? chooseWeights(choice, experiment, setting);
    chosen.set(kind, weights);
    return weights;
  };
}
