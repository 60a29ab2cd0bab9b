/** Gradients of convolutions by their filters on wasm, which lacks them: products of shifted inputs, where cpu takes an entry after the other. */
import {
  backend_util,
  getKernel,
  type KernelFunc,
  matMul,
  pad as padded,
  registerKernel,
  reshape,
  stack,
  stridedSlice,
  type Tensor2D,
  type Tensor4D,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';

const KERNEL = 'Conv2DBackpropFilter';

/** Registers the kernel, where the backend has none. */
export function registerFilterGradients(): void {
  if (!getKernel(KERNEL, 'wasm')) registerKernel({ kernelName: KERNEL, backendName: 'wasm', kernelFunc });
}

/**
 * dw[i, j] = sum over places of x[place * stride + (i, j)] dy[place]^T: one product for each place (i, j) of the filter.
 */
const kernelFunc: KernelFunc = ({ inputs, attrs = {} }): TensorInfo =>
  tidy(() => {
    const [x, dy] = [inputs.x as Tensor4D, inputs.dy as Tensor4D];
    const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as {
      readonly strides: [number, number];
      readonly pad: 'valid' | 'same' | number;
      readonly dimRoundingMode?: 'floor';
      readonly filterShape: [number, number, number, number];
    };
    const info = backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
    const { padInfo, outHeight, outWidth, filterHeight, filterWidth, inChannels, outChannels } = info;
    const { top, bottom, left, right } = padInfo;
    const wide = padded(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const flat = reshape(dy, [-1, outChannels]) as Tensor2D;
    const products: Tensor2D[] = [];
    for (let i = 0; i < filterHeight; i++) {
      for (let j = 0; j < filterWidth; j++) {
        const last = [(outHeight - 1) * info.strideHeight + i + 1, (outWidth - 1) * info.strideWidth + j + 1];
        const shifted = stridedSlice(
          wide,
          [0, i, j, 0],
          [x.shape[0], last[0]!, last[1]!, inChannels],
          [1, info.strideHeight, info.strideWidth, 1],
        );
        products.push(matMul(reshape(shifted, [-1, inChannels]), flat, true, false) as Tensor2D);
      }
    }
    return reshape(stack(products), filterShape);
  });
