/** Which backend a run uses. */
import { createRequire } from 'node:module';
import { BACKENDS, type BackendName } from '../core/backend-name.js';
import { UserError } from './user-error.js';

export const BACKEND_CHOICES = ['auto', ...BACKENDS] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** A backend as it was found on this machine. */
export type Probe =
  | { readonly name: BackendName; readonly version: string }
  | { readonly name: BackendName; readonly missing: string };

/** Tries a backend: loads it and lets it compute a sum. */
export async function probeBackend(name: BackendName): Promise<Probe> {
  try {
    // Whether the optional package is there at all is told without loading the tensor library.
    if (name === 'native') createRequire(import.meta.url).resolve('@tensorflow/tfjs-node');
    const { openBackend } = await import('../core/backend.js');
    return { name, version: (await openBackend(name)).version };
  } catch (error) {
    return { name, missing: (error as Error).message.split('\n')[0]! };
  }
}

/**
 * The backend to run on: `auto` is native where it loads, else wasm.
 *
 * @throws UserError when the one that was asked for does not load.
 */
export async function chooseBackend(choice: BackendChoice): Promise<BackendName> {
  if (choice === 'wasm' || choice === 'cpu') return choice;
  const probe = await probeBackend('native');
  if ('version' in probe) return 'native';
  if (choice === 'auto') return 'wasm';
  throw new UserError(`the native backend does not load: ${probe.missing}; see feature-speed doctor`);
}
