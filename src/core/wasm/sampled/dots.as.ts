/** Sums of products of float32 numbers in float64, four numbers at a time: a sum in the making is of two parts. */
import { high, low } from '../dot.as';
import { gated } from '../kinked.as';

/** sum + <x, y>, in two parts. */
@inline
export function plusDot(sum: v128, x: v128, y: v128): v128 {
  return f64x2.add(sum, f64x2.add(low(x, y), high(x, y)));
}

@inline
export function total(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** sum + <y, v> of a block. */
export function plusPlainDot(sum: v128, y: usize, v: usize, bytes: usize): v128 {
  for (let i: usize = 0; i < bytes; i += 16) sum = plusDot(sum, v128.load(y + i), v128.load(v + i));
  return sum;
}

/** The same with phi'(f) v. */
export function plusGatedDot(sum: v128, y: usize, f: usize, v: usize, bytes: usize, slopes: v128): v128 {
  for (let i: usize = 0; i < bytes; i += 16) {
    sum = plusDot(sum, v128.load(y + i), gated(v128.load(f + i), v128.load(v + i), slopes));
  }
  return sum;
}
