/**
 * What an architecture is to a gradient step: of which pieces its layers are made. With M_l = beta V_l inside, a layer is
 *
 *     f_l = a f_{l-1} + block(f_{l-1}),   or f_l = block(f_{l-1}) without a skip connection;   f_1 = embedding(x),   f_L = readout(f_{L-1})
 *
 * and each of the three a chain of products with a matrix and of phi, entry by entry.
 */
/** Groups of layers, by which they learn and are scaled. */
export const LAYER_GROUPS = ['input', 'hidden', 'output'] as const;

export type LayerGroup = (typeof LAYER_GROUPS)[number];

/** A matrix of a layer by its name. */
export interface MatrixKind {
  /** By which its layer learns, and what scale its entries have. */
  readonly group: LayerGroup;
  readonly outputs: Width;
  readonly inputs: Width;
  /** Whether beta is part of the matrix: of what is added to the skip connection, one multiplication less in each of three passes. */
  readonly isBranch?: boolean;
  /** Not the only matrix of its layer: its scale has a name of its own, and its random streams are apart. */
  readonly isInner?: boolean;
}

/** A width of the network, as `Shape` names them. */
export type Width = 'inputWidth' | 'width' | 'hiddenWidth' | 'outputWidth';

export const MATRICES = {
  /** W_1. */
  input: { group: 'input', outputs: 'width', inputs: 'inputWidth' },
  /** V_l. */
  hidden: { group: 'hidden', outputs: 'width', inputs: 'width', isBranch: true },
  /** U_l and V_l of a block of two matrices. */
  inner: { group: 'hidden', outputs: 'hiddenWidth', inputs: 'width', isInner: true },
  outer: { group: 'hidden', outputs: 'width', inputs: 'hiddenWidth', isBranch: true },
  /** W_L. */
  output: { group: 'output', outputs: 'outputWidth', inputs: 'width' },
} as const satisfies Record<string, MatrixKind>;

export type MatrixName = keyof typeof MATRICES;

export type Piece = MatrixName | 'phi';

export interface Architecture {
  /** Its recursion in a line, for the help of the experiment file. */
  readonly meaning: string;
  readonly embedding: readonly Piece[];
  readonly block: readonly Piece[];
  readonly readout: readonly Piece[];
  /** Whether a layer carries its state on, beside the block: f_l = a f_{l-1} + .., a = sqrt(1 - beta^2). */
  readonly hasSkip: boolean;
}
