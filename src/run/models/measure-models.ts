/** Measures the cells of a task whose network is the user's own, one after the other. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Model } from '../../config/model.js';
import { isTraining, recordedSteps } from '../../config/resolve.js';
import type { Setting } from '../../config/settings.js';
import type { Seed } from '../../core/random.js';
import type { Watch } from '../../core/training.js';
import { type ModelSteps, measureSteps, modelSamples, type SampleRequest } from '../../model/index.js';
import type { Cell } from '../../plan/cell.js';
import { needsOf } from '../../quantities.js';
import type { RecordedCell } from '../../store/cell-file.js';
import { readText } from '../../store/files.js';
import type { BatchOutcome, MeasureTask, OnSteps } from '../task.js';
import { lawsOf, scheduleOf, watchOf } from '../training.js';
import { openModelBackend } from './model-backend.js';
import { loadModel } from './model-file.js';

let opened: Promise<unknown> | undefined;

/** What an interrupted batch goes on from: the cells that are done, and the one in training. */
interface BatchState {
  /** Steps that were taken, as a mean over the cells. */
  readonly taken: number;
  readonly done: readonly RecordedCell[];
  readonly current: NonNullable<CellWatch['state']>;
}
type CellWatch = NonNullable<Parameters<typeof measureSteps>[3]>;

/** The backend is opened with the first task of a thread. */
export async function measureModels(task: MeasureTask, onSteps: OnSteps): Promise<BatchOutcome> {
  const { backend, cells } = task;
  if (backend === 'native') throw new Error('models are measured on wasm or cpu');
  opened ??= openModelBackend(backend);
  await opened;
  await tf.setBackend(backend);
  const started = performance.now();
  const watch: Watch<BatchState> = isTraining(task) ? watchOf<BatchState>(task, onSteps) : {};
  const measurements: RecordedCell[] = [...(watch.state?.done ?? [])];
  for (let i = measurements.length; i < cells.length; i++) {
    const overall = (taken: number) => (i * task.step.count + taken) / cells.length;
    const own: CellWatch = {
      state: watch.state?.done.length === i ? watch.state.current : undefined,
      stepped: (taken, state) =>
        watch.stepped?.(overall(taken), () => ({
          taken: overall(taken),
          done: measurements,
          current: state(),
        })),
    };
    measurements.push(await measureCell(task, cells[i]!, own));
  }
  return { measurements, elapsedMs: performance.now() - started };
}

async function measureCell(
  task: MeasureTask,
  { setting, seed }: Cell,
  watch: CellWatch,
): Promise<RecordedCell> {
  const { model, record } = task;
  const { path, digest } = model!.found!;
  const own = await loadModel(path, { ...requestOf(setting, model!), seed, version: digest });
  return withoutTraces(own.model, () => {
    const samples = modelSamples(own.model, sampleRequestOf(task, setting, seed));
    const { values, ...measured } = measureSteps(own.model, samples, stepsOf(task, setting), watch);
    const kept = Object.entries(values).filter(([name]) => record.quantities.some((each) => each === name));
    return { ...measured, values: Object.fromEntries(kept) };
  });
}

/** The data of a cell. */
export function sampleRequestOf(
  { model, data, dataSet }: Pick<MeasureTask, 'model' | 'data' | 'dataSet'>,
  setting: Setting,
  seed: Seed,
): SampleRequest {
  const { samples, loss } = setting;
  const text = model?.text?.found && readText(model.text.found.path);
  const { batch = samples, heldOut = 0 } = data;
  return { seed, samples, batch, heldOut, loss, law: lawsOf({ data, dataSet })(setting), text };
}

/** The steps of a cell. */
export function stepsOf(
  { model, step, data, record }: Pick<MeasureTask, 'model' | 'step' | 'data' | 'record'>,
  setting: Setting,
): ModelSteps {
  const { loss, stepSize, samples, scaling } = setting;
  return {
    loss,
    rates: scaling.learningRate,
    isNormalized: scaling.isNormalized,
    overBatch: model?.batchNorm === 'batch',
    kind: step.kind,
    steps: step.count,
    stepSizeAt: scheduleOf(setting, step.count) ?? (() => stepSize),
    recorded: recordedSteps({ record, step }),
    isTraining: isTraining({ record, data }),
    batch: data.batch ?? samples,
    needs: needsOf(record.quantities),
    layers: record.layers,
  };
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
