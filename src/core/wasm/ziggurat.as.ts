/**
 * Standard normal numbers, four at a time: the ziggurat of Marsaglia and Tsang (J. Stat. Softw. 5(8), 2000) with 256
 * layers, over the generator sfc32 (C. Doty-Humphrey, PractRand).
 *
 * AssemblyScript: a subset of TypeScript that `npm run kernel` compiles to WebAssembly, in the modules that import it. It
 * works in ROOM bytes that it is given, since a module in the memory of another has no place of its own.
 *
 * Layer and magnitude come from disjoint bits of one 32-bit number (low 8, high 24): drawing them from the
 * same bits is the known flaw of the original. exp and log are the host's, so that the rare rejection tests
 * (0.7 % of the draws) decide alike in JavaScript, which is the reference of the tests.
 *
 * Layer j is the strip between x = edge(j-1) and edge(j), all of area V; layer 0 is the base with the tail
 * beyond R. With a magnitude h of 23 bits, x = h * width(j), and h < inside(j) is within the layer below.
 *
 * A key has five streams that differ in the counter of the generator: number 4 g + i is of stream i, and the fifth decides
 * what falls outside the layer below, in the order of the numbers.
 */
@external('host', 'exp')
declare function hostExp(x: f64): f64;
@external('host', 'log')
declare function hostLog(x: f64): f64;

/** Edge of the base layer and the area of every layer, for 256 layers (Marsaglia and Tsang 2000, section 3). */
const R: f64 = 3.6541528853610088;
const V: f64 = 0.00492867323399;
const MAGNITUDES: f64 = 8388608.0; // 2^23: a signed 24-bit number less its sign
const UNIT: f64 = 1.0 / 16777216.0; // 24 random bits to the open interval (0, 1)

/** Between the counters of the streams of a key: 2^32 over the golden ratio. */
const APART: u32 = 0x9e3779b9;

/** More than what float64 rounds of the bounds of the density, relative to it. */
const ROUNDING: f64 = 1e-12;

// Places in the room. WIDTHS has pairs of a width, float32, and an inside, int32: one load for both. DENSITIES has those of
// exp(-e^2 / 2) and e^2 / 2 at the edge e.
const WIDTHS: usize = 0;
const DENSITIES: usize = 2048;
const STATE: usize = 6144;
const FIFTH: usize = STATE + 64;
const ASIDE: usize = FIFTH + 16;
/** Bytes of numbers that are drawn at a time. */
const BLOCK: usize = 4096;
/** Bytes of a group that is put aside: its random bits, where it is, and which of its numbers are meant. */
const GROUP: usize = 24;
/** Bytes that the sampler needs. */
export const ROOM: usize = ASIDE + (BLOCK / 16 + 1) * GROUP;

let room: usize = 0;

/** Fills the tables; once, before anything else. */
export function initialise(at: usize): void {
  room = at;
  const base = V / hostExp(-0.5 * R * R);
  setLayer(0, base, R, 1);
  let edge = R;
  for (let j: usize = 255; j > 0; j--) {
    const density = hostExp(-0.5 * edge * edge);
    const below = j == 1 ? 0.0 : Math.sqrt(-2.0 * hostLog(V / edge + density));
    setLayer(j, edge, below, density);
    edge = below;
  }
}

function setLayer(j: usize, edge: f64, below: f64, density: f64): void {
  store<f32>(room + (j << 3), f32(edge / MAGNITUDES), WIDTHS);
  store<i32>(room + (j << 3), i32((below / edge) * MAGNITUDES), WIDTHS + 4);
  store<f64>(room + (j << 4), density, DENSITIES);
  store<f64>(room + (j << 4), 0.5 * edge * edge, DENSITIES + 8);
}

/** Finaliser of MurmurHash3: a bijection of 32-bit numbers, so that streams of one cell never collide. */
@inline
function mix(x: u32): u32 {
  x = (x ^ (x >>> 16)) * 0x85ebca6b;
  x = (x ^ (x >>> 13)) * 0xc2b2ae35;
  return x ^ (x >>> 16);
}

/** Starts the streams of the key `stream` of the 128-bit seed (s0, s1, s2, s3). */
export function start(s0: u32, s1: u32, s2: u32, s3: u32, stream: u32): void {
  let z = s2 ^ mix(s3 + stream);
  let a = i32x4.splat(s0);
  let b = i32x4.splat(s1);
  let c = i32x4.splat(z);
  let d = i32x4.add(i32x4.splat(1), i32x4.mul(i32x4.splat(APART), i32x4(0, 1, 2, 3)));
  let x = s0;
  let y = s1;
  let n: u32 = 1 + 4 * APART;
  for (let i = 0; i < 15; i++) {
    const t = i32x4.add(i32x4.add(a, b), d);
    d = i32x4.add(d, i32x4.splat(1));
    a = v128.xor(b, i32x4.shr_u(b, 9));
    b = i32x4.add(c, i32x4.shl(c, 3));
    c = i32x4.add(v128.or(i32x4.shl(c, 21), i32x4.shr_u(c, 11)), t);
    const fifth = x + y + n++;
    x = y ^ (y >>> 9);
    y = z + (z << 3);
    z = rotl(z, 21) + fifth;
  }
  save(room, a, b, c, d);
  store<u32>(room, x, FIFTH);
  store<u32>(room, y, FIFTH + 4);
  store<u32>(room, z, FIFTH + 8);
  store<u32>(room, n, FIFTH + 12);
}

@inline
function save(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(at, a, STATE);
  v128.store(at, b, STATE + 16);
  v128.store(at, c, STATE + 32);
  v128.store(at, d, STATE + 48);
}

/** The next numbers of law N(0, scale^2), in groups of four: as many as hold the `bytes` that are asked for. */
export function draw(out: usize, bytes: usize, scale: f32): void {
  for (; bytes > BLOCK; out += BLOCK, bytes -= BLOCK) drawBlock(out, BLOCK, scale);
  drawBlock(out, bytes, scale);
}

/**
 * A block of them. What falls outside the layer below is put aside, and decided when all are drawn: a branch that no processor
 * foresees would throw away what it has begun of the groups that follow.
 */
function drawBlock(first: usize, bytes: usize, scale: f32): void {
  const at = room;
  let out = first;
  let a = v128.load(at, STATE);
  let b = v128.load(at, STATE + 16);
  let c = v128.load(at, STATE + 32);
  let d = v128.load(at, STATE + 48);
  const scales = f32x4.splat(scale);
  let aside = at + ASIDE;
  const end = out + bytes;
  for (; out < end; out += 16) {
    const bits = i32x4.add(i32x4.add(a, b), d);
    d = i32x4.add(d, i32x4.splat(1));
    a = v128.xor(b, i32x4.shr_u(b, 9));
    b = i32x4.add(c, i32x4.shl(c, 3));
    c = i32x4.add(v128.or(i32x4.shl(c, 21), i32x4.shr_u(c, 11)), bits);

    const layers = i32x4.shl(v128.and(bits, i32x4.splat(255)), 3);
    const low = i64x2.extract_lane(layers, 0);
    const high = i64x2.extract_lane(layers, 1);
    let one = v128.load64_zero(at + <usize>(<u32>low), WIDTHS);
    one = v128.load64_lane(at + <usize>(low >>> 32), one, 1, WIDTHS);
    let two = v128.load64_zero(at + <usize>(<u32>high), WIDTHS);
    two = v128.load64_lane(at + <usize>(high >>> 32), two, 1, WIDTHS);
    const width = v128.shuffle<i32>(one, two, 0, 2, 4, 6);
    const inside = v128.shuffle<i32>(one, two, 1, 3, 5, 7);

    const h = i32x4.shr_s(bits, 8);
    v128.store(out, f32x4.mul(scales, f32x4.mul(f32x4.convert_i32x4_s(h), width)));
    const places = 15 ^ i32x4.bitmask(i32x4.gt_s(inside, i32x4.abs(h)));
    v128.store(aside, bits);
    store<usize>(aside, out, 16);
    store<i32>(aside, places, 20);
    aside += select<usize>(GROUP, 0, places != 0);
  }
  save(at, a, b, c, d);
  for (let group = at + ASIDE; group < aside; group += GROUP) settle(group, scale);
}

/** Decides the numbers of a group that fell outside the layer below. */
@inline
function settle(group: usize, scale: f32): void {
  const out = load<usize>(group, 16);
  for (let places = load<i32>(group, 20); places != 0; places &= places - 1) {
    const place: usize = ctz(places) << 2;
    store<f32>(out + place, scale * outside(load<u32>(group + place)));
  }
}

/** Accept a draw under the curve, else draw again; or take the tail. */
function outside(bits: u32): f32 {
  const at = room;
  while (true) {
    const layer: usize = bits & 255;
    const h = <i32>bits >> 8;
    const x = f32(h) * load<f32>(at + (layer << 3), WIDTHS);
    if ((h < 0 ? -h : h) < load<i32>(at + (layer << 3), WIDTHS + 4)) return x;
    if (layer == 0) {
      // Marsaglia (1964): beyond R, an exponential of rate R accepted with probability exp(-excess^2 / 2).
      while (true) {
        const excess = -hostLog(uniform()) / R;
        const threshold = -2.0 * hostLog(uniform());
        if (threshold > excess * excess) return f32(h < 0 ? -(R + excess) : R + excess);
      }
    }
    const upper = layer == 1 ? 1.0 : load<f64>(at + ((layer - 1) << 4), DENSITIES);
    const lower = load<f64>(at + (layer << 4), DENSITIES);
    if (isBelow(lower + uniform() * (upper - lower), x, layer)) return x;
    bits = next();
  }
}

/**
 * Whether y < exp(-x^2 / 2), for an x of a layer. With e the edge of the layer and r = (e^2 - x^2) / 2 in [0, 1),
 *
 *     1 + r + r^2 / 2  <  exp(r) = exp(-x^2 / 2) / exp(-e^2 / 2)  <  1 + r + r^2 / 2 + r^3 / 4,
 *
 * and the function itself is asked only in between, or within ROUNDING of the bounds: of eight numbers in a million.
 */
@inline
function isBelow(y: f64, x: f32, layer: usize): bool {
  const place = room + (layer << 4);
  const density = load<f64>(place, DENSITIES);
  const half = 0.5 * f64(x) * f64(x);
  const r = load<f64>(place, DENSITIES + 8) - half;
  const least = 1.0 + r * (1.0 + 0.5 * r);
  if (y < density * (least - ROUNDING)) return true;
  if (y > density * (least + 0.25 * r * r * r + ROUNDING)) return false;
  return y < hostExp(-half);
}

@inline
function uniform(): f64 {
  return (f64(next() >>> 8) + 0.5) * UNIT;
}

/** The next 32 bits of the fifth stream. */
function next(): u32 {
  const at = room + FIFTH;
  const b = load<u32>(at, 4);
  const c = load<u32>(at, 8);
  const d = load<u32>(at, 12);
  const t = load<u32>(at) + b + d;
  store<u32>(at, b ^ (b >>> 9));
  store<u32>(at, c + (c << 3), 4);
  store<u32>(at, rotl(c, 21) + t, 8);
  store<u32>(at, d + 1, 12);
  return t;
}
