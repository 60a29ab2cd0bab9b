/**
 * Gradients of operations that occur in gradients, which the tensor library lacks: a second derivative goes through them.
 *
 * Each is linear in `dy`, and most are adjoint to an operation that the library has, so that their gradient is that operation.
 */
import {
  avgPool,
  avgPool3d,
  cast,
  conv2d,
  conv3d,
  depthwiseConv2d,
  einsum,
  engine,
  gather,
  getGradient,
  image,
  less,
  maxPoolWithArgmax,
  mul,
  type NamedTensorMap,
  range,
  registerGradient,
  reshape,
  stridedSlice,
  sum,
  type Tensor,
  type Tensor4D,
  type Tensor5D,
  unregisterGradient,
  unsortedSegmentSum,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';

// biome-ignore lint/suspicious/noExplicitAny: attributes of a kernel are of any type, and each names its own
type Attributes = any;
type Derivatives = Record<string, () => Tensor>;

/** What is saved, by name, and the derivatives of the sum of `dy` times the operation. */
interface Rule {
  readonly saves: readonly string[];
  readonly derivatives: (dy: Tensor, saved: readonly Tensor[], attributes: Attributes) => Derivatives;
}

const run = (kernel: string, inputs: NamedTensorMap, attributes: object = {}): Tensor =>
  engine().runKernel(kernel, inputs, attributes as never);

/** The shape of a tensor that is there for its shape alone has no derivative. */
const none = (x: Tensor) => () => zerosLike(x);

const RULES: Readonly<Record<string, Rule>> = {
  // dy where y >= 0, else dy (y + 1)
  EluGrad: {
    saves: ['dy', 'y'],
    derivatives: (u, [dy, y]) => ({
      dy: () => run('EluGrad', { dy: u, y: y! }),
      y: () => where(less(y!, 0), mul(u, dy!), zerosLike(y!)),
    }),
  },
  AvgPoolGrad: {
    saves: ['input'],
    derivatives: (u, [input], { filterSize, strides, pad, dimRoundingMode }) => ({
      dy: () => avgPool(u as Tensor4D, filterSize, strides, pad, dimRoundingMode),
      input: none(input!),
    }),
  },
  AvgPool3DGrad: {
    saves: ['input'],
    derivatives: (u, [input], { filterSize, strides, pad, dimRoundingMode }) => ({
      dy: () => avgPool3d(u as Tensor5D, filterSize, strides, pad, dimRoundingMode),
      input: none(input!),
    }),
  },
  // dy goes to where each window has its first largest entry; piecewise constant in the input.
  MaxPoolGrad: {
    saves: ['input', 'output'],
    derivatives: (u, [input, output], { filterSize, strides, pad }) => ({
      dy: () => {
        const { indexes } = maxPoolWithArgmax(input as Tensor4D, filterSize, strides, pad, true);
        return reshape(
          gather(reshape(u, [-1]), reshape(indexes!, [-1]) as never, 0),
          (indexes as Tensor).shape,
        );
      },
      input: none(input!),
      output: none(output!),
    }),
  },
  Conv2DBackpropFilter: {
    saves: ['x', 'dy'],
    derivatives: (u, [x, dy], { strides, pad, dataFormat, dimRoundingMode }) => ({
      x: () =>
        run(
          'Conv2DBackpropInput',
          { dy: dy!, filter: u },
          { strides, pad, dataFormat, dimRoundingMode, inputShape: x!.shape },
        ),
      dy: () =>
        conv2d(x as Tensor4D, u as Tensor4D, strides, pad, dataFormat ?? 'NHWC', [1, 1], dimRoundingMode),
    }),
  },
  DepthwiseConv2dNativeBackpropInput: {
    saves: ['dy', 'filter'],
    derivatives: (u, [dy, filter], { strides, pad, dilations, dimRoundingMode }) => ({
      dy: () =>
        depthwiseConv2d(
          u as Tensor4D,
          filter as Tensor4D,
          strides,
          pad,
          'NHWC',
          dilations ?? [1, 1],
          dimRoundingMode,
        ),
      filter: () =>
        run(
          'DepthwiseConv2dNativeBackpropFilter',
          { x: u, dy: dy! },
          { strides, pad, dilations, dimRoundingMode, filterShape: filter!.shape },
        ),
    }),
  },
  DepthwiseConv2dNativeBackpropFilter: {
    saves: ['x', 'dy'],
    derivatives: (u, [x, dy], { strides, pad, dilations, dimRoundingMode }) => ({
      x: () =>
        run(
          'DepthwiseConv2dNativeBackpropInput',
          { dy: dy!, filter: u },
          { strides, pad, dilations, dimRoundingMode, inputShape: x!.shape },
        ),
      dy: () =>
        depthwiseConv2d(
          x as Tensor4D,
          u as Tensor4D,
          strides,
          pad,
          'NHWC',
          dilations ?? [1, 1],
          dimRoundingMode,
        ),
    }),
  },
  Conv3DBackpropInputV2: {
    saves: ['dy', 'filter'],
    derivatives: (u, [dy, filter], { strides, pad }) => ({
      dy: () => conv3d(u as Tensor5D, filter as Tensor5D, strides, pad),
      filter: () =>
        run('Conv3DBackpropFilterV2', { x: u, dy: dy! }, { strides, pad, filterShape: filter!.shape }),
    }),
  },
  Conv3DBackpropFilterV2: {
    saves: ['x', 'dy'],
    derivatives: (u, [x, dy], { strides, pad }) => ({
      x: () => run('Conv3DBackpropInputV2', { dy: dy!, filter: u }, { strides, pad, inputShape: x!.shape }),
      dy: () => conv3d(x as Tensor5D, u as Tensor5D, strides, pad),
    }),
  },
  ResizeBilinearGrad: {
    saves: ['images', 'dy'],
    derivatives: (u, [images, dy], { alignCorners, halfPixelCenters }) => ({
      dy: () => image.resizeBilinear(u as Tensor4D, sizeOf(dy!), alignCorners, halfPixelCenters),
      images: none(images!),
    }),
  },
  ResizeNearestNeighborGrad: {
    saves: ['images', 'dy'],
    derivatives: (u, [images, dy], { alignCorners, halfPixelCenters }) => ({
      dy: () => image.resizeNearestNeighbor(u as Tensor4D, sizeOf(dy!), alignCorners, halfPixelCenters),
      images: none(images!),
    }),
  },
  // Which entries a slice takes, it tells of their numbers, which float32 holds up to 2^24; dy goes back to them.
  StridedSlice: {
    saves: ['x'],
    derivatives: (dy, [x], attributes) => ({
      x: () => {
        if (x!.size > LARGEST_EXACT)
          throw new Error('no second derivative of a strided slice of so many numbers');
        const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } =
          attributes;
        const numbers = stridedSlice(
          reshape(range(0, x!.size), x!.shape),
          begin,
          end,
          strides,
          beginMask,
          endMask,
          ellipsisMask,
          newAxisMask,
          shrinkAxisMask,
        );
        const sums = unsortedSegmentSum(
          reshape(dy, [-1]),
          cast(reshape(numbers, [-1]), 'int32') as never,
          x!.size,
        );
        return reshape(sums, x!.shape);
      },
    }),
  },
};

/**
 * Gradients that the library has, but at a cost: that of a tile takes a slice and a sum for each copy, and a second derivative as many
 * again. Layer norm tiles its scale over all that is before the last axis. Here it is one sum over the copies.
 */
const FASTER: Readonly<Record<string, Rule>> = {
  Tile: {
    saves: ['x'],
    derivatives: (dy, [x], { reps }) => ({
      x: () => {
        const byCopy = x!.shape.flatMap((length, axis) => [reps[axis] as number, length]);
        const copies = x!.shape.map((_, axis) => 2 * axis);
        return reshape(sum(reshape(dy, byCopy), copies), x!.shape);
      },
    }),
  },
};

/** Up to 2^24 float32 holds every whole number. */
const LARGEST_EXACT = 16_777_216;

const sizeOf = (images: Tensor): [number, number] => [images.shape[1]!, images.shape[2]!];

/**
 * A product of one or two tensors: the derivative by one is the product of dy with the other, as long as every index of it
 * stands in the result or in the other.
 */
function einsumDerivatives(dy: Tensor, tensors: readonly Tensor[], equation: string): Derivatives {
  const [left, right] = equation.replace(/\s/g, '').split('->') as [string, string | undefined];
  const terms = left.split(',');
  if (right === undefined || equation.includes('.')) {
    throw new Error(
      `no second derivative of einsum with "${equation}", which leaves the result's indices open`,
    );
  }
  return Object.fromEntries(
    tensors.map((_, i) => [
      i,
      () => {
        const other = 1 - i;
        const known = `${right}${terms[other] ?? ''}`;
        if (![...terms[i]!].every((index) => known.includes(index))) {
          throw new Error(`no second derivative of einsum with "${equation}", which sums one tensor alone`);
        }
        return tensors.length === 1
          ? einsum(`${right}->${terms[i]}`, dy)
          : einsum(`${right},${terms[other]}->${terms[i]}`, dy, tensors[other]!);
      },
    ]),
  );
}

function register(kernelName: string, { saves, derivatives }: Rule): void {
  registerGradient({
    kernelName,
    inputsToSave: [...saves],
    gradFunc: (dy, saved, attributes) => derivatives(dy as Tensor, saved, attributes),
  });
}

let isRegistered = false;

/** Registers, once in a process, what is missing, or costs too much; other gradients of the library, or a user's own, stay. */
export function registerMissingGradients(): void {
  if (isRegistered) return;
  isRegistered = true;
  for (const [kernelName, rule] of Object.entries(RULES)) {
    if (!getGradient(kernelName)) register(kernelName, rule);
  }
  for (const [kernelName, rule] of Object.entries(FASTER)) {
    unregisterGradient(kernelName);
    register(kernelName, rule);
  }
  if (!getGradient('Einsum')) {
    registerGradient({
      kernelName: 'Einsum',
      saveAllInputs: true,
      gradFunc: (dy, saved, { equation }) => einsumDerivatives(dy as Tensor, saved, equation as string),
    });
  }
}
