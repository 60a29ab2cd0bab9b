/** Where an experiment file says what. */
import { AXES, type AxisName } from '../axes.js';
import type { ExperimentFile } from './experiment.js';
import type { Path } from './problem.js';

/** Where a file gives an axis. */
export function placeOf(axis: AxisName, file: ExperimentFile): Path {
  return file.sweep?.[axis] === undefined ? AXES[axis].path : ['sweep', axis];
}

/** The same with the index of a value. */
export function placeOfValue(axis: AxisName, index: number, file: ExperimentFile): Path {
  return [...placeOf(axis, file), ...(Array.isArray(file.sweep?.[axis]) ? [index] : [])];
}

/** Scalings of a file, with their places. */
export function scalingEntries({ scaling, sweep }: ExperimentFile) {
  if (sweep?.scaling !== undefined) {
    return sweep.scaling.map((entry, index) => ({ path: ['sweep', 'scaling', index], entry }));
  }
  return scaling === undefined ? [] : [{ path: ['scaling'], entry: scaling }];
}
