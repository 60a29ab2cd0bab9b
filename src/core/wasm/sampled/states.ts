/**
 * The states of the layers of a step with weights that are never formed, and their sums: one block of the memory of the backend,
 * since in a batch of few lanes making as many tensors takes longer than writing them.
 *
 * A state has m numbers a lane, and zeros up to the next multiple of four (`sums.as.ts`).
 */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { filled } from '../../ops.js';
import { heap, LANE_BYTES, type LayerStates, SUMS } from './kernels.js';

/** Bytes of a line of the cache. States that are a multiple of a page apart would all be kept in the same few lines of it. */
const LINE = 64;
const inLines = (bytes: number) => LINE * Math.ceil(bytes / LINE);

export class SampledStates {
  /** By distance, from 1. */
  private readonly layers: readonly LayerStates[];
  /** What lanes draw. */
  readonly table: number;
  private start: number;
  private readonly changes: readonly number[];
  private readonly stride: number;

  /**
   * @param counts lanes that have a layer, by distance; that of the readout does not matter.
   * @param hasImages whether M^T b is a state of its own, beside what comes back to the features before.
   */
  constructor(
    private readonly size: number,
    private readonly counts: readonly number[],
    hasImages: boolean,
  ) {
    this.stride = 16 * Math.ceil(size / 4);
    const lanes = counts[1]!;
    let end = 0;
    const take = (bytes: number) => {
      const at = end;
      end += inLines(bytes);
      return at;
    };
    const state = (count: number) => take(count * this.stride + LINE);
    const distances = counts.flatMap((_, distance) => (distance > 0 ? [distance] : []));
    const table = take(lanes * LANE_BYTES);
    const sums = distances.map((distance) => take(8 * SUMS * counts[distance]!));
    const zeros = end;
    const changes = [state(lanes), state(lanes)];
    const places = distances.map((distance, i) => {
      const count = counts[distance]!;
      const u = state(counts[distance + 1] ?? 0);
      const [x, z] = [state(count), state(count)];
      return { sums: sums[i]!, x, u, z, tNext: hasImages && distance > 1 ? state(count) : z };
    });
    this.start = heap().reserve(end + LINE);
    const first = inLines(this.start);
    this.table = first + table;
    this.changes = changes.map((at) => first + at);
    this.layers = places.map(({ sums, x, u, z, tNext }) => ({
      sums: first + sums,
      x: first + x,
      u: first + u,
      z: first + z,
      tNext: first + tNext,
    }));
    new Uint8Array(heap().memory.buffer, first, zeros).fill(0);
  }

  /** The states of a layer from a lane on. */
  at(distance: number, lane = 0): LayerStates {
    const { sums, ...states } = this.layers[distance - 1]!;
    const skipped = lane * this.stride;
    return {
      sums: sums + 8 * SUMS * lane,
      x: states.x + skipped,
      u: states.u + skipped,
      z: states.z + skipped,
      tNext: states.tNext + skipped,
    };
  }

  /** The change of the features of a layer, from a lane on; it is kept until that of the next layer but one. */
  change(distance: number, lane = 0): number {
    return this.changes[distance % 2]! + lane * this.stride;
  }

  /** The sums of a layer, SUMS a lane, as long as the memory does not grow. */
  sums(distance: number): Float64Array {
    return new Float64Array(heap().memory.buffer, this.at(distance).sums, this.counts[distance]! * SUMS);
  }

  /** What lanes draw, LANE_BYTES a lane; as long. */
  lanes(): DataView {
    return new DataView(heap().memory.buffer, this.table, this.counts[1]! * LANE_BYTES);
  }

  /** Writes a state. */
  set(at: number, values: Float32Array): void {
    const { size, stride } = this;
    const lanes = values.length / size;
    const all = new Float32Array(heap().memory.buffer, at, (lanes * stride) / 4);
    if (stride === 4 * size) all.set(values);
    else {
      all.fill(0);
      for (let i = 0; i < lanes; i++) all.set(values.subarray(i * size, (i + 1) * size), (i * stride) / 4);
    }
  }

  /** Writes zeros to a state. */
  clear(at: number, lanes: number): void {
    new Uint8Array(heap().memory.buffer, at, lanes * this.stride).fill(0);
  }

  /** A copy of a state, [lanes, 1, m]. */
  tensor(at: number, lanes: number): Tensor3D {
    const { size, stride } = this;
    return filled([lanes, 1, size], (values) => {
      const all = new Float32Array(heap().memory.buffer, at, (lanes * stride) / 4);
      if (stride === 4 * size) values.set(all);
      else {
        for (let i = 0; i < lanes; i++)
          values.set(all.subarray((i * stride) / 4, (i * stride) / 4 + size), i * size);
      }
    });
  }

  dispose(): void {
    heap().free(this.start);
    this.start = 0; // which nobody has, and nobody frees
  }
}
