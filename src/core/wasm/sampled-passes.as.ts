/**
 * The passes of a step through one layer with weights that are never formed: what they draw, scale, gate, add and sum while a
 * state is in the cache. A pass goes over a state once, and once more where a sum over all that it drew must be known first.
 *
 * Arguments are as in `sampled-sums.as.ts`: `isInner` tells a layer that begins with phi and has a skip connection,
 * x = a x_before + M phi(x_before), from one that ends with it, x = phi(M x_before). With M q = u and M^T b = t it is
 *
 *     u = sigma |q| g                                                                       forward
 *     t = q <b, u> / |q|^2 + sigma |b| (g - q <q, g> / |q|^2)                               backward
 *     d = u <q, dq> / |q|^2 + b <t, r> / |b|^2 + sigma |r| (g - b <b, g> / |b|^2) - rate b <q, x>     change
 *
 * with fresh normal g in each, r = dq less what of it is along q, and x = q, or q + dq of a finite step.
 */
import {
  BB,
  BU,
  DD,
  DQ,
  DT,
  firstFactor,
  gated,
  LANE,
  open,
  plusDot,
  QQ,
  RATE,
  ratio,
  read,
  scaled,
  SIGMA,
  SKIP,
  SUMS,
  sweep,
  total,
  UU,
  write,
  XX,
  ZZ,
} from './sampled-sums.as';
import { draw } from './ziggurat.as';

// The products of a matrix, by the roles of their random streams (`random.ts`).
const FORWARD: u32 = 8;
const BACKWARD: u32 = 9;
const CHANGE: u32 = 10;

/** Share of |dq|^2 up to which a residual is the rounding of float32 (ROUNDING of `matrix-free-weights.ts`). */
const ROUNDING: f64 = 1e-12;
/** Bytes of a state that are drawn, and then swept, at a time: they stay in the first cache. */
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
  const bytes = (<usize>size) << 2;
  const slopes = f32x4.splat(slope);
  for (let k: u32 = 0; k < lanes; k++) {
    open(lane, distance, FORWARD);
    const scale = f32(load<f64>(lane, SIGMA) * Math.sqrt(load<f64>(sumsBefore, QQ)));
    const skip = f32x4.splat(f32(load<f64>(lane, SKIP)));
    let xx = f64x2.splat(0);
    let qq = f64x2.splat(0);
    for (let i: usize = 0; i < bytes; ) {
      const end = min(bytes, i + BLOCK);
      draw(u + i, <u32>((end - i) >> 2), scale);
      for (; i < end; i += 16) {
        const rest = bytes - i;
        const drawn = read(u + i, rest);
        if (isInner) {
          const f = f32x4.add(drawn, f32x4.mul(skip, read(before + i, rest)));
          const q = gated(f, f, slopes);
          write(x + i, f, rest);
          xx = plusDot(xx, f, f);
          qq = plusDot(qq, q, q);
        } else {
          const g = gated(drawn, drawn, slopes);
          write(x + i, g, rest);
          xx = plusDot(xx, drawn, drawn);
          qq = plusDot(qq, g, g);
        }
      }
    }
    store<f64>(sums, isInner ? total(xx) : total(qq), XX);
    store<f64>(sums, total(qq), QQ);
    store<f64>(sums, isInner ? 0 : total(xx), UU);
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
  const bytes = (<usize>size) << 2;
  const slopes = f32x4.splat(slope);
  for (let k: u32 = 0; k < lanes; k++) {
    open(lane, distance, BACKWARD);
    const square = load<f64>(sumsBefore, QQ);
    const isComplete = size == 1 && square > 0;
    const fresh = isComplete ? 0 : load<f64>(lane, SIGMA) * Math.sqrt(load<f64>(sums, BB));
    let tq = f64x2.splat(0);
    for (let i: usize = 0; i < bytes; ) {
      const end = min(bytes, i + BLOCK);
      draw(t + i, <u32>((end - i) >> 2), f32(fresh));
      for (; i < end; i += 16) {
        const f = read(before + i, bytes - i);
        tq = plusDot(tq, read(t + i, bytes - i), isInner ? gated(f, f, slopes) : f);
      }
    }
    const along = ratio(load<f64>(sums, BU) - total(tq), square);
    const first = firstFactor(along);
    const one = f32x4.splat(f32(first));
    const two = f32x4.splat(f32(along / first));
    const skip = f32x4.splat(f32(load<f64>(lane, SKIP)));
    const image = k < inner ? uBefore : before;
    let zz = f64x2.splat(0);
    let bb = f64x2.splat(0);
    let bu = f64x2.splat(0);
    for (let i: usize = 0; i < bytes; i += 16) {
      const rest = bytes - i;
      const f = read(before + i, rest);
      const q = isInner ? gated(f, f, slopes) : f;
      const own = f32x4.add(read(t + i, rest), scaled(q, one, two));
      write(t + i, own, rest);
      if (isInner) {
        const b = f32x4.add(f32x4.mul(skip, read(z + i, rest)), gated(f, own, slopes));
        write(back + i, b, rest);
        bb = plusDot(bb, b, b);
        bu = plusDot(bu, b, read(image + i, rest));
      } else {
        // <phi'(u) z, u> = <z, phi(u)>: phi is homogeneous, and has its sign.
        const b = gated(f, own, slopes);
        zz = plusDot(zz, own, own);
        bb = plusDot(bb, b, b);
        bu = plusDot(bu, own, f);
      }
    }
    store<f64>(sumsBefore, isInner ? total(bb) : total(zz), ZZ);
    store<f64>(sumsBefore, total(bb), BB);
    store<f64>(sumsBefore, total(bu), BU);
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
  const bytes = (<usize>size) << 2;
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
    let bg: f64 = 0;
    if (fresh == 0) memory.fill(out, 0, bytes);
    else {
      open(lane, distance, CHANGE);
      let sum = f64x2.splat(0);
      for (let i: usize = 0; i < bytes; ) {
        const end = min(bytes, i + BLOCK);
        draw(out + i, <u32>((end - i) >> 2), f32(fresh));
        for (; i < end; i += 16) {
          const rest = bytes - i;
          const back = read(z + i, rest);
          sum = plusDot(sum, read(out + i, rest), isInner ? back : gated(read(x + i, rest), back, slopes));
        }
      }
      bg = total(sum);
    }
    const seen = isKnown ? 0 : ratio(load<f64>(sumsBefore, DT) - along * load<f64>(sums, BU) - bg, bb);
    const descent = load<f64>(sums, RATE) * (isVelocity ? qq : qq + dq);
    const onB = seen - descent;
    sweep(out, given, x, u, z, tNext, sums, bytes, slopes, along, onB, f32(load<f64>(lane, SKIP)), isInner, isVelocity);
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
