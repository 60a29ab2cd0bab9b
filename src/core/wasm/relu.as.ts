/** Relu on the entries of a state. */

/** t where f > 0, else 0. */
@inline
export function gate(f: v128, t: v128): v128 {
  return v128.and(f32x4.gt(f, f32x4.splat(0)), t);
}

/** relu(f + df) - relu(f) without cancellation: df where both are open, f + df or -f where one is, else 0; NaN stays NaN. */
@inline
export function difference(f: v128, df: v128): v128 {
  const zero = f32x4.splat(0);
  const after = f32x4.add(f, df);
  const wasOpen = f32x4.gt(f, zero);
  const opened = v128.bitselect(df, after, wasOpen);
  const closed = v128.and(wasOpen, f32x4.neg(f));
  const result = v128.bitselect(opened, closed, f32x4.gt(after, zero));
  return v128.bitselect(after, result, f32x4.ne(after, after));
}

/** out = t where f > 0, else 0. */
export function reluTangent(out: usize, f: usize, t: usize, count: u32): void {
  const end = f + ((<usize>count) << 2);
  for (; f + 16 <= end; f += 16, t += 16, out += 16) v128.store(out, gate(v128.load(f), v128.load(t)));
  for (; f < end; f += 4, t += 4, out += 4) store<f32>(out, load<f32>(f) > 0 ? load<f32>(t) : 0);
}

/** out = relu(f + df) - relu(f) without cancellation. */
export function reluDifference(out: usize, f: usize, df: usize, count: u32): void {
  const end = f + ((<usize>count) << 2);
  for (; f + 16 <= end; f += 16, df += 16, out += 16) {
    v128.store(out, difference(v128.load(f), v128.load(df)));
  }
  for (; f < end; f += 4, df += 4, out += 4) {
    store<f32>(out, f32x4.extract_lane(difference(v128.load32_zero(f), v128.load32_zero(df)), 0));
  }
}
