/** Measures the cells of a task whose network is the user's own, one after the other. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Model } from '../../config/model.js';
import type { Setting } from '../../config/settings.js';
import type { Seed } from '../../core/random.js';
import {
  drawModelData,
  drawTextData,
  type ModelData,
  type ModelLoss,
  measureSteps,
} from '../../model/index.js';
import type { Cell } from '../../plan/cell.js';
import type { RecordedCell } from '../../store/cell-file.js';
import { readText } from '../../store/files.js';
import type { BatchOutcome, MeasureTask } from '../task.js';
import { openModelBackend } from './model-backend.js';
import { loadModel } from './model-file.js';

let opened: Promise<unknown> | undefined;

/** The backend is opened with the first task of a thread. */
export async function measureModels(task: MeasureTask): Promise<BatchOutcome> {
  const { backend } = task;
  if (backend === 'native') throw new Error('models are measured on wasm or cpu');
  opened ??= openModelBackend(backend);
  await opened;
  await tf.setBackend(backend);
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
    ...requestOf(setting, model!),
    seed,
    version: digest,
  });
  return withoutTraces(own.model, () => {
    const dataOf = dataReader(own.model, model!, { samples, seed, loss });
    const { values, ...measured } = measureSteps(own.model, dataOf, {
      loss,
      rates: ratesOf(setting),
      isNormalized: scaling.isNormalized,
      kind: step.kind,
      steps: step.count,
      stepSize,
      layers: record.layers,
    });
    const kept = Object.entries(values).filter(([name]) => record.quantities.some((each) => each === name));
    return { ...measured, values: Object.fromEntries(kept) };
  });
}

/** Data by the number of the step: windows of the text, or the same for all steps. */
export function dataReader(
  model: LayersModel,
  { text }: Pick<Model, 'text'>,
  { samples, seed, loss }: { readonly samples: number; readonly seed: Seed; readonly loss: ModelLoss },
): (step: number) => ModelData {
  if (text?.found) {
    const words = readText(text.found.path);
    return (step) => drawTextData(model, words, { samples, seed, step });
  }
  const data = drawModelData(model, { samples, seed, loss });
  return () => data;
}

/** Those of Eq. 8, or one for all layers, whatever group of a built-in network they would be of. */
export function ratesOf({ scaling: { learningRate } }: Setting): 'scale-invariant' | number {
  return typeof learningRate === 'string' ? 'scale-invariant' : learningRate.hidden;
}

/** What a module is asked for at a setting. */
export function requestOf(
  { depth, width, branchScale, parameters }: Setting,
  { parameters: fixed, ofFormulas }: Pick<Model, 'parameters' | 'ofFormulas'>,
) {
  const size = (value: number | null) => value ?? undefined;
  return {
    depth: size(depth),
    width: size(width),
    optional: ofFormulas,
    parameters: {
      ...fixed,
      ...((branchScale as number | null) !== null && { branchScale }),
      ...parameters,
    },
  };
}

/** Disposes of all that a model and its measurement have made, also where it throws. */
export function withoutTraces<T>(model: LayersModel, measure: () => T): T {
  tf.engine().startScope();
  try {
    return measure();
  } finally {
    tf.engine().endScope();
    model.dispose();
  }
}
