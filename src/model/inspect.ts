import type { LayersModel } from '@tensorflow/tfjs-layers';
import { findOutputMultiplier, lastFeatures, type OutputMultiplier } from './advice.js';
import { checkData, type ModelData } from './data.js';
import { completeBackend } from './derivatives/complete-backend.js';
import { gradientFactsOf, type Problem, type Rates, scaleInvariant } from './descent.js';
import { type Graph, graphOf, isBatchNorm, type Layer } from './graph.js';
import type { ModelLoss } from './loss-names.js';
import { type Measured, measureModel } from './measure.js';
import { ModelError } from './model-error.js';
import { balanceOf, type LayerRow, layerRows, type Place, worstCut } from './rows.js';
import { refusal } from './trial.js';

export interface InspectOptions {
  /** Default `squared`, |f - y|^2 / (2 k n). */
  readonly loss?: ModelLoss;
  /**
   * Rates of gradient descent: 1 for every layer, those of Eq. 8, or one for each name in the table, 0 for those without. Default `equal`.
   */
  readonly rates?: 'equal' | 'scale-invariant' | Readonly<Record<string, number>>;
  /** Factor between f_{L-1} and f_L; default 1. */
  readonly outputMultiplier?: number;
  /** Whether batch normalisation takes its moving averages or the statistics of the batch; default `inference`. */
  readonly batchNorm?: 'inference' | 'batch';
  /** Whether to search for the output multiplier of Eq. 7, which takes two to eight times as long; default yes. */
  readonly advice?: boolean;
}

/** What an inspection tells. */
export interface Inspection {
  readonly layers: readonly LayerRow[];
  /** Null in a capture that does not tell it. */
  readonly loss: number | null;
  /** - d loss / d time, of all layers. */
  readonly loss_decay: number;
  /** L: layers with trained weights that a gradient reaches. */
  readonly trained_layers: number;
  readonly advice: Advice;
  /** What was done with the model that its author may not expect. */
  readonly notes: readonly string[];
}

export interface Advice extends ReturnType<typeof balanceOf> {
  /** Name of the call that makes f_{L-1}; null in a network without hidden features. */
  readonly features_layer: string | null;
  /** m |b_{L-1}|_rms cos(theta_{L-1}) under rates of Eq. 8, which Eq. 7 wants to be 1: now, and with the multiplier. */
  readonly equation_7: number | null;
  readonly equation_7_reached: number | null;
  /** What f_{L-1} is to be multiplied with, on top of a multiplier that is given. */
  readonly output_multiplier: number | null;
  /** Rates of Eq. 8 by name, with this multiplier. */
  readonly learning_rates: Readonly<Record<string, number>>;
  /** The largest residual of Thm 2.1, and where. */
  readonly speed_formula_residual: number | null;
  readonly worst_cut: string | null;
}

/**
 * Measures every layer of a model: features, backward pass, contribution, angle, sensitivity and velocity, exactly, by derivatives of the
 * tensor library, on its current backend in float32.
 *
 * @throws ModelError for a model without weights to train, data of another shape, and layers that no second derivative goes through.
 */
export function inspectModel(model: LayersModel, data: ModelData, options: InspectOptions = {}): Inspection {
  completeBackend();
  const { loss = 'squared', batchNorm = 'inference', advice = true } = options;
  const graph = graphOf(model);
  if (graph.groups.length === 0) {
    throw new ModelError(
      'the model has no weights to train: none of its layers has any, or all are frozen (trainable: false)',
    );
  }
  const outputs = checkData(model, graph, data, loss);
  const problem: Problem = { graph, ...data, outputs, loss, overBatch: batchNorm === 'batch' };
  const names = graph.groups.map(({ calls }) => graph.calls[calls[0]!]!.name);
  const rates = ratesByGroup(options.rates ?? 'equal', names);
  const call = lastFeatures(graph);
  const multiplier = multiplierOf(options.outputMultiplier, call);
  return keepingStatistics(graph, () => {
    const own = multiplier ? { ...problem, multiplier } : problem;
    const measured = refusing(own, () => measureModel(own, rates));
    if (!Number.isFinite(measured.loss)) {
      throw new ModelError(
        `the loss is ${measured.loss}: outputs overflow, or the data hold what is no number`,
      );
    }
    const found = advice && call !== undefined ? findOutputMultiplier(own, call) : undefined;
    const { learning } = measured;
    const layers = layerRows(placesOf(graph, measured), learning);
    return {
      layers,
      loss: measured.loss,
      loss_decay: contributionsOf(measured).reduce((sum, contribution) => sum + contribution, 0),
      trained_layers: learning,
      advice: {
        ...balanceOf(layers),
        features_layer: call === undefined ? null : graph.calls[call]!.name,
        equation_7: found?.now ?? null,
        equation_7_reached: found?.reached ?? null,
        output_multiplier: found && solves(found) ? found.factor : null,
        learning_rates: advisedRates(own, names, found, call),
        ...worstCut(layers),
      },
      notes: notesOf(graph, batchNorm),
    };
  });
}

/** Whether Eq. 7 has a solution. */
const solves = ({ reached }: OutputMultiplier) => Math.abs(Math.log(reached)) < 0.01;

/** Rates of Eq. 8 once the output multiplier is set; gradients, and so rates, hang on it. */
function advisedRates(
  problem: Problem,
  names: readonly string[],
  found: OutputMultiplier | undefined,
  call: number | undefined,
): Record<string, number> {
  const set =
    found && call !== undefined && solves(found)
      ? { ...problem, multiplier: { call, factor: found.factor * (problem.multiplier?.factor ?? 1) } }
      : problem;
  const eta = scaleInvariant(gradientFactsOf(set));
  return Object.fromEntries(names.flatMap((name, l) => (eta[l]! > 0 ? [[name, eta[l]!]] : [])));
}

function ratesByGroup(rates: NonNullable<InspectOptions['rates']>, names: readonly string[]): Rates {
  if (rates === 'scale-invariant') return scaleInvariant;
  if (rates === 'equal') return names.map(() => 1);
  const unknown = Object.keys(rates).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new ModelError(
      `rates: expected names of layers with trained weights, got ${unknown.join(', ')}; there are ${names.join(', ')}`,
    );
  }
  return names.map((name) => rates[name] ?? 0);
}

function multiplierOf(factor: number | undefined, call: number | undefined) {
  if (factor === undefined || factor === 1) return undefined;
  if (call === undefined) {
    throw new ModelError(
      'an output multiplier needs features before a last layer with weights, and the model has none',
    );
  }
  return { call, factor };
}

/** Tells which layers let no second derivative through, where there are such. */
export function refusing<T>(problem: Problem, measure: () => T): T {
  try {
    return measure();
  } catch (error) {
    throw error instanceof ModelError ? error : (refusal(problem) ?? error);
  }
}

/** Statistics over a batch move the averages of batch normalisation; they are put back. */
function keepingStatistics<T>({ calls }: Graph, measure: () => T): T {
  const norms = [...new Set(calls.map(({ layer }) => layer).filter(isBatchNorm))];
  const before = norms.map((layer) => layer.getWeights().map((weight) => weight.clone()));
  try {
    return measure();
  } finally {
    norms.forEach((layer, i) => {
      layer.setWeights(before[i]!);
      for (const weight of before[i]!) weight.dispose();
    });
  }
}

/** C_l of each group of weights. */
export const contributionsOf = ({ rates, squaredGradients }: Measured): number[] =>
  squaredGradients.map((square, l) => rates[l]! * square);

export function placesOf(graph: Graph, measured: Measured): Place[] {
  const contributions = contributionsOf(measured);
  return graph.calls.map(({ name }, i) => {
    const group = graph.groups.findIndex(({ calls }) => calls[0] === i);
    const { shape, isFinite: _, ...numbers } = measured.calls[i]!;
    return {
      ...numbers,
      name,
      shape: shape.slice(1),
      contribution: contributions[group],
      squaredGradient: measured.squaredGradients[group],
      decayBefore: graph.cuts.before[i]!.reduce((sum, l) => sum + contributions[l]!, 0),
      isCut: graph.cuts.isCut[i]!,
    };
  });
}

const RANDOM = /Dropout|GaussianNoise/;

function notesOf({ calls }: Graph, batchNorm: 'inference' | 'batch'): string[] {
  const layers = [...new Set(calls.map(({ layer }) => layer))];
  const dropsWithin = (layer: Layer) =>
    ['dropout', 'recurrentDropout'].some(
      (key) => Number((layer as unknown as Record<string, unknown>)[key]) > 0,
    );
  const notes: string[] = [];
  const random = layers.filter((layer) => RANDOM.test(layer.getClassName()) || dropsWithin(layer));
  if (random.length > 0) notes.push(`dropout and noise are off, in ${random.length} layers`);
  if (layers.some(isBatchNorm)) {
    notes.push(
      batchNorm === 'batch'
        ? 'batch normalisation is over the batch; its moving averages are as they were'
        : 'batch normalisation is in inference mode, by its moving averages (--batch-norm batch takes the batch)',
    );
  }
  if (layers.some((layer) => layer.losses.length > 0)) {
    notes.push('regularisers are left out of the loss');
  }
  return notes;
}
