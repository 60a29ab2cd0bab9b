/** What second derivatives of a model want of the current backend, whoever has opened it. */
import { createRequire } from 'node:module';
import { findBackend, getBackend, type KernelBackend } from '@tensorflow/tfjs-core';
import { type Borrowed, borrowKernels } from './borrowed-kernels.js';
import { registerFastProducts } from './fast-products.js';
import { registerFilterGradients } from './filter-gradients.js';
import { registerMissingGradients } from './gradients.js';
import { registerSegmentSums } from './segment-sums.js';

/**
 * Registers the gradients that the library lacks, and on wasm the kernels: ours where they pay, those of the cpu backend else.
 *
 * @returns the names of the latter that have run in this process.
 */
export function completeBackend(): Borrowed {
  registerMissingGradients();
  if (getBackend() !== 'wasm') return new Set();
  registerFastProducts();
  registerFilterGradients();
  registerSegmentSums();
  return borrowKernels('wasm', cpuBackend());
}

/** The cpu backend of the library, which need not be loaded. */
function cpuBackend(): KernelBackend {
  if (findBackend('cpu') === null) createRequire(import.meta.url)('@tensorflow/tfjs-backend-cpu');
  const cpu = findBackend('cpu') as KernelBackend & { firstUse: boolean };
  // Or it greets on stderr.
  cpu.firstUse = false;
  return cpu;
}
