/** Matrix products of the wasm backend by our kernels, which are some ten times as fast where one is transposed or there are many. */
import {
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

const KERNEL = 'BatchMatMul';

/** Puts our products in the place of the library's, once in a process; those that are of another form stay the library's. */
export function registerFastProducts(): void {
  const [library, product, innerProducts] = [KERNEL, 'Product', 'InnerProducts'].map((name) =>
    getKernel(name, 'wasm'),
  );
  if (!library || !product || !innerProducts || library.kernelFunc.name === fast.name) return;
  const ours = fast(library.kernelFunc, product.kernelFunc, innerProducts.kernelFunc);
  Object.defineProperty(ours, 'name', { value: fast.name });
  unregisterKernel(KERNEL, 'wasm');
  registerKernel({ kernelName: KERNEL, backendName: 'wasm', kernelFunc: ours });
}

function fast(library: KernelFunc, product: KernelFunc, innerProducts: KernelFunc): KernelFunc {
  return (call) => {
    const { a, b } = call.inputs as { readonly a: TensorInfo; readonly b: TensorInfo };
    const { transposeA = false, transposeB = false } = call.attrs ?? {};
    const lanes = a.shape.slice(0, -2);
    const isOurs =
      a.dtype === 'float32' &&
      b.dtype === 'float32' &&
      lanes.join() === b.shape.slice(0, -2).join() &&
      !(transposeA && transposeB) &&
      sizeOf(a.shape) > 0 &&
      sizeOf(b.shape) > 0;
    if (!isOurs) return library(call);
    const flat = (info: TensorInfo): TensorInfo => ({
      ...info,
      shape: [sizeOf(lanes), ...info.shape.slice(-2)],
    });
    const inputs = { a: flat(a), b: flat(b) };
    const made = transposeB
      ? innerProducts({ ...call, inputs, attrs: {} })
      : product({ ...call, inputs, attrs: { transposed: transposeA } });
    const { dataId, dtype, shape } = made as TensorInfo;
    return { dataId, dtype, shape: [...lanes, ...shape.slice(1)] };
  };
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
