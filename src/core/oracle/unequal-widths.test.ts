import fc from 'fast-check';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, measureBatch } from '../experiment.js';
import { GaussianSampler, ROLE } from '../random.js';
import type { Source } from '../weights/weights.js';
import { isReported, judge } from './judge.js';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.js';
import { experiments, type RandomExperiment } from './random-experiments.js';

const RUNS = process.env.FEATURE_SPEED_SLOW ? 400 : 30;
const DRAWS = process.env.FEATURE_SPEED_SLOW ? 1000 : 200;
/** Probability that fresh seeds would fail though the laws are one, shared among all tests (Bonferroni). */
const FALSE_ALARM = 1e-3;

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

/** An MLP in the place of each network, with a width for each of its layers, and the scales that go with them. */
const withWidths = ({ settings, cells }: RandomExperiment, widths: readonly number[]): RandomExperiment => {
  const depth = widths.length + 1;
  const { width } = settings.shape;
  const last = widths.at(-1)!;
  return {
    settings: {
      ...settings,
      architecture: 'mlp',
      shape: { ...settings.shape, width: last, widths: [Number.NaN, ...widths.toReversed()] },
    },
    cells: cells.map((cell) => ({
      ...cell,
      depth,
      branchScale: 1,
      sigma: {
        ...cell.sigma,
        output: cell.sigma.output * Math.sqrt(width / last),
        hiddenLayers: [
          Number.NaN,
          Number.NaN,
          ...widths.slice(0, -1).map((m) => cell.sigma.hidden * Math.sqrt(width / m)),
        ],
      },
    })),
  };
};

const unequal = (weights: BatchSettings['weights'], most: number) =>
  fc
    .tuple(experiments(weights), fc.array(fc.integer({ min: 2, max: most }), { minLength: 2, maxLength: 7 }))
    .map(([experiment, widths]) => withWidths(experiment, widths));

test(`dense weights of unequal widths are right, or the cell says that it is not, in ${RUNS} random experiments`, () => {
  let [right, all] = [0, 0];
  fc.assert(
    fc.property(unequal('dense', 24), ({ settings, cells }) => {
      const measured = measureBatch(source, cells, settings);
      cells.forEach((cell, i) => {
        all++;
        if (isReported(measured[i]!)) return;
        right++;
        expect(judge(source, cell, settings, measured[i]!)).toMatchObject({ wrong: [] });
      });
    }),
    { seed: 2, numRuns: RUNS },
  );
  expect(right / all).toBeGreaterThan(0.5);
});

/** Four hidden layers, none as wide as its neighbours, of features near 1. */
const WIDTHS = [9, 12, 7, 20];
const cell = (over: Partial<BatchCell> = {}): BatchCell => ({
  seed: [1, 2, 3, 4],
  depth: WIDTHS.length + 1,
  branchScale: 1,
  sigma: {
    input: 1 / 2,
    hidden: Number.NaN,
    output: 1 / Math.sqrt(20),
    hiddenLayers: [Number.NaN, Number.NaN, ...WIDTHS.slice(0, -1).map((m) => Math.sqrt(2 / m))],
  },
  learningRate: 'scale-invariant',
  stepSize: 0.01,
  data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
  ...over,
});
const settings = (over: Partial<BatchSettings> = {}): BatchSettings => ({
  shape: {
    samples: 1,
    width: 20,
    widths: [Number.NaN, ...WIDTHS.toReversed()],
    inputWidth: 4,
    outputWidth: 2,
  },
  architecture: 'mlp',
  activation: 'relu',
  weights: 'matrix-free',
  isNormalized: false,
  loss: 'squared',
  train: 'all',
  kind: 'velocity',
  steps: 1,
  layers: 'all',
  needs: new Set(['all gradients']),
  ...over,
});

/** Several draws of one law. */
const drawn = (weights: 'dense' | 'matrix-free', over: Partial<BatchSettings>, count = DRAWS) =>
  measureBatch(
    source,
    Array.from({ length: count }, (_, i) => cell({ seed: [7, 7, weights === 'dense' ? 0 : 1, i] })),
    settings({ ...over, weights }),
  );

test('matrix-free weights of unequal widths have the law of dense ones', () => {
  const cases = (['velocity', 'update'] as const).flatMap((kind) =>
    [1, 3].map((samples) => ({ kind, shape: { ...settings().shape, samples }, activation: 'relu' as const })),
  );
  const quantities = [
    'bfa_rad',
    'feature_rms',
    'backward_rms',
    'feature_speed_rms',
    'contribution',
    'gradient_norm',
    'loss_change',
  ] as const;
  const found = cases.flatMap((over) => {
    const [dense, free] = (['dense', 'matrix-free'] as const).map((weights) => drawn(weights, over));
    return quantities.flatMap((quantity) =>
      WIDTHS.map((_, row) => {
        const values = [dense!, free!].map((cells) =>
          // What does not exist is a value too; four digits, so that what is one number but for rounding is one number.
          cells.map(({ values: own }) => {
            const value = own[quantity][row]!;
            return Number.isFinite(value) ? Number(value.toPrecision(4)) : Number.MAX_VALUE;
          }),
        );
        return { what: `${quantity} at v = ${row + 1}`, p: kolmogorovSmirnov(values[0]!, values[1]!) };
      }),
    );
  });
  expect(found.filter(({ p }) => p < FALSE_ALARM / found.length)).toEqual([]);
});

describe.each(['dense', 'matrix-free'] as const)('with %s weights', (weights) => {
  test('the speed formula holds in every layer, and no cell breaks an identity', () => {
    for (const samples of [1, 4]) {
      for (const measured of drawn(weights, { shape: { ...settings().shape, samples } }, 20)) {
        expect(isReported(measured)).toBe(false);
        const { speed_formula_residual: residual, bfa_rad: angle } = measured.values;
        residual.forEach((value, i) => {
          // The features of a layer may all be closed.
          if (Number.isNaN(angle[i]!)) return;
          expect(value * Math.abs(Math.cos(angle[i]!))).toBeLessThan(1e-5);
        });
      }
    }
  });

  test('the automatic scaling solves Eq. 7, and features have rms 1 before phi', () => {
    for (const measured of drawn(
      weights,
      { isNormalized: true, shape: { ...settings().shape, outputWidth: 1 } },
      8,
    )) {
      expect(isReported(measured)).toBe(false);
      expect(measured.values.sensitivity.at(-1)).toBeCloseTo(1, 3);
    }
  });

  test('trained in place, or with every step kept, three steps are the same but for rounding', () => {
    if (weights !== 'dense') return;
    const [kept, inPlace] = (['dense', 'mutable'] as const).map((kind) =>
      measureBatch(source, [cell()], {
        ...settings({ kind: 'update', steps: 3, weights: kind }),
        ...(kind === 'mutable' && { training: { samples: 1, heldOut: 0, recorded: [1, 2, 3] } }),
      }),
    );
    for (const quantity of ['loss', 'feature_rms', 'bfa_rad', 'gradient_norm'] as const) {
      kept![0]!.values[quantity].forEach((value, i) => {
        expect(inPlace![0]!.values[quantity][i]).toBeCloseTo(value, 4);
      });
    }
  });
});

test('gradients of unequal widths are those of finite differences in float64', () => {
  const [measured] = measureBatch(source, [cell()], settings({ weights: 'dense', activation: 'tanh' }));
  const { sampler } = source;
  const draw = (layer: number, count: number, sigma: number) =>
    Float64Array.from(sampler.draw([{ seed: cell().seed, layer, role: ROLE.DENSE }], count, [sigma]));
  const numbers = (role: number, count: number) =>
    Float64Array.from(sampler.draw([{ seed: cell().seed, layer: 0, role }], count, [1]));
  const [x, y] = [numbers(ROLE.INPUT, 4), numbers(ROLE.TARGET, 2)];
  const sizes = [4, ...WIDTHS, 2];
  const { input, output, hiddenLayers } = cell().sigma;
  const sigma = (l: number) => (l === 1 ? input : l === sizes.length - 1 ? output : hiddenLayers![l]!);
  const weights = sizes.slice(1).map((rows, i) => draw(i + 1, rows * sizes[i]!, sigma(i + 1)));
  const loss = () => {
    const f = weights.reduce((state, W, i) => {
      const taken = i === 0 ? state : state.map(Math.tanh);
      return Float64Array.from({ length: sizes[i + 1]! }, (_, row) =>
        taken.reduce((sum, value, j) => sum + W[row * taken.length + j]! * value, 0),
      );
    }, x);
    return f.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0) / 4;
  };
  const h = 1e-5;
  weights.forEach((W, i) => {
    let square = 0;
    W.forEach((before, at) => {
      const [above, below] = [h, -h].map((step) => {
        W[at] = before + step;
        return loss();
      });
      W[at] = before;
      square += ((above! - below!) / (2 * h)) ** 2;
    });
    // |G_L| is not recorded: rows are of v = 1 .. L-1.
    if (i < WIDTHS.length) {
      const norm = measured!.values.gradient_norm[i]!;
      expect(norm / Math.sqrt(square)).toBeCloseTo(1, 4);
    }
  });
  expect(measured!.values.loss[0]).toBeCloseTo(loss(), 5);
});

test('lanes with a width for each layer must be of its depth, and of no residual network', () => {
  const depths = () => measureBatch(source, [cell(), cell({ depth: 4 })], settings());
  expect(depths).toThrow('must be of its depth');
  expect(() => measureBatch(source, [cell()], settings({ architecture: 'resnet' }))).toThrow(
    'skip connection',
  );
});
