/** Gaussian numbers by stream: what a cell draws depends on its seed, a role and a layer, on nothing else. */
import { GAUSSIAN_KERNEL } from './wasm/gaussian-kernel.generated.js';

/** 128 bits, as four unsigned 32-bit numbers. */
export type Seed = readonly [number, number, number, number];

/** What a stream is for. Products with one matrix have the roles `PRODUCT`, `PRODUCT + 1`, ... */
export const ROLE = { INPUT: 0, TARGET: 1, DENSE: 2, ROWS: 3, EPOCH: 4, DIRECTION: 5, PRODUCT: 8 } as const;

/** Where the roles of the second matrix of a layer begin, far beyond those of the first. */
export const SECOND_MATRIX = 2_199_023_255_552;

/** Roles, and layers, that one 32-bit number tells apart. */
const ROLES = 1024;
const LAYERS = 0x1_0000_0000 / ROLES;

/** One stream of one cell; `layer` in 0 .. 2^22 - 1, and `role` in 0 .. 2^42 - 1, as many products as one may take. */
export interface Stream {
  readonly seed: Seed;
  readonly role: number;
  readonly layer: number;
}

/** Numbers from several streams, one stream after the other: as many from each. */
export interface Draw {
  readonly streams: readonly Stream[];
  /** Standard deviation for each stream. */
  readonly scales: readonly number[];
}

interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly OUTPUT: WebAssembly.Global;
  initialise(): void;
  start(s0: number, s1: number, s2: number, s3: number, stream: number): void;
  fill(count: number, scale: number): void;
}

const PAGE_BYTES = 65536;

/** Numbers that the kernel draws at a time, a multiple of four: 64 kB, which stay in the cache until they are copied. */
const WINDOW = 16_384;

/** Fewer numbers than this are copied one by one: a view of them would take longer to make. */
const FEW = 32;

/** Numbers that are kept for the next draw; a larger draw has an array of its own, which goes with it. */
const KEPT = 1 << 20;

/**
 * The sampler of a thread (see `ziggurat.as.ts` for the method).
 *
 * Numbers are float32 of law N(0, scale^2), each within two ulps of a normal number on a grid of 2^-23
 * of its ziggurat layer; the tails reach R + ln(2^25) / R = 8.4 standard deviations.
 */
export class GaussianSampler {
  private readonly kernel: Kernel;
  private readonly window: Float32Array;
  private kept = new Float32Array();

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(GAUSSIAN_KERNEL, 'base64'));
    const host = { exp: Math.exp, log: Math.log };
    this.kernel = new WebAssembly.Instance(module, { host }).exports as unknown as Kernel;
    const { memory, OUTPUT } = this.kernel;
    const output = OUTPUT.value as number;
    const missing = output + 4 * WINDOW - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.window = new Float32Array(memory.buffer, output, WINDOW);
    this.kernel.initialise();
  }

  /**
   * Draws `count` numbers from each stream, one stream after the other.
   *
   * @param scales standard deviation for each stream.
   * @returns [streams.length x count] numbers; the next call may overwrite them.
   * @throws RangeError for a layer without a stream.
   */
  draw(streams: readonly Stream[], count: number, scales: readonly number[]): Float32Array {
    const size = streams.length * count;
    if (size <= KEPT && size > this.kept.length) this.kept = new Float32Array(size);
    const numbers = size <= KEPT ? this.kept.subarray(0, size) : new Float32Array(size);
    this.fill(numbers, { streams, scales });
    return numbers;
  }

  /** Fills all of `numbers`, an equal part from each stream: those that `draw` returns, without an array for them. */
  fill(numbers: Float32Array, { streams, scales }: Draw): void {
    const { window } = this;
    const count = numbers.length / streams.length;
    streams.forEach(({ seed, role, layer }, i) => {
      if (!(layer >= 0 && layer < LAYERS))
        throw new RangeError(`layer ${layer} has no stream, from ${LAYERS} on`);
      // Beyond the first 1024 roles another word of the seed tells them apart, or they would run into the next layer's.
      const block = Math.floor(role / ROLES);
      this.kernel.start(seed[0], seed[1] + block, seed[2], seed[3], layer * ROLES + (role % ROLES));
      const end = (i + 1) * count;
      for (let at = i * count; at < end; at += WINDOW) {
        const length = Math.min(WINDOW, end - at);
        this.kernel.fill(length, scales[i]!);
        if (length < FEW) for (let j = 0; j < length; j++) numbers[at + j] = window[j]!;
        else numbers.set(length === WINDOW ? window : window.subarray(0, length), at);
      }
    });
  }
}
