/** Kernels of the cpu backend for another one that lacks them: slower, but the rest of the network stays where it is fast. */
import {
  type BackendValues,
  type DataId,
  type DataType,
  getKernel,
  getKernelsForBackend,
  type KernelBackend,
  type KernelConfig,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** What the cpu backend offers its kernels beyond the interface. */
interface CpuBackend extends KernelBackend {
  makeTensorInfo(shape: number[], dtype: DataType, values: unknown): TensorInfo;
  disposeIntermediateTensorInfo(info: TensorInfo): void;
}

/** Names of the borrowed kernels that have run, in order of first use. */
export type Borrowed = Set<string>;

const used = new Set<string>();
/** Kernels are registered for good, so that they are borrowed once in a process. */
const lent = new Set<string>();

/**
 * Kernels of wasm that are wrong where a window has no number > 0: they take its largest to be the smallest positive one, and its
 * place the first of all. Those of cpu are right.
 */
const WRONG = ['MaxPoolGrad', 'MaxPoolWithArgmax', 'MaxPool3D', 'MaxPool3DGrad'];

/**
 * Gives `name` every kernel of the cpu backend that it lacks, or has a wrong one of. Its inputs are copied to the cpu backend and its outputs back.
 *
 * @param cpu a backend of the library's cpu package, loaded and not current.
 * @returns the names of those that have run in this process.
 */
export function borrowKernels(name: string, cpu: KernelBackend): Borrowed {
  if (!lent.has(name)) {
    lent.add(name);
    for (const kernel of WRONG) if (getKernel(kernel, name)) unregisterKernel(kernel, name);
    for (const config of getKernelsForBackend('cpu')) {
      if (!getKernel(config.kernelName, name)) registerKernel(borrowed(config, name, cpu as CpuBackend));
    }
  }
  return used;
}

function borrowed(config: KernelConfig, backendName: string, cpu: CpuBackend): KernelConfig {
  const { kernelName } = config;
  return {
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      used.add(kernelName);
      const own = backend as KernelBackend;
      const read = (from: KernelBackend, { dataId }: { readonly dataId: DataId }) => from.readSync(dataId);
      // A list of inputs stays one.
      const copies = (Array.isArray(inputs) ? [] : {}) as Record<string, TensorInfo>;
      for (const [key, input] of Object.entries(inputs)) {
        if (input) copies[key] = cpu.makeTensorInfo(input.shape, input.dtype, read(own, input));
      }
      const given = attrs === undefined ? {} : { attrs };
      const results = config.kernelFunc({ inputs: copies, backend: cpu, ...given });
      const outputs = [results].flat().map((result) => ({
        dataId: own.write(typed(read(cpu, result), result.dtype), result.shape, result.dtype),
        shape: result.shape,
        dtype: result.dtype,
      }));
      for (const info of [...Object.values(copies), ...[results].flat()]) {
        cpu.disposeIntermediateTensorInfo(info);
      }
      return Array.isArray(results) ? outputs : outputs[0]!;
    },
  };
}

/** Whole numbers as such: where cpu keeps them as float32, another backend would take their bits. */
function typed(values: BackendValues, dtype: DataType): BackendValues {
  return dtype === 'int32' && values instanceof Float32Array ? Int32Array.from(values) : values;
}
