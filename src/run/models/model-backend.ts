/** The backend that models are measured on. */
import * as tf from '@tensorflow/tfjs-core';
import { openBackend } from '../../core/backend.js';
import { borrowKernels, registerFastProducts, registerFilterGradients } from '../../model/index.js';

/**
 * Makes a backend current; wasm takes the kernels that it lacks from cpu.
 *
 * @returns the names of those that were used, as they are.
 */
export async function openModelBackend(name: 'wasm' | 'cpu'): Promise<ReadonlySet<string>> {
  await openBackend('cpu');
  if (name === 'cpu') return new Set();
  const cpu = tf.backend() as tf.KernelBackend;
  await openBackend('wasm');
  registerFastProducts();
  registerFilterGradients();
  return borrowKernels('wasm', cpu);
}
