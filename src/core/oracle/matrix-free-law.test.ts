import fc from 'fast-check';
import { beforeAll, expect, inject, test } from 'vitest';
import type { MeasuredQuantity } from '../../quantities.js';
import { openBackend } from '../backend.js';
import { type BatchCell, type BatchSettings, type CellMeasurement, measureBatch } from '../experiment.js';
import { GaussianSampler } from '../random.js';
import type { Source } from '../weights/weights.js';
import { EPSILON } from './arithmetic.js';
import { isReported } from './judge.js';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.js';
import { experiments } from './random-experiments.js';

const EXPERIMENTS = process.env.FEATURE_SPEED_SLOW ? 60 : 4;
const DRAWS = process.env.FEATURE_SPEED_SLOW ? 400 : 200;
/** Probability that fresh seeds would fail though the laws are one, shared among all tests (Bonferroni). */
const FALSE_ALARM = 1e-3;

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

/** One law: a cell but for its seed. Small, since many are drawn; yet with more rows than outputs, and than units. */
const laws = experiments('matrix-free').map(({ settings, cells }) => {
  const { shape, steps } = settings;
  const [samples, width] = [Math.min(shape.samples, 4), Math.min(shape.width, 12)];
  return {
    settings: { ...settings, steps: Math.min(steps, 2), shape: { ...shape, samples, width } },
    cell: { ...cells[0]!, depth: Math.min(cells[0]!.depth, 6) },
  };
});

/** Cells of both kinds of weights, of seeds that differ. */
function draws(
  weights: 'dense' | 'matrix-free',
  settings: BatchSettings,
  cell: BatchCell,
): CellMeasurement[] {
  const [first, second, third] = cell.seed;
  const cells = Array.from({ length: DRAWS }, (_, i) => ({
    ...cell,
    seed: [first, second, third, 2 * i + Number(weights === 'dense')] as const,
  }));
  return measureBatch(source, cells, { ...settings, weights });
}

/** Four digits, so that what is one number but for rounding is one number; what does not exist is a value too. */
const coarse = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(4)) : Number.MAX_VALUE);

/** A residual of Thm 2.1 below this may be rounding alone, of an update too where phi has no bend in reach. */
const ROUNDED = 1e-4;

/** What Thm 2.1 leaves of a velocity where float32 rounds: some roundings a layer, over cos(theta). */
function worstResidual({ layers, values }: CellMeasurement): number {
  return Math.max(
    0,
    ...values.speed_formula_residual.map((residual, i) => {
      const bound = 64 * EPSILON * layers.length;
      return Number.isFinite(residual) ? (residual * Math.abs(Math.cos(values.bfa_rad[i]!))) / bound : 0;
    }),
  );
}

test(`matrix-free weights have the law of dense ones in ${EXPERIMENTS} random experiments`, () => {
  const tests: { readonly what: string; readonly p: number }[] = [];
  fc.sample(laws, { seed: 3, numRuns: EXPERIMENTS }).forEach(({ settings, cell }, number) => {
    const samples = (['dense', 'matrix-free'] as const).map((weights) =>
      draws(weights, settings, cell).filter((measured) => !isReported(measured)),
    );
    if (Math.min(...samples.map(({ length }) => length)) < DRAWS / 3) return;
    const rows = samples[0]![0]!.layers.length;
    for (const quantity of Object.keys(samples[0]![0]!.values) as MeasuredQuantity[]) {
      // Of a velocity it is rounding alone.
      if (settings.kind === 'velocity' && quantity === 'speed_formula_residual') {
        expect(Math.max(...samples[1]!.map(worstResidual))).toBeLessThan(1);
        continue;
      }
      for (const row of new Set([rows - 1, Math.floor(rows / 2)])) {
        const [dense, free] = samples.map((sample) =>
          sample.map(({ values }) => {
            const value = values[quantity][row]!;
            return quantity === 'speed_formula_residual' && value < ROUNDED ? 0 : coarse(value);
          }),
        );
        tests.push({
          what: `${quantity} in row ${row} of experiment ${number}: ${JSON.stringify({ settings, cell })}`,
          p: kolmogorovSmirnov(dense!, free!),
        });
      }
    }
  });
  expect(tests.length).toBeGreaterThan(10 * EXPERIMENTS);
  expect(tests.filter(({ p }) => p < FALSE_ALARM / tests.length)).toEqual([]);
});
