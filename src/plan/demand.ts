/** What the cost of a cell hangs on, of an experiment and a setting of it. */
import { type Experiment, isTraining, recordedSteps } from '../config/resolve.js';
import type { Setting } from '../config/settings.js';
import { needsOf } from '../quantities.js';
import type { WeightsKind } from './planned-batch.js';

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
  /** Largest eigenvalues of a Hessian that every measured step asks for. */
  readonly spectra: number;
  readonly recordsAllLayers: boolean;
  /** Float64 numbers that are recorded of the cell. */
  readonly recorded: number;
}

export function demandOf(experiment: Experiment, setting: Setting): Omit<Demand, 'weights'> {
  const { step, record, data } = experiment;
  const { architecture, activation, depth, width, hiddenWidth, inputWidth, outputWidth, loss, scaling } =
    setting;
  const measured = recordedSteps(experiment).length;
  const needs = needsOf(record.quantities);
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
    heldOut: needs.has('held-out outputs') ? (data.heldOut ?? 0) : 0,
    kind: step.kind,
    loss,
    isNormalized: scaling.isNormalized,
    measuresBackward: needs.has('backward velocity'),
    spectra: Number(needs.has('curvature')) + Number(needs.has('curvature of the step')),
    recordsAllLayers,
    recorded: measured * (recordsAllLayers ? depth - 1 : 1) * record.quantities.length,
  };
}
