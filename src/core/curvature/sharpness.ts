/** The sharpness of the loss at a step: the largest eigenvalue of its Hessian. */
import type * as tf from '@tensorflow/tfjs-core';
import { MATRICES, type MatrixKind } from '../../architectures/architecture.js';
import { ROLE, SECOND_MATRIX } from '../random.js';
import type { Chain, Descent } from '../step/chain.js';
import { learns } from '../step/lane.js';
import type { Step } from '../step/step.js';
import { Hessian } from './hessian.js';
import { largestEigenvalues } from './lanczos.js';

/**
 * By which factor P of a matrix its parameters are measured, in P H P:
 *
 * - `parameters`: the trained ones, V_l and not beta V_l, whose gradient has another beta; of the layers that learn.
 * - `step`: those in which the step of every layer is minus the gradient, w_l / sqrt(dt eta_l).
 */
const FACTORS = {
  parameters: ({ network, settings }: Step, { matrix }: Descent, { place }: Chain) =>
    place.lanes.map(({ depth, branchScale }) => {
      if (!learns(settings.train, depth - place.distance, depth)) return 0;
      return network.isBranch(matrix) ? branchScale : 1;
    }),
  step: (_: Step, { steps }: Descent) => steps.map(Math.sqrt),
} as const;

/**
 * The largest eigenvalue of P H P for the samples of a step, by lane, within 0.1 % (`lanczos.ts`).
 *
 * Of the `parameters` it is the sharpness. Of the `step` it is the largest eigenvalue of dt eta^(1/2) H eta^(1/2), which for one rate
 * of all layers is dt eta times the sharpness: gradient descent on a quadratic loss grows along an eigenvector where it is above 2
 * (Cohen et al. 2021, and with a preconditioner 2022). It does not change where layers are rescaled that learn by Eq. 8 (Prop. 6.2).
 *
 * @param step that was taken, with its states kept, of weights that are formed.
 * @throws Error for weights that are never formed.
 * @returns NaN where nothing learns, where no eigenvalue is found, and where float32 does not hold what it is made of, or the step.
 */
export function sharpness(step: Step, of: keyof typeof FACTORS): Float64Array {
  if (step.network.settings.weights === 'matrix-free') {
    throw new Error('a sharpness is of weights that are formed; take dense ones');
  }
  const hessian = new Hessian(step, (descent, chain) => FACTORS[of](step, descent, chain));
  const values = largestEigenvalues(hessian, startOf(step, hessian));
  hessian.dispose();
  const { broken, overflow } = step.proof;
  const isLost = (lane: number) =>
    hessian.isLost[lane] || broken[lane] !== undefined || overflow[lane] !== undefined;
  return values.map((value, lane) => (isLost(lane) ? Number.NaN : value));
}

/** A random direction of the weights that count: for each matrix a stream of its own. */
function startOf({ network }: Step, { matrices }: Hessian): tf.Tensor3D[] {
  const { backend, sampler } = network.source;
  return matrices.map(({ descent, chain, factors }) => {
    const { isInner }: MatrixKind = MATRICES[descent.matrix];
    const role = (isInner ? SECOND_MATRIX : 0) + ROLE.DIRECTION;
    const { lanes, distance } = chain.place;
    const streams = lanes.map(({ seed, depth }) => ({ seed, layer: depth - distance, role }));
    const scales = factors.map((factor) => (factor > 0 ? 1 : 0));
    const shape: [number, number, number] = [lanes.length, descent.backward.shape[2], descent.input.shape[2]];
    return backend.filled(shape, (numbers) => sampler.fill(numbers, { streams, scales }));
  });
}
