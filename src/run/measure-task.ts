/** Measures a task, on the backend of its thread. */
import { openBackend } from '../core/backend.js';
import { type CellMeasurement, type MeasuredQuantity, measureBatch } from '../core/experiment.js';
import { GaussianSampler } from '../core/random.js';
import type { Source } from '../core/weights.js';
import type { QuantityName } from '../quantities.js';
import type { BatchOutcome, MeasureTask, RecordedCell } from './task.js';

let opened: Promise<Source> | undefined;

/** Measures the cells of a task; the backend is opened with the first task of a thread and kept. */
export async function measureTask(task: MeasureTask): Promise<BatchOutcome> {
  opened ??= openBackend(task.backend).then((backend) => ({ backend, sampler: new GaussianSampler() }));
  const source = await opened;
  const started = performance.now();
  const { network, data, step } = task;
  const measurements = measureBatch(
    source,
    task.cells.map(({ seed, setting }) => ({
      seed,
      depth: setting.depth,
      branchScale: setting.branchScale,
      sigma: {
        input: setting.scaling.sigmaInput,
        hidden: setting.scaling.sigmaHidden,
        output: setting.scaling.sigmaOutput,
      },
      learningRate: setting.scaling.learningRate,
      stepSize: setting.stepSize,
      data: { input: { scale: setting.inputScale, normalize: data.input.normalize }, target: data.target },
    })),
    {
      shape: {
        samples: data.samples,
        width: task.width,
        inputWidth: network.inputWidth,
        outputWidth: network.outputWidth,
      },
      activation: network.activation,
      weights: task.weights,
      kind: step.kind,
      layers: task.record.layers,
    },
  );
  return {
    measurements: measurements.map((cell) => recorded(cell, task.record.quantities)),
    elapsedMs: performance.now() - started,
  };
}

function recorded(
  { layers, divergedAt, values }: CellMeasurement,
  names: readonly QuantityName[],
): RecordedCell {
  const kept = Object.entries(values).filter(([name]) => names.includes(name as MeasuredQuantity));
  return { layers, divergedAt, values: Object.fromEntries(kept) };
}
