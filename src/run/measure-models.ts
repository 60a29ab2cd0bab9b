/** Measures the cells of a task whose network is the user's own, one after the other. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Setting } from '../config/settings.js';
import { drawModelData, type ModelLoss, measureSteps } from '../model/index.js';
import type { Cell } from '../plan/cell.js';
import type { RecordedCell } from '../store/cell-file.js';
import { openModelBackend } from './model-backend.js';
import { loadModel } from './model-file.js';
import type { BatchOutcome, MeasureTask } from './task.js';

export async function measureModels(task: MeasureTask): Promise<BatchOutcome> {
  const { backend } = task;
  if (backend === 'native') throw new Error('models are measured on wasm or cpu');
  await openModelBackend(backend);
  const started = performance.now();
  const measurements: RecordedCell[] = [];
  for (const cell of task.cells) measurements.push(await measureCell(task, cell));
  return { measurements, elapsedMs: performance.now() - started };
}

async function measureCell(
  { model, step, record }: MeasureTask,
  { setting, seed }: Cell,
): Promise<RecordedCell> {
  const { samples, stepSize, scaling } = setting;
  const loss: ModelLoss = setting.loss;
  const { path, digest } = model!.found!;
  const own = await loadModel(path, {
    ...argumentsOf(setting, model!.parameters),
    seed,
    version: digest,
  });
  return withoutTraces(own.model, () => {
    const data = drawModelData(own.model, { samples, seed, loss });
    const { learningRate: rates } = scaling;
    const { values, ...measured } = measureSteps(own.model, () => data, {
      loss,
      // One for all layers, whatever group they are of.
      rates: rates === 'scale-invariant' ? rates : rates.hidden,
      isNormalized: scaling.isNormalized,
      kind: step.kind,
      steps: step.count,
      stepSize,
      layers: record.layers,
    });
    for (const tensor of [...data.inputs, ...data.targets]) tensor.dispose();
    const kept = Object.entries(values).filter(([name]) => record.quantities.some((each) => each === name));
    return { ...measured, values: Object.fromEntries(kept) };
  });
}

/** What a module is asked for at a setting. */
export function argumentsOf(
  { depth, width, branchScale, parameters }: Setting,
  fixed: Readonly<Record<string, unknown>>,
) {
  const size = (value: number | null) => value ?? undefined;
  return {
    depth: size(depth),
    width: size(width),
    parameters: {
      ...fixed,
      ...((branchScale as number | null) !== null && { branchScale }),
      ...parameters,
    },
  };
}

/** Disposes of all that a model has made, also where it throws. */
export function withoutTraces<T>(model: LayersModel, measure: () => T): T {
  try {
    return measure();
  } finally {
    model.dispose();
  }
}
