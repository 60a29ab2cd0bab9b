/** Scales that normalize themselves: the automatic scaling of section 4.2, with Eq. 8 for the rates. */

import { backwardFeatureAngle, layerNorms, norm } from '../measurements/measure.js';
import type { Shape } from '../step/lane.js';
import type { Network, WeightsName } from '../step/network.js';
import { Step, type StepSettings } from '../step/step.js';
import { findOutputScale, type OutputScale } from './output-scale.js';

/**
 * Scales W_1 and M_l so that |f_1|_rms = 1 and |V_l q_{l-1}|_rms = 1 (forward layer normalization), and W_L so that
 * |b_{L-1}|_rms = 1 / (n m cos theta_{L-1}), Eq. 7, with the angle as measured (backward layer normalization): at the
 * smallest scale that does it. Eq. 7 has a solution for a squared loss, and for a linear one; for the cross-entropy b_L falls
 * exponentially where every sample is classified right, so that there may be none.
 *
 * @param network whose settings say that it is normalized.
 * @returns n m |b_{L-1}|_rms cos(theta_{L-1}) of each lane: 1 where Eq. 7 holds, less where it has no solution, at the scale
 * that comes nearest to it; 0 where no feature moves, and so no angle exists; NaN after an overflow.
 */
export function normalizeNetwork(
  network: Network,
  settings: Omit<StepSettings, 'kind' | 'keepsStates'>,
): Float64Array {
  const { lanes, shape } = network;
  const { loss } = settings;
  const size = shape.samples * shape.outputWidth;
  let directions = lanes.map(({ target }) => unit(loss.slope(new Float64Array(size), target, shape)));
  let { rho, outputs } = pilot(network, settings, directions);
  const searches = lanes.map(({ target }, i) => {
    const f = outputs.slice(i * size, (i + 1) * size);
    const slope = (s: number) =>
      loss.slope(
        f.map((x) => s * x),
        target,
        shape,
      );
    return findOutputScale(slope, { direction: directions[i]!, rho: rho[i]! });
  });
  let states = searches.map((search) => search.next());
  while (states.some(({ done }) => !done)) {
    directions = states.map(({ done, value }, i) => (done ? directions[i]! : (value as Float64Array)));
    ({ rho, outputs } = pilot(network, settings, directions));
    states = searches.map((search, i) => (states[i]!.done ? states[i]! : search.next(rho[i]!)));
  }
  const found = states.map(({ value }) => value as OutputScale);
  network.weights('output', 0).rescale(found.map(({ scale }) => scale));
  network.begin();
  return Float64Array.from(found, ({ reached }) => reached);
}

/**
 * Whether a network must have a batch of its own to be normalized: weights that are never formed draw their products one by
 * one, and lanes of a batch take equally many velocity steps, so that what a lane draws would depend on the others. With one
 * output and sample all take one.
 */
export function isNormalizedAlone(weights: WeightsName, { samples, outputWidth }: Shape): boolean {
  return weights === 'matrix-free' && samples * outputWidth > 1;
}

/** A velocity step with b_L of a given direction in each lane: rho = sqrt(n m) |b_{L-1}|_2 cos(theta_{L-1}), and f_L. */
function pilot(
  network: Network,
  settings: Omit<StepSettings, 'kind' | 'keepsStates'>,
  directions: readonly Float64Array[],
): { rho: Float64Array; outputs: Float64Array } {
  const { lanes, shape } = network;
  const size = shape.samples * shape.width;
  const slope = Float64Array.from(directions.flatMap((direction) => Array.from(direction)));
  const step = new Step(network, { ...settings, kind: 'velocity', keepsStates: true, slope });
  const rho = new Float64Array(lanes.length);
  step.take(({ distance, features, backward, change }) => {
    if (distance !== 1) return;
    const states = [features, backward, change].map((tensor) => tensor.dataSync<'float32'>());
    rho.forEach((_, i) => {
      const [f, b, velocity] = states.map((state) => state.subarray(i * size, (i + 1) * size));
      const norms = layerNorms(f!, b!, velocity!);
      const isStill = norms.backward === 0 || norms.change === 0;
      const cosine = isStill ? 0 : Math.cos(backwardFeatureAngle(b!, velocity!, norms));
      rho[i] = Math.sqrt(size) * norms.backward * cosine;
    });
  });
  const outputs = Float64Array.from(step.output.values);
  step.dispose();
  return { rho, outputs };
}

/** x / |x|; the direction of the diagonal for 0, which has none. */
function unit(x: Float64Array): Float64Array {
  const length = norm(x);
  return length === 0 ? x.fill(1 / Math.sqrt(x.length)) : x.map((entry) => entry / length);
}
