/** Experiments at random, for tests: every setting of the core, and scales from 1e-30 to 1e30. */
import fc from 'fast-check';
import { ACTIVATION_NAMES, isHomogeneous } from '../../activations.js';
import type { LayerGroup } from '../../architectures/architecture.js';
import type { Need } from '../../quantities.js';
import type { BatchCell, BatchSettings } from '../experiment.js';

export interface RandomExperiment {
  readonly settings: BatchSettings;
  readonly cells: readonly BatchCell[];
}

/** 10^x for x in [-decades, decades], in tenths. */
const scale = (decades: number) =>
  fc.integer({ min: -10 * decades, max: 10 * decades }).map((tenths) => 10 ** (tenths / 10));

/** What multiplies the natural scales of x, W_1, V_l, W_L and the step. */
interface Scales {
  readonly data: number;
  readonly input: number;
  readonly hidden: number;
  readonly output: number;
  readonly step: number;
}
const SCALE_NAMES = ['data', 'input', 'hidden', 'output', 'step'] as const;

const every = (one: fc.Arbitrary<number>): fc.Arbitrary<Scales> =>
  fc.record({ data: one, input: one, hidden: one, output: one, step: one });
/** All near 1; or one of them far off; or all. */
const scales = fc.oneof(
  { withCrossShrink: true },
  { weight: 3, arbitrary: every(scale(0.5)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(every(scale(0.5)), fc.constantFrom(...SCALE_NAMES), scale(30))
      .map(([near, name, far]) => ({ ...near, [name]: far })),
  },
  { weight: 1, arbitrary: every(scale(30)) },
);

const seed = fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat());

const train = fc.oneof(
  fc.constantFrom('hidden' as const, 'all' as const, ['input'] as const, ['output'] as const),
  fc.uniqueArray(
    fc.oneof(fc.constantFrom<LayerGroup>('input', 'hidden', 'output'), fc.integer({ min: 1, max: 12 })),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
);

const targets = (loss: string, canCosine: boolean): fc.Arbitrary<BatchCell['data']['target']> =>
  loss === 'cross-entropy'
    ? fc.constant({ law: 'one-hot' })
    : fc.constantFrom(
        { law: 'normal' },
        { law: 'one-hot' },
        { law: 'constant', value: 1 },
        ...(canCosine ? ([{ law: 'cosine' }] as const) : []),
      );

const rates = (isFree: boolean): fc.Arbitrary<BatchCell['learningRate']> =>
  isFree
    ? fc.oneof(
        { weight: 3, arbitrary: fc.constant('scale-invariant' as const) },
        { weight: 1, arbitrary: fc.array(scale(2), { minLength: 13, maxLength: 13 }) },
      )
    : fc.constant('scale-invariant');

function cells(settings: BatchSettings): fc.Arbitrary<BatchCell> {
  const { width, inputWidth, outputWidth } = settings.shape;
  const beta = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(0, 1) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100) },
    { weight: 1, arbitrary: scale(6).map((value) => Math.min(value, 1 / value)) },
  );
  return fc
    .record({
      seed,
      depth: fc.integer({ min: 3, max: 12 }),
      branchScale: settings.architecture === 'mlp' ? fc.constant(1) : beta,
      learningRate: rates(!settings.isNormalized),
      scales: settings.isNormalized ? every(scale(0.5)) : scales,
      inputLaw: fc.constantFrom('normal' as const, 'one-hot' as const),
      normalize: fc.constantFrom('none' as const, 'unit-norm' as const),
      target: targets(settings.loss, outputWidth <= inputWidth),
    })
    .map(({ scales, inputLaw, normalize, target, ...cell }) => ({
      ...cell,
      sigma: {
        input: scales.input / Math.sqrt(inputWidth),
        hidden: scales.hidden * Math.sqrt(2 / width),
        output: scales.output / Math.sqrt(width),
      },
      stepSize: 0.01 * scales.step,
      data: { input: { law: inputLaw, scale: scales.data, normalize }, target },
    }));
}

/** @param weights of all of them. */
export const experiments = (weights: BatchSettings['weights']): fc.Arbitrary<RandomExperiment> =>
  fc
    .record({
      samples: fc.integer({ min: 1, max: 8 }),
      width: fc.oneof(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 2, max: 64 })),
      inputWidth: fc.integer({ min: 1, max: 8 }),
      outputWidth: fc.integer({ min: 1, max: 4 }),
      architecture: fc.constantFrom('resnet' as const, 'mlp' as const),
      activation: fc.constantFrom(...ACTIVATION_NAMES),
      loss: fc.constantFrom('squared' as const, 'linear' as const, 'cross-entropy' as const),
      train,
      kind: fc.constantFrom('velocity' as const, 'update' as const),
      steps: fc.constantFrom(1, 1, 2, 3, 4),
      layers: fc.constantFrom('all' as const, 'all' as const, 'output' as const),
      isNormalized: fc.constantFrom(false, false, false, false, false, true),
      backward: fc.boolean(),
      allGradients: fc.boolean(),
    })
    .map(({ samples, width, inputWidth, outputWidth, backward, allGradients, ...settings }) => ({
      ...settings,
      // The reference finds the scales of section 4.2 by some hundred trials.
      shape: { samples, width: settings.isNormalized ? Math.min(width, 12) : width, inputWidth, outputWidth },
      weights,
      needs: new Set<Need>([
        ...(backward && settings.kind === 'velocity' && isHomogeneous(settings.activation)
          ? ['backward velocity' as const]
          : []),
        ...(allGradients ? ['all gradients' as const] : []),
      ]),
    }))
    .chain((settings) =>
      fc.record({
        settings: fc.constant(settings),
        cells: fc.array(cells(settings), { minLength: 1, maxLength: 2 }),
      }),
    );
