/**
 * Kernels of our own for the native backend, of TensorFlow's operations.
 *
 * Gates are the gradient of relu: one call, where the library's `Step` makes seven and fills arrays in JavaScript, which
 * was half the time of a batch. And products of one lane go the way of those of several, so that the bits of a lane do
 * not depend on how many there are.
 */
import { engine, type KernelFunc, registerKernel, type Tensor3D, tidy } from '@tensorflow/tfjs-core';
import { add, relu, sub } from './ops.js';

interface NativeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number };
  executeSingleOutput(
    operation: string,
    attributes: readonly object[],
    inputs: readonly Tensor3D[],
  ): Tensor3D;
}

/**
 * Multiplications up to which TensorFlow multiplies several matrices one by one with one algorithm, and a single one with
 * another, whose sums are in another order (`kMaxCostOuterParallelism` of its batch_matmul_op_impl.h). Not so for vectors.
 */
const FEW_MULTIPLICATIONS = 128 * 128;

/** Registers the kernels with the native backend. */
export function registerNativeKernels(backend: unknown): void {
  const native = backend as NativeBackend;
  const { TF_ATTR_TYPE, TF_FLOAT } = native.binding;
  const float = [{ name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT }];
  /** relu'(f) * t; what is not a number stays so, in f too where t is none. */
  const gated = (t: Tensor3D, f: Tensor3D) => native.executeSingleOutput('ReluGrad', float, [t, f]);
  type Kernel = (inputs: Record<string, Tensor3D>, attributes: Record<string, unknown>) => Tensor3D;
  const register = (kernelName: string, kernel: Kernel) => {
    const kernelFunc: KernelFunc = ({ inputs, attrs }) =>
      tidy(() => kernel(inputs as Record<string, Tensor3D>, attrs ?? {}));
    registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc });
  };

  register('ReluTangent', ({ f, t }) => gated(t!, f!));
  // g' df + (g' f - relu(f)): df itself where the gate stays open, since the bracket is then exactly 0.
  register('ReluDifference', ({ f, df }) => {
    const after = add(f!, df!);
    return add(gated(df!, after), sub(gated(f!, after), relu(f!)));
  });
  register('Product', ({ a, b }, { transposed }) => matMul(a!, b!, transposed === true, false));
  register('InnerProducts', ({ a, b }) => matMul(a!, b!, false, true));
}

const run = (kernel: string, inputs: object, attributes: object): Tensor3D =>
  engine().runKernel(kernel, inputs as never, attributes as never);

function matMul(a: Tensor3D, b: Tensor3D, transposeA: boolean, transposeB: boolean): Tensor3D {
  const [lanes, rows, inner] = transposeA ? [a.shape[0], a.shape[2], a.shape[1]] : a.shape;
  const columns = b.shape[transposeB ? 1 : 2]!;
  const multiply = (a: Tensor3D, b: Tensor3D) => run('BatchMatMul', { a, b }, { transposeA, transposeB });
  const isVector = Math.min(rows, inner, columns) === 1;
  if (lanes > 1 || isVector || rows * inner * columns > FEW_MULTIPLICATIONS) return multiply(a, b);
  const twice = (x: Tensor3D) => run('Concat', [x, x], { axis: 0 });
  return run('Slice', { x: multiply(twice(a), twice(b)) }, { begin: [0, 0, 0], size: [1, rows, columns] });
}
