/**
 * The passes of a layer with weights that are never formed, whole: calls of the wasm backend (see `sampled-passes.as.ts`);
 * other backends have none.
 *
 * Tensors are [lanes, 1, m], and of more lanes than are asked for the first count. The calls go by the engine of the tensor
 * library, of which they only make the results known: with its ways a call takes as long as 2000 entries of a state.
 */
import { engine, getBackend, type Tensor3D, type TensorInfo } from '@tensorflow/tfjs-core';

/** Sums of a layer, the number of each among those of a lane (see `sampled-sums.as.ts`). */
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

/** Where a pass is: the lanes, what they draw, and the sums of this layer and the one before. */
export interface Pass {
  readonly form: LayerForm;
  readonly table: Tensor3D;
  readonly sums: Tensor3D;
  readonly sumsBefore: Tensor3D;
  readonly lanes: number;
  readonly distance: number;
}

type Call = (...given: (number | boolean)[]) => void;

/** What the module exports, arguments as in its source. */
export type SampledExports = Readonly<
  Record<'enter' | 'enterChange' | 'arrive' | 'forward' | 'backward' | 'change', Call>
>;

/** Where a backend has its tensors. */
export interface Heap {
  readonly memory: WebAssembly.Memory;
  at(tensor: TensorInfo): number;
  output(shape: readonly number[]): TensorInfo;
}

let offered: (Heap & { readonly kernels: SampledExports }) | undefined;

/** Makes the passes known, once a thread. */
export function offerSampledPasses(kernels: SampledExports, { memory, at, output }: Heap): void {
  offered = { kernels, memory, at, output };
}

/** Whether the current backend has them. */
export const hasSampledPasses = () => offered !== undefined && getBackend() === 'wasm';

/** Zeros for the sums of a layer. */
export function emptySums(lanes: number): Tensor3D {
  const sums = made(lanes, 2 * SUMS);
  viewOf(sums).fill(0);
  return sums;
}

/** The sums of a layer, SUMS a lane, where the kernels have them: as long as no other tensor is made. */
export function viewOf(sums: Tensor3D): Float64Array {
  return new Float64Array(offered!.memory.buffer, offered!.at(sums), sums.size / 2);
}

/** What the kernels need of lanes `first` to `end` of features that they have not made. */
export function enter(
  { slope, isInner }: LayerForm,
  sums: Tensor3D,
  x: Tensor3D,
  first: number,
  end: number,
): void {
  const size = x.shape[2];
  offered!.kernels.enter(lane(sums, first), lane(x, first), end - first, size, slope, isInner);
}

/** The same of a change, with M^T b of the next matrix. */
export function enterChange(
  { slope, isInner }: LayerForm,
  isVelocity: boolean,
  sums: Tensor3D,
  tensors: { readonly x: Tensor3D; readonly t: Tensor3D; readonly c: Tensor3D },
  first: number,
  end: number,
): void {
  const [x, t, c] = [lane(tensors.x, first), lane(tensors.t, first), lane(tensors.c, first)];
  const size = tensors.x.shape[2];
  offered!.kernels.enterChange(lane(sums, first), x, t, c, end - first, size, slope, isInner, isVelocity);
}

/** The same of what comes back to features x with the image u. */
export function arrive(
  { slope, isInner }: LayerForm,
  sums: Tensor3D,
  tensors: { readonly x: Tensor3D; readonly u: Tensor3D; readonly z: Tensor3D },
  lanes: number,
): void {
  const [x, u, z] = [lane(tensors.x), lane(tensors.u), lane(tensors.z)];
  offered!.kernels.arrive(lane(sums), x, u, z, lanes, tensors.x.shape[2], slope, isInner);
}

/** The features x of a layer and the image u of its matrix, from the features before. */
export function forward(pass: Pass, before: Tensor3D): [x: Tensor3D, u: Tensor3D] {
  const { table, sums, sumsBefore, lanes, distance, form } = pass;
  const size = before.shape[2];
  const [x, u] = [made(lanes, size), made(lanes, size)];
  offered!.kernels.forward(
    lane(x),
    lane(u),
    lane(before),
    lane(sumsBefore),
    lane(sums),
    lane(table),
    lanes,
    distance,
    size,
    form.slope,
    form.isInner,
  );
  return [x, u];
}

/**
 * t = M^T b, and what comes back to the features before, of z that has come back.
 *
 * @param uBefore image of the layer before, of `inner` lanes; none where these are none.
 */
export function backward(
  pass: Pass,
  z: Tensor3D,
  before: Tensor3D,
  uBefore: Tensor3D | undefined,
  inner: number,
): [t: Tensor3D, back: Tensor3D] {
  const { table, sums, sumsBefore, lanes, distance, form } = pass;
  const size = before.shape[2];
  const t = made(lanes, size);
  const back = form.isInner ? made(lanes, size) : t;
  offered!.kernels.backward(
    lane(t),
    lane(back),
    lane(z),
    lane(before),
    lane(uBefore ?? before),
    lane(sumsBefore),
    lane(sums),
    lane(table),
    lanes,
    inner,
    distance,
    size,
    form.slope,
    form.isInner,
  );
  return [t, back];
}

/**
 * The change of features x, from that before.
 *
 * @param rates by which their layer learns.
 * @param tensors with what came back to x, and t of the next matrix, if there is one.
 */
export function change(
  pass: Pass,
  isVelocity: boolean,
  rates: readonly number[],
  tensors: {
    readonly given: Tensor3D;
    readonly x: Tensor3D;
    readonly u: Tensor3D;
    readonly z: Tensor3D;
    readonly tNext: Tensor3D | undefined;
  },
): Tensor3D {
  const { table, sums, sumsBefore, lanes, distance, form } = pass;
  const size = tensors.x.shape[2];
  const out = made(lanes, size);
  const own = viewOf(sums);
  for (let i = 0; i < lanes; i++) own[i * SUMS + SUM.rate] = rates[i]!;
  offered!.kernels.change(
    lane(out),
    lane(tensors.given),
    lane(tensors.x),
    lane(tensors.u),
    lane(tensors.z),
    lane(tensors.tNext ?? tensors.z),
    lane(sumsBefore),
    lane(sums),
    lane(table),
    lanes,
    distance,
    size,
    form.slope,
    form.isInner,
    isVelocity,
  );
  return out;
}

/** A tensor to be written to. */
function made(lanes: number, size: number): Tensor3D {
  return engine().makeTensorFromTensorInfo(offered!.output([lanes, 1, size])) as Tensor3D;
}

/** Where a lane of a tensor begins. */
function lane(tensor: Tensor3D, which = 0): number {
  return offered!.at(tensor) + 4 * which * tensor.shape[2];
}
