/** Tensors as the library's own bundle has them, with operations as methods: its layers, and modules of users, call some. */
import * as core from '@tensorflow/tfjs-core';
import * as tfjsLayers from '@tensorflow/tfjs-layers';

/** What a module is given to build with: the operations and layers of the library, so that no second copy is loaded. */
export type Tf = Omit<typeof core & typeof tfjsLayers, 'default'>;

/** Words of operations that tensors have as methods in the library's own bundle. */
const METHODS =
  'abs add all any argMax argMin batchNorm cast clipByValue concat conv1d conv2d cos cumsum div divNoNan dot elu equal erf exp ' +
  'expandDims expm1 flatten floor gather greater greaterEqual leakyRelu less lessEqual log log1p logSigmoid logSoftmax logSumExp ' +
  'logicalAnd logicalNot logicalOr matMul max maximum maxPool avgPool mean min minimum mod mul neg norm notEqual oneHot onesLike ' +
  'pad pow prelu prod reciprocal relu relu6 reshape reverse round rsqrt selu sigmoid sign sin slice softmax softplus split sqrt ' +
  'square squaredDifference squeeze stack step stridedSlice sub sum tan tanh tile topk transpose unstack where zerosLike';

/** The library, with its operations as methods of tensors too: `x.add(y)` as well as `tf.add(x, y)`. */
export function withMethods(): Tf {
  const tf: Tf = { ...core, ...tfjsLayers };
  const prototype = core.Tensor.prototype as unknown as Record<string, unknown>;
  const operations = tf as unknown as Record<string, ((...operands: unknown[]) => unknown) | undefined>;
  for (const name of METHODS.split(' ')) {
    const operation = operations[name === 'flatten' ? 'reshape' : name];
    if (!operation || name in prototype) continue;
    prototype[name] =
      name === 'where'
        ? function (this: unknown, condition: unknown, other: unknown) {
            return operation(condition, this, other);
          }
        : function (this: unknown, ...operands: unknown[]) {
            return operation(this, ...(name === 'flatten' ? [[-1]] : operands));
          };
  }
  return tf;
}
