/** A lane: one network with its data, as the batch that it runs in sees it. */
import type { LayerGroup } from '../../architectures/architecture.js';

import type { Seed } from '../random.js';
import type { RateName } from './rates.js';

/** One network with its data. Arrays are row major, a row for each sample. */
export interface Lane {
  readonly seed: Seed;
  /** L >= 3; counts the embedding and the readout. */
  readonly depth: number;
  /** beta in [0, 1]; 1 for an MLP. */
  readonly branchScale: number;
  /** Standard deviations of the entries of W_1, V_l and W_L, and of U_l where a block has two matrices. */
  readonly sigma: {
    readonly input: number;
    readonly hidden: number;
    readonly output: number;
    readonly inner?: number;
    /** Of V_l at index l, where widths differ and with them the scales. */
    readonly hiddenLayers?: readonly number[];
  };
  /** How eta_l follows from the gradients (`rates.ts`), or eta_l at index l = 1 .. L. */
  readonly learningRate: RateName | readonly number[];
  /** dt of an update, and of the steps before the one that is measured. */
  readonly stepSize: number;
  /** x, [n, d]. */
  readonly input: Float32Array;
  /** y, [n, k]. */
  readonly target: Float32Array;
}

/** What the lanes of a batch have in common. */
export interface Shape {
  readonly samples: number;
  /** m; m_{L-1} where widths differ. */
  readonly width: number;
  /** m_l at index L - l from 1, where widths differ: all lanes are of one depth then, and have no skip connection. */
  readonly widths?: readonly number[];
  /** M, of a block of two matrices. */
  readonly hiddenWidth?: number;
  readonly inputWidth: number;
  readonly outputWidth: number;
}

/** m_l of the layers at a distance from the readout. */
export function widthAt({ width, widths }: Pick<Shape, 'width' | 'widths'>, distance: number): number {
  return widths?.[distance] ?? width;
}

/** Layers that learn: those between embedding and readout, all, or some by name or by number l = 1 .. L. */
export type Train = 'hidden' | 'all' | readonly (LayerGroup | number)[];

/** Where layer l of a network of depth L belongs. */
export function groupOf(layer: number, depth: number): LayerGroup {
  return layer === 1 ? 'input' : layer === depth ? 'output' : 'hidden';
}

/** Whether layer l of a network of depth L learns. */
export function learns(train: Train, layer: number, depth: number): boolean {
  const group = groupOf(layer, depth);
  if (typeof train === 'string') return train === 'all' || group === train;
  return train.includes(group) || train.includes(layer);
}
