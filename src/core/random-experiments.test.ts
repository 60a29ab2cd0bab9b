import fc from 'fast-check';
import { beforeAll, expect, inject, test } from 'vitest';
import { openBackend } from './backend.js';
import { measureBatch } from './experiment.js';
import { isReported, judge } from './judge.js';
import { GaussianSampler } from './random.js';
import { experiments } from './random-experiments.js';
import type { Source } from './weights.js';

const RUNS = process.env.FEATURE_SPEED_SLOW ? 2000 : 100;

let source: Source;
beforeAll(async () => {
  source = { backend: await openBackend(inject('backend')), sampler: new GaussianSampler() };
});

test(`dense weights are right, or the cell says that it is not, in ${RUNS} random experiments`, () => {
  fc.assert(
    fc.property(experiments('dense'), ({ settings, cells }) => {
      const measured = measureBatch(source, cells, settings);
      cells.forEach((cell, i) => {
        const own = measured[i]!;
        if (isReported(own) || settings.isNormalized) return;
        const { wrong, isOutOfReach } = judge(source, cell, settings, own);
        expect({ cell, wrong: wrong.slice(0, 3), isOutOfReach }).toEqual({
          cell,
          wrong: [],
          isOutOfReach: false,
        });
      });
    }),
    { seed: 1, numRuns: RUNS },
  );
});
