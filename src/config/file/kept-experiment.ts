/** The experiment of a manifest, read as if it were a config, since a manifest may have been changed as well as one. */
import type { ReadData } from '../data-set.js';
import type { FindModel } from '../model.js';
import { NAMED_SCALINGS } from '../scalings/scalings.js';
import { type ParsedExperiment, parseExperiment } from './load.js';

/**
 * @param experiment as a manifest keeps it: the file as it was run; manifests of before have it with all defaults filled in.
 * @param name of the experiment.
 * @param findModel looks for the file of a model.
 * @param readData reads what `data.file` names.
 */
export function parseKeptExperiment(
  experiment: unknown,
  name: string,
  findModel?: FindModel,
  readData?: ReadData,
): ParsedExperiment {
  const content = isOfBefore(experiment) ? fileOf(experiment) : experiment;
  return parseExperiment(JSON.stringify(content), `${name}.json`, [], findModel, readData);
}

/** What manifests had of an experiment before they kept its file, as far as it differs from one. */
interface OfBefore {
  readonly name: unknown;
  readonly axes: Readonly<Record<string, unknown>>;
  readonly nesting: readonly string[];
  readonly commonRandomNumbers: readonly unknown[];
}

function isOfBefore(experiment: unknown): experiment is OfBefore {
  const { axes, nesting, commonRandomNumbers } = (experiment ?? {}) as Partial<OfBefore>;
  return (
    typeof axes === 'object' && axes !== null && Array.isArray(nesting) && Array.isArray(commonRandomNumbers)
  );
}

/** A file that has every value in its sweep. */
function fileOf({ name: _, axes, nesting, commonRandomNumbers: common, ...rest }: OfBefore): unknown {
  const sweep = Object.fromEntries(nesting.map((axis) => [axis, axes[axis]]));
  const scaling = Array.isArray(sweep.scaling) ? { scaling: sweep.scaling.map(scalingOf) } : {};
  const commonRandomNumbers = common.length > 0 ? common : undefined;
  return { ...rest, commonRandomNumbers, sweep: { ...sweep, ...scaling } };
}

/** Scalings of the paper are known by their names, which a config may not give to others. */
function scalingOf(scaling: unknown): unknown {
  const { isNormalized: _, ...entry } = (scaling ?? {}) as Readonly<Record<string, unknown>>;
  return typeof entry.name === 'string' && Object.hasOwn(NAMED_SCALINGS, entry.name) ? entry.name : entry;
}
