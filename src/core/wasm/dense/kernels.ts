/**
 * The passes of a step through a layer with weights that are formed, of many samples, whole: calls of the wasm backend (see
 * `passes.as.ts`); other backends have none.
 *
 * States are [lanes, n, m], and of more lanes than a pass goes through the first count; matrices are [lanes, m, m].
 */
import { engine, getBackend, type Tensor3D, type TensorInfo } from '@tensorflow/tfjs-core';

/** Sums of a pass, the number of each among those of a lane. */
const SUM = {
  input: 0,
  features: 1,
  gradient: 2,
  featuresBackward: 3,
  inputChange: 4,
  transposed: 5,
  there: 6,
  after: 7,
  fallen: 8,
  change: 9,
  overlap: 10,
  rate: 11,
} as const;

const SUMS = Object.keys(SUM).length;

type Call = (...given: (number | boolean)[]) => void;

/** What the module exports, arguments as in its source. */
export type DenseExports = Readonly<Record<'denseForward' | 'denseBackward' | 'denseChange', Call>>;

/** Where a backend has its tensors. */
interface Heap {
  readonly memory: WebAssembly.Memory;
  at(tensor: TensorInfo): number;
  output(shape: readonly number[]): TensorInfo;
}

let offered: (Heap & { readonly kernels: DenseExports }) | undefined;

/** Makes the passes known, once a thread. */
export function offerDensePasses(kernels: DenseExports, heap: Heap): void {
  offered = { kernels, ...heap };
}

/** Whether the current backend has them. */
export const hasDensePasses = () => offered !== undefined && getBackend() === 'wasm';

/** One of the sums of a pass, of each lane. */
export type DenseSums = (which: keyof typeof SUM) => Float64Array;

/** The matrices M of a layer, M^T of each, and the factors a of its skip connections, [lanes, 1, 1]. */
export interface DenseLayer {
  readonly matrices: Tensor3D;
  readonly transposed: Tensor3D;
  readonly skip: Tensor3D;
}

/** x = a f + M relu(f). */
export function denseForward(
  { transposed, skip }: DenseLayer,
  f: Tensor3D,
): { readonly x: Tensor3D; readonly sums: DenseSums } {
  const [lanes, width] = transposed.shape;
  const x = made(lanes, f.shape[1], width);
  const sums = summed(x, 1, (sums, space) => {
    const { kernels, at } = offered!;
    kernels.denseForward(at(x), at(f), at(transposed), at(skip), sums, space, lanes, f.shape[1], width);
  });
  return { x, sums };
}

/** Of b that has come back to x: M^T b, the gradient transposed, and what comes back to f. */
export function denseBackward(
  { matrices, skip }: DenseLayer,
  f: Tensor3D,
  b: Tensor3D,
): Readonly<Record<'back' | 't' | 'gradient', Tensor3D>> & { readonly sums: DenseSums } {
  const [lanes, width] = matrices.shape;
  const rows = f.shape[1];
  const [back, t, gradient] = [made(lanes, rows, width), made(lanes, rows, width), made(lanes, width, width)];
  const sums = summed(back, 1, (sums, space) => {
    const { kernels, at } = offered!;
    kernels.denseBackward(
      at(back),
      at(t),
      at(gradient),
      at(b),
      at(f),
      at(matrices),
      at(skip),
      sums,
      space,
      lanes,
      rows,
      width,
    );
  });
  return { back, t, gradient, sums };
}

/**
 * The change of x, of that of f.
 *
 * @param rates by which the gradient is multiplied, of each lane; none where nothing learns.
 */
export function denseChange(
  { transposed, skip }: DenseLayer,
  { given, f, b, t, gradient }: Readonly<Record<'given' | 'f' | 'b' | 't' | 'gradient', Tensor3D>>,
  isVelocity: boolean,
  rates: readonly number[] | undefined,
): { readonly change: Tensor3D; readonly sums: DenseSums } {
  const [lanes, width] = transposed.shape;
  const rows = f.shape[1];
  const change = made(lanes, rows, width);
  const sums = summed(change, 2, (sums, space, values) => {
    const { kernels, at } = offered!;
    for (let lane = 0; lane < lanes; lane++) {
      values[lane * SUMS + SUM.rate] = rates === undefined ? 0 : -rates[lane]!;
    }
    kernels.denseChange(
      at(change),
      at(given),
      at(f),
      at(b),
      at(t),
      at(transposed),
      at(gradient),
      at(skip),
      sums,
      space,
      lanes,
      rows,
      width,
      isVelocity,
      rates !== undefined,
    );
  });
  return { change, sums };
}

/** The sums of a pass, which has room for them and for some states of a lane such as its result. */
function summed(
  { shape: [lanes, rows, width] }: Tensor3D,
  states: number,
  run: (sums: number, space: number, values: Float64Array) => void,
): DenseSums {
  const { memory, at } = offered!;
  const [sums, space] = [made(lanes, 1, 2 * SUMS), made(states, rows, width)];
  const values = new Float64Array(memory.buffer, at(sums), lanes * SUMS);
  run(at(sums), at(space), values);
  const found = values.slice();
  sums.dispose();
  space.dispose();
  return (which) => {
    const column = new Float64Array(lanes);
    for (let lane = 0, i = SUM[which]; lane < lanes; lane++, i += SUMS) column[lane] = found[i]!;
    return column;
  };
}

/** A tensor to be written to. */
function made(...shape: [number, number, number]): Tensor3D {
  return engine().makeTensorFromTensorInfo(offered!.output(shape)) as Tensor3D;
}
