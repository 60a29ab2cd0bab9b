import type { Tensor, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openForModels, tf } from '../model-under-test.js';
import { scoped, velocitiesOf } from './derivatives.js';

beforeAll(openForModels);

const draw = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);

/** Operations of tensors, with the shapes of what is moved. */
const CASES: Readonly<Record<string, readonly [(...xs: Tensor[]) => Tensor, ...number[][]]>> = {
  elu: [(x) => tf.elu(x!), [40]],
  'max pooling': [(x) => tf.maxPool(x as Tensor4D, 3, 2, 'same'), [2, 6, 5, 3]],
  'average pooling': [(x) => tf.avgPool(x as Tensor4D, [2, 3], 2, 'same'), [2, 6, 5, 3]],
  'average pooling 3d': [(x) => tf.avgPool3d(x as Tensor5D, 2, 2, 'valid'), [1, 4, 4, 4, 2]],
  convolution: [(x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, 2, 'same'), [2, 6, 5, 3], [3, 3, 3, 4]],
  'convolution of a stride, without a pad': [
    (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, [2, 3], 'valid'),
    [2, 7, 8, 2],
    [3, 2, 2, 3],
  ],
  'transposed convolution': [
    (x, w) => tf.conv2dTranspose(x as Tensor4D, w as Tensor4D, [2, 6, 6, 4], 2, 'same'),
    [2, 3, 3, 3],
    [3, 3, 4, 3],
  ],
  'depthwise convolution': [
    (x, w) => tf.depthwiseConv2d(x as Tensor4D, w as Tensor4D, 1, 'same'),
    [2, 5, 4, 3],
    [3, 3, 3, 2],
  ],
  'convolution 3d': [
    (x, w) => tf.conv3d(x as Tensor5D, w as Tensor5D, 1, 'same'),
    [1, 4, 4, 4, 2],
    [2, 2, 2, 2, 3],
  ],
  'strided slice': [(x) => tf.stridedSlice(x!, [0, 3], [4, 0], [2, -1]), [4, 5]],
  'tile of a row': [(x) => tf.tile(x!, [5]), [7]],
  'tile of all axes': [(x) => tf.tile(x!, [2, 1, 3]), [2, 3, 4]],
  gather: [(w) => tf.gather(w!, tf.tensor1d([1, 2, 0, 1], 'int32')), [5, 4]],
  'bilinear resizing': [(x) => tf.image.resizeBilinear(x as Tensor4D, [7, 6]), [1, 3, 4, 2]],
  'nearest resizing': [(x) => tf.image.resizeNearestNeighbor(x as Tensor4D, [6, 8]), [1, 3, 4, 2]],
  einsum: [(x, w) => tf.einsum('bij,jk->bki', x!, w!), [2, 3, 4], [4, 5]],
  'batched product': [(x, w) => tf.matMul(x!, w!, true, false), [2, 4, 3], [2, 4, 5]],
  'product transposed': [(x, w) => tf.matMul(x!, w!, false, true), [2, 2, 4, 3], [2, 2, 5, 3]],
};

describe('two vector-Jacobian products give the velocity of an operation, as central differences do', () => {
  test.each(Object.keys(CASES))('%s', (name) => {
    const [operation, ...shapes] = CASES[name]!;
    scoped(() => {
      // Far from ties, which a step would pass.
      const size = name === 'max pooling' ? 30 : 1;
      const xs = shapes.map((shape, i) => tf.mul(draw(shape, 7 + i), size));
      const vs = shapes.map((shape, i) => draw(shape, 70 + i));
      const zero = tf.zerosLike(operation(...xs));
      const [velocity] = velocitiesOf(() => [operation(...xs)], [zero], xs, vs);
      // Piecewise bilinear at the most: a difference has rounding alone, 1e-7 / step, unless a step passes a kink.
      const step = name === 'elu' || name === 'max pooling' ? 1e-2 : 1e-3;
      const moved = (sign: number) => operation(...xs.map((x, i) => tf.add(x, tf.mul(vs[i]!, sign * step))));
      const difference = tf.div(tf.sub(moved(1), moved(-1)), 2 * step);
      const error = tf.norm(tf.sub(velocity!, difference)).dataSync()[0]!;
      expect(error / tf.norm(difference).dataSync()[0]!).toBeLessThan(2e-3);
    });
  });
});

test('a second derivative that is missing is an error, not a zero', () => {
  const x = draw([3, 4], 1);
  const sums = () => [tf.einsum('ij->i', x)];
  expect(() => velocitiesOf(sums, [tf.zeros([3])], [x], [x])).toThrow('sums one tensor alone');
});
