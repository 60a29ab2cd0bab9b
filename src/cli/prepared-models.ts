/** Experiments whose network is the user's own, before they are planned or run. */
import type { Experiment } from '../config/resolve.js';
import type { WeightsChoice } from '../plan/batch.js';
import { UserError } from '../store/user-error.js';

/**
 * Makes the models of experiments, so that their sizes are known; the others stay as they are.
 *
 * @throws UserError for models that cannot be made or measured, and weights that they have not.
 */
export async function prepareModels(
  experiments: readonly Experiment[],
  weights: WeightsChoice,
): Promise<Experiment[]> {
  const prepared: Experiment[] = [];
  for (const experiment of experiments) {
    if (experiment.model && weights === 'matrix-free') {
      throw new UserError(
        `${experiment.name}: the weights of a model are its own, and formed; --weights auto or dense`,
      );
    }
    prepared.push(
      experiment.model
        ? await (await import('../run/model-sizes.js')).withModelSizes(experiment)
        : experiment,
    );
  }
  return prepared;
}
