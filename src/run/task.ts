/** One batch as a task for a worker: plain data in, measurements out; apart from what measures it, which loads a backend. */

import type { BackendName } from '../backends.js';
import type { Model } from '../config/model.js';
import type { Experiment } from '../config/resolve.js';
import type { Cell } from '../plan/cell.js';
import type { Batch } from '../plan/planned-batch.js';
import type { Origin, RecordedCell } from '../store/cell-file.js';

export interface MeasureTask {
  readonly backend: BackendName;
  readonly data: Experiment['data'];
  readonly dataSet: Experiment['dataSet'];
  readonly step: Experiment['step'];
  readonly record: Experiment['record'];
  readonly weights: Batch['weights'];
  /** The network, where it is the user's own. */
  readonly model?: Omit<Model, 'file' | 'sizes'> | undefined;
  readonly cells: readonly Cell[];
  /** Where the state of a long training is kept, and how often; ms. */
  readonly snapshot?:
    | { readonly path: string; readonly origin: Origin; readonly everyMs: number }
    | undefined;
}

/** Is told how many steps of a batch are taken. */
export type OnSteps = (taken: number) => void;

/** The task of a batch. */
export function taskOf(
  experiment: Experiment,
  cells: readonly Cell[],
  batch: Batch,
  backend: BackendName,
  snapshot?: MeasureTask['snapshot'],
): MeasureTask {
  const { data, dataSet, step, record, model } = experiment;
  const { weights } = batch;
  return {
    backend,
    data,
    dataSet,
    step,
    record,
    weights,
    model: model && withoutSizes(model),
    cells: batch.cells.map((i) => cells[i]!),
    snapshot,
  };
}

function withoutSizes({ file: _, sizes: __, ...model }: Model): MeasureTask['model'] {
  return model;
}

export interface BatchOutcome {
  /** In the order of the task's cells. */
  readonly measurements: readonly RecordedCell[];
  readonly elapsedMs: number;
}

/** Where batches are measured. */
export interface Executor {
  /**
   * Measures a batch and hands the outcome to `keep`; meanwhile `onSteps` is told how far it has come.
   *
   * @throws what the batch throws, what `keep` throws, and when its worker dies or the executor is closed.
   */
  run(task: MeasureTask, keep: (outcome: BatchOutcome) => Promise<void>, onSteps: OnSteps): Promise<void>;
  /** Drops what has not begun, and what can be interrupted. */
  close(): Promise<void>;
}
