/** The backend that models are measured on. */
import { openBackend } from '../../core/backend.js';
import { completeBackend } from '../../model/index.js';

/**
 * Makes a backend current; wasm takes the kernels that it lacks from cpu.
 *
 * @returns the names of those that were used, as they are.
 */
export async function openModelBackend(name: 'wasm' | 'cpu'): Promise<ReadonlySet<string>> {
  await openBackend(name);
  const borrowed = completeBackend();
  borrowed.clear();
  return borrowed;
}
