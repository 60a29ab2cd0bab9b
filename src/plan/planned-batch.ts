/** A batch as it is planned. */
export type WeightsKind = 'dense' | 'matrix-free';

/** Cells that run together, with what they cost. */
export interface Batch {
  /** Indices into the cells of the experiment. */
  readonly cells: readonly number[];
  readonly width: number;
  readonly samples: number;
  readonly weights: WeightsKind;
  /** Memory on the backend, and besides it of the process, estimated; bytes. */
  readonly bytes: number;
  readonly hostBytes: number;
  /** Processor time, estimated; ms. */
  readonly cost: number;
}
