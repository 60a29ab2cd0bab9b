/** Gaussian numbers by stream: what a cell draws depends on its seed, a role and a layer, on nothing else. */
import { GAUSSIAN_KERNEL } from './gaussian-kernel.generated.js';

/** 128 bits, as four unsigned 32-bit numbers. */
export type Seed = readonly [number, number, number, number];

/** What a stream is for. Products with one matrix have the roles `PRODUCT`, `PRODUCT + 1`, ... */
export const ROLE = { INPUT: 0, TARGET: 1, DENSE: 2, PRODUCT: 8 } as const;

/** Roles, and layers, that one 32-bit number tells apart. */
const ROLES = 1024;
const LAYERS = 0x1_0000_0000 / ROLES;

/** One stream of one cell; `layer` in 0 .. 2^22 - 1, and `role` in 0 .. 2^42 - 1, as many products as one may take. */
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
 * of its ziggurat layer; the tails reach R + ln(2^25) / R = 8.4 standard deviations.
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
   * @throws RangeError for a layer without a stream, and when WebAssembly cannot hold the numbers (4 GiB).
   */
  draw(streams: readonly Stream[], count: number, scales: readonly number[]): Float32Array {
    const size = streams.length * count;
    const missing = this.output + 4 * size - this.kernel.memory.buffer.byteLength;
    if (missing > 0) this.kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
    streams.forEach(({ seed, role, layer }, i) => {
      if (!(layer >= 0 && layer < LAYERS))
        throw new RangeError(`layer ${layer} has no stream, from ${LAYERS} on`);
      // Beyond the first 1024 roles another word of the seed tells them apart, or they would run into the next layer's.
      const block = Math.floor(role / ROLES);
      this.kernel.start(seed[0], seed[1] + block, seed[2], seed[3], layer * ROLES + (role % ROLES));
      this.kernel.fill(i * count, count, scales[i]!);
    });
    return new Float32Array(this.kernel.memory.buffer, this.output, size);
  }
}
