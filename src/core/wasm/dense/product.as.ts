/**
 * Products of matrices for many lanes. Each entry is summed in the order of the inner index, whatever the blocks, so that its
 * bits depend on nothing else.
 *
 * A block of 4 x 8 entries is in registers, where nine numbers of A and B are read for 32 multiplications; more would not
 * stay there. Of a B that does not fit into the first cache eight columns and KC rows at a time are laid side by side; and
 * ROWS rows of A by fours, which stay in the second cache while all columns pass. So are those of an A that is transposed.
 * Where many numbers of A are zero they are left out, with the same bits (`sparse-product.as.ts`).
 */

import { isSparse, SPARSE_BYTES, sparseProduct } from './sparse-product.as';

/** Rows of B, and of A, that are packed at a time. */
const KC: u32 = 256;
const ROWS: u32 = 256;
/** Bytes of them: of eight columns of B, and of the rows of A. */
const B_BYTES: usize = (<usize>KC) << 5;
export const PACKED_BYTES: usize = max(B_BYTES + ((<usize>(ROWS * KC)) << 2), SPARSE_BYTES);
/** A smaller B, in bytes, is read where it is. */
const SMALL: u32 = 65536;

let packed: usize = 0;
let packedRows: usize = 0;

/** Sets where parts of A and B are packed. */
export function packInto(at: usize): void {
  packed = at;
  packedRows = at + B_BYTES;
}

/**
 * out = A B for each lane, A [rows x inner], B [inner x columns], out [rows x columns]; with A given as its transpose,
 * [inner x rows], if `transposed`.
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
  const line = (<usize>columns) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++) {
    if (isSparse(a, b, rows, inner, columns)) {
      sparseProduct(out, a, b, rows, inner, columns, rowStride, innerStride, packed);
    } else if (rows < 4 || columns < 8) {
      for (let row: u32 = 0; row < rows; row++) {
        combineRows(out + <usize>row * line, a + <usize>row * rowStride, innerStride, b, inner, columns);
      }
    } else if (!transposed && inner * line <= SMALL) {
      strip(out, a, b, rows, inner, 0, columns, rowStride, innerStride, line);
    } else {
      packedBlocks(out, a, b, rows, inner, columns, rowStride, innerStride);
      // What is left at two sides, the blocks of which overlap the others and write the same again.
      if (columns & 7) strip(out, a, b, rows, inner, columns & ~7, columns, rowStride, innerStride, line);
      if (rows & 3) {
        const last = <usize>(rows - 4);
        strip(out + last * line, a + last * rowStride, b, 4, inner, 0, columns, rowStride, innerStride, line);
      }
    }
    out += <usize>rows * line;
    a += (<usize>(rows * inner)) << 2;
    b += <usize>inner * line;
  }
}

/**
 * All rows of the columns from `first` on. The last block of a side overlaps the one before and writes the same again; of up
 * to four columns it is half as wide.
 */
function strip(
  out: usize,
  a: usize,
  b: usize,
  rows: u32,
  inner: u32,
  first: u32,
  columns: u32,
  rowStride: usize,
  innerStride: usize,
  line: usize,
): void {
  for (let row: u32 = 0; row < rows; row += 4) {
    if (row + 4 > rows) row = rows - 4;
    const from = a + <usize>row * rowStride;
    const to = out + <usize>row * line;
    let column = first;
    for (; column + 4 < columns; column += 8) {
      if (column + 8 > columns) column = columns - 8;
      const at = (<usize>column) << 2;
      block(to + at, line, from, rowStride, innerStride, b + at, line, inner, true);
    }
    if (column < columns) {
      const at = (<usize>(columns - 4)) << 2;
      halfBlock(to + at, line, from, rowStride, innerStride, b + at, inner);
    }
  }
}

/** The rows by four and columns by eight. */
function packedBlocks(
  out: usize,
  a: usize,
  b: usize,
  rows: u32,
  inner: u32,
  columns: u32,
  rowStride: usize,
  innerStride: usize,
): void {
  const line = (<usize>columns) << 2;
  for (let k: u32 = 0; k < inner; k += KC) {
    const depth = min(KC, inner - k);
    const bytes = (<usize>depth) << 4;
    for (let first: u32 = 0; first + 4 <= rows; first += ROWS) {
      const end = packRows(a, first, rows, k, depth, rowStride, innerStride);
      for (let column: u32 = 0; column + 8 <= columns; column += 8) {
        const at = (<usize>column) << 2;
        let from = b + <usize>k * line + at;
        for (let to = packed; to < packed + 2 * bytes; to += 32, from += line) {
          v128.store(to, v128.load(from));
          v128.store(to, v128.load(from, 16), 16);
        }
        let to = out + <usize>first * line + at;
        for (let left = packedRows; left < end; left += bytes, to += 4 * line) {
          block(to, line, left, 4, 16, packed, 32, depth, k == 0);
        }
      }
    }
  }
}

/** Rows of A from `first` on, four by four: for each inner index from k on their four numbers; and where they end. */
function packRows(
  a: usize,
  first: u32,
  rows: u32,
  k: u32,
  depth: u32,
  rowStride: usize,
  innerStride: usize,
): usize {
  let to = packedRows;
  const last = min(first + ROWS, rows);
  for (let row = first; row + 4 <= last; row += 4) {
    let from = a + <usize>row * rowStride + <usize>k * innerStride;
    const end = to + ((<usize>depth) << 4);
    if (rowStride == 4) {
      for (; to < end; to += 16, from += innerStride) v128.store(to, v128.load(from));
    } else {
      for (; to < end; to += 16, from += innerStride) {
        store<f32>(to, load<f32>(from));
        store<f32>(to, load<f32>(from + rowStride), 4);
        store<f32>(to, load<f32>(from + 2 * rowStride), 8);
        store<f32>(to, load<f32>(from + 3 * rowStride), 12);
      }
    }
  }
  return to;
}

/** Four rows and eight columns of a product: all of their sums, or more of it where these are begun. */
@inline
function block(
  out: usize,
  line: usize,
  a: usize,
  rowStride: usize,
  innerStride: usize,
  b: usize,
  lineB: usize,
  inner: u32,
  begins: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  if (!begins) {
    c00 = v128.load(out);
    c01 = v128.load(out, 16);
    c10 = v128.load(out + line);
    c11 = v128.load(out + line, 16);
    c20 = v128.load(out + 2 * line);
    c21 = v128.load(out + 2 * line, 16);
    c30 = v128.load(out + 3 * line);
    c31 = v128.load(out + 3 * line, 16);
  }
  for (let k: u32 = 0; k < inner; k++, a += innerStride, b += lineB) {
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

/** Four rows and four columns of a product. */
@inline
function halfBlock(
  out: usize,
  line: usize,
  a: usize,
  rowStride: usize,
  innerStride: usize,
  b: usize,
  inner: u32,
): void {
  let c0 = f32x4.splat(0);
  let c1 = f32x4.splat(0);
  let c2 = f32x4.splat(0);
  let c3 = f32x4.splat(0);
  for (let k: u32 = 0; k < inner; k++, a += innerStride, b += line) {
    const row = v128.load(b);
    c0 = f32x4.add(c0, f32x4.mul(v128.load32_splat(a), row));
    c1 = f32x4.add(c1, f32x4.mul(v128.load32_splat(a + rowStride), row));
    c2 = f32x4.add(c2, f32x4.mul(v128.load32_splat(a + 2 * rowStride), row));
    c3 = f32x4.add(c3, f32x4.mul(v128.load32_splat(a + 3 * rowStride), row));
  }
  v128.store(out, c0);
  v128.store(out + line, c1);
  v128.store(out + 2 * line, c2);
  v128.store(out + 3 * line, c3);
}

/** One row of a product: the rows of B, each scaled and added; B is read once, in order. */
function combineRows(out: usize, a: usize, innerStride: usize, b: usize, inner: u32, columns: u32): void {
  const line = (<usize>columns) << 2;
  memory.fill(out, 0, line);
  for (let k: u32 = 0; k < inner; k++, a += innerStride, b += line) {
    addScaledRow(out, out, load<f32>(a), b, line);
  }
}

/** out = y + factor x for `length` bytes; out may be y. */
@inline
export function addScaledRow(out: usize, y: usize, factor: f32, x: usize, length: usize): void {
  const factors = f32x4.splat(factor);
  const end = y + length;
  for (; y + 16 <= end; y += 16, x += 16, out += 16) {
    v128.store(out, f32x4.add(v128.load(y), f32x4.mul(factors, v128.load(x))));
  }
  for (; y < end; y += 4, x += 4, out += 4) store<f32>(out, load<f32>(y) + factor * load<f32>(x));
}
