/** Fig. 2 (b) as captioned. */
import { mean } from 'simple-statistics';
import { between } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';

/** Mean S_{L-1} of networks with the data and the sizes of the figure. */
function sensitivity(lab: Lab, depth: number, branchScale: number, draws: number): number {
  const setup: Setup = {
    architecture: 'resnet',
    branchScale,
    depth,
    width: 50,
    inputWidth: 4,
    outputWidth: 2,
    samples: 200,
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'cosine' } },
    loss: 'squared',
    scaling: 'MF+muP',
    train: 'hidden',
    weights: 'dense',
    layers: 'output',
  };
  return mean(lab.measure(setup, draws).map(({ values }) => values.sensitivity[0]!));
}

interface Means {
  /** beta = 1/sqrt(L), at L = 4 and at L = 40; and beta = 1/L at L = 40. */
  readonly shallow: number;
  readonly deep: number;
  readonly deepInverse: number;
}

export const figure2bCaption = defineClaim<Means, { least: number; most: number }>({
  id: 'fig-2b-caption',
  title: 'Sensitivity of shallow ResNets, as captioned',
  where: 'Fig. 2 (b), caption',
  statement:
    'For both branch scales the sensitivities first decrease with depth, and then stabilize at a value bounded away from 0',
  note:
    'They do stabilize. But with beta = 1/sqrt(L) they rise first, by a quarter from L = 4 to 40, and from L = 20 on, where the ' +
    'figure begins, there is no trend to be seen, nor with beta = 1/L.',
  law: { least: 1, most: Infinity },
  measure: (lab) => ({
    shallow: sensitivity(lab, 4, 1 / Math.sqrt(4), 48),
    deep: sensitivity(lab, 40, 1 / Math.sqrt(40), 48),
    deepInverse: sensitivity(lab, 40, 1 / 40, 8),
  }),
  judge: ({ shallow, deep, deepInverse }, { least, most }) => [
    between(
      'beta = 1/sqrt(L): S_{L-1} at L = 4 over that at L = 40, means of 48',
      shallow / deep,
      least,
      most,
    ),
    between('beta = 1/sqrt(L): S_{L-1} at L = 40', deep, 1, Infinity),
    between('beta = 1/L: S_{L-1} at L = 40', deepInverse, 1, Infinity),
  ],
  mutations: { 'as measured': { least: 0, most: 1 } },
});
