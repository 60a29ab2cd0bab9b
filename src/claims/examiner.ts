/** What a worker thread runs: claims that share their evidence, on the WebAssembly backend. */
import { openBackend } from '../core/backend.js';
import { GaussianSampler } from '../core/random.js';
import { type Examined, examine } from './claim.js';
import { CLAIMS } from './claims.js';
import { Lab } from './lab.js';

export interface ClaimsTask {
  readonly ids: readonly string[];
  readonly seed: number;
}

let source: Promise<ConstructorParameters<typeof Lab>[0]> | undefined;

export default async function worker({ ids, seed }: ClaimsTask): Promise<Examined[]> {
  source ??= openBackend('wasm').then((backend) => ({ backend, sampler: new GaussianSampler() }));
  const lab = new Lab(await source, seed);
  return ids.map((id) => examine(CLAIMS.find((claim) => claim.id === id)!, lab));
}
