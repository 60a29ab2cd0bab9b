/** What a run asks of the machine, told before it starts; and what does not fit. `plan/cost.ts` has the costs of one cell. */
import { MOST_KEPT_STEPS } from '../config/file/experiment.js';
import { type Experiment, recordedSteps } from '../config/resolve.js';
import { isOfMatrices } from '../quantities.js';
import type { Cell } from './cell.js';
import { backendBytes, hostBytes } from './cost.js';
import { type Demand, demandOf } from './demand.js';
import { sizeAt } from './model-cost.js';
import type { Batch } from './planned-batch.js';

/** An experiment with its batches; their indices are into `missing`. */
export interface Planned {
  readonly experiment: Experiment;
  /** The cells of the table. */
  readonly cells: readonly Cell[];
  /** Those that are measured. */
  readonly missing: readonly Cell[];
  readonly batches: readonly Batch[];
}

export interface Estimate {
  /** Threads or processes that find work. */
  readonly workers: number;
  readonly rows: number;
  /** Processor time of all workers together, s. */
  readonly workSeconds: number;
  /** Time until it is done where every worker has a core of its own, s. */
  readonly wallSeconds: number;
  /** Memory at the peak, all workers and the table included; bytes. */
  readonly bytes: number;
  /** The part of it that is on the heap of JavaScript: cells and rows. */
  readonly heapBytes: number;
  /** The largest table.csv. */
  readonly tableBytes: number;
}

/** What there is to run on. */
export interface Machine {
  /** Memory of the machine, or of the group of processes where that is limited; bytes. */
  readonly bytes: number;
  /** What the heap of JavaScript may hold; bytes. */
  readonly heapBytes: number;
  /** Characters of the longest text. */
  readonly textLength: number;
  /** Memory that a worker of the backend addresses; bytes. */
  readonly backendBytes: number;
  readonly backend: string;
}

/** Measured: memory of the program itself, of a worker with its backend, of a cell and of a row until the table is written. */
const PROCESS_BYTES = 90e6;
const WORKER_BYTES = 50e6;
const CELL_BYTES = 2600;
const ROW_BYTES = 1500;
const VALUE_BYTES = 230;

/** Measured: time to start, of a further worker to start, and of a cell and a row besides their batch; s. */
const START_SECONDS = 0.6;
const WORKER_SECONDS = 0.15;
const CELL_SECONDS = 190e-6;
const ROW_SECONDS = 8e-6;

/** Characters of a row of the table: who it is, and each of its quantities. */
const IDENTITY_LENGTH = 75;
const VALUE_LENGTH = 20;

/** Rows of the table of an experiment. */
function rowsOf({ experiment, cells }: Pick<Planned, 'experiment' | 'cells'>): number {
  const { record, model } = experiment;
  const layers = ({ setting }: Cell) => {
    if (record.layers !== 'all') return 1;
    return model ? sizeAt(model, setting).calls : setting.depth - 1;
  };
  const steps = recordedSteps(experiment).length;
  return cells.reduce((sum, cell) => sum + steps * layers(cell), 0);
}

/** What tables take in memory, whose files have so many bytes, when they are read and written as one. */
export function tableHeapBytes(fileBytes: number): number {
  return (fileBytes / (IDENTITY_LENGTH + VALUE_LENGTH)) * (ROW_BYTES + VALUE_BYTES);
}

/**
 * Experiments that run together, over one pool of workers.
 *
 * @param pace how many times longer than the reference this machine takes.
 */
export function estimate(planned: readonly Planned[], workers: number, pace = 1): Estimate {
  const batches = planned.flatMap((each) => each.batches);
  const used = Math.max(1, Math.min(workers, batches.length));
  const rows = planned.map(rowsOf);
  const cells = planned.reduce((sum, each) => sum + each.cells.length, 0);
  const allRows = rows.reduce((sum, count) => sum + count, 0);
  const heapBytes = planned.reduce((sum, { experiment, cells }, i) => {
    const ofRow = ROW_BYTES + VALUE_BYTES * experiment.record.quantities.length;
    return sum + cells.length * CELL_BYTES + rows[i]! * ofRow;
  }, 0);
  const textBytes = planned.map(
    ({ experiment: { name, record } }, i) =>
      rows[i]! * (IDENTITY_LENGTH + name.length + VALUE_LENGTH * record.quantities.length),
  );
  const work = batches.reduce((sum, batch) => sum + batch.cost, 0) / 1000;
  const longest = batches.reduce((most, batch) => Math.max(most, batch.cost), 0) / 1000;
  const alone = START_SECONDS + cells * CELL_SECONDS + allRows * ROW_SECONDS;
  const more = used > 1 ? used * WORKER_SECONDS : 0;
  const largest = batches.map((batch) => batch.bytes + batch.hostBytes).sort((a, b) => b - a);
  const measuring = largest.slice(0, used).reduce((sum, bytes) => sum + bytes, 0);
  return {
    workers: used,
    rows: allRows,
    workSeconds: pace * (alone + more + work),
    wallSeconds: pace * (alone + more / used + Math.max(longest, work / used)),
    bytes: PROCESS_BYTES + used * WORKER_BYTES + heapBytes + measuring,
    heapBytes,
    tableBytes: textBytes.reduce((most, bytes) => Math.max(most, bytes), 0),
  };
}

/** The most workers, up to `workers`, with whose batches the experiments fit into the machine; 1 where none do. */
export function fittingWorkers(planned: readonly Planned[], workers: number, machine: Machine): number {
  let fitting = workers;
  while (fitting > 1 && estimate(planned, fitting).bytes > machine.bytes) fitting--;
  return fitting;
}

/**
 * The workers, up to `workers`, that pay: those with which the time that is saved exceeds the processor time that they take to
 * start by most.
 */
export function payingWorkers(planned: readonly Planned[], workers: number): number {
  const alone = estimate(planned, 1).wallSeconds;
  let best = { workers: 1, gain: 0 };
  for (let more = 2; more <= workers; more++) {
    const gain = alone - estimate(planned, more).wallSeconds - (more - 1) * WORKER_SECONDS;
    if (gain > best.gain) best = { workers: more, gain };
  }
  return best.workers;
}

/** Why an experiment cannot be run with so many workers, in a sentence that says what to change; undefined where it can. */
export function misfit(planned: Planned, workers: number, machine: Machine): string | undefined {
  const { experiment, batches } = planned;
  const { name, record } = experiment;
  if (experiment.step.count > MOST_KEPT_STEPS && batches.some(({ weights }) => weights === 'matrix-free')) {
    return (
      `${name}: ${experiment.step.count} steps with weights that are never formed keep a direction for every product, and ` +
      `there is room for ${MOST_KEPT_STEPS} steps; use --weights dense, or a smaller step.count`
    );
  }
  const ofMatrices = record.quantities.filter(isOfMatrices);
  if (ofMatrices.length > 0 && batches.some(({ weights }) => weights === 'matrix-free')) {
    return (
      `${name}: ${ofMatrices.join(', ')} ${ofMatrices.length === 1 ? 'is' : 'are'} of the matrices, and these weights are never formed; ` +
      'use --weights dense, or leave it out of record.quantities'
    );
  }
  const batch = batches.find(({ bytes }) => bytes > machine.backendBytes);
  if (batch) {
    return (
      `${name}: ${cellOf(planned, batch)} needs ${gigabytes(batch.bytes)}, and the ${machine.backend} ` +
      `backend holds ${gigabytes(machine.backendBytes)}; ${adviceFor(planned, batch, machine.backendBytes)}`
    );
  }
  const whole = estimate([planned], workers);
  const fewerRows =
    record.layers === 'all' && experiment.axes.depth.some((depth) => depth > 3)
      ? 'record "layers": "output", or take fewer draws'
      : 'take fewer draws or values of an axis';
  if (whole.tableBytes > machine.textLength) {
    return (
      `${name}: its table has ${whole.rows} rows, some ${gigabytes(whole.tableBytes)} of text, and Node.js ` +
      `holds ${gigabytes(machine.textLength)} at once; ${fewerRows}`
    );
  }
  if (whole.heapBytes > machine.heapBytes) {
    return (
      `${name}: ${planned.cells.length} cells and ${whole.rows} rows need ${gigabytes(whole.heapBytes)}, and the ` +
      `heap of JavaScript holds ${gigabytes(machine.heapBytes)}; ${fewerRows}, or give Node.js more by ` +
      'NODE_OPTIONS=--max-old-space-size'
    );
  }
  if (whole.bytes <= machine.bytes) return undefined;
  const fitting = fittingWorkers([planned], workers, machine);
  const advice =
    estimate([planned], fitting).bytes <= machine.bytes
      ? `use --workers ${fitting}`
      : adviceFor(planned, largestOf(batches), machine.bytes - estimate([planned], 1).heapBytes);
  return (
    `${name}: ${whole.workers} ${whole.workers === 1 ? 'worker needs' : 'workers need'} ${gigabytes(whole.bytes)} ` +
    `of memory, and there are ${gigabytes(machine.bytes)}; ${advice}`
  );
}

/** `1.5 GB`. */
export const gigabytes = (bytes: number) =>
  `${bytes < 1e8 ? (bytes / 1e9).toPrecision(1) : (bytes / 1e9).toFixed(1)} GB`;

const largestOf = (batches: readonly Batch[]): Batch =>
  batches.reduce((most, batch) =>
    batch.bytes + batch.hostBytes > most.bytes + most.hostBytes ? batch : most,
  );

function cellOf({ experiment, missing }: Planned, { cells, width, weights }: Batch): string {
  if (experiment.model) return `a cell of ${missing[cells[0]!]!.key}`;
  const { depth, widths } = missing[cells[0]!]!.setting;
  const told = widths ? `widths ${widths[0]} .. ${width}` : `width ${width}`;
  return `a cell of depth ${depth} and ${told} with ${weights} weights`;
}

/** What a user can make smaller, and what it is called. */
const SIZES = {
  width: 'a smaller width',
  depth: 'a smaller depth',
  samples: 'fewer data.samples',
  inputWidth: 'a smaller network.inputWidth',
  outputWidth: 'a smaller network.outputWidth',
  steps: 'a smaller step.count',
} as const;

/** What to change so that a cell takes less: other weights if these fit, else the largest size whose half would save much. */
function adviceFor({ experiment, missing }: Planned, batch: Batch, most: number): string {
  if (experiment.model) return `use fewer data.samples than ${batch.samples}, or a smaller network`;
  const demand: Demand = {
    ...demandOf(experiment, missing[batch.cells[0]!]!.setting),
    weights: batch.weights,
  };
  const needed = (changed: Partial<Demand>) => {
    const share = (changed.width ?? demand.width) / demand.width;
    const widths = demand.widths && { widths: demand.widths.map((width) => share * width) };
    return (
      backendBytes({ ...demand, ...changed, ...widths }) + hostBytes({ ...demand, ...changed, ...widths })
    );
  };
  const others = batch.weights === 'dense' ? 'matrix-free' : 'dense';
  if (needed({ weights: others }) <= most) return `use --weights ${others}`;
  const sizes = (Object.keys(SIZES) as (keyof typeof SIZES)[]).filter(
    (size) => needed({ [size]: demand[size] / 2 }) < 0.75 * needed({}),
  );
  const [largest = 'width'] = sizes.sort((a, b) => demand[b] - demand[a]);
  return `use ${SIZES[largest]} than ${demand[largest]}`;
}
