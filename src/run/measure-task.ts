/** Measures a task, on the backend of its thread. */
import type { Setting } from '../config/settings.js';
import { openBackend } from '../core/backend.js';
import type { BackendName } from '../core/backend-name.js';
import { type BatchCell, type CellMeasurement, measureBatch } from '../core/experiment.js';
import { groupOf } from '../core/lane.js';
import { GaussianSampler } from '../core/random.js';
import type { Source } from '../core/weights.js';
import { isTheory, type MeasuredQuantity, needsOf, type QuantityName } from '../quantities.js';
import type { RecordedCell } from '../store/cell-file.js';
import type { BatchOutcome, MeasureTask } from './task.js';

let opened: { readonly name: BackendName; readonly source: Promise<Source> } | undefined;

/** Measures the cells of a task; the backend is opened with the first task of a thread, and kept until one asks for another. */
export async function measureTask(task: MeasureTask): Promise<BatchOutcome> {
  if (task.model) {
    // Layers are loaded only where there is a model.
    const { measureModels } = await import('./measure-models.js');
    return measureModels(task);
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
    hiddenWidth,
    inputWidth,
    outputWidth,
    loss,
    train,
    scaling,
  } = task.cells[0]!.setting;
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
      },
      learningRate: ratesOf(setting),
      stepSize: setting.stepSize,
      data: { input: { ...data.input, scale: setting.inputScale }, target: data.target },
    })),
    {
      shape: { samples, width, ...(hiddenWidth !== null && { hiddenWidth }), inputWidth, outputWidth },
      architecture,
      activation,
      weights: task.weights,
      isNormalized: scaling.isNormalized,
      loss,
      train,
      kind: step.kind,
      steps: step.count,
      layers: record.layers,
      needs: needsOf(record.quantities),
    },
  );
  return {
    measurements: measurements.map((cell) => recorded(cell, record.quantities)),
    elapsedMs: performance.now() - started,
  };
}

/** eta_l at index l = 1 .. L. */
function ratesOf({ depth, scaling: { learningRate } }: Setting): BatchCell['learningRate'] {
  if (learningRate === 'scale-invariant') return learningRate;
  return Array.from({ length: depth + 1 }, (_, layer) => learningRate[groupOf(layer, depth)]);
}

function recorded(
  { layers, divergedAt, inexact, values }: CellMeasurement,
  names: readonly QuantityName[],
): RecordedCell {
  // Theory stands beside a measurement only, so rows need to know where there is an angle.
  const needed: readonly QuantityName[] = names.some(isTheory) ? [...names, 'bfa_rad'] : names;
  const kept = Object.entries(values).filter(([name]) => needed.includes(name as MeasuredQuantity));
  return { layers, divergedAt, inexact, values: Object.fromEntries(kept) };
}
