/** Sums of rows by segment on wasm, which lacks them: the gradient of an embedding. That of cpu passes over all rows for every segment. */
import {
  getKernel,
  type KernelBackend,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

const KERNEL = 'UnsortedSegmentSum';

/** Registers the kernel, where the backend has none. */
export function registerSegmentSums(): void {
  if (!getKernel(KERNEL, 'wasm')) registerKernel({ kernelName: KERNEL, backendName: 'wasm', kernelFunc });
}

/** y_s = sum of the rows x_i with segment s; rows of no segment are left out. */
const kernelFunc: KernelFunc = ({ inputs, attrs = {}, backend }): TensorInfo => {
  const { x, segmentIds } = inputs as { readonly x: TensorInfo; readonly segmentIds: TensorInfo };
  const { numSegments } = attrs as { readonly numSegments: number };
  const own = backend as KernelBackend;
  const segments = own.readSync(segmentIds.dataId) as Int32Array;
  const values = own.readSync(x.dataId) as Float32Array;
  const shape = [numSegments, ...x.shape.slice(segmentIds.shape.length)];
  const width = values.length / Math.max(1, segments.length);
  const sums = new Float64Array(shape.reduce((size, length) => size * length, 1));
  segments.forEach((segment, i) => {
    if (segment < 0 || segment >= numSegments) return;
    for (let j = 0; j < width; j++) sums[segment * width + j]! += values[i * width + j]!;
  });
  const typed = x.dtype === 'int32' ? Int32Array.from(sums) : Float32Array.from(sums);
  return { dataId: own.write(typed, shape, x.dtype), shape, dtype: x.dtype };
};
