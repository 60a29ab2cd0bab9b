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
 * A zero vector, and an x within what was seen, have r = 0: nothing is drawn of them but zeros.
 */
import * as tf from '@tensorflow/tfjs-core';
import { addScaled, dots, squaredNorms } from './ops.js';
import { ROLE } from './random.js';
import type { Source, Weights, WeightsLaw } from './weights.js';

/** [lanes, 1, size of the side]. */
type Row = tf.Tensor3D;

/** A direction that a product was seen on, with V or V^T of it. */
interface Seen {
  readonly direction: Row;
  readonly image: Row;
  readonly squaredNorm: ArrayLike<number>;
}

/** Squared norm below which a direction counts as zero: its entries near float32's underflow have no direction. */
const ZERO = 1e-30;

/** Share of |x|^2 below which a residual is freed of the known directions once more. */
const NEARLY_KNOWN = 0.01;

export class MatrixFreeWeights implements Weights {
  private readonly inputSide: Seen[] = [];
  private readonly outputSide: Seen[] = [];
  private readonly owned: tf.Tensor[] = [];
  private products = 0;

  constructor(
    private readonly source: Source,
    private readonly law: WeightsLaw,
  ) {}

  times(q: tf.Tensor3D): tf.Tensor3D {
    return this.rowByRow(q, (x) => this.product(x, this.inputSide, this.outputSide, this.law.outputs));
  }

  transposeTimes(b: tf.Tensor3D): tf.Tensor3D {
    return this.rowByRow(b, (x) => this.product(x, this.outputSide, this.inputSide, this.law.inputs));
  }

  dispose(): void {
    tf.dispose(this.owned);
  }

  /** The product of one row for each lane, [lanes, 1, size] -> [lanes, 1, imageSize]; `near` is the side of x. */
  private product(x: Row, near: Seen[], far: readonly Seen[], imageSize: number): Row {
    const { parts, residual } = this.split(x, near);
    const squaredNorm = squaredNorms(residual);
    let image = this.normals(imageSize, (lane) => Math.sqrt(squaredNorm[lane]!));
    for (const { direction, image: transposed, squaredNorm: norm } of far) {
      const expected = dots(residual, transposed);
      const drawn = dots(image, direction);
      const missing = this.column((lane) => quotient(expected[lane]! - drawn[lane]!, norm[lane]!));
      image = addScaled(image, missing, direction);
    }
    // A state may go before the weights do; its numbers are shared, and not copied.
    const direction = this.own(residual === x ? tf.clone(x) : residual);
    near.push({ direction, image: this.own(image), squaredNorm });
    if (parts.length === 0) return tf.clone(image);
    return parts.reduce((sum, part) => addScaled(sum, part.coefficient, part.image), image);
  }

  /**
   * The parts of x along the known directions, with their images, and the residual that is orthogonal to them.
   *
   * A residual much smaller than x is orthogonal to the known directions only after a second pass ("twice is enough",
   * Kahan and Parlett). Lanes that need none go along with zero coefficients, which change nothing.
   */
  private split(x: Row, near: readonly Seen[]) {
    const { lanes } = this.law;
    const explained = new Float64Array(lanes.length);
    let needed = lanes.map(() => true);
    const parts: { coefficient: tf.Tensor3D; image: Row }[] = [];
    let residual = x;
    for (let pass = 0; pass < 2 && near.length > 0 && needed.includes(true); pass++) {
      for (const { direction, image, squaredNorm } of near) {
        const along = dots(residual, direction);
        const amount = (lane: number) => (needed[lane] ? quotient(along[lane]!, squaredNorm[lane]!) : 0);
        residual = addScaled(
          residual,
          this.column((lane) => -amount(lane)),
          direction,
        );
        parts.push({ coefficient: this.column(amount), image });
        along.forEach((dot, lane) => {
          if (pass === 0) explained[lane]! += dot * quotient(dot, squaredNorm[lane]!);
        });
      }
      const left = squaredNorms(residual);
      needed = needed.map((_, lane) => left[lane]! < NEARLY_KNOWN * explained[lane]!);
    }
    return { parts, residual };
  }

  /** sigma scale g for each lane, [lanes, 1, size]: a stream of its own for every product of a matrix. */
  private normals(size: number, scale: (lane: number) => number): Row {
    const { backend, sampler } = this.source;
    const { lanes } = this.law;
    const role = ROLE.PRODUCT + this.products++;
    const numbers = sampler.draw(
      lanes.map(({ seed, layer }) => ({ seed, layer, role })),
      size,
      lanes.map(({ sigma }, lane) => sigma * scale(lane)),
    );
    return backend.upload<tf.Rank.R3>(numbers, [lanes.length, 1, size]);
  }

  private column(value: (lane: number) => number): tf.Tensor3D {
    const { lanes } = this.law;
    const values = Float32Array.from(lanes, (_, lane) => value(lane));
    return this.source.backend.upload<tf.Rank.R3>(values, [lanes.length, 1, 1]);
  }

  private own<T extends tf.Tensor>(tensor: T): T {
    this.owned.push(tf.keep(tensor));
    return tensor;
  }

  private rowByRow(x: tf.Tensor3D, product: (row: Row) => Row): tf.Tensor3D {
    const [lanes, rows, size] = x.shape;
    if (rows === 1) return product(x);
    const row = (i: number): Row => this.own(tf.slice(x, [0, i, 0], [lanes, 1, size]));
    return tf.concat(
      Array.from({ length: rows }, (_, i) => product(row(i))),
      1,
    );
  }
}

/** Coefficient along a direction, and 0 along a zero direction. */
function quotient(dot: number, squaredNorm: number): number {
  return squaredNorm < ZERO ? 0 : dot / squaredNorm;
}
