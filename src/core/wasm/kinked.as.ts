/**
 * Homogeneous activations, phi(f) = f where f > 0 and slope * f elsewhere, on four numbers at a time; and the ends of states that
 * are no multiple of four.
 */

/** Four numbers, or the `rest` bytes that a state has left and zeros. */
@inline
export function read(at: usize, rest: usize): v128 {
  return rest >= 16 ? v128.load(at) : readPart(at, rest);
}

function readPart(at: usize, rest: usize): v128 {
  let x = v128.load32_zero(at);
  if (rest > 4) x = v128.load32_lane(at + 4, x, 1);
  if (rest > 8) x = v128.load32_lane(at + 8, x, 2);
  return x;
}

@inline
export function write(at: usize, x: v128, rest: usize): void {
  if (rest >= 16) v128.store(at, x);
  else writePart(at, x, rest);
}

function writePart(at: usize, x: v128, rest: usize): void {
  v128.store32_lane(at, x, 0);
  if (rest > 4) v128.store32_lane(at + 4, x, 1);
  if (rest > 8) v128.store32_lane(at + 8, x, 2);
}

/** Where f > 0, t; else slope t. */
@inline
export function gated(f: v128, t: v128, slope: v128): v128 {
  return v128.bitselect(t, f32x4.mul(slope, t), f32x4.gt(f, f32x4.splat(0)));
}

/** phi(f + df) - phi(f) without cancellation; NaN stays NaN. */
@inline
export function difference(f: v128, df: v128, slope: v128): v128 {
  const after = f32x4.add(f, df);
  const zero = f32x4.splat(0);
  const crosses = v128.xor(f32x4.gt(f, zero), f32x4.gt(after, zero));
  const across = f32x4.sub(gated(after, after, slope), gated(f, f, slope));
  return v128.bitselect(across, gated(f, df, slope), crosses);
}
