/** Scales that normalize themselves: the automatic scaling of section 4.2, with Eq. 8 for the rates. */
import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from './lane.js';
import type { Loss } from './loss.js';
import { backwardFeatureAngle, layerNorms } from './measure.js';
import type { Network } from './network.js';
import { innerProducts, read } from './ops.js';
import { Step, type StepSettings } from './step.js';

/** The angle depends on the output scale through the direction of b_L only: not at all for one output and sample. */
const ROUNDS = 3;

/**
 * Scales W_1 and M_l so that |f_1|_rms = 1 and |V_l q_{l-1}|_rms = 1 (forward layer normalization), and W_L so that
 * |b_{L-1}|_rms = 1 / (n m cos theta_{L-1}), Eq. 7, with the angle as measured (backward layer normalization).
 *
 * @param network whose settings say that it is normalized.
 */
export function normalizeNetwork(
  network: Network,
  settings: Omit<StepSettings, 'kind' | 'keepsStates'>,
): void {
  const { lanes, shape } = network;
  const size = shape.samples * shape.width;
  const readout = network.weights('output', 0);
  const gram = outputGram(network);
  let scales = lanes.map(() => 1);
  for (let round = 0; round < ROUNDS; round++) {
    const pilot = new Step(network, { ...settings, kind: 'velocity', keepsStates: true });
    const cosines = new Float64Array(lanes.length);
    pilot.take(({ distance, features, backward, change }) => {
      if (distance !== 1) return;
      const states = [features, backward, change].map((tensor) => tensor.dataSync<'float32'>());
      cosines.forEach((_, i) => {
        const [f, b, velocity] = states.map((state) => state.subarray(i * size, (i + 1) * size));
        cosines[i] = Math.cos(backwardFeatureAngle(b!, velocity!, layerNorms(f!, b!, velocity!)));
      });
    });
    const outputs = pilot.output;
    pilot.dispose();
    scales = lanes.map(({ target }, i) => {
      const length = shape.samples * shape.outputWidth;
      const unscaled = outputs.subarray(i * length, (i + 1) * length).map((f) => f / scales[i]!);
      const goal = 1 / (Math.sqrt(size) * cosines[i]!);
      const gramOfLane = gram.subarray(i * shape.outputWidth ** 2, (i + 1) * shape.outputWidth ** 2);
      const scale = scaleFor(
        goal,
        (s) => s * backwardNorm(settings.loss, unscaled, s, target, shape, gramOfLane),
      );
      return Number.isFinite(scale) ? scale : scales[i]!;
    });
    readout.rescale(scales);
  }
}

/** W_L W_L^T of each lane, [lanes x k x k]. */
function outputGram(network: Network): Float32Array {
  const { outputWidth: k } = network.shape;
  const count = network.lanes.length;
  const units = Float32Array.from({ length: count * k * k }, (_, i) =>
    Number(i % k === Math.floor(i / k) % k),
  );
  return tf.tidy(() => {
    const rows = network.weights('output', 0).transposeTimes(network.upload(units, count, k, k));
    return read(innerProducts(rows, rows));
  });
}

/** |W_L^T b_L|_2 with b_L at the outputs s f, all samples together. */
function backwardNorm(
  loss: Loss,
  f: Float32Array,
  s: number,
  target: Float32Array,
  shape: Shape,
  gram: Float32Array,
): number {
  const k = shape.outputWidth;
  const b = loss.slope(
    f.map((x) => s * x),
    target,
    shape,
  );
  let square = 0;
  for (let row = 0; row < b.length; row += k) {
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) square += b[row + i]! * gram[i * k + j]! * b[row + j]!;
    }
  }
  return Math.sqrt(square);
}

/**
 * The smallest s > 0 with h(s) = goal, to nine digits: h is 0 at 0, and with a squared loss it may fall again, where f_L
 * passes its target. NaN when it is not found.
 */
function scaleFor(goal: number, h: (s: number) => number): number {
  const factor = 1.1;
  let above = 1e-12;
  while (h(above) < goal) {
    above *= factor;
    if (above > 1e12) return Number.NaN;
  }
  let below = above / factor;
  for (let i = 0; i < 30; i++) {
    const middle = Math.sqrt(below * above);
    if (h(middle) < goal) below = middle;
    else above = middle;
  }
  return above;
}
