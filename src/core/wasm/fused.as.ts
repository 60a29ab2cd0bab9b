/**
 * What one step needs and the tensor library has no fast kernel for, on float32 in its own memory: entrywise operations
 * that read and write a state once, and products of small or thin matrices for many lanes, without packing.
 *
 * AssemblyScript, compiled to WebAssembly SIMD by `npm run kernel`; `fused-kernels.ts` registers them with the library's
 * wasm backend. Arguments are byte offsets and counts; no data, and no state but of the sampler and tables of numbers, in a
 * place that they are given.
 */
import { dot, square } from './dot.as';
import { difference, gated, read, write } from './kinked.as';
import { addScaledRow, PACKED_BYTES, packInto } from './dense/product.as';
import { PARTS, sumIn } from './sampled/sums.as';
import { placeNumbers, TABLE_BYTES } from './smooth/activations.as';
import { transposeMatrix } from './dense/transpose.as';
import { initialise as initialiseSampler, ROOM } from './ziggurat.as';

export { denseBackward, denseChange, denseForward } from './dense/passes.as';
export { product } from './dense/product.as';
export { reluDifference, reluTangent } from './relu.as';
export { backward, change, forward } from './sampled/passes.as';
export { arrive, enter, enterChange } from './sampled/sums.as';
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

/** out = <a, b> for each lane of `size` numbers, in float64. */
export function dots(out: usize, a: usize, b: usize, lanes: u32, size: u32): void {
  const length = (<usize>size) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++, a += length, b += length, out += 8) {
    store<f64>(out, a == b ? square(a, size) : dot(a, b, size));
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
