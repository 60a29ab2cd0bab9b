/**
 * The passes of a step through one layer with weights that are never formed (the law is in `matrix-free-weights.ts`): what they
 * draw, scale, gate and add, by blocks that stay in the first cache until they are summed. A pass goes over a state once, and
 * once more where a sum over all that it drew must be known first.
 *
 * Arguments are as in `sums.as.ts`: `isInner` tells a layer that begins with phi and has a skip connection,
 * x = a x_before + M phi(x_before), from one that ends with it, x = phi(M x_before). With M q = u and M^T b = t it is
 *
 *     u = sigma |q| g                                                                       forward
 *     t = q <b, u> / |q|^2 + sigma |b| (g - q <q, g> / |q|^2)                               backward
 *     d = u <q, dq> / |q|^2 + b <t, r> / |b|^2 + sigma |r| (g - b <b, g> / |b|^2) - rate b <q, x>     change
 *
 * with fresh normal g in each, r = dq less what of it is along q, and x = q, or q + dq of a finite step.
 */
import { plusDot, plusGatedDot, plusPlainDot, total } from './dots.as';
import { gated } from '../kinked.as';
import {
  addBackward,
  addChange,
  addFeatures,
  BB,
  BD,
  BU,
  begin,
  DD,
  DQ,
  DT,
  finish,
  finishBackward,
  finishChange,
  finishFeatures,
  keepParts,
  LANE,
  moved,
  open,
  partsOf,
  QQ,
  RATE,
  SIGMA,
  SKIP,
  strideOf,
  SUMS,
} from './sums.as';
import { draw } from '../ziggurat.as';

// The products of a matrix, by the roles of their random streams (`random.ts`).
const FORWARD: u32 = 8;
const BACKWARD: u32 = 9;
const CHANGE: u32 = 10;

/** Share of |dq|^2 up to which a residual is the rounding of float32 (ROUNDING of `matrix-free-weights.ts`). */
const ROUNDING: f64 = 1e-12;
/** Bytes of a state that are drawn, and then swept, at a time. */
const BLOCK: usize = 4096;

/** x and u from the features before; the sums of both layers. */
export function forward(
  x: usize,
  u: usize,
  before: usize,
  sumsBefore: usize,
  sums: usize,
  lane: usize,
  lanes: u32,
  distance: u32,
  size: u32,
  slope: f32,
  isInner: bool,
): void {
  const bytes = strideOf(size);
  const slopes = f32x4.splat(slope);
  for (let k: u32 = 0; k < lanes; k++) {
    open(lane, distance, FORWARD);
    const scale = f32(load<f64>(lane, SIGMA) * Math.sqrt(load<f64>(sumsBefore, QQ)));
    const skip = f32x4.splat(f32(load<f64>(lane, SKIP)));
    begin();
    for (let at: usize = 0; at < bytes; at += BLOCK) {
      const length = min(bytes - at, BLOCK);
      const end = at + length;
      drawPart(u, at, length, size, scale);
      if (isInner) {
        for (let i = at; i < end; i += 16) {
          v128.store(x + i, f32x4.add(v128.load(u + i), f32x4.mul(skip, v128.load(before + i))));
        }
      } else {
        for (let i = at; i < end; i += 16) {
          const drawn = v128.load(u + i);
          v128.store(x + i, gated(drawn, drawn, slopes));
        }
      }
      addFeatures(x + at, u + at, length, slopes, isInner);
    }
    finishFeatures(sums);
    lane += LANE;
    sumsBefore += SUMS;
    sums += SUMS;
    x += bytes;
    u += bytes;
    before += bytes;
  }
}

/**
 * t, and of a layer that begins with phi what comes back to the features before; of one that ends with it that is t.
 *
 * @param inner lanes that have an image u before, which are the first.
 */
export function backward(
  t: usize,
  back: usize,
  z: usize,
  before: usize,
  uBefore: usize,
  sumsBefore: usize,
  sums: usize,
  lane: usize,
  lanes: u32,
  inner: u32,
  distance: u32,
  size: u32,
  slope: f32,
  isInner: bool,
): void {
  const bytes = strideOf(size);
  const slopes = f32x4.splat(slope);
  for (let k: u32 = 0; k < lanes; k++) {
    open(lane, distance, BACKWARD);
    const square = load<f64>(sumsBefore, QQ);
    const isComplete = size == 1 && square > 0;
    const fresh = isComplete ? 0 : load<f64>(lane, SIGMA) * Math.sqrt(load<f64>(sums, BB));
    let tq = f64x2.splat(0);
    for (let at: usize = 0; at < bytes; at += BLOCK) {
      const length = min(bytes - at, BLOCK);
      drawPart(t, at, length, size, f32(fresh));
      tq = isInner
        ? plusGatedDot(tq, t + at, before + at, before + at, length, slopes)
        : plusPlainDot(tq, t + at, before + at, length);
    }
    const along = ratio(load<f64>(sums, BU) - total(tq), square);
    const first = firstFactor(along);
    const one = f32x4.splat(f32(first));
    const two = f32x4.splat(f32(along / first));
    const skip = f32x4.splat(f32(load<f64>(lane, SKIP)));
    const image = k < inner ? uBefore : before;
    begin();
    for (let at: usize = 0; at < bytes; at += BLOCK) {
      const length = min(bytes - at, BLOCK);
      const end = at + length;
      if (isInner) {
        for (let i = at; i < end; i += 16) {
          const f = v128.load(before + i);
          const own = f32x4.add(v128.load(t + i), scaled(gated(f, f, slopes), one, two));
          v128.store(t + i, own);
          v128.store(back + i, f32x4.add(f32x4.mul(skip, v128.load(z + i)), gated(f, own, slopes)));
        }
      } else {
        for (let i = at; i < end; i += 16) {
          v128.store(t + i, f32x4.add(v128.load(t + i), scaled(v128.load(before + i), one, two)));
        }
      }
      addBackward(before + at, image + at, back + at, length, slopes, isInner);
    }
    finishBackward(sumsBefore);
    lane += LANE;
    sumsBefore += SUMS;
    sums += SUMS;
    t += bytes;
    back += bytes;
    z += bytes;
    before += bytes;
    uBefore += bytes;
  }
}

/** The change of the features x from that of those before; tNext is the image back of the next matrix. */
export function change(
  out: usize,
  given: usize,
  x: usize,
  u: usize,
  z: usize,
  tNext: usize,
  sumsBefore: usize,
  sums: usize,
  lane: usize,
  lanes: u32,
  distance: u32,
  size: u32,
  slope: f32,
  isInner: bool,
  isVelocity: bool,
): void {
  const bytes = strideOf(size);
  const slopes = f32x4.splat(slope);
  for (let k: u32 = 0; k < lanes; k++) {
    const qq = load<f64>(sumsBefore, QQ);
    const dd = load<f64>(sumsBefore, DD);
    const dq = load<f64>(sumsBefore, DQ);
    const bb = load<f64>(sums, BB);
    const along = ratio(dq, qq);
    const rr = dd - along * dq;
    const isKnown = rr <= ROUNDING * dd || (size == 1 && qq > 0);
    const isComplete = isKnown || (size == 1 && bb > 0);
    const fresh = isComplete ? 0 : load<f64>(lane, SIGMA) * Math.sqrt(rr);
    let bg = f64x2.splat(0);
    if (fresh == 0) memory.fill(out, 0, bytes);
    else {
      open(lane, distance, CHANGE);
      for (let at: usize = 0; at < bytes; at += BLOCK) {
        const length = min(bytes - at, BLOCK);
        drawPart(out, at, length, size, f32(fresh));
        bg = isInner
          ? plusPlainDot(bg, out + at, z + at, length)
          : plusGatedDot(bg, out + at, x + at, z + at, length, slopes);
      }
    }
    const seen = isKnown ? 0 : ratio(load<f64>(sumsBefore, DT) - along * load<f64>(sums, BU) - total(bg), bb);
    const descent = load<f64>(sums, RATE) * (isVelocity ? qq : qq + dq);
    const onB = seen - descent;
    const firstU = firstFactor(along);
    const firstB = firstFactor(onB);
    const u1 = f32x4.splat(f32(firstU));
    const u2 = f32x4.splat(f32(along / firstU));
    const b1 = f32x4.splat(f32(firstB));
    const b2 = f32x4.splat(f32(onB / firstB));
    const skip = f32x4.splat(f32(load<f64>(lane, SKIP)));
    begin();
    for (let at: usize = 0; at < bytes; at += BLOCK) {
      const length = min(bytes - at, BLOCK);
      const end = at + length;
      let bd = partsOf(BD);
      if (isInner) {
        for (let i = at; i < end; i += 16) {
          const b = v128.load(z + i);
          const known = f32x4.add(scaled(v128.load(u + i), u1, u2), scaled(b, b1, b2));
          const d = f32x4.add(v128.load(out + i), known);
          bd = plusDot(bd, b, d);
          v128.store(out + i, f32x4.add(d, f32x4.mul(skip, v128.load(given + i))));
        }
      } else {
        for (let i = at; i < end; i += 16) {
          const image = v128.load(u + i);
          const b = gated(v128.load(x + i), v128.load(z + i), slopes);
          const known = f32x4.add(scaled(image, u1, u2), scaled(b, b1, b2));
          const d = f32x4.add(v128.load(out + i), known);
          bd = plusDot(bd, b, d);
          v128.store(out + i, moved(image, d, slopes, isVelocity));
        }
      }
      keepParts(BD, bd);
      addChange(x + at, z + at, tNext + at, out + at, length, slopes, isInner, isVelocity);
    }
    finish(sums, BD);
    finishChange(sums);
    lane += LANE;
    sumsBefore += SUMS;
    sums += SUMS;
    out += bytes;
    given += bytes;
    x += bytes;
    u += bytes;
    z += bytes;
    tNext += bytes;
  }
}

/** Draws a block of a state, `at` bytes from where it begins; what it has beyond its `size` numbers is zero. */
@inline
function drawPart(state: usize, at: usize, length: usize, size: u32, scale: f32): void {
  draw(state + at, length, scale);
  const end = (<usize>size) << 2;
  for (let i = end; i < at + length; i += 4) store<f32>(state + i, 0);
}

/** A power of two, the first factor of `factor` that leaves a second one which float32 holds; their products with a vector do too. */
@inline
function firstFactor(factor: f64): f64 {
  const size = Math.abs(factor);
  if (size > 1.2e18) return 1.2676506002282294e30; // 2^100
  return size < 8e-19 && size > 0 ? 7.888609052210118e-31 : 1;
}

@inline
function scaled(x: v128, first: v128, second: v128): v128 {
  return f32x4.mul(second, f32x4.mul(first, x));
}

@inline
function ratio(above: f64, below: f64): f64 {
  return below == 0 ? 0 : above / below;
}
