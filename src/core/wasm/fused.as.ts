/**
 * What one step needs and the tensor library has no fast kernel for, on float32 in its own memory: entrywise operations
 * that read and write a state once, and products of small or thin matrices for many lanes, without packing.
 *
 * AssemblyScript, compiled to WebAssembly SIMD by `npm run build`; `fused-kernels.ts` registers them with the library's
 * wasm backend. Arguments are byte offsets and counts; no data, and no state but of the sampler and tables of numbers, in a
 * place that they are given.
 */
import { difference, gated, read, write } from './kinked.as';
import { addScaledRow, PACKED_BYTES, packInto } from './product.as';
import { PARTS, sumIn } from './sampled-sums.as';
import { placeNumbers, TABLE_BYTES } from './smooth/activations.as';
import { transposeMatrix } from './transpose.as';
import { initialise as initialiseSampler, ROOM } from './ziggurat.as';

export { product } from './product.as';
export { backward, change, forward } from './sampled-passes.as';
export { arrive, enter, enterChange } from './sampled-sums.as';
export { erf, gelu, silu, tanh } from './smooth/activations.as';

/** Bytes that the sampler, sums, the products and the smooth activations work in. */
export const SPACE: usize = ROOM + PARTS + PACKED_BYTES + TABLE_BYTES;

/** Once, before anything else. */
export function initialise(at: usize): void {
  initialiseSampler(at);
  sumIn(at + ROOM);
  packInto(at + ROOM + PARTS);
  placeNumbers(at + ROOM + PARTS + PACKED_BYTES);
}

/** out = y + a x for each lane of `size` numbers; a has one number a lane. */
export function addScaled(out: usize, y: usize, a: usize, x: usize, lanes: u32, size: u32): void {
  const length = (<usize>size) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++, a += 4) {
    addScaledRow(out, y, load<f32>(a), x, length);
    out += length;
    y += length;
    x += length;
  }
}

/** out = a^T for each lane, a [rows x columns]. */
export function transpose(out: usize, a: usize, lanes: u32, rows: u32, columns: u32): void {
  const line = (<usize>columns) << 2;
  const outLine = (<usize>rows) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++, a += <usize>rows * line, out += <usize>rows * line) {
    transposeMatrix(out, outLine, a, line, rows, columns);
  }
}

/** out = t where f > 0, else 0. */
export function reluTangent(out: usize, f: usize, t: usize, count: u32): void {
  const zero = f32x4.splat(0);
  const end = f + ((<usize>count) << 2);
  for (; f + 16 <= end; f += 16, t += 16, out += 16) {
    v128.store(out, v128.and(f32x4.gt(v128.load(f), zero), v128.load(t)));
  }
  for (; f < end; f += 4, t += 4, out += 4) store<f32>(out, load<f32>(f) > 0 ? load<f32>(t) : 0);
}

/** out = relu(f + df) - relu(f) without cancellation: df where both are open, f + df or -f where one is, else 0. */
export function reluDifference(out: usize, f: usize, df: usize, count: u32): void {
  const zero = f32x4.splat(0);
  const end = f + ((<usize>count) << 2);
  for (; f + 16 <= end; f += 16, df += 16, out += 16) {
    const before = v128.load(f);
    const change = v128.load(df);
    const after = f32x4.add(before, change);
    const wasOpen = f32x4.gt(before, zero);
    const opened = v128.bitselect(change, after, wasOpen);
    const closed = v128.and(wasOpen, f32x4.neg(before));
    const result = v128.bitselect(opened, closed, f32x4.gt(after, zero));
    v128.store(out, v128.bitselect(after, result, f32x4.ne(after, after))); // NaN stays NaN
  }
  for (; f < end; f += 4, df += 4, out += 4) {
    const before = load<f32>(f);
    const change = load<f32>(df);
    const after = before + change;
    const opened = before > 0 ? change : after;
    const closed: f32 = before > 0 ? -before : 0;
    store<f32>(out, after != after ? after : after > 0 ? opened : closed);
  }
}

/** out = phi'(f) t, of the phi that is f where f > 0 and slope f elsewhere; so phi(f) with t = f. */
export function kinkedTangent(out: usize, f: usize, t: usize, count: u32, slope: f32): void {
  const slopes = f32x4.splat(slope);
  const bytes = (<usize>count) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const rest = bytes - i;
    write(out + i, gated(read(f + i, rest), read(t + i, rest), slopes), rest);
  }
}

/** out = phi(f + df) - phi(f) of the same, without cancellation. */
export function kinkedDifference(out: usize, f: usize, df: usize, count: u32, slope: f32): void {
  const slopes = f32x4.splat(slope);
  const bytes = (<usize>count) << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const rest = bytes - i;
    write(out + i, difference(read(f + i, rest), read(df + i, rest), slopes), rest);
  }
}

/** <a, b> of `size` numbers, summed in float64. */
function dot(a: usize, b: usize, size: u32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const end = a + ((<usize>size) << 2);
  for (; a + 16 <= end; a += 16, b += 16) {
    const x = v128.load(a);
    const y = v128.load(b);
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y)));
    const p = v128.shuffle<i64>(x, x, 1, 1);
    const q = v128.shuffle<i64>(y, y, 1, 1);
    high = f64x2.add(high, f64x2.mul(f64x2.promote_low_f32x4(p), f64x2.promote_low_f32x4(q)));
  }
  const sum = f64x2.add(low, high);
  let total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
  for (; a < end; a += 4, b += 4) total += f64(load<f32>(a)) * f64(load<f32>(b));
  return total;
}

/** out = <a, b> for each lane of `size` numbers, in float64. */
export function dots(out: usize, a: usize, b: usize, lanes: u32, size: u32): void {
  const length = (<usize>size) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++, a += length, b += length, out += 8) {
    store<f64>(out, dot(a, b, size));
  }
}

/** out = sum_{i, j} <a_i, a_j> <b_i, b_j> of each lane's rows, in float64: <A A^T, B B^T>. */
export function gramProduct(out: usize, a: usize, b: usize, lanes: u32, rows: u32, left: u32, right: u32): void {
  const lineA = (<usize>left) << 2;
  const lineB = (<usize>right) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++, out += 8) {
    let sum: f64 = 0;
    for (let i: u32 = 0; i < rows; i++) {
      for (let j: u32 = 0; j <= i; j++) {
        const one = dot(a + <usize>i * lineA, a + <usize>j * lineA, left);
        const term = one * dot(b + <usize>i * lineB, b + <usize>j * lineB, right);
        sum += i == j ? term : 2 * term;
      }
    }
    store<f64>(out, sum);
    a += <usize>rows * lineA;
    b += <usize>rows * lineB;
  }
}

/** out = A B^T for each lane, A [rows x inner], B [columns x inner]: inner products of rows, summed in float64. */
export function innerProducts(
  out: usize,
  a: usize,
  b: usize,
  lanes: u32,
  rows: u32,
  inner: u32,
  columns: u32,
): void {
  const length = (<usize>inner) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++, b += <usize>columns * length) {
    for (let row: u32 = 0; row < rows; row++, a += length) {
      for (let column: u32 = 0; column < columns; column++, out += 4) {
        store<f32>(out, <f32>dot(a, b + <usize>column * length, inner));
      }
    }
  }
}
