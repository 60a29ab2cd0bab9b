import type { Seed } from '../../core/random.js';

/** Runs f with random numbers of a seed: initialisers that are given none draw theirs from `Math.random`. */
export async function withSeed<T>(seed: number | Seed, f: () => T | Promise<T>): Promise<T> {
  const random = Math.random;
  const [start, stride, salt, more] =
    typeof seed === 'number' ? [seed >>> 0, Math.floor(seed / 0x1_0000_0000), 0, 0] : seed;
  let state = start;
  Math.random = () => {
    // A counter that is mixed (Steele, Lea and Flood, 2014), 32 bits; its step is odd, and hangs on the seed as well.
    state = (state + (0x9e3779b9 ^ (stride << 1))) >>> 0;
    let mixed = state ^ salt;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad) ^ more;
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
  try {
    return await f();
  } finally {
    Math.random = random;
  }
}
