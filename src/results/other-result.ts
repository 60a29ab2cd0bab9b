/** What makes one result another: the settings, the backend, the cells that were asked for. */
import { parseKeptExperiment } from '../config/file/kept-experiment.js';
import type { Manifest } from './manifest.js';

/** What of a manifest decides which result it is of. */
export type ResultIdentity = Pick<
  Manifest,
  'name' | 'experiment' | 'digest' | 'backend' | 'weights_choice' | 'shard' | 'status'
>;

/** Parts of an experiment that decide no number of the table. */
const WITHOUT_NUMBERS = ['name', 'title', 'figure', 'slopes', 'optima', 'dataSet', 'nesting', 'file'];

const MOST_TOLD = 3;

/**
 * In one line what a new result has otherwise than the one in whose place it comes; undefined where it is the same
 * experiment measured again, or has all the cells of it and more.
 */
export function otherResult(before: ResultIdentity, after: ResultIdentity): string | undefined {
  const differences = [
    ...(before.digest === after.digest ? [] : settingsThatDiffer(before, after)),
    ...(before.backend === after.backend ? [] : [`backend ${before.backend} -> ${after.backend}`]),
    // The whole has the cells of its shards.
    ...(before.shard === after.shard || after.shard === null
      ? []
      : [`${before.shard ? `shard ${before.shard}` : 'all cells'} -> shard ${after.shard}`]),
    ...(before.status === 'complete' && after.status === 'partial' ? ['complete -> partial'] : []),
  ];
  if (differences.length === 0) return undefined;
  const rest = differences.length - MOST_TOLD;
  return `${differences.slice(0, MOST_TOLD).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function settingsThatDiffer(before: ResultIdentity, after: ResultIdentity): string[] {
  const [old, now] = [leavesOf(resolved(before)), leavesOf(resolved(after))];
  const paths = [...new Set([...old.keys(), ...now.keys()])].filter(
    (path) => old.get(path) !== now.get(path),
  );
  const settings = paths.map(
    (path) =>
      `${path.replace(/^(axes|parameters)\./, '')} ${brief(old.get(path))} -> ${brief(now.get(path))}`,
  );
  if (before.weights_choice !== after.weights_choice) {
    settings.push(`weights ${before.weights_choice} -> ${after.weights_choice}`);
  }
  return settings.length > 0 ? settings : ['another version of the numerics'];
}

/** The experiment with its defaults filled in, so that one that is written out is none that differs. */
function resolved({ experiment, name }: ResultIdentity): unknown {
  const parsed = parseKeptExperiment(experiment, name);
  return parsed.ok ? parsed.experiment : experiment;
}

/** The values of an experiment by their paths; a list is one value. */
function leavesOf(experiment: unknown): Map<string, string> {
  const leaves = new Map<string, string>();
  const visit = (value: unknown, path: readonly string[]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      leaves.set(path.join('.'), JSON.stringify(value) ?? 'none');
      return;
    }
    for (const [key, child] of Object.entries(value)) {
      if (path.length > 0 || !WITHOUT_NUMBERS.includes(key)) visit(child, [...path, key]);
    }
  };
  visit(experiment, []);
  return leaves;
}

const brief = (text = 'none') => (text.length > 40 ? `${text.slice(0, 39)}\u2026` : text);
