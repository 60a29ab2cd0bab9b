/** Runs f with random numbers of a seed: initialisers that are given none draw theirs from `Math.random`. */
export async function withSeed<T>(seed: number, f: () => T | Promise<T>): Promise<T> {
  const random = Math.random;
  let state = seed >>> 0;
  Math.random = () => {
    // A counter that is mixed (Steele, Lea and Flood, 2014), 32 bits.
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  };
  try {
    return await f();
  } finally {
    Math.random = random;
  }
}
