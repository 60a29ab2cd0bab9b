/**
 * The kernels of the paper for one sample: two as operators, by a tangent and a backward pass each, and the one of the outputs
 * as a matrix.
 *
 *     BFK  K_v  = sum_{l <= v} eta_l (d f_v / d w_l) (d f_v / d w_l)^T                 Eq. 5:   fdot_v = -K_v b_v
 *     FBK  K~_v = sum_{l > v}  eta_l |b_l|^2 (d g_{l-1} / d f_v)^T (d g_{l-1} / d f_v)   Eq. 14:  bdot_v = -K~_v f_v
 *
 * The second is of an MLP with a linear loss; its sign is Lemma A.1's, where Eq. 14 leaves it out. Features of an MLP are
 * g_v, as in `step.ts`. All lanes have one depth.
 */
import * as tf from '@tensorflow/tfjs-core';
import { addScaled, innerProducts, squaredNorms } from '../ops.js';
import type { Chain } from '../step/chain.js';
import type { Step } from '../step/step.js';
import { column, gated, pull, push } from '../step/tangent.js';

/**
 * K_v u for every row u.
 *
 * @param step that was taken, with its states kept; one sample.
 * @param layer v in 1 .. L-1.
 * @param u [lanes, rows, m].
 */
export function backwardFeatureKernel(step: Step, layer: number, u: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const { network } = step;
    const end = distanceOf(step, layer);
    /** (d f_v / d f_l)^T u, at the matrices of each layer. */
    const outputs: tf.Tensor3D[][] = [];
    let b = u;
    for (let distance = end; distance <= network.farthest; distance++) {
      const isFirst = distance === network.farthest;
      const pulled = pull(chainAt(step, distance), b, undefined, isFirst);
      outputs[distance] = pulled.outputs;
      if (!isFirst) b = network.addSkip(pulled.out, b);
    }
    let z: tf.Tensor3D | undefined;
    for (let distance = network.farthest; distance >= end; distance--) {
      const pushed = push(chainAt(step, distance), z, outputs[distance]).out!;
      z = z ? network.addSkip(pushed, z) : pushed;
    }
    return z!;
  });
}

/**
 * K~_v u for every row u, of an MLP.
 *
 * @param step that was taken, with its states kept; one sample.
 * @param layer v in 1 .. L-1.
 * @param u [lanes, rows, m].
 */
export function featureBackwardKernel(step: Step, layer: number, u: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const start = distanceOf(step, layer);
    const first = chainAt(step, start);
    const last = first.pieces.length - 1;
    if (first.pieces[last] !== 'phi') throw new Error('Eq. 14 is of an MLP');
    /** (d g_{l-1} / d f_v) u, as the matrices of the layers that follow take it. */
    const inputs: (tf.Tensor3D | undefined)[][] = [];
    let g = gated(first, last, u);
    for (let distance = start - 1; distance >= 0; distance--) {
      const pushed = push(chainAt(step, distance), g);
      inputs[distance] = pushed.inputs;
      g = pushed.out!;
    }
    let back = tf.zerosLike(g);
    for (let distance = 0; distance < start; distance++) {
      back = pull(chainAt(step, distance), back, inputs[distance]).out;
    }
    return gated(first, last, back);
  });
}

/**
 * K_L of each lane, [lanes x k x k]: Eq. 5 with v = L, the Neural Tangent Kernel of the outputs. By one backward pass an output.
 *
 * @param step that was taken, with its states kept; one sample.
 */
export function outputKernel(step: Step): Float32Array {
  return tf.tidy(() => {
    const { network } = step;
    const { outputWidth: k } = network.shape;
    /** d f_L / d f_l, a row an output. */
    let b: tf.Tensor3D = tf.tile(tf.expandDims<tf.Tensor3D>(tf.eye(k)), [network.lanes.length, 1, 1]);
    let kernel: tf.Tensor3D = tf.zeros([network.lanes.length, k, k]);
    distanceOf(step, 1);
    for (let distance = 0; distance <= network.farthest; distance++) {
      const chain = chainAt(step, distance);
      const { out, outputs } = pull(chain, b, undefined, distance === network.farthest);
      chain.descents.forEach(({ rates, input }, i) => {
        const eta = column(chain, rates, squaredNorms(input));
        kernel = addScaled(kernel, eta, innerProducts(outputs[i]!, outputs[i]!));
      });
      b = distance === 0 ? out : network.addSkip(out, b);
    }
    return kernel.dataSync<'float32'>();
  });
}

/** The chain of all lanes at a distance. */
function chainAt({ readout, layers }: Step, distance: number): Chain {
  const { block, embedding } = layers[distance] ?? {};
  return distance === 0 ? readout : (block ?? embedding)!;
}

/** @throws Error for several samples, and for lanes of several depths. */
function distanceOf({ network: { lanes, shape } }: Step, layer: number): number {
  if (shape.samples !== 1 || lanes.some(({ depth }) => depth !== lanes[0]!.depth)) {
    throw new Error('kernels are of one sample, and of lanes of one depth');
  }
  return lanes[0]!.depth - layer;
}
