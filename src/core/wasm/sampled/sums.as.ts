/**
 * The sums over the states of a layer with weights that are never formed, of one sample: what its passes
 * (`passes.as.ts`) leave for those that follow, for the proof of the step and for its measurements.
 *
 * Activations are the homogeneous ones, phi(f) = f where f > 0, else slope * f. Sums are of float64 products, so that no
 * state has a square that float32 has no number for, and the coefficient along a direction is known to sixteen digits: the
 * residual of a vector is orthogonal to it by its norms alone, and is never formed.
 *
 * A lane is LANE bytes of what it draws: its seed, its depth, sigma of its matrices, and the factor a of its skip connection,
 * which is 0 where there is none. A state is `size` numbers a lane, and zeros up to the next multiple of four; the sums of a
 * layer are SUMS bytes a lane. While they are summed each is of two parts, at twice its place in a lane of PARTS.
 */
import { plusDot, total } from './dots.as';
import { difference, gated } from '../kinked.as';
import { start } from '../ziggurat.as';

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
/** Bytes of the sums in the making. */
export const PARTS: usize = 2 * SUMS;

let parts: usize = 0;

/** Where sums are made; once, before anything else. */
export function sumIn(at: usize): void {
  parts = at;
}

/** Roles of a layer (`random.ts`). */
const ROLES: u32 = 1024;

/** Starts the numbers of a lane for one product of its matrix. */
@inline
export function open(lane: usize, distance: u32, role: u32): void {
  const layer = load<u32>(lane, DEPTH) - distance;
  start(load<u32>(lane), load<u32>(lane, 4), load<u32>(lane, 8), load<u32>(lane, 12), layer * ROLES + role);
}

/** Bytes of a state of one lane. */
@inline
export function strideOf(size: u32): usize {
  return ((<usize>size + 3) & ~3) << 2;
}

/** A sum in the making. */
@inline
export function partsOf(sum: usize): v128 {
  return v128.load(parts + (sum << 1));
}

@inline
export function keepParts(sum: usize, value: v128): void {
  v128.store(parts + (sum << 1), value);
}

/** Begins the sums of a lane. */
@inline
export function begin(): void {
  memory.fill(parts, 0, PARTS);
}

@inline
export function finish(sums: usize, sum: usize): void {
  store<f64>(sums + sum, total(partsOf(sum)));
}

/** The change of phi at f: of a velocity, or of a finite step. */
@inline
export function moved(f: v128, df: v128, slope: v128, isVelocity: bool): v128 {
  return isVelocity ? gated(f, df, slope) : difference(f, df, slope);
}

/** Adds to XX and QQ of features x; of a layer that ends with phi, to UU of its image too. */
export function addFeatures(x: usize, u: usize, bytes: usize, slopes: v128, isInner: bool): void {
  let qq = partsOf(QQ);
  if (isInner) {
    let xx = partsOf(XX);
    for (let i: usize = 0; i < bytes; i += 16) {
      const f = v128.load(x + i);
      const q = gated(f, f, slopes);
      xx = plusDot(xx, f, f);
      qq = plusDot(qq, q, q);
    }
    keepParts(XX, xx);
  } else {
    let uu = partsOf(UU);
    for (let i: usize = 0; i < bytes; i += 16) {
      const g = v128.load(x + i);
      const f = v128.load(u + i);
      qq = plusDot(qq, g, g);
      uu = plusDot(uu, f, f);
    }
    keepParts(XX, qq);
    keepParts(UU, uu);
  }
  keepParts(QQ, qq);
}

/** Adds to ZZ, BB and BU of what has come back to features x with the image u. */
export function addBackward(x: usize, u: usize, z: usize, bytes: usize, slopes: v128, isInner: bool): void {
  let bb = partsOf(BB);
  let bu = partsOf(BU);
  if (isInner) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const b = v128.load(z + i);
      bb = plusDot(bb, b, b);
      bu = plusDot(bu, b, v128.load(u + i));
    }
    keepParts(ZZ, bb);
  } else {
    let zz = partsOf(ZZ);
    for (let i: usize = 0; i < bytes; i += 16) {
      const g = v128.load(x + i);
      const back = v128.load(z + i);
      const b = gated(g, back, slopes);
      zz = plusDot(zz, back, back);
      bb = plusDot(bb, b, b);
      // <phi'(u) z, u> = <z, phi(u)>: phi is homogeneous, and has its sign.
      bu = plusDot(bu, back, g);
    }
    keepParts(ZZ, zz);
  }
  keepParts(BB, bb);
  keepParts(BU, bu);
}

/** Adds to the sums of a change c of features x, to which z has come back, and t by the next matrix. */
@inline
function addMoved(x: usize, z: usize, t: usize, c: usize, bytes: usize, slopes: v128, isVelocity: bool): void {
  let cc = partsOf(CC);
  let zc = partsOf(ZC);
  let dd = partsOf(DD);
  let dq = partsOf(DQ);
  let dt = partsOf(DT);
  for (let i: usize = 0; i < bytes; i += 16) {
    const f = v128.load(x + i);
    const change = v128.load(c + i);
    const d = moved(f, change, slopes, isVelocity);
    cc = plusDot(cc, change, change);
    zc = plusDot(zc, v128.load(z + i), change);
    dd = plusDot(dd, d, d);
    dq = plusDot(dq, d, gated(f, f, slopes));
    dt = plusDot(dt, d, v128.load(t + i));
  }
  keepParts(CC, cc);
  keepParts(ZC, zc);
  keepParts(DD, dd);
  keepParts(DQ, dq);
  keepParts(DT, dt);
}

export function addChange(
  x: usize,
  z: usize,
  t: usize,
  c: usize,
  bytes: usize,
  slopes: v128,
  isInner: bool,
  isVelocity: bool,
): void {
  if (isInner) {
    if (isVelocity) addMoved(x, z, t, c, bytes, slopes, true);
    else addMoved(x, z, t, c, bytes, slopes, false);
    return;
  }
  let cc = partsOf(CC);
  let zc = partsOf(ZC);
  let dq = partsOf(DQ);
  for (let i: usize = 0; i < bytes; i += 16) {
    const change = v128.load(c + i);
    cc = plusDot(cc, change, change);
    zc = plusDot(zc, v128.load(z + i), change);
    dq = plusDot(dq, change, v128.load(x + i));
  }
  keepParts(CC, cc);
  keepParts(ZC, zc);
  // The next matrix takes the features as they are, and what comes back to them is its image back.
  keepParts(DD, cc);
  keepParts(DQ, dq);
  keepParts(DT, zc);
}

@inline
export function finishFeatures(sums: usize): void {
  finish(sums, XX);
  finish(sums, QQ);
  finish(sums, UU);
}

@inline
export function finishBackward(sums: usize): void {
  finish(sums, ZZ);
  finish(sums, BB);
  finish(sums, BU);
}

@inline
export function finishChange(sums: usize): void {
  finish(sums, CC);
  finish(sums, ZC);
  finish(sums, DD);
  finish(sums, DQ);
  finish(sums, DT);
}

/** The sums of features that no pass here has made. */
export function enter(sums: usize, x: usize, lanes: u32, size: u32, slope: f32, isInner: bool): void {
  const bytes = strideOf(size);
  for (let lane: u32 = 0; lane < lanes; lane++, sums += SUMS, x += bytes) {
    begin();
    addFeatures(x, x, bytes, f32x4.splat(slope), isInner);
    finishFeatures(sums);
  }
}

/** The same of what has come back to them. */
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
  const bytes = strideOf(size);
  for (let lane: u32 = 0; lane < lanes; lane++, sums += SUMS, x += bytes, u += bytes, z += bytes) {
    begin();
    addBackward(x, u, z, bytes, f32x4.splat(slope), isInner);
    finishBackward(sums);
  }
}

/** The same of their change c. */
export function enterChange(
  sums: usize,
  x: usize,
  z: usize,
  t: usize,
  c: usize,
  lanes: u32,
  size: u32,
  slope: f32,
  isInner: bool,
  isVelocity: bool,
): void {
  const bytes = strideOf(size);
  for (let lane: u32 = 0; lane < lanes; lane++, sums += SUMS, x += bytes, z += bytes, t += bytes, c += bytes) {
    begin();
    addChange(x, z, t, c, bytes, f32x4.splat(slope), isInner, isVelocity);
    finishChange(sums);
  }
}
