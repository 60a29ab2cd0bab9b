/** What the tests of models share: the backend as `inspect` opens it, and the library as a module is given it. */
import * as core from '@tensorflow/tfjs-core';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import { openBackend } from '../core/backend.js';
import { borrowKernels } from './derivatives/borrowed-kernels.js';
import { registerFastProducts } from './derivatives/fast-products.js';
import { registerFilterGradients } from './derivatives/filter-gradients.js';
import { registerMissingGradients } from './derivatives/gradients.js';
import { withSeed } from './loading/seeded-initialisers.js';

export const tf = { ...core, ...tfjsLayers };

/** Opens wasm with the kernels of cpu where it has none. */
export async function openForModels(): Promise<void> {
  await openBackend('cpu');
  const cpu = core.backend() as core.KernelBackend;
  await openBackend('wasm');
  registerFastProducts();
  registerFilterGradients();
  borrowKernels('wasm', cpu);
  registerMissingGradients();
}

/** A model of the zoo, the same for the same seed. */
export async function zooModel(name: string, options: object, seed = 1): Promise<tfjsLayers.LayersModel> {
  const { default: make } = await import(new URL(`../../configs/models/${name}.mjs`, import.meta.url).href);
  return withSeed(seed, () => make({ tf, ...options }));
}
