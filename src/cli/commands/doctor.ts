/** `doctor`: what the program finds on this machine, and what is missing. */
import { availableParallelism, totalmem } from 'node:os';
import { env } from '@tensorflow/tfjs-core';
import { BACKENDS } from '../../backends.js';
import { NATIVE } from '../../plan/backend.js';
import { type Probe, probeBackend, remedy } from '../../run/machine/backends.js';
import { defaultWorkers } from '../../run/machine/executor.js';
import { currentRevision, type Revision } from '../../store/git.js';
import { packageVersion, programVersion } from '../../store/provenance.js';
import type { Effects } from '../effects.js';
import { EXIT } from '../exit-code.js';

/** Prints versions, backends, SIMD, workers; exit code 2 when no fast backend loads. */
export async function doctor(
  command: { readonly json?: boolean | undefined },
  { write }: Effects,
): Promise<number> {
  const probes: Probe[] = [];
  for (const name of BACKENDS) probes.push(await probeBackend(name));
  const works = (name: string) => probes.some((probe) => probe.name === name && 'version' in probe);
  const packages = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', 'vega', 'vega-lite'];
  const facts = {
    'feature-speed': programVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    ...Object.fromEntries(packages.map((name) => [name, packageVersion(name) ?? 'missing'])),
    ...Object.fromEntries(
      probes.map((probe) => [
        `backend ${probe.name}`,
        'version' in probe ? `works, ${probe.version}` : `missing: ${probe.missing}; ${remedy(probe)}`,
      ]),
    ),
    'backend auto': works('native')
      ? `wasm; native for dense weights of width >= ${NATIVE.width} with >= ${NATIVE.samples} samples`
      : 'wasm',
    simd: works('wasm') && (await env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? 'yes' : 'no',
    cores: availableParallelism(),
    workers: defaultWorkers(),
    memory: `${(totalmem() / 1e9).toFixed(0)} GB`,
    commit: commitOf(await currentRevision('.', 'results')),
  };
  if (command.json) write(`${JSON.stringify(facts, null, 2)}\n`);
  else {
    const width = Math.max(...Object.keys(facts).map((name) => name.length));
    for (const [name, value] of Object.entries(facts)) write(`${name.padEnd(width)}  ${value}\n`);
  }
  return works('wasm') || works('native') ? EXIT.fine : EXIT.misuse;
}

/** The commit that manifests will name, or why they will not. */
function commitOf({ commit, dirty, problem }: Revision): string {
  if (commit === null) return `none, and manifests will not name one: ${problem}`;
  if (dirty === null) return `${commit}, and whether files differ from it is not known: ${problem}`;
  return dirty ? `${commit}, and tracked files differ from it` : commit;
}
