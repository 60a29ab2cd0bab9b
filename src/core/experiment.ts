/** A batch of cells in, their measurements out: the one function of the core that the program calls. */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { ARCHITECTURES } from '../architectures/architectures.js';
import type { Need } from '../quantities.js';
import { ACTIVATIONS } from './activation.js';
import { type BatchCell, type BatchSettings, recordedSteps } from './batch-settings.js';
import { sharpness } from './curvature/sharpness.js';
import { SampleDraws } from './data.js';
import { LOSSES } from './loss.js';
import { type CellMeasurement, Draft } from './measurements/draft.js';
import { isNormalizedAlone, normalizeNetwork } from './scales/normalize.js';
import { backwardVelocity } from './step/backward-velocity.js';
import { displacements } from './step/displacement.js';
import type { FinishedLayer } from './step/finished-step.js';
import { Network } from './step/network.js';
import { Step, type StepSettings } from './step/step.js';
import { accuracyOf, Feed, type Trainee, type Watch } from './training.js';
import type { Source } from './weights/weights.js';

export type { BatchCell, BatchSettings } from './batch-settings.js';
export type { CellMeasurement } from './measurements/draft.js';

/**
 * Takes the gradient steps of every cell and measures them.
 *
 * @param cells in any order, of any depths; the result is in their order.
 * @param watch looks on while they train.
 */
export function measureBatch(
  source: Source,
  cells: readonly BatchCell[],
  settings: BatchSettings,
  watch: Watch = {},
): CellMeasurement[] {
  const { shape, steps, training } = settings;
  if (cells.length > 1 && settings.isNormalized && isNormalizedAlone(settings.weights, shape)) {
    return cells.flatMap((cell) => measureBatch(source, [cell], settings));
  }
  const order = cells.map((_, i) => i).sort((i, j) => cells[j]!.depth - cells[i]!.depth || i - j);
  const all = { ...shape, samples: training?.samples ?? shape.samples };
  const draws = new SampleDraws(source.sampler, all, training?.heldOut);
  const trainees = order.map((i): Trainee => {
    const { data, stepSizeAt, seed, depth, branchScale, sigma, learningRate, stepSize } = cells[i]!;
    const { samples, heldOut } = draws.of(seed, data);
    const { input, target } = samples;
    const lane = { seed, depth, branchScale, sigma, learningRate, stepSize, input, target };
    return { samples, heldOut, stepSizeAt, lane };
  });
  const drafts = trainees.map(({ lane }) => new Draft(lane, settings));
  const network = new Network(
    source,
    shape,
    trainees.map(({ lane }) => lane),
    {
      architecture: ARCHITECTURES[settings.architecture],
      activation: ACTIVATIONS[settings.activation],
      weights: settings.weights,
      isNormalized: settings.isNormalized,
    },
  );
  const feed = new Feed(network, trainees, all.samples, shape.samples);
  const run = new BatchRun(network, drafts, feed, settings);
  const { state } = watch;
  if (state) {
    network.restore(state.network);
    drafts.forEach((draft, i) => {
      draft.restore(state.drafts[i]);
    });
  } else if (settings.isNormalized) {
    feed.step(1);
    normalizeNetwork(network, run.stepSettings).forEach((reached, i) => {
      drafts[i]!.noteNormalization(reached);
    });
  }
  for (let t = (state?.taken ?? 0) + 1; t <= steps && !drafts.every(({ hasDiverged }) => hasDiverged); t++) {
    run.step(t);
    if (t === steps) break;
    watch.stepped?.(t, () => ({
      taken: t,
      network: network.state,
      drafts: drafts.map((draft) => draft.state),
    }));
  }
  network.dispose();

  const results: CellMeasurement[] = new Array(cells.length);
  order.forEach((cell, i) => {
    results[cell] = drafts[i]!.measurement;
  });
  return results;
}

/** The steps of a batch, each measured or not. */
class BatchRun {
  readonly stepSettings: StepSettings;
  private readonly recorded: ReadonlySet<number>;

  constructor(
    private readonly network: Network,
    private readonly drafts: readonly Draft[],
    private readonly feed: Feed,
    private readonly settings: BatchSettings,
  ) {
    this.stepSettings = {
      kind: settings.kind,
      loss: LOSSES[settings.loss],
      train: settings.train,
      measuresAllGradients: settings.needs?.has('all gradients') ?? false,
    };
    this.recorded = new Set(recordedSteps(settings));
  }

  /** Takes the t-th step, and moves the weights unless it is the last. */
  step(t: number): void {
    const { network, feed, settings } = this;
    const isMeasured = this.recorded.has(t);
    const heldOut =
      isMeasured && settings.training?.heldOut && settings.needs?.has('held-out outputs')
        ? feed.evaluate(this.stepSettings, settings.loss)
        : undefined;
    feed.step(t);
    if (isMeasured) {
      this.drafts.forEach((draft, i) => {
        draft.begin(network.lanes[i]!.stepSize, heldOut?.[i]);
      });
    }
    const step = isMeasured ? this.measured(t) : this.unmeasured(t);
    if (t < settings.steps) step.learn();
    step.dispose();
  }

  private unmeasured(t: number): Step {
    const step = new Step(this.network, { ...this.stepSettings, keepsStates: true });
    step.descend().forEach((loss, i) => {
      const overflow = step.proof.overflow[i];
      const { depth } = this.network.lanes[i]!;
      if (overflow !== undefined || !Number.isFinite(loss)) this.drafts[i]!.diverge(t, overflow ?? depth);
    });
    if (t === 1) {
      step.layers.forEach(({ features }, distance) => {
        this.noteInitial({ distance, features });
      });
    }
    return step;
  }

  private isRecorded(distance: number): boolean {
    return this.settings.layers === 'all' || distance === 1;
  }

  private noteInitial(layer: Pick<FinishedLayer, 'distance' | 'features'>): void {
    const { distance } = layer;
    if (!this.settings.needs?.has('first features') || !this.isRecorded(distance)) return;
    eachLane([layer.features], (i, [f]) => this.drafts[i]!.noteInitial(distance, f!));
  }

  private measured(t: number): Step {
    const { network, drafts } = this;
    const { kind, needs, steps, training } = this.settings;
    const measuresBackward = needs?.has('backward velocity') ?? false;
    const isRecorded = (distance: number) => this.isRecorded(distance);
    const noteUpdate = (layer: FinishedLayer) => {
      if (steps > 1 && !training) {
        eachLane([layer.change], (i, [df]) => drafts[i]!.noteUpdate(layer.distance, df!));
      }
    };
    const alsoUpdates = kind === 'velocity' && steps > 1 && !training;
    const keepsStates = t < steps || measuresBackward || alsoUpdates || this.measuresWeights;
    const step = new Step(network, { ...this.stepSettings, keepsStates });
    const finished = step.take((layer) => {
      const { distance, sums } = layer;
      if (!isRecorded(distance)) return;
      if (t === 1) this.noteInitial(layer);
      sums.overlap.forEach((overlap, i) => {
        drafts[i]!.note(distance, {
          features: Math.sqrt(sums.features[i]!),
          backward: Math.sqrt(sums.backward[i]!),
          change: Math.sqrt(sums.change[i]!),
          overlap,
        });
      });
      if (needs?.has('features')) {
        eachLane([layer.features], (i, [own]) => drafts[i]!.noteFeatures(distance, own!));
      }
      if (training && needs?.has('first features')) {
        eachLane([layer.features], (i, [own]) => drafts[i]!.noteDisplacement(distance, own!));
      }
      if (kind === 'update') noteUpdate(layer);
    });
    if (alsoUpdates) {
      step.update((layer) => isRecorded(layer.distance) && noteUpdate(layer));
    }
    if (measuresBackward) {
      backwardVelocity(step, ({ distance, features, velocity }) => {
        if (isRecorded(distance)) {
          eachLane([features, velocity], (i, [f, bdot]) => drafts[i]!.noteBackward(distance, f!, bdot!));
        }
      });
    }
    this.measureWeights(step);
    const { outputWidth: k, samples } = network.shape;
    drafts.forEach((draft, i) => {
      const own = step.output.values.subarray(i * samples * k, (i + 1) * samples * k);
      draft.finish(t, finished, i, accuracyOf(own, network.lanes[i]!.target, k));
    });
    return step;
  }

  /** Whether the weights themselves are measured, after the step. */
  private get measuresWeights(): boolean {
    const { needs } = this.settings;
    return needs !== undefined && OF_WEIGHTS.some((need) => needs.has(need));
  }

  /** Where the weights stand, and how the loss bends there: of a step whose states are kept, before it moves them. */
  private measureWeights(step: Step): void {
    const { drafts, settings } = this;
    const { needs } = settings;
    if (needs?.has('displaced weights') || needs?.has('first weights')) {
      const isRecorded = (distance: number) => this.isRecorded(distance);
      displacements(step, isRecorded, (lane, layer, found) => drafts[lane]!.noteWeights(layer, found));
    }
    if (needs?.has('curvature')) {
      const found = sharpness(step, 'parameters');
      drafts.forEach((draft, i) => {
        draft.noteCurvature({ sharpness: found[i]! });
      });
    }
    if (needs?.has('curvature of the step')) {
      const found = sharpness(step, 'step');
      drafts.forEach((draft, i) => {
        draft.noteCurvature({ stepSharpness: found[i]! });
      });
    }
  }
}

const OF_WEIGHTS: readonly Need[] = [
  'displaced weights',
  'first weights',
  'curvature',
  'curvature of the step',
];

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
