/** How fast the matrices of a layer learn. */
import type { MatrixName } from '../../architectures/architecture.js';
import { learns, type Train } from './lane.js';
import type { Network, Place } from './network.js';
import { isHeld, rateOf } from './rates.js';

/** By what the gradient of one matrix is multiplied, for each lane. */
export interface Learning {
  /** eta_l, with beta^2, and the same times dt. */
  readonly rates: readonly number[];
  readonly steps: readonly number[];
  /** What it adds to C_l. */
  readonly contributions: readonly number[];
}

/**
 * The rates of the matrices of a layer: eta_l is the given one, or follows from |G_l|^2, the sum over the matrices, beta^2 |sum_i b_i
 * q_i^T|^2 of one that has beta inside (`rates.ts`); and 0 where the layer does not learn.
 *
 * @param matrices with |sum_i b_i q_i^T|^2 of each lane.
 * @param loss before the step, by lane of the batch.
 * @param all whether gradients are measured of lanes, too, in which the layer does not learn.
 * @returns with |G_l|_F of each lane; NaN where it is not measured.
 */
export function learning(
  network: Network,
  { distance, first, lanes }: Place,
  train: Train,
  matrices: readonly { readonly matrix: MatrixName; squaredNorm(): ArrayLike<number> }[],
  loss: (lane: number) => number,
  all = false,
): { readonly learned: readonly Learning[]; readonly gradientNorms: readonly number[] } {
  const count = lanes.length;
  const isLearning = lanes.map(({ depth }) => learns(train, depth - distance, depth));
  const isMeasured = all || isLearning.includes(true);
  const squares = isMeasured ? matrices.map((matrix) => matrix.squaredNorm()) : [];
  const isBranch = matrices.map(({ matrix }) => network.isBranch(matrix));
  const gradientNorms = new Array<number>(count).fill(Number.NaN);
  const learned = matrices.map(() => ({
    rates: new Array<number>(count).fill(0),
    steps: new Array<number>(count).fill(0),
    contributions: new Array<number>(count).fill(0),
  }));
  const facts = { depth: 0, square: 0, first: Number.NaN, loss: 0 };
  for (let i = 0; i < count; i++) {
    if (!all && !isLearning[i]) continue;
    const { depth, branchScale, stepSize, learningRate } = lanes[i]!;
    const square = branchScale * branchScale;
    let norm = 0;
    for (let k = 0; k < squares.length; k++) norm += (isBranch[k] ? square : 1) * squares[k]![i]!;
    gradientNorms[i] = Math.sqrt(norm);
    // The gradient of a layer that does not learn may be beyond all numbers.
    if (!isLearning[i]) continue;
    const layer = depth - distance;
    let rate: number;
    if (typeof learningRate === 'string') {
      facts.depth = depth;
      facts.square = norm;
      if (isHeld(learningRate)) facts.first = network.firstSquare(first + i, layer, norm);
      facts.loss = loss(first + i);
      rate = rateOf(learningRate, facts);
    } else rate = learningRate[layer]!;
    for (let k = 0; k < squares.length; k++) {
      const own = learned[k]!;
      const factor = isBranch[k] ? square : 1;
      own.rates[i] = factor * rate;
      own.steps[i] = factor * rate * stepSize;
      own.contributions[i] = rate * factor * squares[k]![i]!;
    }
  }
  return { learned, gradientNorms };
}
