/** Gaussian numbers by stream: what a cell draws depends on its seed, a role and a layer, on nothing else. */
import { GAUSSIAN_KERNEL } from './gaussian-kernel.generated.js';

/** 128 bits, as four unsigned 32-bit numbers. */
export type Seed = readonly [number, number, number, number];

/** What a stream is for. Products with one matrix have the roles `PRODUCT`, `PRODUCT + 1`, ... */
export const ROLE = { INPUT: 0, TARGET: 1, DENSE: 2, PRODUCT: 8 } as const;

/** One stream of one cell; `layer` in 0 .. 2^22 - 1, `role` in 0 .. 1023. */
export interface Stream {
  readonly seed: Seed;
  readonly role: number;
  readonly layer: number;
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly OUTPUT: WebAssembly.Global;
  initialise(): void;
  start(s0: number, s1: number, s2: number, s3: number, stream: number): void;
  fill(offset: number, count: number, scale: number): void;
}

const PAGE_BYTES = 65536;

/**
 * The sampler of a thread (see `gaussian.as.ts` for the method).
 *
 * Numbers are float32 of law N(0, scale^2), each within half an ulp of a normal number on a grid of 2^-23
 * of its ziggurat layer; the tails reach 9.6 standard deviations.
 */
export class GaussianSampler {
  private readonly kernel: Kernel;
  private readonly output: number;

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(GAUSSIAN_KERNEL, 'base64'));
    const host = { exp: Math.exp, log: Math.log };
    this.kernel = new WebAssembly.Instance(module, { host }).exports as unknown as Kernel;
    this.output = this.kernel.OUTPUT.value as number;
    this.kernel.initialise();
  }

  /**
   * Draws `count` numbers from each stream, one stream after the other.
   *
   * @param scales standard deviation for each stream.
   * @returns [streams.length x count] numbers; a view that the next call overwrites.
   * @throws RangeError when WebAssembly cannot hold the numbers (4 GiB).
   */
  draw(streams: readonly Stream[], count: number, scales: readonly number[]): Float32Array {
    const size = streams.length * count;
    const missing = this.output + 4 * size - this.kernel.memory.buffer.byteLength;
    if (missing > 0) this.kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
    streams.forEach(({ seed, role, layer }, i) => {
      this.kernel.start(seed[0], seed[1], seed[2], seed[3], layer * 1024 + role);
      this.kernel.fill(i * count, count, scales[i]!);
    });
    return new Float32Array(this.kernel.memory.buffer, this.output, size);
  }
}
