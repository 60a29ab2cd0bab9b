import type { ExperimentFile } from '../file/experiment.js';
import type { Issue } from '../file/problem.js';
import type { Experiment } from '../resolve.js';

/** A rule that several keys must fulfil together. */
export interface Check {
  /** Top-level keys that it looks at: it waits until these are in order. */
  readonly reads: readonly (keyof ExperimentFile)[];
  readonly find: (experiment: Experiment, file: ExperimentFile) => readonly Issue[];
}
