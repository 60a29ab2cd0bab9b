/** Float64 arithmetic of the reference, for tests, and the same with the rounding of float32 added by hand. */

/** n rows, one after the other; or a matrix, row major. */
export type State = Float64Array<ArrayBufferLike>;

/** A state that float64 with its squares cannot hold, and float32 even less: such a cell must be reported. */
export class OutOfReach extends Error {}

/** The result, if it is within reach. */
export function reached<T>(result: () => T): T | undefined {
  try {
    return result();
  } catch (error) {
    if (error instanceof OutOfReach) return undefined;
    throw error;
  }
}

const REACH = 1e140;

/** Half an ulp of float32. */
export const EPSILON = 2 ** -24;

export class Arithmetic {
  /** Sizes of the smallest and the largest state that was seen, of those that are not zero. */
  smallest = Number.POSITIVE_INFINITY;
  largest = 0;

  /** @param normal standard normal numbers, where results are to be rounded. */
  constructor(private readonly normal?: () => number) {}

  /**
   * `value`, a sum of `terms` products, as float32 could have it: each partial sum is rounded, and they grow as a random walk
   * does, so that the error is about epsilon times the root of the sum of squares of the products, times sqrt(terms) / 2.
   */
  rounded(value: number, squares: number, terms: number): number {
    if (!this.normal) return value;
    return value + EPSILON * Math.sqrt((1 + terms / 4) * squares) * this.normal();
  }

  entrywise(s: State, of: (value: number, i: number) => number): State {
    return s.map((value, i) => {
      const result = of(value, i);
      return this.rounded(result, result ** 2, 1);
    });
  }

  /** s + factor t. */
  sum(s: State, t: State, factor = 1): State {
    return s.map((value, i) => {
      const term = factor * t[i]!;
      return this.rounded(value + term, value ** 2 + term ** 2, 1);
    });
  }

  /** M v for each row v, M of `rows` rows. */
  times(M: State, rows: number, v: State): State {
    const columns = M.length / rows;
    const n = v.length / columns;
    const out = new Float64Array(n * rows);
    for (let t = 0; t < n; t++) {
      for (let i = 0; i < rows; i++) {
        let [total, squares] = [0, 0];
        for (let j = 0; j < columns; j++) {
          const term = M[i * columns + j]! * v[t * columns + j]!;
          total += term;
          squares += term * term;
        }
        out[t * rows + i] = this.rounded(total, squares, columns);
      }
    }
    return out;
  }

  /** M^T v for each row v. */
  transposeTimes(M: State, rows: number, v: State): State {
    const columns = M.length / rows;
    return this.times(
      M.map((_, at) => M[(at % rows) * columns + Math.floor(at / rows)]!),
      columns,
      v,
    );
  }

  /** sum b q^T over n rows. */
  outerProducts(b: State, q: State, n: number): State {
    const [rows, columns] = [b.length / n, q.length / n];
    return new Float64Array(rows * columns).map((_, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      let [total, squares] = [0, 0];
      for (let t = 0; t < n; t++) {
        const term = b[t * rows + i]! * q[t * columns + j]!;
        total += term;
        squares += term * term;
      }
      return this.rounded(total, squares, n);
    });
  }

  /**
   * The state itself.
   *
   * @throws OutOfReach
   */
  within(s: State): State {
    const size = largestOf(s);
    if (!(size < REACH) || (size > 0 && size < 1 / REACH)) throw new OutOfReach(`a state of size ${size}`);
    if (size > 0) this.smallest = Math.min(this.smallest, size);
    this.largest = Math.max(this.largest, size);
    return s;
  }
}

const largestOf = (s: State) => s.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

export const isZero = (s: State) => s.every((value) => value === 0);

/** |s|_2 of states of any size. */
export function norm(s: State): number {
  const size = largestOf(s);
  return size === 0 ? 0 : size * Math.sqrt(s.reduce((total, value) => total + (value / size) ** 2, 0));
}

export const rms = (s: State) => norm(s) / Math.sqrt(s.length);

const unit = (s: State) => {
  const size = norm(s);
  return s.map((value) => value / size);
};

export const dot = (s: State, t: State) => s.reduce((total, value, i) => total + value * t[i]!, 0);

/** |s| |t| cos(s, t), where the product of entries would leave the range. */
export const overlap = (s: State, t: State) => dot(unit(s), unit(t)) * norm(s) * norm(t);

/** In [0, pi] rad (Kahan); NaN where one of the two is zero. */
export function angle(s: State, t: State): number {
  const [u, w] = [unit(s), unit(t)];
  return 2 * Math.atan2(norm(u.map((value, i) => value - w[i]!)), norm(u.map((value, i) => value + w[i]!)));
}
