/** Measures a task, on the backend of its thread. */

import type { BackendName } from '../backends.js';
import { isTraining, recordedSteps } from '../config/resolve.js';
import { ratesOf } from '../config/scalings/scaling-entry.js';
import { openBackend } from '../core/backend.js';
import { measureBatch } from '../core/experiment.js';
import { isMeasured } from '../core/measurements/measurements.js';
import { GaussianSampler } from '../core/random.js';
import type { Source } from '../core/weights/weights.js';
import { isTheory, type MeasuredQuantity, needsOf, type QuantityName } from '../quantities.js';
import type { BatchOutcome, MeasureTask, OnSteps } from './task.js';
import { lawsOf, scheduleOf, watchOf } from './training.js';

let opened: { readonly name: BackendName; readonly source: Promise<Source> } | undefined;

/** Measures the cells of a task; the backend is opened with the first task of a thread, and kept until one asks for another. */
export async function measureTask(task: MeasureTask, onSteps: OnSteps = () => {}): Promise<BatchOutcome> {
  if (task.model) {
    // Layers are loaded only where there is a model.
    const { measureModels } = await import('./models/measure-models.js');
    return measureModels(task, onSteps);
  }
  if (opened?.name !== task.backend) {
    const source = openBackend(task.backend).then((backend) => ({ backend, sampler: new GaussianSampler() }));
    opened = { name: task.backend, source };
  }
  const source = await opened.source;
  await source.backend.makeCurrent();
  const started = performance.now();
  const { data, step, record } = task;
  // What the cells of a batch have in common.
  const {
    architecture,
    activation,
    samples,
    width,
    widths,
    hiddenWidth,
    inputWidth,
    outputWidth,
    loss,
    train,
    scaling,
  } = task.cells[0]!.setting;
  const lawAt = lawsOf(task);
  const measurements = measureBatch(
    source,
    task.cells.map(({ seed, setting }) => ({
      seed,
      depth: setting.depth,
      branchScale: setting.branchScale,
      sigma: {
        input: setting.scaling.sigmaInput,
        inner: setting.scaling.sigmaInner,
        hidden: setting.scaling.sigmaHidden,
        output: setting.scaling.sigmaOutput,
        ...(setting.scaling.hiddenLayers && {
          hiddenLayers: [Number.NaN, Number.NaN, ...setting.scaling.hiddenLayers.sigma],
        }),
      },
      learningRate: ratesOf(setting.scaling, setting.depth),
      stepSize: setting.stepSize,
      stepSizeAt: scheduleOf(setting, step.count),
      data: lawAt(setting),
    })),
    {
      shape: {
        samples: data.batch ?? samples,
        width,
        ...(widths && { widths: [Number.NaN, ...widths.toReversed()] }),
        ...(hiddenWidth !== null && { hiddenWidth }),
        inputWidth,
        outputWidth,
      },
      architecture,
      activation,
      weights: task.weights === 'dense' && isTraining(task) ? 'mutable' : task.weights,
      isNormalized: scaling.isNormalized,
      loss,
      train,
      kind: step.kind,
      steps: step.count,
      ...(isTraining(task) && {
        training: {
          samples,
          heldOut: data.heldOut ?? 0,
          recorded: recordedSteps(task),
        },
      }),
      layers: record.layers,
      quantities: measuredOf(record.quantities),
      needs: needsOf(record.quantities),
    },
    isTraining(task) ? watchOf(task, onSteps) : {},
  );
  return { measurements, elapsedMs: performance.now() - started };
}

/** Theory stands beside a measurement only, so rows need to know where there is an angle. */
function measuredOf(names: readonly QuantityName[]): MeasuredQuantity[] {
  const all: readonly QuantityName[] = names.some(isTheory) ? [...names, 'bfa_rad'] : names;
  return [...new Set(all)].filter(isMeasured);
}
