/** What the tests of models share: the backend as `inspect` opens it, and the library as a module is given it. */
import * as core from '@tensorflow/tfjs-core';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import { openBackend } from '../core/backend.js';
import type { BatchCell } from '../core/experiment.js';
import { type GaussianSampler, ROLE } from '../core/random.js';
import type { Shape } from '../core/step/lane.js';
import { completeBackend } from './derivatives/complete-backend.js';
import { withSeed } from './loading/seeded-initialisers.js';

export const tf = { ...core, ...tfjsLayers };

/** Opens wasm with the kernels of cpu where it has none. */
export async function openForModels(): Promise<void> {
  await openBackend('wasm');
  completeBackend();
}

/** A model of the zoo, the same for the same seed. */
export async function zooModel(name: string, options: object, seed = 1): Promise<tfjsLayers.LayersModel> {
  const { default: make } = await import(new URL(`../../configs/models/${name}.mjs`, import.meta.url).href);
  return withSeed(seed, () => make({ tf, ...options }));
}

type Symbolic = tfjsLayers.SymbolicTensor;

/**
 * The network of Eq. 12, or of Eq. 10, with the matrices that the built-in one draws, which hold the branch scale: layers `dense1` ..
 * `denseL`, features `f2` .. `f{L-1}`.
 */
export function builtInAsModel(
  { depth, seed, branchScale, sigma }: BatchCell,
  { width, inputWidth, outputWidth }: Shape,
  sampler: GaussianSampler,
  { train, isMlp = false }: { readonly train: 'hidden' | 'all'; readonly isMlp?: boolean },
): tfjsLayers.LayersModel {
  const dense = (layer: number, inputs: number, units: number, scale: number) => {
    const numbers = new Float32Array(inputs * units);
    sampler.fill(numbers, { streams: [{ seed, role: ROLE.DENSE, layer }], scales: [scale] });
    const kernel = tf.transpose(tf.tensor2d(numbers, [units, inputs]));
    const trainable = train === 'all' || (layer > 1 && layer < depth);
    return tf.layers.dense({ name: `dense${layer}`, units, useBias: false, weights: [kernel], trainable });
  };
  class Scale extends tf.layers.Layer {
    static className = 'Scale';
    override call(x: unknown) {
      return tf.mul(([x].flat() as [core.Tensor])[0], Math.sqrt(1 - branchScale ** 2));
    }
  }
  const relu = (f: Symbolic) => tf.layers.reLU().apply(f) as Symbolic;
  const x = tf.input({ shape: [inputWidth] });
  let f = dense(1, inputWidth, width, sigma.input).apply(x) as Symbolic;
  for (let l = 2; l < depth; l++) {
    const branch = dense(l, width, width, branchScale * sigma.hidden).apply(relu(f)) as Symbolic;
    const kept = new Scale({}).apply(f) as Symbolic;
    f = tf.layers.add({ name: `f${l}` }).apply([kept, branch]) as Symbolic;
  }
  const last = isMlp ? relu(f) : f;
  return tf.model({
    inputs: x,
    outputs: dense(depth, width, outputWidth, sigma.output).apply(last) as Symbolic,
  });
}
