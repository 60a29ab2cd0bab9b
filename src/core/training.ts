/**
 * Steps one after the other: which samples each takes, which of them are measured, and what a run that is interrupted goes on from.
 * A step that nobody measures is a forward and a backward pass and moves the weights; the others are finished and proved too.
 */
import { permutation, rowsOf, type Samples } from './data.js';
import { LOSSES, type LossName } from './loss.js';
import { type GaussianSampler, ROLE } from './random.js';
import type { Lane } from './step/lane.js';
import type { Network, NetworkState } from './step/network.js';
import { Step, type StepSettings } from './step/step.js';

/** One network in training, beside its lane: all that it learns from, and what it is tested on. */
export interface Trainee {
  readonly lane: Lane;
  readonly samples: Samples;
  readonly heldOut: Samples;
  /** dt at the t-th step, where it is not that of the lane. */
  readonly stepSizeAt?: ((t: number) => number) | undefined;
}

/** What is measured on samples that are held out. */
export interface Evaluation {
  readonly loss: number;
  /** NaN where the targets are no classes. */
  readonly accuracy: number;
}

/** The order in which a network sees its samples: epoch after epoch, each a permutation of its own stream, without replacement. */
export class BatchOrder {
  private epoch = -1;
  private order: Int32Array = new Int32Array();

  constructor(
    private readonly sampler: GaussianSampler,
    private readonly lane: Pick<Lane, 'seed'>,
    private readonly samples: number,
    private readonly batch: number,
  ) {}

  /** The samples of the t-th step, t from 1; all of them in their order, where a batch has all. */
  rows(t: number): Int32Array {
    const { samples, batch } = this;
    const rows = new Int32Array(batch);
    for (let i = 0; i < batch; i++) {
      const at = (t - 1) * batch + i;
      const epoch = Math.floor(at / samples);
      if (batch < samples && epoch !== this.epoch) {
        this.epoch = epoch;
        this.order = permutation(this.sampler, this.lane.seed, ROLE.EPOCH, epoch, samples);
      }
      rows[i] = batch < samples ? this.order[at % samples]! : i;
    }
    return rows;
  }
}

/** Gives a network the samples of a step, at its step size. */
export class Feed {
  /** One for those that have the same samples, which are of one seed. */
  private readonly orders = new Map<Samples, BatchOrder>();
  private readonly isSame: boolean;
  private isFed = false;

  constructor(
    private readonly network: Network,
    private readonly trainees: readonly Trainee[],
    private readonly samples: number,
    private readonly batch: number,
  ) {
    const { sampler } = network.source;
    for (const { lane, samples: own } of trainees) {
      if (!this.orders.has(own)) this.orders.set(own, new BatchOrder(sampler, lane, samples, batch));
    }
    this.isSame = batch === samples && trainees.every(({ stepSizeAt }) => !stepSizeAt);
    this.isFed = this.isSame;
  }

  /** The samples of the t-th step. */
  step(t: number): void {
    if (this.isSame && this.isFed) return;
    const { inputWidth: d, outputWidth: k } = this.network.shape;
    const batches = new Map<Samples, Samples>();
    for (const [own, order] of this.orders) {
      if (this.batch === this.samples) batches.set(own, own);
      else {
        const rows = order.rows(t);
        batches.set(own, { input: rowsOf(own.input, d, rows), target: rowsOf(own.target, k, rows) });
      }
    }
    const lanes = this.trainees.map(({ lane, samples, stepSizeAt }): Lane => {
      return { ...lane, ...batches.get(samples)!, stepSize: stepSizeAt?.(t) ?? lane.stepSize };
    });
    this.network.feed(lanes, this.batch);
    this.isFed = true;
  }

  /** Loss and accuracy of every network on what is held out, `batch` samples at a time. */
  evaluate(settings: StepSettings, loss: LossName): Evaluation[] {
    const { network, trainees, batch } = this;
    const { inputWidth: d, outputWidth: k } = network.shape;
    const all = trainees[0]!.heldOut.target.length / k;
    const outputs = trainees.map(() => new Float32Array(all * k));
    for (let first = 0; first < all; first += batch) {
      const count = Math.min(batch, all - first);
      const lanes = trainees.map(({ lane, heldOut: { input, target } }) => ({
        ...lane,
        input: input.subarray(first * d, (first + count) * d),
        target: target.subarray(first * k, (first + count) * k),
      }));
      network.feed(lanes, count);
      const own = new Step(network, { ...settings, keepsStates: true }).outputs();
      outputs.forEach((f, i) => {
        f.set(own.subarray(i * count * k, (i + 1) * count * k), first * k);
      });
    }
    this.isFed = false;
    return trainees.map(({ heldOut: { target } }, i) => ({
      loss: LOSSES[loss].value(outputs[i]!, target, { ...network.shape, samples: all }),
      accuracy: accuracyOf(outputs[i]!, target, k),
    }));
  }
}

/** Share of the rows whose largest output is that of their class; NaN where a row of the targets is no class. */
export function accuracyOf(outputs: ArrayLike<number>, target: ArrayLike<number>, k: number): number {
  if (k < 2 || target.length === 0) return Number.NaN;
  let right = 0;
  for (let start = 0; start < target.length; start += k) {
    let [best, label, sum] = [0, 0, 0];
    for (let j = 0; j < k; j++) {
      const y = target[start + j]!;
      if (y !== 0 && y !== 1) return Number.NaN;
      sum += y;
      if (y === 1) label = j;
      if (outputs[start + j]! > outputs[start + best]!) best = j;
    }
    if (sum !== 1) return Number.NaN;
    if (best === label) right += 1;
  }
  return (right * k) / target.length;
}

/** What an interrupted training goes on from. */
export interface TrainingState {
  /** The steps that were taken. */
  readonly taken: number;
  readonly network: NetworkState;
  /** What was measured, by the networks of the batch in its order. */
  readonly drafts: readonly unknown[];
}

/** Who may look on from outside while networks train. */
export interface Watch<State = TrainingState> {
  /** What an earlier run has come to. */
  readonly state?: State | undefined;
  /** After every step but the last; `state` costs a copy of all weights. */
  stepped?(taken: number, state: () => State): void;
}
