/**
 * The three passes of a step through a layer x = a f + M relu(f) with weights that are formed, of many samples, and the sums
 * that are asked for: lane by lane, so that what is in between stays in the cache, and in one sweep what is of entries.
 *
 * What is computed, and in which order, is what the operations one by one do (`chain.ts`), and so are the bits. A state has
 * `rows` rows of `width` numbers a lane, a multiple of four; matrices are [width x width], M^T with its outputs as columns.
 * `skip` has a of each lane, and the sums of a lane are SUMS bytes.
 */
import { high, low, square, total } from '../dot.as';
import { product } from './product.as';
import { difference, gate } from '../relu.as';

// The sums that a pass gives, or is given.
/** |q|^2 of q = relu(f), and |x|^2. */
const QQ: usize = 0;
const XX: usize = 8;
/** |G|^2, and |z|^2 of what comes back to f. */
const GG: usize = 16;
const ZZ: usize = 24;
/** Of the change dq of q: |dq|^2, <M^T b, dq>, and <b, M dq>. */
const DD: usize = 32;
const TD: usize = 40;
const BD: usize = 48;
/** |q + dq|^2, of a velocity that of q. */
const AA: usize = 56;
/** <b, d> of the change d that the matrix makes, |c|^2 of that of x, and <b, c>. */
const FALLEN: usize = 64;
const CC: usize = 72;
const BC: usize = 80;
/** What G is multiplied by in d. */
const RATE: usize = 88;
const SUMS: usize = 96;

/** x of f. */
export function denseForward(
  x: usize,
  f: usize,
  transposed: usize,
  skip: usize,
  sums: usize,
  space: usize,
  lanes: u32,
  rows: u32,
  width: u32,
): void {
  const state = (<usize>(rows * width)) << 2;
  const matrix = (<usize>(width * width)) << 2;
  for (let lane: u32 = 0; lane < lanes; lane++) {
    store<f64>(sums, open(space, f, state), QQ);
    product(x, space, transposed, 1, rows, width, width, false);
    store<f64>(sums, plus(x, load<f32>(skip), f, state), XX);
    x += state;
    f += state;
    transposed += matrix;
    skip += 4;
    sums += SUMS;
  }
}

/** G^T of b, which has come back to x, t = M^T b, and z, which comes back to f. */
export function denseBackward(
  z: usize,
  t: usize,
  gradient: usize,
  b: usize,
  f: usize,
  matrix: usize,
  skip: usize,
  sums: usize,
  space: usize,
  lanes: u32,
  rows: u32,
  width: u32,
): void {
  const state = (<usize>(rows * width)) << 2;
  const entries = width * width;
  for (let lane: u32 = 0; lane < lanes; lane++) {
    open(space, f, state);
    product(gradient, space, b, 1, width, rows, width, true);
    store<f64>(sums, square(gradient, entries), GG);
    product(t, b, matrix, 1, rows, width, width, false);
    store<f64>(sums, close(z, f, t, load<f32>(skip), b, state), ZZ);
    z += state;
    t += state;
    gradient += (<usize>entries) << 2;
    b += state;
    f += state;
    matrix += (<usize>entries) << 2;
    skip += 4;
    sums += SUMS;
  }
}

/** The change of x, of the change df of f: a velocity, or a finite step. */
export function denseChange(
  change: usize,
  df: usize,
  f: usize,
  b: usize,
  t: usize,
  transposed: usize,
  gradient: usize,
  skip: usize,
  sums: usize,
  space: usize,
  lanes: u32,
  rows: u32,
  width: u32,
  isVelocity: bool,
  isLearning: bool,
): void {
  const state = (<usize>(rows * width)) << 2;
  const matrix = (<usize>(width * width)) << 2;
  const after = space + state;
  for (let lane: u32 = 0; lane < lanes; lane++) {
    move(space, after, sums, f, df, t, state, isVelocity);
    product(change, space, transposed, 1, rows, width, width, false);
    if (isLearning) product(space, after, gradient, 1, rows, width, width, false);
    descend(change, sums, isLearning ? space : change, b, load<f32>(skip), df, state);
    change += state;
    df += state;
    f += state;
    b += state;
    t += state;
    transposed += matrix;
    gradient += matrix;
    skip += 4;
    sums += SUMS;
  }
}

/** q = relu(f), and |q|^2. */
function open(q: usize, f: usize, bytes: usize): f64 {
  let lows = f64x2.splat(0);
  let highs = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const before = v128.load(f + i);
    const x = gate(before, before);
    v128.store(q + i, x);
    lows = f64x2.add(lows, low(x, x));
    highs = f64x2.add(highs, high(x, x));
  }
  return total(lows, highs);
}

/** x = x + a f, and |x|^2. */
function plus(x: usize, skip: f32, f: usize, bytes: usize): f64 {
  const a = f32x4.splat(skip);
  let lows = f64x2.splat(0);
  let highs = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const sum = f32x4.add(v128.load(x + i), f32x4.mul(a, v128.load(f + i)));
    v128.store(x + i, sum);
    lows = f64x2.add(lows, low(sum, sum));
    highs = f64x2.add(highs, high(sum, sum));
  }
  return total(lows, highs);
}

/** z = relu'(f) t + a b, and |z|^2. */
function close(z: usize, f: usize, t: usize, skip: f32, b: usize, bytes: usize): f64 {
  const a = f32x4.splat(skip);
  let lows = f64x2.splat(0);
  let highs = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const sum = f32x4.add(gate(v128.load(f + i), v128.load(t + i)), f32x4.mul(a, v128.load(b + i)));
    v128.store(z + i, sum);
    lows = f64x2.add(lows, low(sum, sum));
    highs = f64x2.add(highs, high(sum, sum));
  }
  return total(lows, highs);
}

/** The change dq of q = relu(f), what q is after it, or before a velocity; and their sums. */
function move(
  dq: usize,
  after: usize,
  sums: usize,
  f: usize,
  df: usize,
  t: usize,
  bytes: usize,
  isVelocity: bool,
): void {
  let dqLows = f64x2.splat(0);
  let dqHighs = dqLows;
  let tLows = dqLows;
  let tHighs = dqLows;
  let afterLows = dqLows;
  let afterHighs = dqLows;
  for (let i: usize = 0; i < bytes; i += 16) {
    const before = v128.load(f + i);
    const given = v128.load(df + i);
    const change = isVelocity ? gate(before, given) : difference(before, given);
    v128.store(dq + i, change);
    const q = gate(before, before);
    const x = isVelocity ? q : f32x4.add(q, change);
    v128.store(after + i, x);
    const back = v128.load(t + i);
    dqLows = f64x2.add(dqLows, low(change, change));
    dqHighs = f64x2.add(dqHighs, high(change, change));
    tLows = f64x2.add(tLows, low(back, change));
    tHighs = f64x2.add(tHighs, high(back, change));
    afterLows = f64x2.add(afterLows, low(x, x));
    afterHighs = f64x2.add(afterHighs, high(x, x));
  }
  store<f64>(sums, total(dqLows, dqHighs), DD);
  store<f64>(sums, total(tLows, tHighs), TD);
  store<f64>(sums, total(afterLows, afterHighs), AA);
}

/** From p = M dq the change c = p + rate z + a df, with what b makes of p, of p + rate z and of c, and |c|^2. */
function descend(c: usize, sums: usize, z: usize, b: usize, skip: f32, df: usize, bytes: usize): void {
  const a = f32x4.splat(skip);
  const rate = f32x4.splat(<f32>load<f64>(sums, RATE));
  let pLows = f64x2.splat(0);
  let pHighs = pLows;
  let dLows = pLows;
  let dHighs = pLows;
  let cLows = pLows;
  let cHighs = pLows;
  let bLows = pLows;
  let bHighs = pLows;
  for (let i: usize = 0; i < bytes; i += 16) {
    const back = v128.load(b + i);
    const p = v128.load(c + i);
    pLows = f64x2.add(pLows, low(back, p));
    pHighs = f64x2.add(pHighs, high(back, p));
    const d = f32x4.add(p, f32x4.mul(rate, v128.load(z + i)));
    dLows = f64x2.add(dLows, low(back, d));
    dHighs = f64x2.add(dHighs, high(back, d));
    const change = f32x4.add(d, f32x4.mul(a, v128.load(df + i)));
    v128.store(c + i, change);
    cLows = f64x2.add(cLows, low(change, change));
    cHighs = f64x2.add(cHighs, high(change, change));
    bLows = f64x2.add(bLows, low(back, change));
    bHighs = f64x2.add(bHighs, high(back, change));
  }
  store<f64>(sums, total(pLows, pHighs), BD);
  store<f64>(sums, total(dLows, dHighs), FALLEN);
  store<f64>(sums, total(cLows, cHighs), CC);
  store<f64>(sums, total(bLows, bHighs), BC);
}
