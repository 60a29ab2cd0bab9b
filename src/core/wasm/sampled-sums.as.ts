/**
 * One layer with weights that are never formed, of one sample: the three passes of a step, each in as few sweeps over the
 * states as its dot products allow (the passes are in `sampled-passes.as.ts`, the law in `matrix-free-weights.ts`).
 *
 * Activations are the homogeneous ones, phi(f) = f where f > 0, else slope * f. Sums are of float64 products, so that no
 * state has a square that float32 has no number for, and the coefficient along a direction is known to sixteen digits: the
 * residual of a vector is orthogonal to it by its norms alone, and is never formed.
 *
 * A lane is 40 bytes of what it draws: its seed, its depth, sigma of its matrices, and the factor a of its skip connection,
 * which is 0 where there is none. A state is `size` numbers a lane, and the sums of a layer SUMS bytes a lane.
 */
import { start } from './ziggurat.as';

// A lane.
const DEPTH: usize = 16;
export const SIGMA: usize = 24;
export const SKIP: usize = 32;
export const LANE: usize = 40;

// The sums of a layer.
/** |x|^2 of the features x, and |q|^2 of what the next matrix takes of them. */
export const XX: usize = 0;
export const QQ: usize = 8;
/** |b|^2 of what comes back to its matrix, <b, u> with the image u = M q, and |z|^2 of what comes back to its features. */
export const BB: usize = 16;
export const BU: usize = 24;
export const ZZ: usize = 32;
/** |c|^2 of the change c of its features, and <z, c>. */
export const CC: usize = 40;
export const ZC: usize = 48;
/** Of the change dq of what the next matrix takes: |dq|^2, <dq, q>, and <dq, t> with its image t back. */
export const DD: usize = 56;
export const DQ: usize = 64;
export const DT: usize = 72;
/** <b, d> of the change d that its matrix makes. */
export const BD: usize = 80;
/** |u|^2. */
export const UU: usize = 88;
/** What the gradient is multiplied by in the change. */
export const RATE: usize = 96;
export const SUMS: usize = 104;

/** Roles of a layer (`random.ts`). */
const ROLES: u32 = 1024;

/** Starts the numbers of a lane for one product of its matrix. */
@inline
export function open(lane: usize, distance: u32, role: u32): void {
  const layer = load<u32>(lane, DEPTH) - distance;
  start(load<u32>(lane), load<u32>(lane, 4), load<u32>(lane, 8), load<u32>(lane, 12), layer * ROLES + role);
}

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

@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** sum + <x, y>, in two parts. */
@inline
export function plusDot(sum: v128, x: v128, y: v128): v128 {
  const low = f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y));
  return f64x2.add(sum, f64x2.add(low, f64x2.mul(high(x), high(y))));
}

@inline
export function total(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
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

/** The change of phi at f: of a velocity, or of a finite step. */
@inline
export function moved(f: v128, df: v128, slope: v128, isVelocity: bool): v128 {
  return isVelocity ? gated(f, df, slope) : difference(f, df, slope);
}

/** A power of two, the first factor of `factor` that leaves a second one which float32 holds; their products with a vector do too. */
@inline
export function firstFactor(factor: f64): f64 {
  const size = Math.abs(factor);
  if (size > 1.2e18) return 1.2676506002282294e30; // 2^100
  return size < 8e-19 && size > 0 ? 7.888609052210118e-31 : 1;
}

@inline
export function scaled(x: v128, first: v128, second: v128): v128 {
  return f32x4.mul(second, f32x4.mul(first, x));
}

@inline
export function ratio(above: f64, below: f64): f64 {
  return below == 0 ? 0 : above / below;
}

/** |x|^2 and |q|^2 of features that no pass here has made; `isInner`: of a layer that begins with phi, q = phi(x). */
export function enter(sums: usize, x: usize, lanes: u32, size: u32, slope: f32, isInner: bool): void {
  const bytes = (<usize>size) << 2;
  const slopes = f32x4.splat(slope);
  for (let lane: u32 = 0; lane < lanes; lane++, sums += SUMS, x += bytes) {
    let xx = f64x2.splat(0);
    let qq = f64x2.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const f = read(x + i, bytes - i);
      const q = isInner ? gated(f, f, slopes) : f;
      xx = plusDot(xx, f, f);
      qq = plusDot(qq, q, q);
    }
    store<f64>(sums, total(xx), XX);
    store<f64>(sums, total(qq), QQ);
  }
}

/** What `change` leaves of a change c that no pass here has made; t is the image back of the next matrix. */
export function enterChange(
  sums: usize,
  x: usize,
  t: usize,
  c: usize,
  lanes: u32,
  size: u32,
  slope: f32,
  isInner: bool,
  isVelocity: bool,
): void {
  const bytes = (<usize>size) << 2;
  const slopes = f32x4.splat(slope);
  for (let lane: u32 = 0; lane < lanes; lane++, sums += SUMS, x += bytes, t += bytes, c += bytes) {
    let cc = f64x2.splat(0);
    let dd = f64x2.splat(0);
    let dq = f64x2.splat(0);
    let dt = f64x2.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const rest = bytes - i;
      const f = read(x + i, rest);
      const change = read(c + i, rest);
      const d = isInner ? moved(f, change, slopes, isVelocity) : change;
      cc = plusDot(cc, change, change);
      dd = plusDot(dd, d, d);
      dq = plusDot(dq, d, isInner ? gated(f, f, slopes) : f);
      dt = plusDot(dt, d, read(t + i, rest));
    }
    store<f64>(sums, total(cc), CC);
    store<f64>(sums, total(dd), DD);
    store<f64>(sums, total(dq), DQ);
    store<f64>(sums, total(dt), DT);
  }
}

/** The sums of what comes back to a layer, from where no pass here has made it. */
export function arrive(
  sums: usize,
  x: usize,
  u: usize,
  z: usize,
  lanes: u32,
  size: u32,
  slope: f32,
  isInner: bool,
): void {
  const bytes = (<usize>size) << 2;
  const slopes = f32x4.splat(slope);
  for (let lane: u32 = 0; lane < lanes; lane++, sums += SUMS, x += bytes, u += bytes, z += bytes) {
    let zz = f64x2.splat(0);
    let bb = f64x2.splat(0);
    let bu = f64x2.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const rest = bytes - i;
      const back = read(z + i, rest);
      const b = isInner ? back : gated(read(x + i, rest), back, slopes);
      zz = plusDot(zz, back, back);
      bb = plusDot(bb, b, b);
      bu = plusDot(bu, b, read(u + i, rest));
    }
    store<f64>(sums, total(zz), ZZ);
    store<f64>(sums, total(bb), BB);
    store<f64>(sums, total(bu), BU);
  }
}

/** Completes what was drawn of a change, and sums what the measurements, the proof and the next layer need of it. */
@inline
export function sweep(
  out: usize,
  given: usize,
  x: usize,
  u: usize,
  z: usize,
  tNext: usize,
  sums: usize,
  bytes: usize,
  slopes: v128,
  onU: f64,
  onB: f64,
  skip: f32,
  isInner: bool,
  isVelocity: bool,
): void {
  const firstU = firstFactor(onU);
  const firstB = firstFactor(onB);
  const u1 = f32x4.splat(f32(firstU));
  const u2 = f32x4.splat(f32(onU / firstU));
  const b1 = f32x4.splat(f32(firstB));
  const b2 = f32x4.splat(f32(onB / firstB));
  const skips = f32x4.splat(skip);
  let bd = f64x2.splat(0);
  let cc = f64x2.splat(0);
  let zc = f64x2.splat(0);
  let dd = f64x2.splat(0);
  let dq = f64x2.splat(0);
  let dt = f64x2.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const rest = bytes - i;
    const f = read(x + i, rest);
    const image = read(u + i, rest);
    const back = read(z + i, rest);
    const b = isInner ? back : gated(f, back, slopes);
    const d = f32x4.add(read(out + i, rest), f32x4.add(scaled(image, u1, u2), scaled(b, b1, b2)));
    bd = plusDot(bd, b, d);
    if (isInner) {
      const c = f32x4.add(d, f32x4.mul(skips, read(given + i, rest)));
      write(out + i, c, rest);
      const next = moved(f, c, slopes, isVelocity);
      cc = plusDot(cc, c, c);
      zc = plusDot(zc, back, c);
      dd = plusDot(dd, next, next);
      dq = plusDot(dq, next, gated(f, f, slopes));
      dt = plusDot(dt, next, read(tNext + i, rest));
    } else {
      const c = moved(image, d, slopes, isVelocity);
      write(out + i, c, rest);
      cc = plusDot(cc, c, c);
      zc = plusDot(zc, back, c);
      dq = plusDot(dq, c, f);
    }
  }
  store<f64>(sums, total(bd), BD);
  store<f64>(sums, total(cc), CC);
  store<f64>(sums, total(zc), ZC);
  store<f64>(sums, isInner ? total(dd) : total(cc), DD);
  store<f64>(sums, total(dq), DQ);
  // What comes back to features that the next matrix takes as they are is its image back.
  store<f64>(sums, isInner ? total(dt) : total(zc), DT);
}
