/** Section 1: training to zero loss without feature learning. */
import type { ExponentPoint } from '../../results/exponent.js';
import { exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import { dense, type Setup } from '../lab.js';

interface Trained {
  /** The last loss over the first, by draw. */
  readonly losses: readonly number[];
  /** |f_{L-1} - f_{L-1}(0)|_rms at the end. */
  readonly displacement: readonly ExponentPoint[];
}

export const lazyTraining = defineClaim<Trained, { exponent: number }>({
  id: 'section-1-lazy',
  title: 'Zero loss without feature learning',
  where: 'Section 1, introduction',
  statement:
    'Some architectures reach zero loss without feature learning: an MLP with the NTK scaling does, while its features move by ' +
    'Theta(m^(-1/2)) in all',
  note: 'The paper has the example from Jacot et al.; depth 4, one sample, 12 steps.',
  law: { exponent: -0.5 },
  measure: (lab) => {
    const steps = 12;
    const trained = [256, 2048].map((width) => {
      // A target well beyond the first outputs, which are N(0, 1/2): no network begins where it is to end.
      const data = { ...dense(10), target: { law: 'constant', value: 3 } } as const;
      const setup: Setup = { depth: 4, width, loss: 'squared', scaling: 'NTK (Table 1)', data };
      const cells = lab.measure({ ...setup, kind: 'update', steps, stepSize: 2, layers: 'output' }, 16);
      return {
        x: width,
        losses: cells.map(({ values: { loss } }) => loss[steps - 1]! / loss[0]!),
        displacement: cells.map(
          ({ values }) => values.feature_displacement_rms[steps - 1]! / Math.sqrt(2 * values.loss[0]!),
        ),
      };
    });
    return {
      losses: trained.flatMap(({ losses }) => losses),
      displacement: trained.map(({ x, displacement }) => ({ x, y: displacement })),
    };
  },
  judge: ({ losses, displacement }, { exponent }) => [
    exponentIs(
      'exponent in m of the displacement of g_{L-1}, relative to |f_L - y|',
      displacement,
      exponent,
      0.15,
    ),
    identity(`largest share of the loss that is left, ${losses.length} networks`, losses, 1e-3),
  ],
  mutations: {
    'features that move at any width': { exponent: 0 },
    'features that move as 1/m': { exponent: -1 },
  },
});
