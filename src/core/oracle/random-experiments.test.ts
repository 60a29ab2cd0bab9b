import fc from 'fast-check';
import { beforeAll, expect, inject, test } from 'vitest';
import { openBackend } from '../backend.js';
import { measureBatch } from '../experiment.js';
import { GaussianSampler } from '../random.js';
import type { Source } from '../weights/weights.js';
import { isReported, type Judgement, judge } from './judge.js';
import { experiments } from './random-experiments.js';

const RUNS = process.env.FEATURE_SPEED_SLOW ? 2000 : 40;

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

/** Whether float32 holds every state of the cell and decides every gate of it, and Eq. 7 to the 1e-4 that it is solved to, with much to spare. */
const isOrdinary = (judgement: Judgement, isNormalized: boolean) =>
  !('mustReport' in judgement) &&
  judgement.condition < (isNormalized ? 1e-4 : 1e-3) &&
  judgement.smallest > 1e-12 &&
  judgement.largest < 1e12;

test(`dense weights are right, or the cell says that it is not, in ${RUNS} random experiments`, () => {
  let [ordinary, cellCount] = [0, 0];
  fc.assert(
    fc.property(experiments('dense'), ({ settings, cells }) => {
      const measured = measureBatch(source, cells, settings);
      cells.forEach((cell, i) => {
        const judgement = judge(source, cell, settings, measured[i]!);
        cellCount++;
        const mayReport = !isOrdinary(judgement, settings.isNormalized);
        if (!mayReport) ordinary++;
        if (isReported(measured[i]!)) expect(mayReport).toBe(true);
        else expect(judgement).toMatchObject({ wrong: [] });
      });
    }),
    { seed: 1, numRuns: RUNS },
  );
  // Or a core that reports every cell would pass.
  expect(ordinary / cellCount).toBeGreaterThan(0.3);
});
