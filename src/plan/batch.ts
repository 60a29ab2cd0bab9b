/** Batches: cells that run together as the lanes of one step. How they are cut never shows in the results. */
import type { Experiment } from '../config/resolve.js';
import type { Cell } from './cell.js';

export type WeightsChoice = 'auto' | 'dense' | 'matrix-free';

export interface Batch {
  /** Indices into the cells of the experiment. */
  readonly cells: readonly number[];
  readonly width: number;
  readonly weights: 'dense' | 'matrix-free';
  /** Memory on the backend, estimated; bytes. */
  readonly bytes: number;
  /** Processor time, estimated; ms. */
  readonly cost: number;
}

export interface BatchLimits {
  /** A batch of more than one cell stays below this; bytes. */
  readonly bytes: number;
  /** Numbers that one state holds, lanes x n x m; beyond the cache, calls get slower and not fewer. */
  readonly stateSize: number;
}

/** Two workers stay well below 1 GB; at 64k numbers the overhead of a call is a tenth of its work. */
export const DEFAULT_LIMITS: BatchLimits = { bytes: 160e6, stateSize: 65_536 };

/** Measured costs, ns: a unit (one entry of one state at one layer), a matrix entry, a layer's calls to the backend. */
const UNIT_NS = 20;
const ENTRY_NS = 3.5;
const LAYER_NS = 150_000;

/**
 * Cuts the cells into batches, the costly first so that workers end together.
 *
 * Cells of one width, architecture and activation share a batch whatever their depth, branch scale and scaling: lanes
 * are ragged.
 */
export function cutBatches(
  experiment: Experiment,
  cells: readonly Cell[],
  choice: WeightsChoice,
  limits: BatchLimits = DEFAULT_LIMITS,
): Batch[] {
  // One step measures what is normalized, or what is not.
  const kindOf = ({ setting: { width, architecture, activation, scaling } }: Cell) =>
    [width, architecture, activation, scaling.isNormalized].join();
  const kinds = [...new Set(cells.map(kindOf))];
  const batches = kinds.flatMap((kind) => {
    const indices = cells.flatMap((cell, i) => (kindOf(cell) === kind ? [i] : []));
    const { width } = cells[indices[0]!]!.setting;
    const n = experiment.data.samples;
    const vectors = vectorsOf(experiment);
    const weights = chooseWeights(choice, vectors, width);
    const depth = (i: number) => cells[i]!.setting.depth;
    const bytesOf = (i: number) => cellBytes(weights, vectors, width, depth(i));
    const lanes = Math.max(1, Math.floor(limits.stateSize / (n * width)));
    const sorted = indices.toSorted((i, j) => depth(j) - depth(i) || i - j);
    const groups: number[][] = [];
    let bytes = 0;
    for (const i of sorted) {
      const own = bytesOf(i);
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
      const layers = group.reduce((sum, i) => sum + depth(i), 0);
      const layerNs =
        UNIT_NS * (vectors ** 2 / n) * width + (weights === 'dense' ? ENTRY_NS * width ** 2 : 0);
      return {
        cells: group,
        width,
        weights,
        bytes: group.reduce((sum, i) => sum + bytesOf(i), 0),
        cost: (layers * layerNs + depth(group[0]!) * LAYER_NS) / 1e6,
      };
    });
  });
  return batches.sort((a, b) => b.cost - a.cost);
}

/**
 * Matrix-free where it draws and multiplies less: its price for a layer is some 20 n^2 m operations, as every product
 * passes over the directions of all vectors before, that of dense weights some m^2 numbers.
 *
 * @param vectors that a matrix is multiplied with in a pass: samples, of all steps.
 */
export function chooseWeights(choice: WeightsChoice, vectors: number, width: number): Batch['weights'] {
  if (choice !== 'auto') return choice;
  return 8 * vectors ** 2 <= width ? 'matrix-free' : 'dense';
}

/** Vectors that a matrix of an experiment is multiplied with in a pass. */
export function vectorsOf({ data, step }: Experiment): number {
  return data.samples * step.count;
}

/** float32 numbers that one cell holds between the passes: states and images of products, and matrices if dense. */
function cellBytes(weights: Batch['weights'], vectors: number, width: number, depth: number): number {
  const states = vectors * width * (weights === 'dense' ? 4 : 6);
  return 4 * depth * (states + (weights === 'dense' ? width ** 2 : 0));
}
