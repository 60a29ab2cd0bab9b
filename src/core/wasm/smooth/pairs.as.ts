/**
 * Two numbers of float64 at a time, and their exponentials: by sums, products and quotients alone, so that neither an engine nor
 * a machine has a say in the bits.
 *
 * Numbers that are needed often are read from a table, since engines make a constant of two anew wherever it stands, by three
 * instructions, in a loop too.
 */

/** Bytes of the table. */
export const TABLE_BYTES: usize = 256;

// Places in the table.
const ONE: usize = 0;
const SIGN: usize = 8;
const PER_TURN: usize = 16;
const WHOLE: usize = 24;
const TURN: usize = 32;
/** Coefficients of `even`, from the first on; the others are those of `normal.as.ts`. */
const EVEN: usize = 40;
export const MILLS: usize = 88;
export const MILLS_BELOW: usize = 160;

let table: usize = 0;

/** Once, before anything else; the table is filled from here on. */
export function placeTable(at: usize): void {
  table = at;
  put(ONE, 1);
  put(SIGN, -0.0);
  put(PER_TURN, 1.4426950408889634); // 1 / log(2)
  put(WHOLE, 6755399441055744); // 1.5 * 2^52: numbers beside it have no digits behind the point
  put(TURN, 0.6931471805599453); // log(2)
  // 2 B_2j / (2 j)!, with Bernoulli's numbers.
  put(EVEN, 2);
  put(EVEN + 8, 1.0 / 6.0);
  put(EVEN + 16, -1.0 / 360.0);
  put(EVEN + 24, 1.0 / 15120.0);
  put(EVEN + 32, -1.0 / 604800.0);
  put(EVEN + 40, 1.0 / 23950080.0);
}

export function put(slot: usize, x: f64): void {
  store<f64>(table + slot, x);
}

@inline
export function coefficient(slot: usize): v128 {
  return v128.load64_splat(table + slot);
}

/** a + b x, with two coefficients beside each other. Polynomials by such pairs take half the steps in a row. */
@inline
export function line(x: v128, slot: usize): v128 {
  return f64x2.add(v128.load64_splat(table + slot), f64x2.mul(v128.load64_splat(table + slot + 8), x));
}

@inline
export function one(): v128 {
  return coefficient(ONE);
}

@inline
export function both(x: f64): v128 {
  return f64x2.splat(x);
}

/** Beyond float32, so that products of it with what has underflowed are 0, and no NaN. */
const BEYOND: f64 = 1e39;

@inline
export function bounded(x: v128): v128 {
  return f64x2.pmax(f64x2.pmin(x, both(BEYOND)), both(-BEYOND));
}

/** The smaller; a where one is NaN. */
@inline
export function least(a: v128, b: v128): v128 {
  return f64x2.pmin(a, b);
}

/** a where the condition holds, else b. */
@inline
export function choose(condition: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, condition);
}

@inline
export function isPositive(x: v128): v128 {
  return f64x2.gt(x, both(0));
}

@inline
export function isAcross(x: v128, y: v128): v128 {
  return f64x2.lt(f64x2.mul(x, y), both(0));
}

/** x, turned where `like` is below 0. */
@inline
export function signed(x: v128, like: v128): v128 {
  return v128.xor(x, v128.and(like, coefficient(SIGN)));
}

// exp(y) = above / below, where above = s (R + r), below = R - r, s = 2^k and y = k log(2) + r with |r| <= log(2) / 2, and
// R = r coth(r / 2) is even. So quotients of exponentials take one division; and 1 - exp(y) = missing / below, where
// missing = (1 - s) R - (1 + s) r, is exact relative to itself.

/** k, in the last bits; y >= -700. */
@inline
export function turns(y: v128): v128 {
  return f64x2.add(f64x2.mul(y, coefficient(PER_TURN)), coefficient(WHOLE));
}

/** r. */
@inline
export function rest(y: v128, turns: v128): v128 {
  return f64x2.sub(y, f64x2.mul(f64x2.sub(turns, coefficient(WHOLE)), coefficient(TURN)));
}

/** s. */
@inline
export function power(turns: v128): v128 {
  return i64x2.add(i64x2.shl(turns, 52), one());
}

/** R, to 2e-15 of itself. */
@inline
export function even(r: v128): v128 {
  const x = f64x2.mul(r, r);
  const xx = f64x2.mul(x, x);
  const high = f64x2.add(line(x, EVEN + 16), f64x2.mul(xx, line(x, EVEN + 32)));
  return f64x2.add(line(x, EVEN), f64x2.mul(xx, high));
}

@inline
export function missing(s: v128, R: v128, r: v128): v128 {
  return f64x2.sub(f64x2.mul(f64x2.sub(one(), s), R), f64x2.mul(f64x2.add(one(), s), r));
}
