import { describe, expect, test } from 'vitest';
import { GaussianSampler, ROLE, type Seed } from './random.js';

const sampler = new GaussianSampler();
const stream = (seed: Seed, layer = 1, role: number = ROLE.DENSE) => ({ seed, role, layer });
const draw = (seed: Seed, count: number, layer = 1, role: number = ROLE.DENSE) =>
  Float32Array.from(sampler.draw([stream(seed, layer, role)], count, [1]));

/** sfc32 from the state (a, b, c, d), some steps on. */
function generator(a: number, b: number, c: number, d: number): () => number {
  const next = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** The kernel again, in plain JavaScript: same constants, same order of operations, same bits. */
function reference(seed: Seed, streamNumber: number, count: number, scale: number): Float32Array {
  const R = 3.6541528853610088;
  const V = 0.00492867323399;
  const width = new Float32Array(256);
  const inside = new Int32Array(256);
  const density = new Float64Array(256);
  const base = V / Math.exp(-0.5 * R * R);
  width[0] = base / 2 ** 23;
  inside[0] = (R / base) * 2 ** 23;
  density[0] = 1;
  let edge = R;
  for (let j = 255; j > 0; j--) {
    density[j] = Math.exp(-0.5 * edge * edge);
    const below = j === 1 ? 0 : Math.sqrt(-2 * Math.log(V / edge + density[j]!));
    width[j] = edge / 2 ** 23;
    inside[j] = (below / edge) * 2 ** 23;
    edge = below;
  }
  const mix = (x0: number) => {
    let x = x0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return x ^ (x >>> 16);
  };
  const streams = [0, 1, 2, 3, 4].map((i) =>
    generator(
      seed[0] | 0,
      seed[1] | 0,
      seed[2] ^ mix((seed[3] + streamNumber) | 0),
      (1 + Math.imul(i, 0x9e3779b9)) | 0,
    ),
  );
  const fifth = streams[4]!;
  const uniform = () => ((fifth() >>> 8) + 0.5) / 2 ** 24;
  const normal = (next: () => number) => {
    for (let bits = next(); ; bits = fifth()) {
      const j = bits & 255;
      const h = bits >> 8;
      const x = Math.fround(h * width[j]!);
      if (Math.abs(h) < inside[j]!) return x;
      if (j === 0) {
        for (;;) {
          const excess = -Math.log(uniform()) / R;
          const threshold = -2 * Math.log(uniform());
          if (threshold > excess * excess) return Math.fround(h < 0 ? -(R + excess) : R + excess);
        }
      }
      const upper = j === 1 ? 1 : density[j - 1]!;
      if (density[j]! + uniform() * (upper - density[j]!) < Math.exp(-0.5 * x * x)) return x;
    }
  };
  // Numbers come in groups of four, also those of the last group that nobody asked for.
  const groups = Float32Array.from(
    { length: 4 * Math.ceil(count / 4) },
    (_, i) => Math.fround(scale) * normal(streams[i % 4]!),
  );
  return groups.subarray(0, count);
}

test('the kernel gives the same bits as the same method in plain JavaScript', () => {
  for (const seed of [
    [1, 2, 3, 4],
    [0, 0, 0, 0],
    [0xffffffff, 0x80000000, 7, 0xfffffff0],
  ] as Seed[]) {
    const layer = 37;
    for (const count of [1, 2, 3, 4, 7, 100_003]) {
      const expected = reference(seed, layer * 1024 + ROLE.PRODUCT, count, 0.1);
      const drawn = sampler.draw([stream(seed, layer, ROLE.PRODUCT)], count, [0.1]);
      expect(Buffer.compare(Buffer.from(drawn.slice().buffer), Buffer.from(expected.slice().buffer))).toBe(0);
    }
  }
});

describe('four million numbers are standard normal', () => {
  const count = 4_000_000;
  const x = draw([11, 12, 13, 14], count);
  const mean = (f: (t: number) => number) => x.reduce((sum, t) => sum + f(t), 0) / count;

  // Standard errors of the sample moments of N(0,1): 1, 2, 15 and 96 are the variances of x^p.
  test.each([
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ])('moment %i is %i within 4 standard errors', (p, expected, variance) => {
    expect(Math.abs(mean((t) => t ** p) - expected)).toBeLessThan(4 * Math.sqrt(variance / count));
  });

  // Two-sided tail probabilities of N(0,1).
  test.each([
    [1, 0.31731050786],
    [2, 0.0455002639],
    [3, 0.00269979606],
    [3.6541528853610088, 0.000258039],
    [4.5, 6.7953e-6],
  ])('the tail beyond %f has the probability %f within 4 standard errors', (edge, p) => {
    const share = mean((t) => (Math.abs(t) > edge ? 1 : 0));
    expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt(p / count));
  });

  test('the histogram fits on 64 equiprobable bins', () => {
    const ordered = x.slice().sort();
    // Chi-square of the counts between the empirical 1/64 quantiles of another stream.
    const other = draw([21, 22, 23, 24], count).sort();
    const bins = 64;
    let chi2 = 0;
    let below = 0;
    for (let i = 1; i <= bins; i++) {
      const cut = i === bins ? Infinity : other[Math.floor((i * count) / bins)]!;
      let upTo = below;
      while (upTo < count && ordered[upTo]! <= cut) upTo++;
      const expected = count / bins;
      chi2 += (upTo - below - expected) ** 2 / (2 * expected); // both samples vary
      below = upTo;
    }
    expect(chi2).toBeLessThan(63 + 4 * Math.sqrt(2 * 63));
  });
});

test('neighbouring cells, layers and roles are uncorrelated, in the numbers and in their squares', () => {
  const count = 400_000;
  const first = draw([1, 2, 3, 4], count, 5, ROLE.PRODUCT);
  const neighbours = [
    draw([1, 2, 3, 5], count, 5, ROLE.PRODUCT),
    draw([1, 2, 4, 4], count, 5, ROLE.PRODUCT),
    draw([2, 2, 3, 4], count, 5, ROLE.PRODUCT),
    draw([1, 2, 3, 4], count, 6, ROLE.PRODUCT),
    draw([1, 2, 3, 4], count, 5, ROLE.PRODUCT + 1),
    draw([1, 2, 3, 4], count, 5, ROLE.PRODUCT + 1024),
  ];
  for (const other of neighbours) {
    let product = 0;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      product += first[i]! * other[i]!;
      squares += (first[i]! ** 2 - 1) * (other[i]! ** 2 - 1);
    }
    expect(Math.abs(product)).toBeLessThan(4 * Math.sqrt(count));
    expect(Math.abs(squares)).toBeLessThan(4 * 2 * Math.sqrt(count));
  }
});

test('no two products of two layers have the same stream, however many there are', () => {
  const firsts = new Map<string, string>();
  for (const layer of [0, 1, 2, 3, 4, 1_000_000, 2 ** 22 - 1]) {
    for (const block of [0, 1, 2, 3, 1000, 2 ** 31]) {
      for (const role of [0, 8, 9, 1022, 1023]) {
        const numbers = draw([1, 2, 3, 4], 4, layer, block * 1024 + role).join();
        expect(firsts.get(numbers)).toBeUndefined();
        firsts.set(numbers, `${layer} ${block} ${role}`);
      }
    }
  }
  expect(() => draw([1, 2, 3, 4], 1, 2 ** 22)).toThrow(RangeError);
});

test('the largest number that the tail can give is 8.4', () => {
  // ln u of the smallest u of 24 bits, 2^-25, over the edge R of the base layer.
  expect(3.6541528853610088 + Math.log(2 ** 25) / 3.6541528853610088).toBeCloseTo(8.4, 1);
});

test('a stream gives the same numbers alone and beside others', () => {
  const alone = draw([9, 8, 7, 6], 1000);
  const beside = sampler.draw([stream([1, 1, 1, 1]), stream([9, 8, 7, 6])], 1000, [2, 1]);
  expect(beside.slice(1000)).toEqual(alone);
});

test('the scale is the standard deviation', () => {
  const unit = draw([5, 5, 5, 5], 1000);
  const scaled = sampler.draw([stream([5, 5, 5, 5])], 1000, [0.25]);
  expect(Array.from(scaled)).toEqual(Array.from(unit, (t) => t * 0.25));
});

test('a draw beyond what is kept has the same numbers, and leaves the next its own', () => {
  const long = draw([3, 1, 4, 1], 1_200_000);
  expect(long.subarray(0, 1000)).toEqual(draw([3, 1, 4, 1], 1000));
  const filled = new Float32Array(50_000);
  sampler.fill(filled, { streams: [stream([3, 1, 4, 1]), stream([5, 9, 2, 6])], scales: [1, 2] });
  expect(filled.subarray(0, 25_000)).toEqual(long.subarray(0, 25_000));
  expect(filled.subarray(25_000)).toEqual(draw([5, 9, 2, 6], 25_000).map((t) => 2 * t));
});
