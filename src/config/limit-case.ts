/** A setting of an experiment as the theory of infinite width sees it. */
import type { DataSize, LimitCase } from '../theory/limits.js';
import type { Experiment } from './resolve.js';
import { ratesOf } from './scalings/scaling-entry.js';
import type { Setting } from './settings.js';

export function limitCaseOf({ step }: Experiment, setting: Setting): LimitCase {
  const { architecture, activation, depth, width, branchScale, scaling, loss, samples, train } = setting;
  const rates = ratesOf(scaling, depth);
  return {
    architecture,
    activation,
    depth,
    width,
    ...(setting.widths && { widths: setting.widths }),
    branchScale,
    samples,
    outputs: setting.outputWidth,
    sigma: {
      input: scaling.sigmaInput,
      hidden: scaling.sigmaHidden,
      output: scaling.sigmaOutput,
      ...(scaling.hiddenLayers && { hiddenLayers: scaling.hiddenLayers.sigma }),
    },
    isNormalized: scaling.isNormalized,
    isScaleInvariant: scaling.learningRate === 'scale-invariant',
    ...(typeof rates !== 'string' && { rates }),
    loss,
    train: typeof train === 'string' ? train : 'some',
    steps: step.count,
    stepSize: step.kind === 'update' ? setting.stepSize : undefined,
  };
}

/** Root mean squares of |x| and |y| of a sample by their laws. */
export function typicalSize({ data }: Experiment, setting: Setting): DataSize {
  const { inputScale, inputWidth: d, outputWidth: k } = setting;
  const { input, target } = data;
  const entries = input.law === 'normal' && input.normalize === 'none' ? d : 1;
  const squares = { normal: k, cosine: k / 2, 'one-hot': 1 };
  return {
    input: inputScale * Math.sqrt(entries),
    target:
      target.law === 'constant' ? Math.abs(target.value) * Math.sqrt(k) : Math.sqrt(squares[target.law]),
  };
}

/** The smallest |x| and the largest |y| that the laws allow. */
export function favourableSize(experiment: Experiment, setting: Setting): DataSize {
  const { input, target } = experiment.data;
  const typical = typicalSize(experiment, setting);
  return {
    input: input.law === 'normal' && input.normalize === 'none' ? 0 : typical.input,
    target: target.law === 'normal' ? Number.POSITIVE_INFINITY : typical.target,
  };
}
