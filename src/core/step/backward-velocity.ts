/**
 * The velocity of the backward pass (section 6.1), by differentiating its recursion in time:
 *
 *     bdot_L     = (d^2 loss / d f_L^2) fdot_L
 *     bdot_{L-1} = W_L^T bdot_L - eta_L G_L^T b_L                                                          resnet
 *     bdot_{l-1} = a bdot_l + phi'(f_{l-1}) * ( M_l^T bdot_l - beta^2 eta_l G_l^T b_l )
 *
 * For an MLP the first line of the two is zdot_{L-1}, a = 0, and bdot_l = phi'(f_l) * zdot_l. The terms with phi'' are
 * left out: they vanish for homogeneous activations, at the points where these have a derivative.
 */
import * as tf from '@tensorflow/tfjs-core';
import { joined } from '../ops.js';
import type { Step } from './step.js';

/** One layer of the lanes that have one at this distance; tensors are [active, n, m] and freed after the visit. */
export interface BackwardVelocity {
  readonly distance: number;
  /** f_l, also of an MLP. */
  readonly features: tf.Tensor3D;
  /** b_l. */
  readonly backward: tf.Tensor3D;
  /** bdot_l. */
  readonly velocity: tf.Tensor3D;
}

/**
 * Shows bdot_l of every layer to `visit`, from the last to the first.
 *
 * @param step a velocity that was taken, with its states kept.
 * @throws Error for an activation that is not homogeneous.
 */
export function backwardVelocity(step: Step, visit: (layer: BackwardVelocity) => void): void {
  const { network, layers, readout } = step;
  const { shape } = network;
  if (!network.settings.activation.isHomogeneous) {
    throw new Error('the velocity of b_l is known for homogeneous activations');
  }
  const curvature = step.output.eachLane((loss, _, own) =>
    loss.curvature(own(step.output.values), own(step.output.change), shape),
  );
  // Beside the descent of a readout that learns it is nothing.
  const { rates } = readout.descents[0]!;
  const size = shape.samples * shape.outputWidth;
  const moves = (lane: number) =>
    step.output.change.subarray(lane * size, (lane + 1) * size).some((change) => change !== 0);
  step.output.checkRange(curvature, (lane) => rates[lane] === 0 && moves(lane));
  const upload = (values: ArrayLike<number>) =>
    network.upload(Float32Array.from(values), network.lanes.length, shape.samples, shape.outputWidth);
  let arriving = tf.tidy(() => {
    const velocity = upload(curvature);
    step.proof.backwardVelocity(0, upload(step.output.values), velocity);
    return readout.backwardVelocity(velocity);
  });
  for (let distance = 1; arriving; distance++) {
    const own: tf.Tensor3D = arriving;
    const { block, embedding } = layers[distance]!;
    arriving = tf.tidy(() => {
      // Of an MLP what is shown is on the way through the layer; of a ResNet it is what arrives.
      const inner: tf.Tensor3D[] = [];
      const passed = [block, embedding].map((chain) => {
        if (!chain) return undefined;
        const { first, lanes } = chain.place;
        const part = tf.slice(own, [first, 0, 0], [lanes.length, own.shape[1], own.shape[2]]);
        const last = chain.pieces.length - 1;
        const hasEnd = chain.pieces[last] === 'phi';
        if (!hasEnd) inner.push(part);
        const arrived = chain.backwardVelocity(part, chain === embedding, (i, bdot) => {
          if (hasEnd && i === last) inner.push(bdot);
        });
        return arrived && network.addSkip(arrived, part);
      });
      const velocity = joined(inner);
      const { features, backward } = step.preactivations(distance);
      step.proof.backwardVelocity(distance, features, velocity);
      visit({ distance, features, backward, velocity });
      return passed[0];
    });
    own.dispose();
  }
}
