/** The measurement of one model in the making, step by step and call by call: the columns of its table. */
import { largest, smallest } from '../../core/extremes.js';
import type { Broken } from '../../core/step/proof.js';
import type { Evaluation } from '../../core/training.js';
import { MODEL_QUANTITIES } from '../../quantities.js';
import type { Graph, WeightGroup } from '../graph.js';
import { contributionsOf, placesOf } from '../inspect.js';
import type { Measured } from '../measure.js';
import { layerRows } from '../rows.js';

/** Quantities that models have. */
type ModelQuantity = (typeof MODEL_QUANTITIES)[number];
type Columns = Readonly<Record<ModelQuantity, Float64Array>>;

export interface MeasuredSteps {
  /** Numbers of the calls, from 1, and their names; all of the first step, then all of the second. */
  readonly layers: readonly number[];
  readonly names: readonly string[];
  /** A number for each of them; NaN where it does not exist. */
  readonly values: Columns;
  /** The first call where features, backward pass or change left the range of float32. */
  readonly divergedAt: number | undefined;
  /** The first cut where Thm 2.1 does not hold. */
  readonly inexact: (Broken & { readonly step: number }) | undefined;
}

/** A residual of Thm 2.1 beyond this is none of rounding, which makes 1e-5 at the most of what was seen. */
const MOST_RESIDUAL = 1e-3;

const NONE = Number.NaN;

/** What is known of a step besides what is measured of its layers. */
export interface StepContext {
  readonly step: number;
  readonly kind: 'velocity' | 'update';
  readonly stepSize: number;
  /** rms of the features minus those before the first step, by call. */
  readonly displacements: ReadonlyMap<number, number>;
  /** Of the matrices of each group. */
  readonly variances: readonly number[];
  readonly heldOut: Evaluation;
}

export class ModelDraft {
  private readonly columns: Columns;
  private readonly places: ReadonlyMap<number, number>;
  private divergedAt: number | undefined;
  /** The first row that is lost with it. */
  private divergedFrom = 0;
  private inexact: MeasuredSteps['inexact'];

  /**
   * @param calls whose rows are recorded.
   * @param steps numbers of those that are measured, rising.
   * @param keepsBefore whether of a network that leaves the range of float32 the numbers of the steps before stay.
   */
  constructor(
    private readonly graph: Graph,
    private readonly calls: readonly number[],
    private readonly steps: readonly number[],
    private readonly keepsBefore: boolean,
  ) {
    this.places = new Map(steps.map((step, i) => [step, i * calls.length]));
    const size = steps.length * calls.length;
    this.columns = Object.fromEntries(
      MODEL_QUANTITIES.map((name) => [name, new Float64Array(size).fill(NONE)]),
    ) as Columns;
    this.columns.step_number.set(steps.flatMap((step) => calls.map(() => step)));
  }

  get hasDiverged(): boolean {
    return this.divergedAt !== undefined;
  }

  /** Notes what was measured at a step. */
  note(measured: Measured, context: StepContext): void {
    const { graph, calls } = this;
    const { step, kind } = context;
    const rows = valuesOf(graph, measured, context);
    const overflow = measured.calls.findIndex((call) => !call.isFinite);
    if (overflow !== -1) this.diverge(step, overflow);
    else if (!Number.isFinite(measured.loss)) this.diverge(step, graph.calls.length - 1);
    if (kind === 'velocity') this.inexact ??= brokenAt(rows, step);
    const first = this.places.get(step)!;
    calls.forEach((call, i) => {
      for (const name of MODEL_QUANTITIES) this.columns[name][first + i] = rows[call]![name];
    });
  }

  /** Notes that the network left the range of float32 at a call. */
  diverge(step: number, call: number): void {
    if (this.divergedAt !== undefined) return;
    this.divergedAt = call + 1;
    if (!this.keepsBefore) return;
    this.divergedFrom = this.steps.filter((recorded) => recorded < step).length * this.calls.length;
  }

  get measurement(): MeasuredSteps {
    const { graph, calls, steps, columns, divergedAt, divergedFrom, inexact } = this;
    if (divergedAt !== undefined) {
      for (const name of MODEL_QUANTITIES) {
        if (name !== 'step_number') columns[name].fill(NONE, divergedFrom);
      }
    }
    return {
      layers: steps.flatMap(() => calls.map((call) => call + 1)),
      names: steps.flatMap(() => calls.map((call) => graph.calls[call]!.name)),
      values: columns,
      divergedAt,
      inexact: divergedAt === undefined ? inexact : undefined,
    };
  }

  /** What a later run of the same training goes on from. */
  get state(): unknown {
    const { columns, divergedAt, divergedFrom, inexact } = this;
    return { columns, divergedAt, divergedFrom, inexact };
  }

  restore(state: unknown): void {
    const { columns, ...others } = state as { readonly columns: Columns };
    for (const name of MODEL_QUANTITIES) this.columns[name].set(columns[name]);
    Object.assign(this, others);
  }
}

type Values = Readonly<Record<ModelQuantity, number>>;

/** The quantities of every call at a step. */
function valuesOf(graph: Graph, measured: Measured, context: StepContext): Values[] {
  const { step, kind, stepSize, displacements, variances, heldOut } = context;
  const contributions = contributionsOf(measured);
  const learning = contributions.filter((contribution) => contribution > 0);
  const balance = largest(learning) / smallest(learning);
  const decay = contributions.reduce((sum, each) => sum + each, 0);
  const { loss, accuracy, lossChange: change = -decay } = measured;
  return layerRows(placesOf(graph, measured), measured.learning).map((row, call) => {
    const group = graph.groups.findIndex(({ calls }) => calls[0] === call);
    return {
      step_number: step,
      bfa_rad: row.bfa_rad ?? NONE,
      sensitivity: row.sensitivity ?? NONE,
      sensitivity_finite: kind === 'update' ? (row.feature_speed_rms * stepSize) / Math.abs(change) : NONE,
      feature_rms: row.feature_rms,
      backward_rms: row.backward_rms,
      feature_speed_rms: row.feature_speed_rms,
      feature_displacement_rms: displacements.get(call) ?? NONE,
      weight_variance: variances[group] ?? NONE,
      contribution: row.contribution ?? NONE,
      contribution_balance: balance,
      gradient_norm: Math.sqrt(measured.squaredGradients[group] ?? NONE),
      loss,
      loss_change: change,
      speed_formula_residual: row.speed_formula_residual ?? NONE,
      accuracy,
      loss_held_out: heldOut.loss,
      accuracy_held_out: heldOut.accuracy,
    };
  });
}

/** Variance of the entries of the matrices of a group, kernels of convolutions and embeddings too; NaN where it has none. */
export function varianceOf({ weights }: WeightGroup): number {
  let [count, sum, squares] = [0, 0, 0];
  for (const weight of weights.filter(({ rank }) => rank >= 2)) {
    for (const value of weight.dataSync()) {
      count += 1;
      sum += value;
      squares += value * value;
    }
  }
  return squares / count - (sum / count) ** 2;
}

/** The first cut where the residual of Thm 2.1 is none of rounding. */
function brokenAt(rows: readonly Values[], step: number): MeasuredSteps['inexact'] {
  const call = rows.findIndex((values) => values.speed_formula_residual > MOST_RESIDUAL);
  if (call === -1) return undefined;
  return {
    step,
    layer: call + 1,
    identity: 'Thm 2.1',
    deviation: rows[call]!.speed_formula_residual,
    bound: MOST_RESIDUAL,
  };
}
