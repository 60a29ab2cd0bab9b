/**
 * Kernels of our own for the wasm backend of the tensor library (see `fused.as.ts`), under names of their own.
 *
 * They work in the library's memory, at the places where it keeps its tensors. The library's version is pinned, since
 * these places are its own affair; where they cannot be found, nothing is registered and `ops.ts` composes what it
 * needs of the library's kernels.
 */
import {
  type DataId,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { type DenseExports, offerDensePasses } from './dense/kernels.js';
import { FUSED_KERNEL } from './fused-kernel.generated.js';
import { offerSampledPasses, type SampledExports } from './sampled/kernels.js';

interface WasmBackend {
  readonly wasm: {
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    _malloc(bytes: number): number;
    _free(at: number): void;
    readonly HEAPU8: Uint8Array;
  };
  readonly dataIdMap: { get(id: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  incRef(id: DataId): void;
}

/** Activations that have a kernel, which is of the same name, and what it is asked for by number (see `smooth/operations.as.ts`). */
const SMOOTH = ['tanh', 'erf', 'gelu', 'silu'] as const;
const OPERATIONS = ['value', 'tangent', 'bend', 'difference'] as const;
export type ActivationOperation = (typeof OPERATIONS)[number];
type Smooth = (operation: number, out: number, f: number, t: number, count: number) => void;

interface Kernels extends SampledExports, DenseExports, Readonly<Record<(typeof SMOOTH)[number], Smooth>> {
  readonly SPACE: WebAssembly.Global;
  initialise(room: number): void;
  addScaled(out: number, y: number, a: number, x: number, lanes: number, size: number): void;
  transpose(out: number, a: number, lanes: number, rows: number, columns: number): void;
  reluTangent(out: number, f: number, t: number, count: number): void;
  reluDifference(out: number, f: number, df: number, count: number): void;
  kinkedTangent(out: number, f: number, t: number, count: number, slope: number): void;
  kinkedDifference(out: number, f: number, df: number, count: number, slope: number): void;
  dots(out: number, a: number, b: number, lanes: number, size: number): void;
  gramProduct(
    out: number,
    a: number,
    b: number,
    lanes: number,
    rows: number,
    left: number,
    right: number,
  ): void;
  product(...arguments_: [...Product, transposed: boolean]): void;
  innerProducts(...arguments_: Product): void;
}

type Product = [
  out: number,
  a: number,
  b: number,
  lanes: number,
  rows: number,
  inner: number,
  columns: number,
];

/** Kernels that only the wasm backend has; the operations of the same names are in `ops.ts`. */
export const FUSED = [
  'AddScaled',
  'AddScaledInPlace',
  'Dots',
  'GramProduct',
  'ReluTangent',
  'ReluDifference',
  'KinkedTangent',
  'KinkedDifference',
  ...SMOOTH.map((name) => `Activation.${name}` as const),
  'Product',
  'InnerProducts',
  'TransposedLanes',
  'Filled',
] as const;

/** Addresses of 32 bits. */
const ADDRESSES = 0x1_0000_0000;

/**
 * Lets the wasm backend refuse what its heap has no room for. The library takes the null pointer of a failed allocation
 * for an address, and sizes modulo 2^32, and goes on with wrong numbers.
 */
export function guardHeap(backend: unknown): void {
  const { wasm } = backend as WasmBackend;
  wasm._free(wasm._malloc(1)); // the first call puts the function itself in the place of one that fetches it
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const at = bytes < ADDRESSES ? allocate(bytes) >>> 0 : 0;
    if (bytes > 0 && (at === 0 || at + bytes > wasm.HEAPU8.length)) {
      throw new RangeError(`no room for ${(bytes / 1e6).toFixed(0)} MB in the 4 GB of the wasm backend`);
    }
    return at;
  };
}

/** Registers the kernels with the wasm backend, once a thread. */
export function registerFusedKernels(backend: unknown): void {
  const { wasm, dataIdMap, makeOutput } = backend as WasmBackend;
  const memory = wasm?.asm?.memory;
  if (!(memory instanceof WebAssembly.Memory) || !dataIdMap || !makeOutput) return;
  const module = new WebAssembly.Module(Buffer.from(FUSED_KERNEL, 'base64'));
  const host = { exp: Math.exp, log: Math.log };
  const kernels = new WebAssembly.Instance(module, { env: { memory }, host }).exports as unknown as Kernels;
  kernels.initialise(wasm._malloc(kernels.SPACE.value as number));

  const at = (tensor: TensorInfo) => dataIdMap.get(tensor.dataId).memoryOffset;
  const output = (shape: readonly number[]) => makeOutput.call(backend, shape, 'float32');
  const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
  type Kernel = (inputs: Record<string, TensorInfo>, attributes: Record<string, unknown>) => TensorInfo;
  const register = (kernelName: (typeof FUSED)[number] | 'Identity', kernel: Kernel) => {
    const kernelFunc: KernelFunc = ({ inputs, attrs }) =>
      kernel(inputs as Record<string, TensorInfo>, attrs ?? {});
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  };

  // The library's own copies the numbers, which nobody changes: a third of the memory of weights that are never formed.
  unregisterKernel('Identity', 'wasm');
  const same = ({ dataId, shape, dtype }: TensorInfo): TensorInfo => {
    (backend as WasmBackend).incRef.call(backend, dataId);
    return { dataId, shape, dtype };
  };
  register('Identity', ({ x }) => same(x!));
  const addScaled = (out: TensorInfo, { y, a, x }: Record<string, TensorInfo>) => {
    const lanes = out.shape[0]!;
    kernels.addScaled(at(out), at(y!), at(a!), at(x!), lanes, sizeOf(out.shape) / lanes);
    return out;
  };
  register('AddScaled', (inputs) => addScaled(output(inputs.y!.shape), inputs));
  register('AddScaledInPlace', (inputs) => addScaled(same(inputs.y!), inputs));
  register('Dots', ({ a, b }) => {
    const lanes = a!.shape[0]!;
    const out = output([lanes, 1, 2]);
    kernels.dots(at(out), at(a!), at(b!), lanes, sizeOf(a!.shape) / lanes);
    return out;
  });
  register('GramProduct', ({ a, b }) => {
    const [lanes, rows, left] = a!.shape as [number, number, number];
    const out = output([lanes, 1, 2]);
    kernels.gramProduct(at(out), at(a!), at(b!), lanes, rows, left, b!.shape[2]!);
    return out;
  });
  register('ReluTangent', ({ f, t }) => {
    const out = output(f!.shape);
    kernels.reluTangent(at(out), at(f!), at(t!), sizeOf(f!.shape));
    return out;
  });
  register('ReluDifference', ({ f, df }) => {
    const out = output(f!.shape);
    kernels.reluDifference(at(out), at(f!), at(df!), sizeOf(f!.shape));
    return out;
  });
  register('KinkedTangent', ({ f, t }, { slope }) => {
    const out = output(f!.shape);
    kernels.kinkedTangent(at(out), at(f!), at(t!), sizeOf(f!.shape), slope as number);
    return out;
  });
  register('KinkedDifference', ({ f, df }, { slope }) => {
    const out = output(f!.shape);
    kernels.kinkedDifference(at(out), at(f!), at(df!), sizeOf(f!.shape), slope as number);
    return out;
  });
  for (const name of SMOOTH) {
    register(`Activation.${name}`, ({ f, t }, { operation }) => {
      const out = output(f!.shape);
      const number = OPERATIONS.indexOf(operation as ActivationOperation);
      kernels[name](number, at(out), at(f!), at(t!), sizeOf(f!.shape));
      return out;
    });
  }
  register('Product', ({ a, b }, { transposed }) => {
    const [lanes, inner, columns] = b!.shape as [number, number, number];
    const rows = a!.shape[transposed ? 2 : 1]!;
    const out = output([lanes, rows, columns]);
    kernels.product(at(out), at(a!), at(b!), lanes, rows, inner, columns, transposed === true);
    return out;
  });
  register('InnerProducts', ({ a, b }) => {
    const [lanes, rows, inner] = a!.shape as [number, number, number];
    const columns = b!.shape[1]!;
    const out = output([lanes, rows, columns]);
    kernels.innerProducts(at(out), at(a!), at(b!), lanes, rows, inner, columns);
    return out;
  });
  register('TransposedLanes', ({ x }) => {
    const [lanes, rows, columns] = x!.shape as [number, number, number];
    const out = output([lanes, columns, rows]);
    kernels.transpose(at(out), at(x!), lanes, rows, columns);
    return out;
  });
  offerSampledPasses(kernels, {
    memory,
    reserve: (bytes) => wasm._malloc(bytes),
    free: (at) => wasm._free(at),
  });
  offerDensePasses(kernels, { memory, at, output });
  register('Filled', (_, { shape, fill }) => {
    const out = output(shape as readonly number[]);
    const values = new Float32Array(memory.buffer, at(out), sizeOf(shape as readonly number[]));
    (fill as (values: Float32Array) => void)(values);
    return out;
  });
}
