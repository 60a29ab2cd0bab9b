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
import { gradient } from './gradient.js';
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
  const { network, layers } = step;
  const { shape } = network;
  const { activation, architecture } = network.settings;
  if (!activation.isHomogeneous) throw new Error('the velocity of b_l is known for homogeneous activations');

  /** M^T bdot - rate G^T b for one matrix. */
  const arrivingAt = (descent: NonNullable<Step['readout']>, bdot: tf.Tensor3D) => {
    const { weights, backward, input, rates } = descent;
    const y = weights.transposeTimes(bdot);
    step.proof.range(descent);
    if (rates.every((rate) => rate === 0)) return y;
    const transposed = gradient(input, backward);
    const result = transposed.descend(y, rates, backward);
    transposed.dispose();
    return result;
  };

  const curvature = step.eachLane((loss, _, own) =>
    loss.curvature(own(step.output), own(step.outputChange), shape),
  );
  // Beside the descent of a readout that learns it is nothing.
  const { rates } = step.readout!;
  const size = shape.samples * shape.outputWidth;
  const moves = (lane: number) =>
    step.outputChange.subarray(lane * size, (lane + 1) * size).some((change) => change !== 0);
  step.checkRange(curvature, (lane) => rates[lane] === 0 && moves(lane));
  const upload = (values: ArrayLike<number>) =>
    network.upload(Float32Array.from(values), network.lanes.length, shape.samples, shape.outputWidth);
  let arriving = tf.tidy(() => {
    const velocity = upload(curvature);
    step.proof.backwardVelocity(0, upload(step.output), velocity);
    return arrivingAt(step.readout!, velocity);
  });
  let velocity = arriving;
  for (let distance = 1; ; distance++) {
    const { features, backward, block } = layers[distance]!;
    if (architecture === 'mlp') velocity = tf.tidy(() => activation.tangent(features, arriving));
    step.proof.backwardVelocity(distance, features, velocity);
    visit({ distance, features, backward: backward!, velocity });
    const previous = layers[distance + 1]?.features;
    const next =
      block && previous
        ? tf.tidy(() => {
            const own = tf.slice(velocity, [0, 0, 0], previous.shape);
            const branch = arrivingAt(block, own);
            return architecture === 'mlp'
              ? branch
              : network.addSkip(activation.tangent(previous, branch), own);
          })
        : undefined;
    tf.dispose([arriving, velocity]);
    if (!next) return;
    arriving = next;
    velocity = next;
  }
}
