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
import type { Activation } from './activation.js';
import { addScaled, innerProducts, mul, squaredNorms } from './ops.js';
import type { Step } from './step.js';

/**
 * K_v u for every row u.
 *
 * @param step that was taken, with its states kept; one sample.
 * @param layer v in 1 .. L-1.
 * @param u [lanes, rows, m].
 */
export function backwardFeatureKernel(step: Step, layer: number, u: tf.Tensor3D): tf.Tensor3D {
  return tf.tidy(() => {
    const { network, layers, activation, distanceOf, column } = passes(step, u.shape[1]);
    const isMlp = network.settings.architecture === 'mlp';
    const end = distanceOf(layer);
    const gate = (distance: number, t: tf.Tensor3D) => activation.tangent(layers[distance]!, t);
    /** (d f_v / d f_l)^T u by distance. */
    const b: tf.Tensor3D[] = [];
    b[end] = isMlp ? gate(end, u) : u;
    for (let distance = end; distance < network.farthest; distance++) {
      const branch = gate(distance + 1, network.weights('hidden', distance).transposeTimes(b[distance]!));
      b[distance + 1] = network.addSkip(branch, b[distance]!);
    }
    const { embedding } = step.layers[network.farthest]!;
    let z = mul(column(embedding!.rates, squaredNorms(embedding!.input)), b[network.farthest]!);
    for (let distance = network.farthest - 1; distance >= end; distance--) {
      const { weights, rates, input } = step.layers[distance]!.block!;
      const moved = network.addSkip(weights.times(gate(distance + 1, z)), z);
      z = addScaled(moved, column(rates, squaredNorms(input)), b[distance]!);
    }
    return isMlp ? gate(end, z) : z;
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
    const { network, layers, activation, distanceOf, column } = passes(step, u.shape[1]);
    if (network.settings.architecture !== 'mlp') throw new Error('Eq. 14 is of an MLP');
    const start = distanceOf(layer);
    const gate = (distance: number, t: tf.Tensor3D) => activation.tangent(layers[distance]!, t);
    /** (d g_l / d f_v) u by distance. */
    const g: tf.Tensor3D[] = [];
    g[start] = gate(start, u);
    for (let distance = start - 1; distance >= 1; distance--) {
      g[distance] = gate(distance, network.weights('hidden', distance).times(g[distance + 1]!));
    }
    /** eta_{l+1} |b_{l+1}|^2 g_l, and what comes from behind. */
    const { readout } = step;
    let back = mul(column(readout!.rates, squaredNorms(readout!.backward)), g[1]!);
    for (let distance = 1; distance < start; distance++) {
      const { weights, rates, backward } = step.layers[distance]!.block!;
      const passed = weights.transposeTimes(gate(distance, back));
      back = addScaled(passed, column(rates, squaredNorms(backward)), g[distance + 1]!);
    }
    return gate(start, back);
  });
}

/**
 * K_L of each lane, [lanes x k x k]: Eq. 5 with v = L, the Neural Tangent Kernel of the outputs. By one backward pass an output.
 *
 * @param step that was taken, with its states kept; one sample.
 */
export function outputKernel(step: Step): Float32Array {
  return tf.tidy(() => {
    const { outputWidth: k } = step.network.shape;
    const { network, layers, activation, column } = passes(step, k);
    const isMlp = network.settings.architecture === 'mlp';
    const { readout } = step;
    const units = tf.tile(tf.expandDims<tf.Tensor3D>(tf.eye(k)), [network.lanes.length, 1, 1]);
    let kernel = mul(column(readout!.rates, squaredNorms(readout!.input)), units);
    /** d f_L / d f_l, or d f_L / d g_l of an MLP, a row an output. */
    let arriving = readout!.weights.transposeTimes(units);
    for (let distance = 1; ; distance++) {
      const b = isMlp ? activation.tangent(layers[distance]!, arriving) : arriving;
      const { block, embedding } = step.layers[distance]!;
      const { rates, input } = (block ?? embedding)!;
      kernel = addScaled(kernel, column(rates, squaredNorms(input)), innerProducts(b, b));
      if (!block) return kernel.dataSync<'float32'>();
      const branch = block.weights.transposeTimes(b);
      arriving = isMlp ? branch : network.addSkip(activation.tangent(layers[distance + 1]!, branch), b);
    }
  });
}

/** What the kernels need: features of the one sample for every row, and numbers of lanes as tensors. */
function passes(step: Step, rows: number) {
  const { network } = step;
  const { lanes, shape } = network;
  if (shape.samples !== 1 || lanes.some(({ depth }) => depth !== lanes[0]!.depth)) {
    throw new Error('kernels are of one sample, and of lanes of one depth');
  }
  const layers: tf.Tensor3D[] = step.layers.map(({ features }) => tf.tile(features, [1, rows, 1]));
  return {
    network,
    layers,
    activation: network.settings.activation as Activation,
    distanceOf: (layer: number) => lanes[0]!.depth - layer,
    column: (rates: readonly number[], norms: ArrayLike<number>): tf.Tensor3D =>
      network.upload(
        Float32Array.from(rates, (rate, i) => rate * norms[i]!),
        lanes.length,
        1,
        1,
      ),
  };
}
