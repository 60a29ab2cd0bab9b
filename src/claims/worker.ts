/** What a worker thread runs: one claim, on the WebAssembly backend. */
import { openBackend } from '../core/backend.js';
import { GaussianSampler } from '../core/random.js';
import { examine, type Verdict } from './claim.js';
import { CLAIMS } from './claims.js';
import { Lab } from './lab.js';

let opened: Promise<Lab> | undefined;

export default async function worker(id: string): Promise<Verdict> {
  opened ??= openBackend('wasm').then((backend) => new Lab({ backend, sampler: new GaussianSampler() }));
  const lab = await opened;
  return examine(CLAIMS.find((claim) => claim.id === id)!, lab).verdict;
}
