/**
 * Weights that are never formed: their products are drawn instead, with exactly the joint law of the dense
 * matrices, in O(outputs + inputs) numbers a product.
 *
 * Let V be iid N(0, sigma^2) and let what was seen of it be V p_i on directions p_i of the input side, and
 * V^T s_j on directions s_j of the output side; each family orthogonal. For a new x with residual
 * r = x - sum_i p_i <p_i, x> / |p_i|^2, the conditional law of the product is (Gaussian conditioning;
 * Bolthausen 2014, and the Tensor Programs of Yang)
 *
 *     V x = sum_i V p_i <p_i, x> / |p_i|^2                                      what is known
 *         + V r,   V r = sigma |r| g + sum_j s_j ( <V^T s_j, r> - sigma |r| <s_j, g> ) / |s_j|^2
 *
 * with g a fresh standard normal vector: along each s_j the product is known through V^T s_j, elsewhere it is
 * fresh. r then joins the p_i with its image V r. V^T x is the same with the sides exchanged. The price is one
 * pass over every direction seen, so few of them: the number of rows times the number of products.
 *
 * A zero vector, and an x within what was seen, have r = 0: nothing is drawn of them but zeros. A side of which as many
 * directions were seen as it has dimensions is complete: every x lies within, and no product has a fresh part there.
 *
 * Directions are kept at a norm near 1, so that vectors of any size have coefficients along them that float32 holds.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dots, plus, powerOfTwo, scaled, squaredNorms } from '../ops.js';
import { ROLE } from '../random.js';
import type { Source, Weights, WeightsLaw } from './weights.js';

/** [lanes, 1, size of the side]. */
type Row = tf.Tensor3D;

/** A direction that a product was seen on, with V or V^T of it; its squared norm is 0 in lanes where it was none. */
interface Seen {
  readonly direction: Row;
  readonly image: Row;
  readonly squaredNorm: ArrayLike<number>;
}

/** What was seen of one side of the matrices. */
interface Side {
  /** Its dimension. */
  readonly size: number;
  readonly seen: Seen[];
  /** Directions of each lane. */
  readonly count: number[];
}

/**
 * Share of |x|^2 up to which a residual is the rounding of float32: its entries, and so the x that was meant, are known to
 * 2^-24, and twice orthogonalised against some hundred directions the residual of a known x is below 1e-6 |x|.
 */
const ROUNDING = 1e-12;

/** Share of |x|^2 below which a residual is freed of the known directions once more. */
const NEARLY_KNOWN = 0.01;

export class MatrixFreeWeights implements Weights {
  private readonly inputSide: Side;
  private readonly outputSide: Side;
  private readonly owned: tf.Tensor[] = [];
  private products = 0;

  constructor(
    private readonly source: Source,
    private readonly law: WeightsLaw,
  ) {
    const side = (size: number): Side => ({ size, seen: [], count: law.lanes.map(() => 0) });
    this.inputSide = side(law.inputs);
    this.outputSide = side(law.outputs);
  }

  times(q: tf.Tensor3D): tf.Tensor3D {
    return this.rowByRow(q, (x) => this.product(x, this.inputSide, this.outputSide));
  }

  transposeTimes(b: tf.Tensor3D): tf.Tensor3D {
    return this.rowByRow(b, (x) => this.product(x, this.outputSide, this.inputSide));
  }

  dispose(): void {
    tf.dispose(this.owned);
  }

  /** The product of one row for each lane, [lanes, 1, size] -> [lanes, 1, size of the far side]; `near` is the side of x. */
  private product(x: Row, near: Side, far: Side): Row {
    const { residual, squaredNorm, scale, known } = this.split(x, near);
    let image = this.normals(far.size, (lane) =>
      far.count[lane] === far.size ? 0 : Math.sqrt(squaredNorm[lane]!),
    );
    for (const { direction, image: transposed, squaredNorm: norm } of far.seen) {
      const expected = dots(residual, transposed);
      const drawn = dots(image, direction);
      image = plus(
        image,
        coefficients(norm, (lane) => (squaredNorm[lane] === 0 ? 0 : expected[lane]! - drawn[lane]!)),
        direction,
      );
    }
    if (squaredNorm.some((square) => square > 0)) {
      near.seen.push({ direction: this.own(residual), image: this.own(image), squaredNorm });
      squaredNorm.forEach((square, lane) => {
        if (square > 0) near.count[lane]! += 1;
      });
    }
    const product = known(scale.every((factor) => factor === 1) ? image : scaled(image, scale));
    return product === image ? tf.clone(image) : product; // what is kept stays ours
  }

  /**
   * x = residual * scale + what lies along the known directions: `known` adds V of the latter to an image. The residual has
   * a squared norm near 1; it is 0 where x is known, and the residual means nothing then.
   *
   * A residual much smaller than x is orthogonal to the known directions only after a second pass ("twice is enough",
   * Kahan and Parlett). Lanes that need none go along with zero coefficients, which change nothing.
   */
  private split(x: Row, near: Side) {
    const square = squaredNorms(x);
    const along = near.seen.map(() => new Float64Array(square.length));
    let needed = this.law.lanes.map(() => true);
    let residual = x;
    for (let pass = 0; pass < 2 && near.seen.length > 0 && needed.includes(true); pass++) {
      near.seen.forEach(({ direction, squaredNorm }, i) => {
        const overlap = dots(residual, direction);
        const amount = coefficients(squaredNorm, (lane) => (needed[lane] ? overlap[lane]! : 0));
        residual = plus(
          residual,
          amount.map((share) => -share),
          direction,
        );
        amount.forEach((share, lane) => {
          along[i]![lane]! += share;
        });
      });
      const left = squaredNorms(residual);
      needed = needed.map((_, lane) => left[lane]! < NEARLY_KNOWN * square[lane]!);
    }
    const left = squaredNorms(residual);
    const isNew = (lane: number) =>
      near.count[lane]! < near.size && !(left[lane]! <= ROUNDING * square[lane]!);
    const scale = this.law.lanes.map((_, lane) => (isNew(lane) ? scaleOf(Math.sqrt(left[lane]!)) : 1));
    if (scale.some((factor) => factor !== 1)) {
      residual = scaled(
        residual,
        scale.map((factor) => 1 / factor),
      );
    }
    return {
      // A state may go before the weights do; its numbers are shared, and not copied.
      residual: residual === x ? tf.clone(x) : residual,
      squaredNorm: Float64Array.from(scale, (factor, lane) => (isNew(lane) ? left[lane]! / factor ** 2 : 0)),
      scale,
      known: (image: Row): Row =>
        near.seen.slice(0, along.length).reduce((sum, part, i) => plus(sum, along[i]!, part.image), image),
    };
  }

  /** sigma scale g for each lane, [lanes, 1, size]: a stream of its own for every product of a matrix. */
  private normals(size: number, scale: (lane: number) => number): Row {
    const { backend, sampler } = this.source;
    const { lanes, roles = 0 } = this.law;
    const role = roles + ROLE.PRODUCT + this.products++;
    const numbers = sampler.draw(
      lanes.map(({ seed, layer }) => ({ seed, layer, role })),
      size,
      lanes.map(({ sigma }, lane) => sigma * scale(lane)),
    );
    return backend.upload<tf.Rank.R3>(numbers, [lanes.length, 1, size]);
  }

  private own<T extends tf.Tensor>(tensor: T): T {
    this.owned.push(tf.keep(tensor));
    return tensor;
  }

  private rowByRow(x: tf.Tensor3D, product: (row: Row) => Row): tf.Tensor3D {
    const [lanes, rows, size] = x.shape;
    if (rows === 1) return product(x);
    const row = (i: number): Row => tf.slice(x, [0, i, 0], [lanes, 1, size]);
    return tf.concat(
      Array.from({ length: rows }, (_, i) => product(row(i))),
      1,
    );
  }
}

/** Coefficients along a direction from the dot products with it; 0 in lanes where it is none. */
function coefficients(squaredNorm: ArrayLike<number>, dot: (lane: number) => number): Float64Array {
  return Float64Array.from(squaredNorm, (square, lane) => (square === 0 ? 0 : dot(lane) / square));
}

/** A power of two near a norm that is far from 1, and 1 for the others, of which nothing is lost as they are. */
function scaleOf(norm: number): number {
  return norm > 1e-6 && norm < 1e6 ? 1 : powerOfTwo(norm);
}
