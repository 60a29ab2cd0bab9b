/**
 * The largest eigenvalue of a symmetric operator by the method of Lanczos, in every lane of a batch at once.
 *
 * With z_1 a unit vector and A the operator,
 *
 *     alpha_j = <A z_j, z_j>,   w = A z_j - alpha_j z_j - beta_{j-1} z_{j-1},   beta_j = |w|,   z_{j+1} = w / beta_j
 *
 * and the largest eigenvalue theta of the tridiagonal matrix T_j of alpha and beta, its Ritz value, has the residual
 * |A u - theta u| = beta_j |s_j| with s_j the last entry of its unit vector: an eigenvalue of A is that near. Three vectors are kept
 * and not made orthogonal to those before: float32 then finds copies of eigenvalues that have converged, and no others (Paige 1980).
 *
 * That the eigenvalue is the largest is as sure as a start in a random direction makes it (Kuczynski and Wozniakowski 1992).
 */
import * as tf from '@tensorflow/tfjs-core';
import { dots, plus, scaled, squaredNorms } from '../ops.js';

/** A part of the vectors, of so many lanes from the `first` on. */
export interface Block {
  readonly first: number;
  readonly lanes: number;
}

/** A block of A z: `scale` times a tensor, which is the caller's. */
export interface Image {
  readonly state: tf.Tensor3D;
  readonly scale: Float64Array;
}

export interface Operator {
  readonly lanes: number;
  readonly blocks: readonly Block[];
  times(z: readonly tf.Tensor3D[]): readonly Image[];
}

/** Residual of the Ritz value that is asked for, as a share of it: the eigenvalue is within it, and mostly nearer by its square. */
export const TOLERANCE = 1e-3;

/** What float32 leaves of a residual, as a share of the largest entry of T: a largest eigenvalue far below the others in size is known to no more. */
const ROUNDING = 1e-6;

/** Products after which a lane is given up. */
export const MOST_PRODUCTS = 300;

/**
 * The largest eigenvalue of A in each lane, within `TOLERANCE`; NaN where it is not found with `MOST_PRODUCTS`, where a number is not
 * finite, or where the start is 0.
 *
 * @param start a vector in a random direction, of any size; it is freed.
 */
export function largestEigenvalues(operator: Operator, start: readonly tf.Tensor3D[]): Float64Array {
  const { lanes } = operator;
  const found = new Float64Array(lanes).fill(Number.NaN);
  const sizes = normsOf(operator, start);
  let isDone = Array.from(sizes, (size) => !(size > 0 && Number.isFinite(size)));
  const matrices = Array.from({ length: lanes }, () => new Tridiagonal());
  let z = start;
  let previous: readonly tf.Tensor3D[] | undefined;
  let factors = sizes.map((size) => (size > 0 ? 1 / size : 0));
  for (let j = 1; j <= MOST_PRODUCTS && isDone.includes(false); j++) {
    const own = rescaled(operator, z, factors);
    tf.dispose([...z]);
    const image = operator.times(own);
    const size = imageNorms(operator, image);
    const alpha = overlaps(operator, image, own);
    const inverse = size.map((each) => (each > 0 ? 1 / each : 0));
    const beta = Float64Array.from(matrices, (matrix) => matrix.beta);
    z = operator.blocks.map(({ first, lanes: count }, k) =>
      tf.tidy(() => {
        const { state, scale } = image[k]!;
        const share = (of: Float64Array) =>
          of.slice(first, first + count).map((each, i) => each * inverse[first + i]!);
        const unit = scaled(
          state,
          share(new Float64Array(lanes).fill(1)).map((each, i) => each * scale[i]!),
        );
        const rest = plus(unit, share(alpha.map((each) => -each)), own[k]!);
        return previous ? plus(rest, share(beta.map((each) => -each)), previous[k]!) : rest;
      }),
    );
    tf.dispose(image.map(({ state }) => state));
    if (previous) tf.dispose([...previous]);
    previous = own;
    const left = normsOf(operator, z);
    isDone = isDone.map((done, lane) => {
      if (done) return true;
      const matrix = matrices[lane]!;
      matrix.grow(alpha[lane]!, size[lane]! * left[lane]!);
      if (!Number.isFinite(matrix.beta)) return true;
      const { value, residual } = matrix.largest();
      const isFound = residual <= Math.max(TOLERANCE * Math.abs(value), ROUNDING * matrix.size);
      if (isFound) found[lane] = value;
      return isFound;
    });
    factors = left.map((each) => (each > 0 ? 1 / each : 0));
  }
  tf.dispose([...z]);
  if (previous) tf.dispose([...previous]);
  return found;
}

/** The matrix T of a lane, as it grows. */
export class Tridiagonal {
  private readonly alphas: number[] = [];
  private readonly betas: number[] = [];
  private before = 0;

  /** The last beta, which is not part of T yet; 0 at first. */
  get beta(): number {
    return this.betas.at(-1) ?? 0;
  }

  /** The largest entry so far. */
  get size(): number {
    return this.before;
  }

  grow(alpha: number, beta: number): void {
    this.before = Math.max(this.before, Math.abs(alpha), beta);
    this.alphas.push(alpha);
    this.betas.push(beta);
  }

  /** Its largest eigenvalue by bisection, and the residual of that: the last beta times the last entry of its unit vector. */
  largest(): { readonly value: number; readonly residual: number } {
    const reach = 3 * this.before;
    let [low, high] = [-reach, reach];
    for (let i = 0; i < 100 && high - low > 1e-15 * reach; i++) {
      const middle = (low + high) / 2;
      if (this.isBelow(middle)) low = middle;
      else high = middle;
    }
    return { value: high, residual: this.beta * this.lastEntry(high) };
  }

  /** Whether an eigenvalue is above x: a pivot of T - x is positive (Sylvester). */
  private isBelow(x: number): boolean {
    const { alphas, betas } = this;
    let pivot = alphas[0]! - x;
    for (let i = 1; i < alphas.length && pivot < 0; i++) {
      pivot = alphas[i]! - x - betas[i - 1]! ** 2 / pivot;
    }
    return pivot >= 0;
  }

  /** |s_j| of the unit vector at an eigenvalue: 1 / s_j^2 is how fast the last pivot falls with x. */
  private lastEntry(x: number): number {
    const { alphas, betas } = this;
    let [pivot, fall] = [alphas[0]! - x, 1];
    for (let i = 1; i < alphas.length; i++) {
      const ratio = betas[i - 1]! / pivot;
      fall = 1 + ratio * ratio * fall;
      pivot = alphas[i]! - x - betas[i - 1]! * ratio;
    }
    return 1 / Math.sqrt(fall);
  }
}

/** A vector times a number of each lane. */
const rescaled = ({ blocks }: Operator, z: readonly tf.Tensor3D[], factors: Float64Array): tf.Tensor3D[] =>
  blocks.map(({ first, lanes }, k) => tf.tidy(() => scaled(z[k]!, factors.slice(first, first + lanes))));

/** A number of each lane, summed over its blocks. */
function summed({ lanes, blocks }: Operator, of: (block: number) => ArrayLike<number>): Float64Array {
  const sums = new Float64Array(lanes);
  blocks.forEach(({ first }, k) => {
    const own = of(k);
    for (let i = 0; i < own.length; i++) sums[first + i]! += own[i]!;
  });
  return sums;
}

const normsOf = (operator: Operator, z: readonly tf.Tensor3D[]) =>
  summed(operator, (k) => squaredNorms(z[k]!)).map(Math.sqrt);

const imageNorms = (operator: Operator, image: readonly Image[]) =>
  summed(operator, (k) =>
    squaredNorms(image[k]!.state).map((square, i) => square * image[k]!.scale[i]! ** 2),
  ).map(Math.sqrt);

const overlaps = (operator: Operator, image: readonly Image[], z: readonly tf.Tensor3D[]) =>
  summed(operator, (k) => dots(image[k]!.state, z[k]!).map((dot, i) => dot * image[k]!.scale[i]!));
