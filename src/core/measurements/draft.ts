/** The measurement of one cell in the making, step by step and layer by layer. */
import type { MeasuredQuantity } from '../../quantities.js';
import { ACTIVATIONS } from '../activation.js';
import { type BatchSettings, recordedSteps } from '../batch-settings.js';
import type { Displacement } from '../step/displacement.js';
import type { FinishedStep } from '../step/finished-step.js';
import { type Lane, learns, widthAt } from '../step/lane.js';
import { type Broken, EQUATION_7 } from '../step/proof.js';
import type { Evaluation } from '../training.js';
import { angleBetween, angleOfSums, type LayerNorms, norm, shareOfDead } from './measure.js';
import { type LayerFacts, MEASUREMENTS } from './measurements.js';

export interface CellMeasurement {
  /** Layers v that are recorded, rising; all of the first step, then all of the second. */
  readonly layers: readonly number[];
  /** By quantity that is recorded, a number for each of them; NaN where it does not exist. */
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

/** What is known of a layer while the step is taken. */
type Facts = { -readonly [fact in keyof LayerFacts]: LayerFacts[fact] };

/** The measurement of one cell in the making. */
export class Draft {
  private readonly first: number;
  private readonly layers: readonly number[];
  private readonly facts: (Facts | undefined)[];
  private readonly values: Readonly<Record<MeasuredQuantity, Float64Array>>;
  private readonly columns: [Float64Array, (of: LayerFacts) => number][] = [];
  /** Where the rows of a step stand, by its number. */
  private readonly places: ReadonlyMap<number, number>;
  /** Sum of the updates so far, by layer; or the features before the first step, of weights that learn in place. */
  private displaced = new Map<number, Float64Array>();
  private divergedAt: number | undefined;
  /** Where a state of this step is not finite. */
  private lostAt: number | undefined;
  /** The first row that is lost with it. */
  private divergedFrom = 0;
  private inexact: Inexact | undefined;
  /** dt of the step that is measured, and what was found before it on the samples that are held out. */
  private stepSize: number;
  private curvature: Curvature = NO_CURVATURE;
  private heldOut: Evaluation = { loss: Number.NaN, accuracy: Number.NaN };

  constructor(
    private readonly lane: Lane,
    private readonly settings: BatchSettings,
  ) {
    const { depth } = lane;
    this.first = settings.layers === 'all' ? 1 : depth - 1;
    const layers = Array.from({ length: depth - this.first }, (_, i) => this.first + i);
    const recorded = recordedSteps(settings);
    this.layers = recorded.flatMap(() => layers);
    this.places = new Map(recorded.map((step, i) => [step, i]));
    this.stepSize = lane.stepSize;
    this.facts = layers.map(() => undefined);
    const { quantities = ALL_QUANTITIES } = settings;
    const values: Partial<Record<MeasuredQuantity, Float64Array>> = {};
    for (const name of quantities) {
      values[name] = new Float64Array(this.layers.length).fill(Number.NaN);
      this.columns.push([values[name], MEASUREMENTS[name]]);
    }
    values.step_number?.set(recorded.flatMap((step) => layers.map(() => step)));
    this.values = values as Record<MeasuredQuantity, Float64Array>;
  }

  get measurement(): CellMeasurement {
    const { layers, values, divergedAt, inexact } = this;
    if (divergedAt === undefined) return { layers, values, divergedAt, inexact };
    // What is not finite breaks identities too, and an activation may make finite numbers of it, which mean nothing.
    for (const [name, column] of Object.entries(values)) {
      if (name !== 'step_number') column.fill(Number.NaN, this.divergedFrom);
    }
    return { layers, values, divergedAt, inexact: undefined };
  }

  /** What a later run of the same training goes on from. */
  get state(): unknown {
    const { values, displaced, divergedAt, divergedFrom, inexact } = this;
    return { values, displaced, divergedAt, divergedFrom, inexact };
  }

  restore(state: unknown): void {
    const { values, ...others } = state as { values: Readonly<Record<MeasuredQuantity, Float64Array>> };
    for (const [name, column] of Object.entries(values)) this.values[name as MeasuredQuantity].set(column);
    Object.assign(this, others);
  }

  get hasDiverged(): boolean {
    return this.divergedAt !== undefined;
  }

  /** Notes that a network left the range of float32; of a training the numbers of the steps before stay. */
  diverge(step: number, layer: number): void {
    if (this.divergedAt !== undefined) return;
    this.divergedAt = layer;
    if (!this.settings.training) return;
    const before = [...this.places.keys()].filter((recorded) => recorded < step).length;
    this.divergedFrom = before * (this.lane.depth - this.first);
  }

  /** What is known of a step before it is measured. */
  begin(stepSize: number, heldOut: Evaluation | undefined): void {
    this.stepSize = stepSize;
    this.curvature = NO_CURVATURE;
    if (heldOut) this.heldOut = heldOut;
  }

  /** The features of a network that learns in place, which the displacement is measured from. */
  noteInitial(distance: number, features: Float32Array): void {
    this.displaced.set(this.lane.depth - distance, Float64Array.from(features));
  }

  /** How far the features have come since. */
  noteDisplacement(distance: number, features: Float32Array): void {
    const layer = this.lane.depth - distance;
    const before = this.displaced.get(layer);
    if (!before) return;
    const moved = before.map((f, i) => features[i]! - f);
    this.at(layer).displacement = norm(moved) / Math.sqrt(moved.length);
  }

  note(distance: number, norms: LayerNorms): void {
    const layer = this.lane.depth - distance;
    const { shape } = this.settings;
    const rms = 1 / Math.sqrt(shape.samples * widthAt(shape, distance));
    const facts = this.at(layer);
    facts.features = rms * norms.features;
    facts.backward = rms * norms.backward;
    facts.change = rms * norms.change;
    facts.overlap = norms.overlap;
    facts.angle = angleOfSums(norms.backward, norms.change, -norms.overlap);
    const finite = Number.isFinite(norms.features + norms.backward + norms.change);
    if (!finite) this.lostAt ??= layer;
  }

  /** What hangs on the single features. */
  noteFeatures(distance: number, features: Float32Array): void {
    if (!ACTIVATIONS[this.settings.activation].closes) return;
    this.at(this.lane.depth - distance).dead = shareOfDead(features, widthAt(this.settings.shape, distance));
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
    const facts = this.at(this.lane.depth - distance);
    facts.backwardSpeed = norm(velocity) / Math.sqrt(f.length);
    facts.feedbackAngle = Math.PI - angleBetween(f, velocity);
  }

  noteWeights(layer: number, { updateCosine, weightDisplacement }: Displacement): void {
    Object.assign(this.at(layer), { updateCosine, weightDisplacement } satisfies Partial<Facts>);
  }

  noteCurvature(curvature: Partial<Curvature>): void {
    this.curvature = { ...this.curvature, ...curvature };
  }

  /** Measures the layers of a step that is done; `index` is that of the lane, and `accuracy` that of the samples of the step. */
  finish(step: number, finished: FinishedStep, index: number, accuracy: number): void {
    const { lane, settings } = this;
    const isUpdate = settings.kind === 'update';
    const contributions = finished.contributions[index]!;
    let [least, most] = [Infinity, -Infinity]; // of the layers that learn
    for (let l = 1; l <= lane.depth; l++) {
      if (!learns(settings.train, l, lane.depth)) continue;
      least = Math.min(least, contributions[l]!);
      most = Math.max(most, contributions[l]!);
    }
    let decay = 0; // sum_{l <= v} C_l
    for (let v = 1; v < lane.depth; v++) {
      const contribution = contributions[v]!;
      decay += contribution;
      if (v < this.first) continue;
      const facts = this.at(v);
      facts.step = step;
      facts.isUpdate = isUpdate;
      facts.duration = isUpdate ? this.stepSize : 1;
      facts.contribution = contribution;
      facts.decay = decay;
      // Infinite, and so missing from the table, where a layer that learns has no gradient.
      facts.balance = most / least;
      facts.gradient = finished.gradientNorms[index]![v]!;
      facts.loss = finished.loss[index]!;
      facts.lossChange = finished.lossChange[index]!;
      facts.sharpness = this.curvature.sharpness;
      facts.stepSharpness = this.curvature.stepSharpness;
      facts.accuracy = accuracy;
      facts.heldOut = this.heldOut;
      const row = this.places.get(step)! * (lane.depth - this.first) + v - this.first;
      for (const [column, measurement] of this.columns) column[row] = measurement(facts);
      this.facts[v - this.first] = undefined;
    }
    const lost = finished.overflow[index] ?? this.lostAt;
    if (lost !== undefined) this.diverge(step, lost);
    const first = finished.broken[index];
    if (first) this.inexact ??= { step, ...first };
  }

  private at(layer: number): Facts {
    this.facts[layer - this.first] ??= { ...UNKNOWN };
    return this.facts[layer - this.first]!;
  }
}

type Curvature = Pick<LayerFacts, 'sharpness' | 'stepSharpness'>;
const NO_CURVATURE: Curvature = { sharpness: Number.NaN, stepSharpness: Number.NaN };

const ALL_QUANTITIES = Object.keys(MEASUREMENTS) as MeasuredQuantity[];

/** Every fact has its place from the start: with objects that got theirs one by one, batches that record all layers took four times as long. */
const UNKNOWN: LayerFacts = {
  step: Number.NaN,
  isUpdate: false,
  duration: Number.NaN,
  features: Number.NaN,
  backward: Number.NaN,
  change: Number.NaN,
  overlap: Number.NaN,
  angle: Number.NaN,
  displacement: Number.NaN,
  backwardSpeed: Number.NaN,
  feedbackAngle: Number.NaN,
  contribution: Number.NaN,
  decay: Number.NaN,
  balance: Number.NaN,
  gradient: Number.NaN,
  loss: Number.NaN,
  lossChange: Number.NaN,
  updateCosine: Number.NaN,
  weightDisplacement: Number.NaN,
  sharpness: Number.NaN,
  stepSharpness: Number.NaN,
  dead: Number.NaN,
  accuracy: Number.NaN,
  heldOut: { loss: Number.NaN, accuracy: Number.NaN },
};
