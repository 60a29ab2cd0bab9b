/** Recorded quantities that can have no value in any cell of an experiment. */
import { isTheory, type QuantityName, quantityEntry, type TheoryQuantity } from '../../quantities.js';
import {
  type Missing,
  missingForAngle,
  missingForFeatures,
  missingForSensitivity,
} from '../../theory/limits.js';
import { expected, type Issue } from '../file/problem.js';
import { favourableSize, limitCaseOf, typicalSize } from '../limit-case.js';
import type { Experiment } from '../resolve.js';
import { expandAxes, type Setting } from '../settings.js';

/**
 * @param experiment whose expressions are in range at every setting.
 * @param quantities as the file lists them.
 */
export function findEmptyColumns(
  experiment: Experiment,
  quantities: readonly QuantityName[],
): readonly Issue[] {
  const settings = expandAxes(experiment);
  if (settings.length === 0) return [];
  const doFeaturesMove = settings.some(movesFeatures);
  return quantities.flatMap((name, index) => {
    const missing: Missing | undefined = isTheory(name)
      ? missingForTheory(name, experiment, settings)
      : quantityEntry(name).isOfMotion && !doFeaturesMove
        ? ['a layer that learns before the readout', settings[0]!.train, 'no feature moves']
        : undefined;
    if (!missing) return [];
    const [need, got, advice] = missing;
    const message = expected(`${need} for ${name}`, got, `${advice}; the column would be empty`);
    return [{ path: ['record', 'quantities', index], message }];
  });
}

/** What the first setting lacks where all lack something. */
function missingForTheory(
  name: TheoryQuantity,
  experiment: Experiment,
  settings: readonly Setting[],
): Missing | undefined {
  let first: Missing | undefined;
  for (const setting of settings) {
    const limitCase = limitCaseOf(experiment, setting);
    const typical = typicalSize(experiment, setting);
    const missing = {
      bfa_theory_rad: () => missingForAngle(limitCase, typical),
      sensitivity_theory: () =>
        missingForSensitivity(limitCase, typical, favourableSize(experiment, setting)),
      feature_rms_theory: () => missingForFeatures(limitCase),
    }[name]();
    if (!missing) return undefined;
    first ??= missing;
  }
  return first;
}

/** Whether a layer before the readout learns; V_l does not at branch scale 0, as its gradient is zero. */
function movesFeatures({ depth, branchScale, train }: Setting): boolean {
  const layers = typeof train === 'string' ? [train] : train;
  return layers.some((layer) => {
    if (layer === 'all' || layer === 'input' || layer === 1) return true;
    return branchScale > 0 && (layer === 'hidden' || (typeof layer === 'number' && layer < depth));
  });
}
