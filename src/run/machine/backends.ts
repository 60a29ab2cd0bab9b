/** The backends of this machine: whether they load, and which one an experiment runs on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_PACKAGES, type BackendName } from '../../backends.js';
import type { Model } from '../../config/model.js';
import { type BackendChoice, prefersNative } from '../../plan/backend.js';
import type { Batch } from '../../plan/planned-batch.js';
import { PACKAGE_ROOT } from '../../store/files.js';
import { packageVersion } from '../../store/provenance.js';
import { UserError } from '../../store/user-error.js';

/** A backend as it was found on this machine. */
export type Probe =
  | { readonly name: BackendName; readonly version: string }
  | { readonly name: BackendName; readonly missing: string };

/** An optional peer of the package, since its libraries are larger than all else together. */
const TFJS_NODE = BACKEND_PACKAGES.native;

const probes = new Map<BackendName, Promise<Probe>>();

/** Tries a backend, once: loads it and lets it compute a sum. */
export function probeBackend(name: BackendName): Promise<Probe> {
  const probe = probes.get(name) ?? tryBackend(name);
  probes.set(name, probe);
  return probe;
}

async function tryBackend(name: BackendName): Promise<Probe> {
  try {
    if (name === 'native') {
      // Whether the optional package is there at all is told without loading it.
      if (packageVersion(TFJS_NODE) === undefined) return { name, missing: `${TFJS_NODE} is not installed` };
      const { tryInProcess } = await import('./process-pool.js');
      return { name, version: await tryInProcess(name) };
    }
    const { openBackend } = await import('../../core/backend.js');
    return { name, version: (await openBackend(name)).version };
  } catch (error) {
    return { name, missing: (error as Error).message.split('\n')[0]!.trim() };
  }
}

/**
 * The backend to run an experiment on: `auto` is native where the experiment prefers it and it loads, else wasm, as for a model.
 *
 * @throws UserError when the one that was asked for does not load.
 */
export async function chooseBackend(
  choice: BackendChoice,
  batches: readonly Batch[],
  model?: Model,
): Promise<BackendName> {
  if (model) {
    if (choice !== 'native') return choice === 'cpu' ? choice : 'wasm';
    throw new UserError(`${model.file}: models are measured on wasm or cpu; --backend auto takes wasm`);
  }
  if (choice === 'wasm' || choice === 'cpu') return choice;
  if (choice === 'auto' && !prefersNative(batches)) return 'wasm';
  const probe = await probeBackend('native');
  if ('version' in probe) return 'native';
  if (choice === 'auto') return 'wasm';
  throw new UserError(
    `the native backend does not load: ${probe.missing}; ${remedy(probe)}; --backend auto does without it`,
  );
}

/** What to do where a backend is missing. */
export function remedy({ name }: Probe): string {
  if (name !== 'native') return 'npm ci installs it';
  // The packed program has no scripts.
  return existsSync(join(PACKAGE_ROOT, 'scripts/install-native.sh'))
    ? 'scripts/install-native.sh builds it'
    : `npm install ${TFJS_NODE}@4.22.0 adds it, where it can download the library of TensorFlow`;
}
