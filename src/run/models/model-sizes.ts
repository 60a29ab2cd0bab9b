/** Makes models of an experiment before it is run: whether the module gives what is asked of it, and how large they are. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ModelSize } from '../../config/model.js';
import type { Experiment } from '../../config/resolve.js';
import { expandAxes, type Setting } from '../../config/settings.js';
import { fixedBatch, ModelError, measureSteps, modelSamples, modelSize } from '../../model/index.js';
import { sizeKeyOf } from '../../plan/model-cost.js';
import { UserError } from '../../store/user-error.js';
import { requestOf, sampleRequestOf, stepsOf, withoutTraces } from './measure-models.js';
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

/** Takes one step on one sample, so that what cannot be measured is told before anything is. */
function tryStep(experiment: Experiment, setting: Setting, made: LayersModel): void {
  const { model, axes, record, step } = experiment;
  const one = {
    ...experiment,
    dataSet: experiment.dataSet,
    data: { ...experiment.data, batch: fixedBatch(made) ?? 1 },
    record: { ...record, layers: 'output' as const, steps: [1] },
    step: { ...step, count: 1 },
  };
  try {
    for (const loss of axes.loss) {
      const own = { ...setting, loss };
      const samples = modelSamples(made, sampleRequestOf(one, own, [1, 2, 3, 4]));
      measureSteps(made, samples, { ...stepsOf(one, own), isNormalized: false, needs: new Set() });
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
