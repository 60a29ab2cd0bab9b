/** A batch of cells in, their measurements out: the one function of the core that the program calls. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { ActivationName } from '../activations.js';
import { ARCHITECTURES, type ArchitectureName } from '../architectures/architectures.js';
import type { MeasuredQuantity, Need } from '../quantities.js';
import { ACTIVATIONS } from './activation.js';
import { backwardVelocity } from './backward-velocity.js';
import { type DataLaw, drawData } from './data.js';
import { largest, smallest } from './extremes.js';
import { type Lane, learns, type Shape, type Train } from './lane.js';
import { LOSSES, type LossName } from './loss.js';
import { angleBetween, angleOfSums, type LayerNorms, norm } from './measure.js';
import { type LayerFacts, MEASUREMENTS } from './measurements.js';
import { Network, type WeightsName } from './network.js';
import { isNormalizedAlone, normalizeNetwork } from './normalize.js';
import { dots, squaredNorms } from './ops.js';
import { type Broken, EQUATION_7 } from './proof.js';
import { type FinishedStep, Step, type StepSettings } from './step.js';
import type { Source } from './weights.js';

/** One network: what differs between the cells of a batch. */
export type BatchCell = Omit<Lane, 'input' | 'target'> & { readonly data: DataLaw };

export interface BatchSettings {
  readonly shape: Shape;
  readonly architecture: ArchitectureName;
  readonly activation: ActivationName;
  readonly weights: WeightsName;
  /** Whether scales are set by what is measured, section 4.2. */
  readonly isNormalized: boolean;
  readonly loss: LossName;
  readonly train: Train;
  readonly kind: 'update' | 'velocity';
  /** Steps that are taken and measured, one after the other. */
  readonly steps: number;
  readonly layers: 'all' | 'output';
  /** What is measured besides; the velocity of the backward pass is that of a velocity, and a homogeneous activation. */
  readonly needs?: ReadonlySet<Need>;
}

export interface CellMeasurement {
  /** Layers v that are recorded, rising; all of the first step, then all of the second. */
  readonly layers: readonly number[];
  /** By quantity, a number for each of them; NaN where it does not exist. */
  readonly values: Readonly<Record<MeasuredQuantity, Float64Array>>;
  /** First layer where features, backward pass or change left the range of float32. */
  readonly divergedAt: number | undefined;
  /** The first identity that the cell breaks, of those that hold exactly (see `proof.ts`): then it is not a result. */
  readonly inexact: Inexact | undefined;
}

/** Where a cell breaks an identity, and by how much. */
interface Inexact extends Broken {
  /** Number of the step, from 1. */
  readonly step: number;
}

/**
 * Takes the gradient steps of every cell and measures them.
 *
 * @param cells in any order, of any depths; the result is in their order.
 */
export function measureBatch(
  source: Source,
  cells: readonly BatchCell[],
  settings: BatchSettings,
): CellMeasurement[] {
  const { shape, kind, steps, needs = new Set() } = settings;
  const measuresBackward = needs.has('backward velocity');
  if (cells.length > 1 && settings.isNormalized && isNormalizedAlone(settings.weights, shape)) {
    return cells.flatMap((cell) => measureBatch(source, [cell], settings));
  }
  const order = cells.map((_, i) => i).sort((i, j) => cells[j]!.depth - cells[i]!.depth || i - j);
  const lanes = order.map((i) => {
    const { data, ...cell } = cells[i]!;
    return { ...cell, ...drawData(source.sampler, cell.seed, data, shape) };
  });
  const drafts = lanes.map((lane) => new Draft(lane, settings));
  const network = new Network(source, shape, lanes, {
    architecture: ARCHITECTURES[settings.architecture],
    activation: ACTIVATIONS[settings.activation],
    weights: settings.weights,
    isNormalized: settings.isNormalized,
  });
  const stepSettings: StepSettings = {
    kind,
    loss: LOSSES[settings.loss],
    train: settings.train,
    measuresAllGradients: needs.has('all gradients'),
  };
  if (settings.isNormalized) {
    normalizeNetwork(network, stepSettings).forEach((reached, i) => {
      drafts[i]!.noteNormalization(reached);
    });
  }

  const isRecorded = (distance: number) => settings.layers === 'all' || distance === 1;
  const noteUpdate = (distance: number, update: Tensor3D) => {
    if (steps > 1) eachLane([update], (i, [df]) => drafts[i]!.noteUpdate(distance, df!));
  };
  for (let t = 1; t <= steps; t++) {
    const alsoUpdates = kind === 'velocity' && steps > 1;
    const keepsStates = t < steps || measuresBackward || alsoUpdates;
    const step = new Step(network, { ...stepSettings, keepsStates });
    const finished = step.take(({ distance, features, backward, change }) => {
      if (isRecorded(distance)) {
        const [f, b, moved] = [features, backward, change].map((state) => squaredNorms(state).map(Math.sqrt));
        dots(backward, change).forEach((overlap, i) => {
          const norms = { features: f![i]!, backward: b![i]!, change: moved![i]!, overlap };
          drafts[i]!.note(distance, norms);
        });
        if (kind === 'update') noteUpdate(distance, change);
      }
    });
    if (alsoUpdates) {
      step.update(({ distance, change }) => isRecorded(distance) && noteUpdate(distance, change));
    }
    if (measuresBackward) {
      backwardVelocity(step, ({ distance, features, velocity }) => {
        if (isRecorded(distance)) {
          eachLane([features, velocity], (i, [f, bdot]) => drafts[i]!.noteBackward(distance, f!, bdot!));
        }
      });
    }
    drafts.forEach((draft, i) => {
      draft.finish(t, finished, i);
    });
    if (t < steps) step.learn();
    if (keepsStates) step.dispose();
  }
  network.dispose();

  const results: CellMeasurement[] = new Array(cells.length);
  order.forEach((cell, i) => {
    results[cell] = drafts[i]!.measurement;
  });
  return results;
}

/** Reads states and shows each lane's part of them. */
function eachLane(
  states: readonly Tensor3D[],
  visit: (lane: number, own: readonly Float32Array[]) => void,
): void {
  const values = states.map((state) => state.dataSync<'float32'>());
  const [lanes, rows, columns] = states[0]!.shape;
  for (let i = 0; i < lanes; i++) {
    visit(
      i,
      values.map((all) => all.subarray(i * rows * columns, (i + 1) * rows * columns)),
    );
  }
}

/** What is known of a layer while the step is taken. */
type PartialFacts = { -readonly [fact in keyof LayerFacts]?: LayerFacts[fact] };

/** The measurement of one cell in the making. */
class Draft {
  private readonly first: number;
  private readonly layers: readonly number[];
  private readonly facts: PartialFacts[];
  private readonly values: Readonly<Record<MeasuredQuantity, Float64Array>>;
  /** Sum of the updates so far, by layer. */
  private readonly displaced = new Map<number, Float64Array>();
  private divergedAt: number | undefined;
  private inexact: Inexact | undefined;

  constructor(
    private readonly lane: Lane,
    private readonly settings: BatchSettings,
  ) {
    const { depth } = lane;
    this.first = settings.layers === 'all' ? 1 : depth - 1;
    const layers = Array.from({ length: depth - this.first }, (_, i) => this.first + i);
    this.layers = Array.from({ length: settings.steps }, () => layers).flat();
    this.facts = layers.map(() => ({}));
    this.values = Object.fromEntries(
      Object.keys(MEASUREMENTS).map((name) => [name, new Float64Array(this.layers.length).fill(Number.NaN)]),
    ) as Record<MeasuredQuantity, Float64Array>;
  }

  get measurement(): CellMeasurement {
    const { layers, values, divergedAt, inexact } = this;
    if (divergedAt === undefined) return { layers, values, divergedAt, inexact };
    // What is not finite breaks identities too, and an activation may make finite numbers of it, which mean nothing.
    for (const [name, column] of Object.entries(values)) if (name !== 'step_number') column.fill(Number.NaN);
    return { layers, values, divergedAt, inexact: undefined };
  }

  note(distance: number, norms: LayerNorms): void {
    const layer = this.lane.depth - distance;
    const { samples, width } = this.settings.shape;
    const rms = 1 / Math.sqrt(samples * width);
    Object.assign(this.at(layer), {
      features: rms * norms.features,
      backward: rms * norms.backward,
      change: rms * norms.change,
      overlap: norms.overlap,
      angle: angleOfSums(norms.backward, norms.change, -norms.overlap),
    } satisfies PartialFacts);
    const finite = Number.isFinite(norms.features + norms.backward + norms.change);
    if (!finite) this.divergedAt ??= layer;
  }

  /** The distance of the features from where they began, and the update that they take from here. */
  noteUpdate(distance: number, update: Float32Array): void {
    const layer = this.lane.depth - distance;
    const sum = this.displaced.get(layer) ?? new Float64Array(update.length);
    this.at(layer).displacement = norm(sum) / Math.sqrt(sum.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += update[i]!;
    this.displaced.set(layer, sum);
  }

  /** Notes how near Eq. 7 the scales of `auto` came: n m |b_{L-1}|_rms cos(theta_{L-1}), which has to be 1. */
  noteNormalization(reached: number): void {
    const [deviation, layer] = [Math.abs(reached - 1), this.lane.depth - 1];
    if (deviation > EQUATION_7) {
      this.inexact = { step: 1, layer, identity: 'Eq. 7', deviation, bound: EQUATION_7 };
    }
  }

  noteBackward(distance: number, f: Float32Array, velocity: Float32Array): void {
    Object.assign(this.at(this.lane.depth - distance), {
      backwardSpeed: norm(velocity) / Math.sqrt(f.length),
      feedbackAngle: Math.PI - angleBetween(f, velocity),
    } satisfies PartialFacts);
  }

  /** Measures the layers of a step that is done; `index` is that of the lane. */
  finish(step: number, finished: FinishedStep, index: number): void {
    const { lane, settings } = this;
    const isUpdate = settings.kind === 'update';
    const contributions = finished.contributions[index]!;
    const learning = contributions.filter((_, l) => l > 0 && learns(settings.train, l, lane.depth));
    const ofStep = {
      step,
      isUpdate,
      duration: isUpdate ? lane.stepSize : 1,
      // Infinite, and so missing from the table, where a layer that learns has no gradient.
      balance: largest(learning) / smallest(learning),
      loss: finished.loss[index]!,
      lossChange: finished.lossChange[index]!,
    };
    let decay = 0; // sum_{l <= v} C_l
    for (let v = 1; v < lane.depth; v++) {
      const contribution = contributions[v]!;
      decay += contribution;
      if (v < this.first) continue;
      const gradient = finished.gradientNorms[index]![v]!;
      const facts = { ...NOTHING, ...this.at(v), ...ofStep, contribution, decay, gradient };
      const row = (step - 1) * (lane.depth - this.first) + v - this.first;
      for (const name of Object.keys(MEASUREMENTS) as MeasuredQuantity[]) {
        this.values[name][row] = MEASUREMENTS[name](facts);
      }
      this.facts[v - this.first] = {};
    }
    this.divergedAt = finished.overflow[index] ?? this.divergedAt;
    const first = finished.broken[index];
    if (first) this.inexact ??= { step, ...first };
  }

  private at(layer: number): PartialFacts {
    return this.facts[layer - this.first]!;
  }
}

/** Facts that are not of every step. */
const NOTHING = {
  features: Number.NaN,
  backward: Number.NaN,
  change: Number.NaN,
  overlap: Number.NaN,
  angle: Number.NaN,
  displacement: Number.NaN,
  backwardSpeed: Number.NaN,
  feedbackAngle: Number.NaN,
};
