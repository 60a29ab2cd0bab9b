/** A batch of cells in, their measurements out: the one function of the core that the program calls. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { ActivationName } from '../activations.js';
import type { QuantityName, TheoryQuantity } from '../quantities.js';
import { ACTIVATIONS } from './activation.js';
import { ARCHITECTURES, type ArchitectureName } from './architectures/architectures.js';
import { backwardVelocity } from './backward-velocity.js';
import { type DataLaw, drawData } from './data.js';
import { largest, smallest } from './extremes.js';
import { type Lane, learns, type Shape, type Train } from './lane.js';
import { LOSSES, type LossName } from './loss.js';
import { angleBetween, backwardFeatureAngle, layerNorms, norm } from './measure.js';
import { Network, type WeightsName } from './network.js';
import { isNormalizedAlone, normalizeNetwork } from './normalize.js';
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
  /** Whether the velocity of the backward pass is measured too; of a velocity, and a homogeneous activation. */
  readonly measuresBackward: boolean;
}

/** Quantities that a step measures; the theory columns are not among them. */
export type MeasuredQuantity = Exclude<QuantityName, TheoryQuantity>;

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
  const { shape, kind, steps, measuresBackward } = settings;
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
  const stepSettings: StepSettings = { kind, loss: LOSSES[settings.loss], train: settings.train };
  if (settings.isNormalized) {
    normalizeNetwork(network, stepSettings).forEach((reached, i) => {
      drafts[i]!.noteNormalization(reached);
    });
  }

  const isRecorded = (distance: number) => settings.layers === 'all' || distance === 1;
  const noteUpdate = (t: number, distance: number, update: Tensor3D) => {
    if (steps > 1) eachLane([update], (i, [df]) => drafts[i]!.noteUpdate(t, distance, df!));
  };
  for (let t = 1; t <= steps; t++) {
    const alsoUpdates = kind === 'velocity' && steps > 1;
    const keepsStates = t < steps || measuresBackward || alsoUpdates;
    const step = new Step(network, { ...stepSettings, keepsStates });
    const finished = step.take(({ distance, features, backward, change }) => {
      if (isRecorded(distance)) {
        eachLane([features, backward, change], (i, [f, b, moved]) =>
          drafts[i]!.note(t, distance, f!, b!, moved!),
        );
        if (kind === 'update') noteUpdate(t, distance, change);
      }
    });
    if (alsoUpdates) {
      step.update(({ distance, change }) => isRecorded(distance) && noteUpdate(t, distance, change));
    }
    if (measuresBackward) {
      backwardVelocity(step, ({ distance, features, velocity }) => {
        if (isRecorded(distance)) {
          eachLane([features, velocity], (i, [f, bdot]) => drafts[i]!.noteBackward(t, distance, f!, bdot!));
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

/** The measurement of one cell in the making. */
class Draft {
  private readonly first: number;
  private readonly values: Record<MeasuredQuantity, Float64Array>;
  private readonly layers: readonly number[];
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
    const column = () => new Float64Array(this.layers.length).fill(Number.NaN);
    this.values = {
      step_number: column(),
      bfa_rad: column(),
      sensitivity: column(),
      sensitivity_finite: column(),
      feature_rms: column(),
      backward_rms: column(),
      feature_speed_rms: column(),
      feature_displacement_rms: column(),
      backward_speed_rms: column(),
      fba_rad: column(),
      contribution: column(),
      contribution_balance: column(),
      loss: column(),
      loss_change: column(),
      speed_formula_residual: column(),
    };
  }

  get measurement(): CellMeasurement {
    const { layers, values, divergedAt, inexact } = this;
    if (divergedAt === undefined) return { layers, values, divergedAt, inexact };
    // What is not finite breaks identities too, and an activation may make finite numbers of it, which mean nothing.
    for (const [name, column] of Object.entries(values)) if (name !== 'step_number') column.fill(Number.NaN);
    return { layers, values, divergedAt, inexact: undefined };
  }

  note(step: number, distance: number, f: Float32Array, b: Float32Array, change: Float32Array): void {
    const { values, lane } = this;
    const layer = lane.depth - distance;
    const at = this.row(step, layer);
    const norms = layerNorms(f, b, change);
    const rms = 1 / Math.sqrt(f.length);
    values.feature_rms[at] = rms * norms.features;
    values.backward_rms[at] = rms * norms.backward;
    values.feature_speed_rms[at] = (rms * norms.change) / this.duration;
    values.bfa_rad[at] = backwardFeatureAngle(b, change, norms);
    values.speed_formula_residual[at] = norms.overlap / this.duration; // completed in `finish`
    const finite = Number.isFinite(norms.features + norms.backward + norms.change);
    if (!finite) this.divergedAt ??= layer;
  }

  /** The distance of the features from where they began, and the update that they take from here. */
  noteUpdate(step: number, distance: number, update: Float32Array): void {
    const layer = this.lane.depth - distance;
    const sum = this.displaced.get(layer) ?? new Float64Array(update.length);
    this.values.feature_displacement_rms[this.row(step, layer)] = norm(sum) / Math.sqrt(sum.length);
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

  noteBackward(step: number, distance: number, f: Float32Array, velocity: Float32Array): void {
    const at = this.row(step, this.lane.depth - distance);
    this.values.backward_speed_rms[at] = norm(velocity) / Math.sqrt(f.length);
    this.values.fba_rad[at] = Math.PI - angleBetween(f, velocity);
  }

  /** What is known when the step is done; `index` is that of the lane. */
  finish(step: number, finished: FinishedStep, index: number): void {
    const { contributions, loss, lossChange, overflow, broken } = finished;
    const { values, lane } = this;
    const learning = contributions[index]!.filter(
      (_, l) => l > 0 && learns(this.settings.train, l, lane.depth),
    );
    // Infinite, and so missing from the table, where a layer that learns has no gradient.
    const balance = largest(learning) / smallest(learning);
    let decay = 0; // sum_{l <= v} C_l
    for (let v = 1; v < lane.depth; v++) {
      const contribution = contributions[index]![v]!;
      decay += contribution;
      if (v < this.first) continue;
      const at = this.row(step, v);
      const speed = values.feature_speed_rms[at]!;
      values.step_number[at] = step;
      values.contribution[at] = contribution;
      values.contribution_balance[at] = balance;
      values.sensitivity[at] = speed / decay;
      if (this.settings.kind === 'update') {
        values.sensitivity_finite[at] = (speed * lane.stepSize) / Math.abs(lossChange[index]!);
      }
      values.speed_formula_residual[at] = Math.abs(-values.speed_formula_residual[at]! / decay - 1);
      values.loss[at] = loss[index]!;
      values.loss_change[at] = lossChange[index]!;
    }
    this.divergedAt = overflow[index] ?? this.divergedAt;
    const first = broken[index];
    if (first) this.inexact ??= { step, ...first };
  }

  /** dt of an update; a velocity is per unit of time. */
  private get duration(): number {
    return this.settings.kind === 'update' ? this.lane.stepSize : 1;
  }

  private row(step: number, layer: number): number {
    return (step - 1) * (this.lane.depth - this.first) + layer - this.first;
  }
}
