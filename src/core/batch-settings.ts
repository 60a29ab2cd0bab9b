/** What a batch of cells is told: what they have in common, and what of it is measured. */
import type { ActivationName } from '../activations.js';
import type { ArchitectureName } from '../architectures/architectures.js';
import type { MeasuredQuantity, Need } from '../quantities.js';
import type { DataLaw } from './data.js';
import type { LossName } from './loss.js';
import type { Lane, Shape, Train } from './step/lane.js';
import type { WeightsName } from './step/network.js';

/** One network: what differs between the cells of a batch. */
export type BatchCell = Omit<Lane, 'input' | 'target'> & {
  readonly data: DataLaw;
  /** dt at the t-th step, t from 1, where it is not the same at all. */
  readonly stepSizeAt?: ((t: number) => number) | undefined;
};

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
  /** Steps that are taken, one after the other; measured are all, unless a training says which. */
  readonly steps: number;
  /** For many steps: dense weights learn in place then, and are named `mutable`. */
  readonly training?: Training | undefined;
  readonly layers: 'all' | 'output';
  /** What is recorded; everything, unless it is said. */
  readonly quantities?: readonly MeasuredQuantity[];
  /** What is measured besides; the velocity of the backward pass is that of a velocity, and a homogeneous activation. */
  readonly needs?: ReadonlySet<Need>;
}

/** Many steps: on which samples, and which of them are measured. */
interface Training {
  /** Samples that are learnt from, of which `shape.samples` are those of a step. */
  readonly samples: number;
  /** Samples that are held out. */
  readonly heldOut: number;
  /** Numbers of the steps that are measured, from 1, rising. */
  readonly recorded: readonly number[];
}

/** Numbers of the steps that are measured. */
export function recordedSteps({ steps, training }: BatchSettings): readonly number[] {
  return training?.recorded ?? Array.from({ length: steps }, (_, i) => i + 1);
}
