/** Manifests: what a run has measured, and under which circumstances. */
import { BACKEND_PACKAGES, type BackendName } from '../backends.js';
import type { WeightsChoice } from '../plan/batch.js';
import { digestOf } from '../plan/digest.js';
import { formatShard, type Shard } from '../plan/shard.js';
import type { Manifest } from '../results/manifest.js';
import { shown } from '../store/files.js';
import type { Revision } from '../store/git.js';
import { packageVersion, programVersion } from '../store/provenance.js';
import type { Tally } from './run.js';

/** Under which circumstances a run began. */
export type Circumstances = Pick<
  Manifest,
  'commit' | 'dirty' | 'commit_problem' | 'versions' | 'backend' | 'precision' | 'workers' | 'started'
>;

export function circumstancesOf(
  { commit, dirty, problem }: Revision,
  backend: BackendName,
  workers: number,
): Circumstances {
  const started = new Date().toISOString();
  return {
    commit,
    dirty,
    commit_problem: problem,
    versions: versions(backend),
    backend,
    precision: 'float32',
    workers,
    started,
  };
}

/** @param rows of the table; 0 when there is none. */
export function manifestOf(
  tally: Tally,
  rows: number,
  weights: WeightsChoice,
  shard: Shard | undefined,
  { commit, dirty, commit_problem, versions, backend, precision, workers, started }: Circumstances,
): Manifest {
  const { experiment, cells, measured, batches, diverged, inexact, failed } = tally;
  return {
    name: experiment.name,
    title: experiment.title,
    status: measured === cells ? 'complete' : 'partial',
    shard: shard ? formatShard(shard) : null,
    digest: digestOf(experiment, weights),
    seed: experiment.seed,
    experiment: experiment.file,
    ...(experiment.model?.found && { model_folder: shown(experiment.model.found.folder) }),
    commit,
    dirty,
    commit_problem,
    versions,
    backend,
    precision,
    weights_choice: weights,
    weights: tally.weights,
    workers,
    counts: {
      cells,
      measured,
      rows,
      batches,
      diverged: diverged.length,
      inexact: inexact.length,
      failed: failed.length,
    },
    diverged,
    inexact,
    failed,
    started,
    elapsed_ms: Math.round(tally.elapsedMs),
  };
}

function versions(backend: BackendName): Record<string, string> {
  const packages = ['@tensorflow/tfjs-core', BACKEND_PACKAGES[backend], 'vega', 'vega-lite'];
  return {
    'feature-speed': programVersion(),
    node: process.version,
    ...Object.fromEntries(packages.map((name) => [name, packageVersion(name) ?? 'unknown'])),
  };
}
