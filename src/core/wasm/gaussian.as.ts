/** The sampler in a memory of its own (see `ziggurat.as.ts` for the method); `random.ts` is its only user. */
import { draw, initialise as initialiseAt, ROOM, start } from './ziggurat.as';

export { start };

/** Where `fill` writes. */
export const OUTPUT: usize = __heap_base + ROOM;

/** Once, before anything else. */
export function initialise(): void {
  initialiseAt(__heap_base);
}

/** Writes the next `count` numbers of law N(0, scale^2) of the stream that was started; the last but for multiples of four. */
export function fill(count: u32, scale: f32): void {
  draw(OUTPUT, (<usize>count) << 2, scale);
}
