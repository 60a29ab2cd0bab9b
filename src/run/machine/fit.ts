/** Whether experiments fit into this machine, asked before they start. */
import { constants } from 'node:buffer';
import { statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { type BackendName, MOST_BYTES } from '../../backends.js';
import { smallest } from '../../core/extremes.js';
import { GaussianSampler } from '../../core/random.js';
import {
  estimate,
  fittingWorkers,
  gigabytes,
  type Machine,
  misfit,
  type Planned,
  payingWorkers,
  tableHeapBytes,
} from '../../plan/estimate.js';
import { REFERENCE_NORMAL_NS } from '../../plan/times.js';
import { TABLE } from '../../results/file-names.js';
import { UserError } from '../../store/user-error.js';

import { defaultWorkers } from './executor.js';

/** An experiment with the backend that it is to run on. */
export interface Placed extends Planned {
  readonly backend: BackendName;
}

/** Numbers that are drawn to learn the pace of a machine: some 30 ms of work. */
const PACE_DRAWS = 160;
const NUMBERS_OF_DRAW = 1 << 16;

/** How many times longer than the reference this machine takes for a normal number, as it is now, by processor time. */
export function paceOfMachine(): number {
  const sampler = new GaussianSampler();
  const numbers = new Float32Array(NUMBERS_OF_DRAW);
  const draw = { streams: [{ seed: [1, 2, 3, 4] as const, role: 0, layer: 0 }], scales: [1] };
  const microseconds = Array.from({ length: PACE_DRAWS }, () => {
    const { user, system } = process.cpuUsage();
    sampler.fill(numbers, draw);
    const after = process.cpuUsage();
    return after.user + after.system - user - system;
  });
  // What is compiled meanwhile, and what others do on the machine, is not in the fastest.
  return (1000 * smallest(microseconds)) / NUMBERS_OF_DRAW / REFERENCE_NORMAL_NS;
}

/** This machine, or what the group of processes is allowed of it; the heap of JavaScript as Node.js was started. */
export function machineOf(backend: BackendName): Machine {
  const limit = process.constrainedMemory() || Infinity; // 0 where there is none
  return {
    bytes: Math.min(totalmem(), limit),
    heapBytes: getHeapStatistics().heap_size_limit,
    textLength: constants.MAX_STRING_LENGTH,
    backend,
    backendBytes: MOST_BYTES[backend],
  };
}

/**
 * The workers to run experiments with: those that were asked for, else at most one a core, as many as pay and fit into memory.
 *
 * @throws UserError for every experiment that does not fit, and for experiments that do not fit together.
 */
export function fitWorkers(placed: readonly Placed[], asked: number | undefined): number {
  const machines = placed.map(({ backend }) => machineOf(backend));
  const workers = asked ?? payingWorkers(placed, fittingWorkers(placed, defaultWorkers(), machines[0]!));
  const problems = placed.flatMap((each, i) => misfit(each, workers, machines[i]!) ?? []);
  if (problems.length === 0 && placed.length > 1) problems.push(...together(placed, workers, machines[0]!));
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return workers;
}

/**
 * Makes sure that the tables of these folders can be put together.
 *
 * @throws UserError when they cannot.
 */
export function checkTables(folders: readonly string[]): void {
  const bytes = folders.reduce(
    (sum, folder) => sum + (statSync(join(folder, TABLE), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  const { heapBytes, textLength } = machineOf('wasm');
  const needed = tableHeapBytes(bytes);
  if (bytes <= textLength && needed <= heapBytes) return;
  const what =
    bytes > textLength
      ? `are ${gigabytes(bytes)} of text, and Node.js holds ${gigabytes(textLength)} at once`
      : `need ${gigabytes(needed)}, and the heap of JavaScript holds ${gigabytes(heapBytes)}`;
  throw new UserError(
    `the tables of ${folders.length} folders ${what}; merge experiments with fewer draws or recorded layers`,
  );
}

function together(placed: readonly Placed[], workers: number, machine: Machine): string[] {
  const all = estimate(placed, workers);
  if (all.bytes <= machine.bytes && all.heapBytes <= machine.heapBytes) return [];
  return [
    `${placed.length} experiments need ${gigabytes(all.bytes)} together, ${gigabytes(all.heapBytes)} of it for cells ` +
      `and rows, and there are ${gigabytes(machine.bytes)} and ${gigabytes(machine.heapBytes)}; run fewer at once`,
  ];
}
