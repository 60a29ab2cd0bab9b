/** A cell: one draw of one network at one setting. What it draws depends on its key and the seed alone. */
import { createHash } from 'node:crypto';
import type { Experiment } from '../config/resolve.js';
import { expandAxes, type Setting } from '../config/settings.js';

export interface Cell {
  readonly setting: Setting;
  /** 0 .. draws - 1. */
  readonly draw: number;
  /** Identity in words: the same for the same network and draw in every experiment, however it is swept. */
  readonly key: string;
  /** 128 bits, from the experiment's seed and the key. */
  readonly seed: readonly [number, number, number, number];
}

/** What identifies a cell within the experiments of one seed. */
export interface CellIdentity {
  readonly architecture: string;
  readonly activation: string;
  readonly depth: number;
  readonly width: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
  readonly samples: number;
  readonly branchScale: number;
  readonly scaling: string;
  readonly draw: number;
}

/** The key of a cell: `resnet relu L=4 m=16 d=10 k=1 n=1 beta=1 scaling=NTK draw=0`. */
export function keyOf(cell: CellIdentity): string {
  return [
    cell.architecture,
    cell.activation,
    `L=${cell.depth}`,
    `m=${cell.width}`,
    `d=${cell.inputWidth}`,
    `k=${cell.outputWidth}`,
    `n=${cell.samples}`,
    `beta=${cell.branchScale}`,
    `scaling=${cell.scaling}`,
    `draw=${cell.draw}`,
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
  const { network, data, draws, seed, commonRandomNumbers } = experiment;
  const cells = expandAxes(experiment).flatMap((setting) =>
    Array.from({ length: draws }, (_, draw) => {
      const { architecture, activation, depth, width, branchScale, scaling } = setting;
      const { samples } = data;
      const identity: CellIdentity = {
        ...network,
        architecture,
        activation,
        depth,
        width,
        samples,
        branchScale,
        scaling: scaling.name,
        draw,
      };
      const shared = Object.fromEntries(commonRandomNumbers.map((axis) => [axis, 'any']));
      return { setting, draw, key: keyOf(identity), seed: seedOf(seed, keyOf({ ...identity, ...shared })) };
    }),
  );
  // Nothing but branch scales can meet.
  if (experiment.axes.branchScale.length === 1) return cells;
  const keys = new Set<string>();
  return cells.filter(({ key }) => !keys.has(key) && keys.add(key));
}

/** The first 128 bits of SHA-256 over seed and key: neighbouring keys get unrelated seeds. */
function seedOf(seed: number, key: string): Cell['seed'] {
  const digest = createHash('sha256').update(`${seed} ${key}`).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12)];
}
