/** Steps of gradient descent of a model, one after the other, each measured at every layer: a cell of an experiment. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { largest, smallest } from '../core/extremes.js';
import { norm } from '../core/measure.js';
import type { Broken } from '../core/step/proof.js';
import { MODEL_QUANTITIES } from '../quantities.js';
import { findOutputMultiplier, lastFeatures } from './advice.js';
import type { ModelData } from './data.js';
import { checkData } from './data.js';
import { registerMissingGradients } from './derivatives/gradients.js';
import { type Graph, graphOf, type WeightGroup } from './graph.js';
import { contributionsOf, placesOf, refusing } from './inspect.js';
import type { ModelLoss } from './loss-names.js';
import { type Measured, measureModel, type Problem } from './measure.js';
import { ModelError } from './model-error.js';
import { layerRows, type Place } from './rows.js';

export interface ModelSteps {
  readonly loss: ModelLoss;
  /** Those of Eq. 8 at every step, or one for all layers. */
  readonly rates: 'scale-invariant' | number;
  /** Whether the output multiplier is that of Eq. 7, at the first step. */
  readonly isNormalized: boolean;
  readonly kind: 'velocity' | 'update';
  readonly steps: number;
  readonly stepSize: number;
  /** All calls, or that of the last features before a layer with weights. */
  readonly layers: 'all' | 'output';
}

/** Quantities that models have. */
type ModelQuantity = (typeof MODEL_QUANTITIES)[number];

export interface MeasuredSteps {
  /** Numbers of the calls, from 1, and their names; all of the first step, then all of the second. */
  readonly layers: readonly number[];
  readonly names: readonly string[];
  /** A number for each of them; NaN where it does not exist. */
  readonly values: Readonly<Record<ModelQuantity, Float64Array>>;
  /** The first call where features, backward pass or change left the range of float32. */
  readonly divergedAt: number | undefined;
  /** The first cut where Thm 2.1 does not hold. */
  readonly inexact: (Broken & { readonly step: number }) | undefined;
}

/** How near Eq. 7 is to be, as of `findOutputMultiplier`. */
const EQUATION_7 = 0.01;

/** A residual of Thm 2.1 beyond this is none of rounding, which makes 1e-5 at the most of what was seen. */
const MOST_RESIDUAL = 1e-3;

/**
 * Takes the steps of a model, whose weights move, and measures each before it is taken.
 *
 * @param dataOf data of a step, from 1, which the caller disposes of.
 * @throws ModelError for what `inspectModel` refuses too.
 */
export function measureSteps(
  model: LayersModel,
  dataOf: (step: number) => ModelData,
  { loss, rates, isNormalized, kind, steps, stepSize, layers }: ModelSteps,
): MeasuredSteps {
  registerMissingGradients();
  const graph = graphOf(model);
  if (graph.groups.length === 0) throw new ModelError('the model has no weights to train');
  const first = dataOf(1);
  const outputs = checkData(model, graph, first, loss);
  const last = lastFeatures(graph);
  const own: Problem = { graph, ...first, outputs, loss, overBatch: false };
  const problem = isNormalized ? { ...own, multiplier: multiplierOf(own, last) } : own;
  const eta = rates === 'scale-invariant' ? rates : graph.groups.map(() => rates);
  const recorded = layers === 'all' ? graph.calls.map((_, i) => i) : [last ?? graph.calls.length - 1];
  const rows: Row[] = [];
  const begin = new Map<number, Float32Array>();
  let divergedAt: number | undefined;
  let inexact: MeasuredSteps['inexact'];
  for (let step = 1; step <= steps; step++) {
    const displacements = new Map<number, number>();
    const see = (call: number, f: Float32Array) => {
      if (steps === 1 || !recorded.includes(call)) return;
      const start = begin.get(call) ?? f;
      begin.set(call, start);
      displacements.set(call, norm(f.map((value, i) => value - start[i]!)) / Math.sqrt(f.length));
    };
    const variances = graph.groups.map(varianceOf);
    const measured = refusing(problem, () =>
      measureModel(
        { ...problem, ...(step === 1 ? first : dataOf(step)) },
        eta,
        { kind, stepSize, movesWeights: step < steps },
        see,
      ),
    );
    const places = placesOf(graph, measured);
    const all = rowsOf(graph, measured, places, { step, kind, stepSize, displacements, variances });
    if (!Number.isFinite(measured.loss)) divergedAt ??= graph.calls.length;
    const overflow = places.findIndex(
      ({ featureNorm, backwardNorm, speed }) => !Number.isFinite(featureNorm + backwardNorm + speed),
    );
    if (overflow !== -1) divergedAt = Math.min(divergedAt ?? Infinity, overflow + 1);
    if (kind === 'velocity') inexact ??= brokenAt(all, step);
    for (const row of all) if (recorded.includes(row.call)) rows.push(row);
    if (divergedAt !== undefined) break;
  }
  const kept = divergedAt === undefined ? rows : everyStep(recorded, steps);
  const column = (name: ModelQuantity) => Float64Array.from(kept, ({ values }) => values[name]);
  return {
    layers: kept.map(({ call }) => call + 1),
    names: kept.map(({ call }) => graph.calls[call]!.name),
    values: Object.fromEntries(
      MODEL_QUANTITIES.map((name) => [name, column(name)]),
    ) as MeasuredSteps['values'],
    divergedAt,
    inexact: divergedAt === undefined ? inexact : undefined,
  };
}

/** What is measured of a call at a step. */
interface Row {
  readonly call: number;
  readonly values: Readonly<Record<ModelQuantity, number>>;
}

const NONE = Number.NaN;

/** Rows of a cell that left the range of float32: numbers after it mean nothing, and there are none before it either. */
function everyStep(recorded: readonly number[], steps: number): Row[] {
  const missing = Object.fromEntries(MODEL_QUANTITIES.map((name) => [name, NONE])) as Row['values'];
  return Array.from({ length: steps }, (_, t) =>
    recorded.map((call) => ({ call, values: { ...missing, step_number: t + 1 } })),
  ).flat();
}

/** What is known of a step besides what is measured of its layers. */
interface StepContext {
  readonly step: number;
  readonly kind: ModelSteps['kind'];
  readonly stepSize: number;
  /** rms of the features minus those before the first step, by call. */
  readonly displacements: ReadonlyMap<number, number>;
  /** Of the matrices of each group. */
  readonly variances: readonly number[];
}

function rowsOf(graph: Graph, measured: Measured, places: readonly Place[], context: StepContext): Row[] {
  const { step, kind, stepSize, displacements, variances } = context;
  const contributions = contributionsOf(measured);
  const learning = contributions.filter((contribution) => contribution > 0);
  const balance = largest(learning) / smallest(learning);
  const decay = contributions.reduce((sum, each) => sum + each, 0);
  const { loss, lossAfter } = measured;
  const change = lossAfter === undefined ? -decay : lossAfter - loss;
  return layerRows(places, learning.length).map((row, call) => {
    const group = graph.groups.findIndex(({ calls }) => calls[0] === call);
    return {
      call,
      values: {
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
      },
    };
  });
}

/** Variance of the entries of the matrices of a group, kernels of convolutions and embeddings too; NaN where it has none. */
function varianceOf({ weights }: WeightGroup): number {
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
function brokenAt(rows: readonly Row[], step: number): MeasuredSteps['inexact'] {
  const broken = rows.find(({ values }) => values.speed_formula_residual > MOST_RESIDUAL);
  return (
    broken && {
      step,
      layer: broken.call + 1,
      identity: 'Thm 2.1',
      deviation: broken.values.speed_formula_residual,
      bound: MOST_RESIDUAL,
    }
  );
}

/** Where the multiplier of Eq. 7 stands, and what it is. */
function multiplierOf(problem: Problem, call: number | undefined): Problem['multiplier'] {
  if (call === undefined)
    throw new ModelError('"auto" needs hidden features before a layer with weights, for Eq. 7');
  const { factor, reached } = refusing(problem, () => findOutputMultiplier(problem, call));
  if (Math.abs(Math.log(reached)) > EQUATION_7) {
    throw new ModelError(`"auto": no output multiplier gives Eq. 7; the most is ${reached}, to be 1`);
  }
  return { call, factor };
}
