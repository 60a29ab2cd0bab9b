/**
 * Products A B in which zeros of A are left out, as half the numbers of a state are that relu has closed.
 *
 * With the same bits as if they were not: a sum begins at +0 and is never -0, and 0 times a finite number is a zero, which
 * does not change it. Times one that is not finite it is NaN: where B has such a number nothing is left out.
 *
 * A mask for 64 numbers of a row of A says which rows of B are scaled and added, of seven times four columns at the most: as
 * many sums as stay in registers beside the numbers of B, since all of these are loaded first. Columns that B does not have
 * are packed as zeros.
 */
import { read, write } from '../kinked.as';
import { transposeMatrix } from './transpose.as';

/** Fours of columns at a time, at the most. */
const PANEL: u32 = 7;
/** Rows of B at a time, a multiple of 64, that a panel has in the first cache, and rows of A. */
const KC: u32 = 128;
const ROWS: u32 = 64;
const PANEL_BYTES: usize = (<usize>(KC * PANEL)) << 4;
const MASK_BYTES: usize = (<usize>(ROWS * KC)) >> 3;
/** Bytes of a panel, of masks, and of rows of A that is given as its transpose. */
export const SPARSE_BYTES: usize = PANEL_BYTES + MASK_BYTES + ((<usize>(ROWS * KC)) << 2);

/** Below them the panel is not worth its packing. */
const FEW_ROWS: u32 = 16;
const FEW_COLUMNS: u32 = 13;
/** Of up to three quarters of all numbers the sums are faster here; looked at in as many places, or a few more. */
const PLACES: usize = 64;

/** Whether zeros of A may be left out, and are so many, as far as a sample of it shows, that it pays. */
export function isSparse(a: usize, b: usize, rows: u32, inner: u32, columns: u32): bool {
  if (rows < FEW_ROWS || columns < FEW_COLUMNS) return false;
  const zero = f32x4.splat(0);
  const bytes = (<usize>(rows * inner)) << 2;
  const distance = max<usize>(16, (bytes / PLACES) & ~15);
  let places: u32 = 0;
  let others: u32 = 0;
  for (let at: usize = 0; at + 16 <= bytes; at += distance, places++) {
    others += popcnt(i32x4.bitmask(f32x4.ne(v128.load(a + at), zero)));
  }
  return others <= 3 * places && areFinite(b, inner * columns);
}

/** Whether all of `count` numbers are finite: 0 times another is not 0. */
function areFinite(x: usize, count: u32): bool {
  const zero = f32x4.splat(0);
  let sum = zero;
  let other = zero;
  const end = x + ((<usize>count) << 2);
  for (; x + 32 <= end; x += 32) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x), zero));
    other = f32x4.add(other, f32x4.mul(v128.load(x, 16), zero));
  }
  sum = f32x4.add(sum, other);
  for (; x < end; x += 4) sum = f32x4.add(sum, f32x4.mul(v128.load32_zero(x), zero));
  return !v128.any_true(f32x4.ne(sum, sum));
}

/**
 * out = A B of one lane, with the distances of the rows and columns of A in bytes.
 *
 * @param space of SPARSE_BYTES to work in.
 */
export function sparseProduct(
  out: usize,
  a: usize,
  b: usize,
  rows: u32,
  inner: u32,
  columns: u32,
  rowStride: usize,
  innerStride: usize,
  space: usize,
): void {
  const line = (<usize>columns) << 2;
  const masks = space + PANEL_BYTES;
  const turned = masks + MASK_BYTES;
  for (let k: u32 = 0; k < inner; k += KC) {
    const depth = min(KC, inner - k);
    for (let row: u32 = 0; row < rows; row += ROWS) {
      const count = min(ROWS, rows - row);
      let from = a + <usize>row * rowStride + <usize>k * innerStride;
      let stride = rowStride;
      if (innerStride != 4) {
        stride = (<usize>depth) << 2;
        transposeMatrix(turned, stride, from, innerStride, depth, count);
        from = turned;
      }
      markRows(masks, from, stride, count, depth);
      panels(out + <usize>row * line, line, from, stride, count, depth, masks, b + <usize>k * line, space, k == 0);
    }
  }
}

/** For each row its masks of 64 numbers, with a bit where a number is not zero. */
function markRows(to: usize, a: usize, stride: usize, rows: u32, depth: u32): void {
  for (let row: u32 = 0; row < rows; row++, a += stride) {
    let from = a;
    for (let left = depth; left > 0; to += 8) {
      const count = min(64, left);
      let mask: u64 = 0;
      let k: u32 = 0;
      for (; k + 16 <= count; k += 16, from += 64) {
        const first = i16x8.narrow_i32x4_s(marked(from), marked(from + 16));
        const last = i16x8.narrow_i32x4_s(marked(from + 32), marked(from + 48));
        mask |= (<u64>(<u32>i8x16.bitmask(i8x16.narrow_i16x8_s(first, last)))) << k;
      }
      for (; k + 4 <= count; k += 4, from += 16) mask |= (<u64>(<u32>i32x4.bitmask(marked(from)))) << k;
      for (; k < count; k++, from += 4) mask |= (<u64>(load<f32>(from) != 0)) << k;
      store<u64>(to, mask);
      left -= count;
    }
  }
}

/** All bits of those of four numbers that are not zero. */
@inline
function marked(at: usize): v128 {
  return f32x4.ne(v128.load(at), f32x4.splat(0));
}

/** The columns of some rows of A and as many of B as they have numbers, by panels of about the same width. */
function panels(
  out: usize,
  line: usize,
  a: usize,
  stride: usize,
  rows: u32,
  depth: u32,
  masks: usize,
  b: usize,
  packed: usize,
  begins: bool,
): void {
  const fours = <u32>((line + 15) >> 4);
  const count = (fours + PANEL - 1) / PANEL;
  for (let i: u32 = 0, first: u32 = 0; i < count; i++) {
    const end = (fours * (i + 1)) / count;
    const width = end - first;
    const at = (<usize>first) << 4;
    const rest = line - at - ((<usize>(width - 1)) << 4);
    pack(packed, b + at, line, depth, width, rest);
    if (width == 7) seven(out + at, line, a, stride, rows, depth, masks, packed, rest, begins);
    else if (width == 6) six(out + at, line, a, stride, rows, depth, masks, packed, rest, begins);
    else if (width == 5) five(out + at, line, a, stride, rows, depth, masks, packed, rest, begins);
    else four(out + at, line, a, stride, rows, depth, masks, packed, rest, begins);
    first = end;
  }
}

/** Of rows of B `width` fours, of the last of which `rest` bytes may be there. */
function pack(to: usize, b: usize, line: usize, depth: u32, width: u32, rest: usize): void {
  const last = (<usize>(width - 1)) << 4;
  for (let k: u32 = 0; k < depth; k++, b += line, to += 16) {
    for (let at: usize = 0; at < last; at += 16, to += 16) v128.store(to, v128.load(b + at));
    v128.store(to, read(b + last, rest));
  }
}

/** The sums of `width`, a constant from 4 to 7, fours of columns, or more of them where they are begun. */
@inline
function panel(
  width: u32,
  out: usize,
  line: usize,
  a: usize,
  stride: usize,
  rows: u32,
  depth: u32,
  masks: usize,
  b: usize,
  rest: usize,
  begins: bool,
): void {
  const lineB = (<usize>width) << 4;
  const last = lineB - 16;
  for (let row: u32 = 0; row < rows; row++, out += line, a += stride) {
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let c4 = c0;
    let c5 = c0;
    let c6 = c0;
    if (!begins) {
      c0 = v128.load(out);
      c1 = v128.load(out, 16);
      c2 = v128.load(out, 32);
      if (width > 4) c3 = v128.load(out, 48);
      if (width > 5) c4 = v128.load(out, 64);
      if (width > 6) c5 = v128.load(out, 80);
      c6 = read(out + last, rest);
    }
    for (let k: u32 = 0; k < depth; k += 64, masks += 8) {
      const from = a + ((<usize>k) << 2);
      const rowsB = b + <usize>k * lineB;
      for (let mask = load<u64>(masks); mask != 0; mask &= mask - 1) {
        const i = <usize>ctz(mask);
        const x = v128.load32_splat(from + (i << 2));
        const at = rowsB + i * lineB;
        c0 = f32x4.add(c0, f32x4.mul(x, v128.load(at)));
        c1 = f32x4.add(c1, f32x4.mul(x, v128.load(at, 16)));
        c2 = f32x4.add(c2, f32x4.mul(x, v128.load(at, 32)));
        if (width > 4) c3 = f32x4.add(c3, f32x4.mul(x, v128.load(at, 48)));
        if (width > 5) c4 = f32x4.add(c4, f32x4.mul(x, v128.load(at, 64)));
        if (width > 6) c5 = f32x4.add(c5, f32x4.mul(x, v128.load(at, 80)));
        c6 = f32x4.add(c6, f32x4.mul(x, v128.load(at + last)));
      }
    }
    v128.store(out, c0);
    v128.store(out, c1, 16);
    v128.store(out, c2, 32);
    if (width > 4) v128.store(out, c3, 48);
    if (width > 5) v128.store(out, c4, 64);
    if (width > 6) v128.store(out, c5, 80);
    write(out + last, c6, rest);
  }
}

// Each width is a function of its own: four loops in one have their sums in memory, and take a tenth longer.

function seven(
  out: usize,
  line: usize,
  a: usize,
  stride: usize,
  rows: u32,
  depth: u32,
  masks: usize,
  b: usize,
  rest: usize,
  begins: bool,
): void {
  panel(7, out, line, a, stride, rows, depth, masks, b, rest, begins);
}

function six(
  out: usize,
  line: usize,
  a: usize,
  stride: usize,
  rows: u32,
  depth: u32,
  masks: usize,
  b: usize,
  rest: usize,
  begins: bool,
): void {
  panel(6, out, line, a, stride, rows, depth, masks, b, rest, begins);
}

function five(
  out: usize,
  line: usize,
  a: usize,
  stride: usize,
  rows: u32,
  depth: u32,
  masks: usize,
  b: usize,
  rest: usize,
  begins: bool,
): void {
  panel(5, out, line, a, stride, rows, depth, masks, b, rest, begins);
}

function four(
  out: usize,
  line: usize,
  a: usize,
  stride: usize,
  rows: u32,
  depth: u32,
  masks: usize,
  b: usize,
  rest: usize,
  begins: bool,
): void {
  panel(4, out, line, a, stride, rows, depth, masks, b, rest, begins);
}
