/**
 * The passes of a layer with weights that are never formed, whole: calls of the wasm backend (see `passes.as.ts`);
 * other backends have none. States, sums and what lanes draw are addresses in its memory (`states.ts`).
 */
import { getBackend } from '@tensorflow/tfjs-core';

/** Sums of a layer, the number of each among those of a lane (see `sums.as.ts`). */
export const SUM = {
  features: 0,
  input: 1,
  backward: 2,
  backwardImage: 3,
  featuresBackward: 4,
  change: 5,
  overlap: 6,
  inputChange: 7,
  inputOverlap: 8,
  transposed: 9,
  fallen: 10,
  image: 11,
  rate: 12,
} as const;

/** Sums of a lane. */
export const SUMS = Object.keys(SUM).length;

/** Bytes of what a lane draws: four words of its seed, its depth, sigma and the factor of its skip connection. */
export const LANE_BYTES = 40;

/** How the layers of a network are made. */
export interface LayerForm {
  /** phi(f) / f where f < 0; it is f above. */
  readonly slope: number;
  /** Whether a layer begins with phi and has a skip connection; else it ends with phi and has none. */
  readonly isInner: boolean;
}

/** States of some lanes of a layer, of m numbers each: features x, the image u of its matrix, and what has come back, z. */
export interface LayerStates {
  readonly sums: number;
  readonly x: number;
  readonly u: number;
  readonly z: number;
  /** M^T b of the next matrix; z where there is none. */
  readonly tNext: number;
}

/** The lanes that go on from one layer to the next: the table of what they draw, and their states there and before. */
export interface Pass {
  readonly form: LayerForm;
  readonly size: number;
  readonly lanes: number;
  readonly distance: number;
  readonly table: number;
  readonly own: LayerStates;
  readonly before: LayerStates;
}

type Call = (...given: (number | boolean)[]) => void;

/** What the module exports, arguments as in its source. */
export type SampledExports = Readonly<
  Record<'enter' | 'enterChange' | 'arrive' | 'forward' | 'backward' | 'change', Call>
>;

/** The memory of a backend, in which room can be taken. */
export interface Heap {
  readonly memory: WebAssembly.Memory;
  /** @throws RangeError where there is none. */
  reserve(bytes: number): number;
  free(at: number): void;
}

let offered: { readonly kernels: SampledExports; readonly heap: Heap } | undefined;

/** Makes the passes known, once a thread. */
export function offerSampledPasses(kernels: SampledExports, heap: Heap): void {
  offered = { kernels, heap };
}

/** Whether the current backend has them. */
export const hasSampledPasses = () => offered !== undefined && getBackend() === 'wasm';

/** Where it has its states. */
export const heap = () => offered!.heap;

/** Sums features that no pass has made. */
export function enter({ slope, isInner }: LayerForm, own: LayerStates, lanes: number, size: number): void {
  offered!.kernels.enter(own.sums, own.x, lanes, size, slope, isInner);
}

/** The same of what has come back to them. */
export function arrive({ slope, isInner }: LayerForm, own: LayerStates, lanes: number, size: number): void {
  offered!.kernels.arrive(own.sums, own.x, own.u, own.z, lanes, size, slope, isInner);
}

/** The same of their change c. */
export function enterChange(
  { slope, isInner }: LayerForm,
  isVelocity: boolean,
  own: LayerStates,
  c: number,
  lanes: number,
  size: number,
): void {
  const { sums, x, z, tNext } = own;
  offered!.kernels.enterChange(sums, x, z, tNext, c, lanes, size, slope, isInner, isVelocity);
}

/** The features of a layer and the image of its matrix, from the features before. */
export function forward({ form, size, lanes, distance, table, own, before }: Pass): void {
  const { slope, isInner } = form;
  offered!.kernels.forward(
    own.x,
    own.u,
    before.x,
    before.sums,
    own.sums,
    table,
    lanes,
    distance,
    size,
    slope,
    isInner,
  );
}

/**
 * M^T b, and what comes back to the features before, of what has come back.
 *
 * @param inner lanes whose features before are of a matrix of this kind, too.
 */
export function backward(pass: Pass, inner: number): void {
  const { form, size, lanes, distance, table, own, before } = pass;
  offered!.kernels.backward(
    before.tNext,
    before.z,
    own.z,
    before.x,
    before.u,
    before.sums,
    own.sums,
    table,
    lanes,
    inner,
    distance,
    size,
    form.slope,
    form.isInner,
  );
}

/**
 * The change of the features of a layer, from that before.
 *
 * @param rates by which the lanes learn.
 */
export function change(
  pass: Pass,
  isVelocity: boolean,
  rates: ArrayLike<number>,
  given: number,
  out: number,
): void {
  const { form, size, lanes, distance, table, own, before } = pass;
  const sums = new Float64Array(heap().memory.buffer, own.sums, lanes * SUMS);
  for (let i = 0; i < lanes; i++) sums[i * SUMS + SUM.rate] = rates[i]!;
  offered!.kernels.change(
    out,
    given,
    own.x,
    own.u,
    own.z,
    own.tNext,
    before.sums,
    own.sums,
    table,
    lanes,
    distance,
    size,
    form.slope,
    form.isInner,
    isVelocity,
  );
}
