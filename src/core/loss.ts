/**
 * The loss |f_L - y|^2 / (2 k n), on the host in float64. Outputs of all lanes are one flat array, [lanes x n x k].
 */
import type { Lane, Shape } from './lane.js';

/** e = f_L - y. */
export function outputErrors(output: ArrayLike<number>, lanes: readonly Lane[]): Float64Array {
  const size = output.length / lanes.length;
  return Float64Array.from(output, (f, i) => f - lanes[Math.floor(i / size)]!.target[i % size]!);
}

/** The gradient of the loss at f_L: e / (k n). */
export function lossSlope(error: Float64Array, { samples, outputWidth }: Shape): Float32Array {
  return Float32Array.from(error, (e) => e / (outputWidth * samples));
}

/**
 * The loss of each lane and its change ( <e, df_L> + |df_L|^2 / 2 ) / (k n), exact for an update df_L; for a velocity
 * its time derivative <e, fdot_L> / (k n).
 */
export function lossOf(
  error: Float64Array,
  outputChange: Float32Array,
  { samples, outputWidth }: Shape,
  kind: 'update' | 'velocity',
): { loss: Float64Array; lossChange: Float64Array } {
  const size = samples * outputWidth;
  const loss = new Float64Array(error.length / size);
  const lossChange = new Float64Array(error.length / size);
  error.forEach((e, i) => {
    const lane = Math.floor(i / size);
    const df = outputChange[i]!;
    loss[lane]! += e ** 2 / (2 * size);
    lossChange[lane]! += (e * df + (kind === 'update' ? df ** 2 / 2 : 0)) / size;
  });
  return { loss, lossChange };
}
