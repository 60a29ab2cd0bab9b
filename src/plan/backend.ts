/** Which backend an experiment prefers, by what it asks for alone. */
import { BACKENDS, MOST_BYTES } from '../backends.js';
import type { Batch } from './planned-batch.js';

export const BACKEND_CHOICES = ['auto', ...BACKENDS] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/**
 * Dense cells from which native is faster, by processor time of the same batch on both, native / wasm: for widths 200,
 * 400 and 1000 it is 1.0, 0.45 and 0.47 at n = 50 samples, 0.41, 0.45 and 0.42 at n = 100, and 0.74, 0.27 and 0.30 at
 * n = 200. Below either it is mostly 1 to 4, since a call costs several times what it costs on wasm (1.4 for one sample
 * of width 2000); and 2 to 4 for weights that are never formed. `scripts/bench-native.mjs` measures it.
 */
export const NATIVE = { samples: 50, width: 200 };

/** Estimated work from which loading TensorFlow, 0.35 s a process, pays; ms. Estimates for these cells are a third of what wasm takes, or less. */
const WORK_THAT_PAYS = 500;

/**
 * Whether an experiment prefers native to wasm: it does not fit into wasm, or most of its work, and enough to pay for
 * loading the library, is in dense cells with many samples. The experiment and the kind of weights decide alone, so
 * that its shards, a run that is resumed and one together with other experiments agree.
 *
 * @param batches of the whole experiment, of whatever shard and however much of it is measured already.
 */
export function prefersNative(batches: readonly Batch[]): boolean {
  if (batches.some(({ bytes }) => bytes > MOST_BYTES.wasm)) return true;
  const cost = (some: readonly Batch[]) => some.reduce((sum, batch) => sum + batch.cost, 0);
  const faster = batches.filter(
    ({ weights, width, samples }) =>
      weights === 'dense' && samples >= NATIVE.samples && width >= NATIVE.width,
  );
  return cost(faster) > WORK_THAT_PAYS && cost(faster) > cost(batches) / 2;
}
