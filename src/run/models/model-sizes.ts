/** Makes models of an experiment before it is run: whether the module gives what is asked of it, and how large they are. */
import type { ModelSize } from '../../config/model.js';
import type { Experiment } from '../../config/resolve.js';
import { expandAxes, type Setting } from '../../config/settings.js';
import { ModelError, measureSteps, modelSize } from '../../model/index.js';
import { sizeKeyOf } from '../../plan/model-cost.js';
import { UserError } from '../../store/user-error.js';
import { dataReader, ratesOf, requestOf, withoutTraces } from './measure-models.js';
import { openModelBackend } from './model-backend.js';
import { loadModel } from './model-file.js';

/** Models that are made at the most; sizes of others are those of their neighbours. */
const MOST_MADE = 12;

/**
 * An experiment whose model knows its sizes; one with a built-in network as it is. A step of the smallest is tried on one sample.
 *
 * @throws UserError where the module does not give a model that can be measured.
 */
export async function withModelSizes(experiment: Experiment): Promise<Experiment> {
  const { model } = experiment;
  if (!model?.found) return experiment;
  const { path, digest } = model.found;
  await openModelBackend('wasm');
  const settings = new Map<string, Setting>();
  for (const setting of expandAxes(experiment)) {
    const key = sizeKeyOf(setting);
    if (!settings.has(key)) settings.set(key, setting);
  }
  const order = [...settings].sort(
    ([, a], [, b]) => (a.width ?? 1) ** 2 * (a.depth ?? 1) - (b.width ?? 1) ** 2 * (b.depth ?? 1),
  );
  const chosen = order.filter(
    (_, i) =>
      order.length <= MOST_MADE ||
      Math.floor((i * (MOST_MADE - 1)) / (order.length - 1)) >
        Math.floor(((i - 1) * (MOST_MADE - 1)) / (order.length - 1)),
  );
  const sizes = new Map<string, ModelSize>();
  for (const [key, setting] of chosen) {
    const request = { ...requestOf(setting, model), seed: 1, version: digest };
    const { model: made } = await loadModel(path, request);
    withoutTraces(made, () => {
      if (sizes.size === 0) tryStep(experiment, setting, made);
      sizes.set(key, modelSize(made));
    });
  }
  return { ...experiment, model: { ...model, sizes } };
}

/** Measures one step on one sample, so that what cannot be measured is told before anything is. */
function tryStep(experiment: Experiment, setting: Setting, made: Parameters<typeof measureSteps>[0]): void {
  const { model, axes, step } = experiment;
  try {
    for (const loss of axes.loss) {
      measureSteps(made, dataReader(made, model!, { samples: 1, seed: [1, 2, 3, 4], loss }), {
        loss,
        rates: ratesOf(setting),
        isNormalized: false,
        kind: step.kind,
        steps: 1,
        stepSize: setting.stepSize,
        layers: 'output',
      });
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new UserError(
      error.message
        .split('\n')
        .map((line) => `${model!.file}: ${line}`)
        .join('\n'),
    );
  }
}
