/** A cell: one draw of one network at one setting. */
import { createHash } from 'node:crypto';
import { AXIS_NAMES, type AxisName, entryOf } from '../config/axes.js';
import { usesParameter } from '../config/parameters.js';
import type { Experiment } from '../config/resolve.js';
import {
  axisValue,
  expandAxes,
  identityValue,
  type Setting,
  toldAxes,
  writtenAxisValue,
} from '../config/settings.js';

export interface Cell {
  readonly setting: Setting;
  /** 0 .. draws - 1. */
  readonly draw: number;
  /** Identity in words: the same for the same network, parameters and draw, however the experiment is swept. */
  readonly key: string;
  /** 128 bits, from the experiment's seed and what of the identity random numbers hang on. */
  readonly seed: readonly [number, number, number, number];
}

type KeyValue = string | number | null;

/** What keys tell cells apart by. */
export interface KeyNames {
  readonly axes: readonly AxisName[];
  readonly parameters: readonly string[];
}

/** Whether the random numbers of every network hang on an axis. */
const isOfAll = (axis: AxisName) => entryOf(axis).isSeeded && entryOf(axis).isOf === undefined;

/** Axes that random numbers hang on, those that have several values besides, and all parameters. */
export function keyNames(experiment: Experiment): KeyNames {
  const told = toldAxes(experiment);
  return {
    axes: AXIS_NAMES.filter((axis) => isOfAll(axis) || told.includes(axis)),
    parameters: Object.keys(experiment.parameters),
  };
}

/**
 * The key of a cell: `resnet relu L=4 m=16 d=10 k=1 n=1 beta=1 scaling=NTK draw=0`, parameters before the draw, and without the
 * axes that its architecture does not have.
 */
export function keyOf(
  { axes, parameters }: KeyNames,
  told: { axis(axis: AxisName): KeyValue; parameter(name: string): KeyValue },
  draw: KeyValue,
): string {
  return [
    ...axes.flatMap((axis) => {
      const value = told.axis(axis);
      return value === null ? [] : [`${entryOf(axis).key}${value}`];
    }),
    ...parameters.map((name) => `${name}=${told.parameter(name)}`),
    `draw=${draw}`,
  ].join(' ');
}

/**
 * The cells of an experiment in the order of the table: settings as the file nests them, draws innermost. Cells that
 * differ only in axes with common random numbers have one seed.
 *
 * Settings that are equal in numbers are one, in the place of the first: what is measured twice would be the same numbers,
 * and a row that stands twice would count as another draw.
 */
export function expandCells(experiment: Experiment): Cell[] {
  const { axes, draws, seed } = experiment;
  const names = keyNames(experiment);
  const seedKey = seedKeys(experiment);
  const cells = expandAxes(experiment).flatMap((setting) =>
    Array.from({ length: draws }, (_, draw) => {
      const key = keyOf(
        names,
        { axis: (axis) => identityValue(axis, setting), parameter: (name) => setting.parameters[name]! },
        draw,
      );
      return { setting, draw, key, seed: seedOf(seed, seedKey(setting, draw)) };
    }),
  );
  // Nothing but formulas can meet.
  if ([axes.branchScale, axes.stepSize, axes.hiddenWidth].every(({ length }) => length === 1)) return cells;
  const keys = new Set<string>();
  return cells.filter(({ key }) => !keys.has(key) && keys.add(key));
}

/**
 * What the random numbers of a cell hang on, in words: the key without what they do not hang on, the widths of all layers where they
 * differ, `any` in the place of an axis whose cells share them, and a formula where they share them along a parameter of it.
 */
function seedKeys({ axes, parameters, commonRandomNumbers }: Experiment) {
  const common = new Set(commonRandomNumbers);
  const names = Object.keys(parameters);
  const shared = names.filter((name) => common.has(name));
  const isAlong = (axis: 'branchScale' | 'width') =>
    new Set(
      axes[axis].filter((source) => source !== null && usesParameter(source, names, shared)).map(String),
    );
  const formulas = { branchScale: isAlong('branchScale'), width: isAlong('width') };
  const seeded = { axes: AXIS_NAMES.filter((axis) => entryOf(axis).isSeeded), parameters: [] };
  const told = (axis: AxisName, setting: Setting): KeyValue => {
    if (axisValue(axis, setting) === null) return null;
    if (common.has(axis)) return 'any';
    const written = writtenAxisValue(axis, setting);
    if ((axis === 'branchScale' || axis === 'width') && formulas[axis].has(String(written))) return written;
    return axis === 'width' && setting.widths ? setting.widths.join() : axisValue(axis, setting);
  };
  return (setting: Setting, draw: number): string =>
    keyOf(seeded, { axis: (axis) => told(axis, setting), parameter: () => null }, draw);
}

/** The first 128 bits of SHA-256 over seed and key: neighbouring keys get unrelated seeds. */
function seedOf(seed: number, key: string): Cell['seed'] {
  const digest = createHash('sha256').update(`${seed} ${key}`).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12)];
}
