/** Which backend an experiment runs on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../config/model.js';
import { BACKENDS, type BackendName } from '../core/backend-name.js';
import type { Batch } from '../plan/cost.js';
import { PACKAGE_ROOT } from '../store/files.js';
import { packageVersion } from '../store/provenance.js';
import { UserError } from '../store/user-error.js';

export const BACKEND_CHOICES = ['auto', ...BACKENDS] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** A backend as it was found on this machine. */
export type Probe =
  | { readonly name: BackendName; readonly version: string }
  | { readonly name: BackendName; readonly missing: string };

/** Memory that a backend addresses, bytes: wasm has 32 bits. */
export const MOST_BYTES: Readonly<Record<BackendName, number>> = {
  wasm: 4e9,
  cpu: Infinity,
  native: Infinity,
};

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

/** An optional peer of the package, since its libraries are larger than all else together. */
const TFJS_NODE = '@tensorflow/tfjs-node';

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
      const { tryInProcess } = await import('../run/process-pool.js');
      return { name, version: await tryInProcess(name) };
    }
    const { openBackend } = await import('../core/backend.js');
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
