/** What a cell with a network of the user's own costs: of sizes that its model was seen to have, by times that were measured. */
import type { Model, ModelSize } from '../config/model.js';
import { type Experiment, recordedSteps } from '../config/resolve.js';
import type { Setting } from '../config/settings.js';
import { needsOf } from '../quantities.js';
import type { Cell } from './cell.js';
import type { Batch } from './planned-batch.js';

/** What decides the size of a model, as text: all that its module is asked for but the branch scale. */
export function sizeKeyOf({ depth, width, parameters }: Setting): string {
  return JSON.stringify([depth, width, parameters]);
}

/** The size of the network of a setting; where it was not made, of the one that was made with the nearest width and depth. */
export function sizeAt({ sizes }: Model, setting: Setting): ModelSize {
  const own = sizes?.get(sizeKeyOf(setting));
  if (own) return own;
  let nearest = UNKNOWN;
  let least = Infinity;
  for (const [key, size] of sizes ?? []) {
    const [depth, width] = JSON.parse(key) as [number | null, number | null];
    const apart = (a: number | null, b: number | null) => Math.abs(Math.log((a || 1) / (b || 1)));
    const distance = apart(depth, setting.depth) + apart(width, setting.width);
    if (distance < least) [least, nearest] = [distance, size];
  }
  return nearest;
}

/** Of a model that nobody has made: a transformer of four blocks and width 64. */
const UNKNOWN: ModelSize = { weights: 200_000, calls: 60, features: 100_000, products: 3_000_000 };

/** What a step takes: a call of a layer, an entry of the features of a sample, a product with a matrix of it, and a weight. */
interface Pace {
  readonly call: number;
  readonly feature: number;
  readonly product: number;
  readonly weight: number;
}

/**
 * Measured of thirteen sizes of the four networks of `configs/models`, ns; single sizes are off by a factor of 2 at the most. A velocity is
 * of two derivatives, one of the other; a step that nobody measures has a forward and a backward pass.
 */
const NS = {
  velocity: { call: 1.2e6, feature: 100, product: 1.2, weight: 20 },
  update: { call: 0.56e6, feature: 110, product: 0.05, weight: 110 },
  unmeasured: { call: 0.27e6, feature: 45, product: 0.06, weight: 35 },
  made: { call: 0.3e6, feature: 0, product: 0, weight: 30 },
} as const satisfies Record<string, Pace>;

/** Share of a step that nobody measures that is its forward pass. */
const FORWARD = 0.35;

/** Copies of features, and of weights, that a step holds at its peak, float32. */
const COPIES = { features: 12, weights: 8 } as const;

const bytesOf = (size: ModelSize, samples: number) =>
  4 * (COPIES.features * samples * size.features + COPIES.weights * size.weights);

const timeOf = ({ calls, features, products, weights }: ModelSize, samples: number, pace: Pace) =>
  calls * pace.call + samples * (features * pace.feature + products * pace.product) + weights * pace.weight;

/** Processor time of a cell, ns. */
function workOf(experiment: Experiment, setting: Setting, size: ModelSize): number {
  const { step, data, record } = experiment;
  const samples = data.batch ?? setting.samples;
  const measured = recordedSteps(experiment).length;
  const heldOut = needsOf(record.quantities).has('held-out outputs') ? (data.heldOut ?? 0) : 0;
  const batches = Math.ceil(heldOut / samples);
  return (
    timeOf(size, 1, NS.made) +
    measured * timeOf(size, samples, NS[step.kind]) +
    (step.count - measured) * timeOf(size, samples, NS.unmeasured) +
    measured * batches * FORWARD * timeOf(size, samples, NS.unmeasured) +
    // Eq. 7 is solved for by some three more velocities.
    (setting.scaling.isNormalized ? 3 * timeOf(size, samples, NS.velocity) : 0)
  );
}

/** A batch takes so long at the most, unless it is of one cell; ms. */
const BATCH_MS = 200;

/** Batches of cells that are measured one after the other, the costly first. */
export function modelBatches(experiment: Experiment, model: Model, cells: readonly Cell[]): Batch[] {
  const batches: Batch[] = [];
  let open: number[] = [];
  const costs = cells.map(({ setting }) => workOf(experiment, setting, sizeAt(model, setting)) / 1e6);
  const close = () => {
    if (open.length === 0) return;
    const settings = open.map((i) => cells[i]!.setting);
    const bytes = settings.map((setting) =>
      bytesOf(sizeAt(model, setting), experiment.data.batch ?? setting.samples),
    );
    const most = bytes.reduce((largest, each, i) => (each > bytes[largest]! ? i : largest), 0);
    batches.push({
      cells: open,
      width: settings[most]!.width,
      samples: settings[most]!.samples,
      weights: 'dense',
      // One is disposed of before the next is made.
      bytes: bytes[most]!,
      hostBytes: bytes[most]! / 4,
      cost: open.reduce((sum, i) => sum + costs[i]!, 0),
    });
    open = [];
  };
  const order = cells.map((_, i) => i).sort((i, j) => costs[j]! - costs[i]! || i - j);
  for (const i of order) {
    const cost = open.reduce((sum, j) => sum + costs[j]!, costs[i]!);
    if (cost > BATCH_MS) close();
    open.push(i);
  }
  close();
  return batches.sort((a, b) => b.cost - a.cost);
}
