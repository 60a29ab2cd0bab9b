/** Sums of products of float32 numbers, in float64: of those at even places of two, and of those at odd ones, and so on. */

/** The first two products of four. */
@inline
export function low(x: v128, y: v128): v128 {
  return f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y));
}

/** The last two. */
@inline
export function high(x: v128, y: v128): v128 {
  const p = f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
  return f64x2.mul(p, f64x2.promote_low_f32x4(v128.shuffle<i64>(y, y, 1, 1)));
}

/** The sum of the sums of both. */
@inline
export function total(lows: v128, highs: v128): f64 {
  const sum = f64x2.add(lows, highs);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** <a, b> of `size` numbers. */
export function dot(a: usize, b: usize, size: u32): f64 {
  let lows = f64x2.splat(0);
  let highs = f64x2.splat(0);
  const end = a + ((<usize>size) << 2);
  for (; a + 16 <= end; a += 16, b += 16) {
    const x = v128.load(a);
    const y = v128.load(b);
    lows = f64x2.add(lows, low(x, y));
    highs = f64x2.add(highs, high(x, y));
  }
  let sum = total(lows, highs);
  for (; a < end; a += 4, b += 4) sum += f64(load<f32>(a)) * f64(load<f32>(b));
  return sum;
}

/** |a|^2 of `size` numbers, with the bits of <a, a>. */
export function square(a: usize, size: u32): f64 {
  let lows = f64x2.splat(0);
  let highs = f64x2.splat(0);
  const end = a + ((<usize>size) << 2);
  for (; a + 16 <= end; a += 16) {
    const x = v128.load(a);
    lows = f64x2.add(lows, low(x, x));
    highs = f64x2.add(highs, high(x, x));
  }
  let sum = total(lows, highs);
  for (; a < end; a += 4) sum += f64(load<f32>(a)) * f64(load<f32>(a));
  return sum;
}
