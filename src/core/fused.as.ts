/**
 * What one step needs and the tensor library has no fast kernel for, on float32 in its own memory: entrywise operations
 * that read and write a state once, and products of small or thin matrices for many lanes, without packing.
 *
 * AssemblyScript, compiled to WebAssembly SIMD by `npm run build`; `fused-kernels.ts` registers them with the library's
 * wasm backend. Arguments are byte offsets and counts; no data, and no state but
 * of the sampler, in a place that it is given.
 */
export { backward, change, forward } from './sampled-passes.as';
export { arrive, enter, enterChange } from './sampled-sums.as';
export { initialise, ROOM } from './ziggurat.as';

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

/** out = y + factor x for `length` bytes; out may be y. */
@inline
function addScaledRow(out: usize, y: usize, factor: f32, x: usize, length: usize): void {
  const factors = f32x4.splat(factor);
  const end = y + length;
  for (; y + 16 <= end; y += 16, x += 16, out += 16) {
    v128.store(out, f32x4.add(v128.load(y), f32x4.mul(factors, v128.load(x))));
  }
  for (; y < end; y += 4, x += 4, out += 4) store<f32>(out, load<f32>(y) + factor * load<f32>(x));
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

/**
 * out = A B for each lane, A [rows x inner], B [inner x columns], out [rows x columns]; with A given as its transpose,
 * [inner x rows], if `transposed`. Each entry is summed in the order of the inner index, so that its bits depend on
 * nothing else.
 */
export function product(
  out: usize,
  a: usize,
  b: usize,
  lanes: u32,
  rows: u32,
  inner: u32,
  columns: u32,
  transposed: bool,
): void {
  const rowStride: usize = (transposed ? 1 : inner) << 2;
  const innerStride: usize = (transposed ? rows : 1) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++) {
    if (rows < 4 || columns < 8) {
      for (let row: u32 = 0; row < rows; row++) {
        const line = out + <usize>row * ((<usize>columns) << 2);
        combineRows(line, a + <usize>row * rowStride, innerStride, b, inner, columns);
      }
    } else {
      // Blocks of 4 x 8 in registers. The last block of a side overlaps the one before, and writes the same again.
      for (let row: u32 = 0; row < rows; row += 4) {
        if (row + 4 > rows) row = rows - 4;
        for (let column: u32 = 0; column < columns; column += 8) {
          if (column + 8 > columns) column = columns - 8;
          const at = out + ((<usize>(row * columns + column)) << 2);
          block(at, a + <usize>row * rowStride, rowStride, innerStride, b + ((<usize>column) << 2), inner, columns);
        }
      }
    }
    out += (<usize>(rows * columns)) << 2;
    a += (<usize>(rows * inner)) << 2;
    b += (<usize>(inner * columns)) << 2;
  }
}

/** Four rows and eight columns of a product. */
@inline
function block(out: usize, a: usize, rowStride: usize, innerStride: usize, b: usize, inner: u32, columns: u32): void {
  const line = (<usize>columns) << 2;
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  for (let k: u32 = 0; k < inner; k++, a += innerStride, b += line) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(a0, b0));
    c01 = f32x4.add(c01, f32x4.mul(a0, b1));
    const a1 = v128.load32_splat(a + rowStride);
    c10 = f32x4.add(c10, f32x4.mul(a1, b0));
    c11 = f32x4.add(c11, f32x4.mul(a1, b1));
    const a2 = v128.load32_splat(a + 2 * rowStride);
    c20 = f32x4.add(c20, f32x4.mul(a2, b0));
    c21 = f32x4.add(c21, f32x4.mul(a2, b1));
    const a3 = v128.load32_splat(a + 3 * rowStride);
    c30 = f32x4.add(c30, f32x4.mul(a3, b0));
    c31 = f32x4.add(c31, f32x4.mul(a3, b1));
  }
  v128.store(out, c00);
  v128.store(out, c01, 16);
  v128.store(out + line, c10);
  v128.store(out + line, c11, 16);
  v128.store(out + 2 * line, c20);
  v128.store(out + 2 * line, c21, 16);
  v128.store(out + 3 * line, c30);
  v128.store(out + 3 * line, c31, 16);
}

/** One row of a product: the rows of B, each scaled and added; B is read once, in order. */
function combineRows(out: usize, a: usize, innerStride: usize, b: usize, inner: u32, columns: u32): void {
  const line = (<usize>columns) << 2;
  memory.fill(out, 0, line);
  for (let k: u32 = 0; k < inner; k++, a += innerStride, b += line) {
    addScaledRow(out, out, load<f32>(a), b, line);
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
