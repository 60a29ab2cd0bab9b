/** Steps of gradient descent of a model, one after the other, each measured or not: a cell of an experiment. */
import { tensor, type Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { norm } from '../../core/measurements/measure.js';
import { groupOf } from '../../core/step/lane.js';
import { type RateName, rateOf } from '../../core/step/rates.js';
import type { Evaluation, Watch } from '../../core/training.js';
import type { Need } from '../../quantities.js';
import { findOutputMultiplier, lastFeatures } from '../advice.js';
import { checkData } from '../data.js';
import { completeBackend } from '../derivatives/complete-backend.js';
import { scoped } from '../derivatives/derivatives.js';
import { descend, evaluate, type GradientFacts, type Problem } from '../descent.js';
import { type Graph, graphOf, type Pass } from '../graph.js';
import { refusing } from '../inspect.js';
import type { ModelLoss } from '../loss-names.js';
import { featuresAt, measureModel } from '../measure.js';
import { ModelError } from '../model-error.js';
import { type MeasuredSteps, ModelDraft, varianceOf } from './draft.js';
import type { ModelSamples } from './samples.js';

export interface ModelSteps {
  readonly loss: ModelLoss;
  /** How eta_l follows from the gradients, or those of the first, the middle and the last layers with trained weights. */
  readonly rates: RateName | { readonly input: number; readonly hidden: number; readonly output: number };
  /** Whether the output multiplier is that of Eq. 7, at the first step. */
  readonly isNormalized: boolean;
  /** Whether batch normalisation is over the samples of the step. */
  readonly overBatch: boolean;
  readonly kind: 'velocity' | 'update';
  readonly steps: number;
  /** dt at the t-th step, t from 1. */
  readonly stepSizeAt: (t: number) => number;
  /** Numbers of the steps that are measured, rising. */
  readonly recorded: readonly number[];
  /** Whether numbers from before a network left the range of float32 are kept. */
  readonly isTraining: boolean;
  /** Samples of a step, at most so many of which are evaluated at once. */
  readonly batch: number;
  /** What is measured besides what every step has. */
  readonly needs: ReadonlySet<Need>;
  /** All calls, or that of the last features before a layer with weights. */
  readonly layers: 'all' | 'output';
}

/** What an interrupted training goes on from. */
interface RunState {
  /** The steps that were taken. */
  readonly taken: number;
  /** All weights, moving averages too. */
  readonly weights: readonly Float32Array[];
  readonly firstSquares: readonly number[] | undefined;
  readonly multiplier: Problem['multiplier'];
  /** Features before the first step, by call. */
  readonly begin: ReadonlyMap<number, Float32Array>;
  readonly draft: unknown;
}

/** How near Eq. 7 is to be, as of `findOutputMultiplier`. */
const EQUATION_7 = 0.01;

/**
 * Takes the steps of a model, whose weights move, and measures those that are recorded before they are taken.
 *
 * @param watch looks on while it trains.
 * @throws ModelError for what `inspectModel` refuses too.
 */
export function measureSteps(
  model: LayersModel,
  samples: ModelSamples,
  settings: ModelSteps,
  watch: Watch<RunState> = {},
): MeasuredSteps {
  completeBackend();
  const graph = graphOf(model);
  if (graph.groups.length === 0) throw new ModelError('the model has no weights to train');
  const run = new ModelRun(model, graph, samples, settings);
  if (watch.state) run.restore(watch.state);
  else run.begin();
  for (let t = (watch.state?.taken ?? 0) + 1; t <= settings.steps && !run.draft.hasDiverged; t++) {
    scoped(() => run.step(t));
    if (t < settings.steps) watch.stepped?.(t, () => ({ taken: t, ...run.state }));
  }
  return run.draft.measurement;
}

class ModelRun {
  readonly draft: ModelDraft;
  private readonly last: number | undefined;
  /** Calls whose rows are recorded. */
  private readonly calls: readonly number[];
  private readonly measured: ReadonlySet<number>;
  private readonly variables: readonly Variable[];
  private readonly problem: Omit<Problem, 'inputs' | 'targets' | 'multiplier'>;
  private multiplier: Problem['multiplier'];
  private firstSquares: readonly number[] | undefined;
  private features = new Map<number, Float32Array>();

  constructor(
    model: LayersModel,
    private readonly graph: Graph,
    private readonly samples: ModelSamples,
    private readonly settings: ModelSteps,
  ) {
    const { loss, layers, recorded, isTraining, overBatch } = settings;
    this.last = lastFeatures(graph);
    this.calls = layers === 'all' ? graph.calls.map((_, i) => i) : [this.last ?? graph.calls.length - 1];
    this.measured = new Set(recorded);
    this.draft = new ModelDraft(graph, this.calls, recorded, isTraining);
    const layersOf = new Set(graph.calls.map(({ layer }) => layer));
    this.variables = [...layersOf].flatMap(({ weights }) => weights.map((each) => each.read() as Variable));
    const outputs = scoped(() => checkData(model, graph, samples.step(1), loss));
    this.problem = { graph, outputs, loss, overBatch };
  }

  /** Sets the scale of a network that has one of Eq. 7. */
  begin(): void {
    if (!this.settings.isNormalized) return;
    this.multiplier = scoped(() => multiplierOf(this.problemAt(1), this.last));
  }

  /** Takes the t-th step, and moves the weights unless it is the last. */
  step(t: number): void {
    const { settings, draft, graph } = this;
    const { kind, steps, needs } = settings;
    const problem = this.problemAt(t);
    const stepSize = settings.stepSizeAt(t);
    if (!this.measured.has(t)) {
      const isFirst = t === 1 && needs.has('first features');
      const see = isFirst ? (pass: Pass) => this.noteFeatures(pass) : undefined;
      const { loss, squares } = refusing(problem, () => descend(problem, this.rates, stepSize, see));
      const lost = squares.findIndex((square) => !Number.isFinite(square));
      if (!Number.isFinite(loss)) draft.diverge(t, graph.calls.length - 1);
      else if (lost !== -1) draft.diverge(t, graph.groups[lost]!.calls[0]!);
      return;
    }
    const displacements = new Map<number, number>();
    const see = (call: number, f: Float32Array) => {
      if (!needs.has('first features') || !this.calls.includes(call)) return;
      const start = this.features.get(call) ?? f;
      this.features.set(call, start);
      displacements.set(call, norm(f.map((value, i) => value - start[i]!)) / Math.sqrt(f.length));
    };
    const variances = graph.groups.map(varianceOf);
    const heldOut = this.heldOut(problem);
    const move = { kind, stepSize, movesWeights: t < steps };
    const measured = refusing(problem, () => measureModel(problem, this.rates, move, see));
    draft.note(measured, { step: t, kind, stepSize, displacements, variances, heldOut });
  }

  get state(): Omit<RunState, 'taken'> {
    return {
      weights: this.variables.map((variable) => variable.dataSync<'float32'>().slice()),
      firstSquares: this.firstSquares,
      multiplier: this.multiplier,
      begin: this.features,
      draft: this.draft.state,
    };
  }

  restore({ weights, firstSquares, multiplier, begin, draft }: RunState): void {
    scoped(() => {
      this.variables.forEach((variable, i) => {
        variable.assign(tensor(weights[i]!, variable.shape, variable.dtype as 'float32'));
      });
    });
    this.firstSquares = firstSquares;
    this.multiplier = multiplier;
    this.features = new Map(begin);
    this.draft.restore(draft);
  }

  private problemAt(t: number): Problem {
    return { ...this.problem, ...this.samples.step(t), multiplier: this.multiplier };
  }

  /** eta_l of each group of weights. */
  private readonly rates = ({ squares, learning, loss }: GradientFacts): readonly number[] => {
    const { rates } = this.settings;
    this.firstSquares ??= squares;
    const first = this.firstSquares;
    return squares.map((square, l) =>
      typeof rates === 'string'
        ? rateOf(rates, { depth: learning, square, first: first[l]!, loss })
        : rates[groupOf(l + 1, squares.length)],
    );
  };

  private heldOut(problem: Problem): Evaluation {
    const { needs, batch } = this.settings;
    const { heldOut } = this.samples;
    if (!heldOut || !needs.has('held-out outputs')) return { loss: Number.NaN, accuracy: Number.NaN };
    return scoped(() => evaluate({ ...problem, ...heldOut }, batch));
  }

  private noteFeatures(pass: Pass): void {
    for (const call of this.calls) this.features.set(call, featuresAt(pass, call));
  }
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
