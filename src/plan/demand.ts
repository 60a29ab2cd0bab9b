/** What the cost of a cell hangs on, of an experiment and a setting of it. */
import { type Experiment, isTraining, recordedSteps } from '../config/resolve.js';
import type { Setting } from '../config/settings.js';
import { needsOf } from '../quantities.js';

export type WeightsKind = 'dense' | 'matrix-free';

export interface Demand {
  readonly weights: WeightsKind;
  readonly architecture: Setting['architecture'];
  readonly activation: Setting['activation'];
  readonly depth: number;
  readonly width: number;
  /** m_1 .. m_{L-1}, where they differ. */
  readonly widths?: readonly number[];
  readonly hiddenWidth: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
  readonly samples: number;
  readonly steps: number;
  /** Steps that are measured, where weights learn in place: the others take two passes, and none is kept. */
  readonly measured: number | undefined;
  /** Samples that every measured step is evaluated on besides. */
  readonly heldOut: number;
  readonly kind: Experiment['step']['kind'];
  readonly loss: Setting['loss'];
  readonly isNormalized: boolean;
  readonly measuresBackward: boolean;
  readonly recordsAllLayers: boolean;
  /** Float64 numbers that are recorded of the cell. */
  readonly recorded: number;
}

export function demandOf(experiment: Experiment, setting: Setting): Omit<Demand, 'weights'> {
  const { step, record, data } = experiment;
  const { architecture, activation, depth, width, hiddenWidth, inputWidth, outputWidth, loss, scaling } =
    setting;
  const measured = recordedSteps(experiment).length;
  const recordsAllLayers = record.layers === 'all';
  return {
    architecture,
    activation,
    depth,
    width,
    ...(setting.widths && { widths: setting.widths }),
    hiddenWidth: hiddenWidth ?? width,
    inputWidth,
    outputWidth,
    samples: data.batch ?? setting.samples,
    steps: step.count,
    measured: isTraining(experiment) ? measured : undefined,
    heldOut: needsOf(record.quantities).has('held-out outputs') ? (data.heldOut ?? 0) : 0,
    kind: step.kind,
    loss,
    isNormalized: scaling.isNormalized,
    measuresBackward: needsOf(record.quantities).has('backward velocity'),
    recordsAllLayers,
    recorded: measured * (recordsAllLayers ? depth - 1 : 1) * record.quantities.length,
  };
}
