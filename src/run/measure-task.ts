/** Measures a task, on the backend of its thread. */

import type { BackendName } from '../backends.js';
import { compileExpression, stepSizeNames } from '../config/expression.js';
import { isTraining, recordedSteps } from '../config/resolve.js';
import { ratesOf } from '../config/scalings/scaling-entry.js';
import type { Setting } from '../config/settings.js';
import { openBackend } from '../core/backend.js';
import { type BatchCell, type CellMeasurement, measureBatch } from '../core/experiment.js';
import { GaussianSampler } from '../core/random.js';
import type { TrainingState, Watch } from '../core/training.js';
import type { Source } from '../core/weights/weights.js';
import { isTheory, type MeasuredQuantity, needsOf, type QuantityName } from '../quantities.js';
import type { RecordedCell } from '../store/cell-file.js';
import { readSnapshot, writeSnapshot } from '../store/snapshot.js';
import type { BatchOutcome, MeasureTask, OnSteps } from './task.js';

let opened: { readonly name: BackendName; readonly source: Promise<Source> } | undefined;

/** How often the steps of a batch are told; ms. */
const TELL_MS = 250;

/** A snapshot may take this share of the time. */
const SNAPSHOT_SHARE = 0.05;

/** What is kept of a training while it goes on, and told of it. */
function watchOf({ snapshot, cells }: MeasureTask, onSteps: OnSteps): Watch {
  const keys = cells.map(({ key }) => key);
  const found = snapshot && readSnapshot(snapshot.path, snapshot.origin);
  let told = performance.now();
  let next = told + (snapshot?.everyMs ?? Infinity);
  const state = found && found.keys.join() === keys.join() ? (found.state as TrainingState) : undefined;
  if (state) onSteps(state.taken);
  return {
    state,
    stepped: (taken, copy) => {
      const now = performance.now();
      if (now >= told + TELL_MS) {
        told = now;
        onSteps(taken);
      }
      if (!snapshot || now < next) return;
      writeSnapshot(snapshot.path, { origin: snapshot.origin, keys, state: copy() });
      const took = performance.now() - now;
      next = now + Math.max(snapshot.everyMs, took / SNAPSHOT_SHARE);
    },
  };
}

/** Measures the cells of a task; the backend is opened with the first task of a thread, and kept until one asks for another. */
export async function measureTask(task: MeasureTask, onSteps: OnSteps = () => {}): Promise<BatchOutcome> {
  if (task.model) {
    // Layers are loaded only where there is a model.
    const { measureModels } = await import('./models/measure-models.js');
    return measureModels(task);
  }
  if (opened?.name !== task.backend) {
    const source = openBackend(task.backend).then((backend) => ({ backend, sampler: new GaussianSampler() }));
    opened = { name: task.backend, source };
  }
  const source = await opened.source;
  await source.backend.makeCurrent();
  const started = performance.now();
  const { data, dataSet, step, record } = task;
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
  const set = dataSet && { ...dataSet, isStandardized: data.file?.columns === 'standardized' };
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
      data: {
        input: { ...data.input, scale: setting.inputScale },
        target: data.target,
        set,
      },
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
      needs: needsOf(record.quantities),
    },
    isTraining(task) ? watchOf(task, onSteps) : {},
  );
  return {
    measurements: measurements.map((cell) => recorded(cell, record.quantities)),
    elapsedMs: performance.now() - started,
  };
}

/** dt at the t-th of `steps` steps, where it is not the same at all. */
function scheduleOf(setting: Setting, steps: number): BatchCell['stepSizeAt'] {
  const { stepSizeFormula, parameters } = setting;
  const { names, evaluate } = compileExpression(stepSizeFormula, stepSizeNames(Object.keys(parameters)));
  if (!names.includes('t')) return undefined;
  const { depth: L, width: m, inputWidth: d, outputWidth: k, samples: n, branchScale: beta } = setting;
  return (t) => evaluate({ ...parameters, L, m, d, k, n, beta, t, T: steps });
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
