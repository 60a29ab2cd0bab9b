/** Section 2: the feature speed formula, and the sensitivity. */

import type { CellMeasurement } from '../../core/experiment.js';
import { learns } from '../../core/step/lane.js';
import { identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import { type Lab, type Setup, SPARSE } from '../lab.js';

/** Networks, activations, losses, samples and trained layers of every kind. */
const SETUPS: readonly Setup[] = [
  { architecture: 'mlp', depth: 10, width: 64 },
  {
    architecture: 'mlp',
    activation: 'tanh',
    depth: 6,
    width: 48,
    loss: 'squared',
    samples: 4,
    weights: 'dense',
  },
  { architecture: 'mlp', depth: 6, width: 48, outputWidth: 5, loss: 'cross-entropy', data: SPARSE },
  { architecture: 'resnet', branchScale: 0.3, depth: 16, width: 64, train: 'hidden', loss: 'squared' },
  { architecture: 'resnet', activation: 'gelu', branchScale: 0.5, depth: 8, width: 48, outputWidth: 3 },
  { architecture: 'resnet', activation: 'linear', depth: 10, width: 64, train: ['input', 4, 7] },
];
const DRAWS = 4;

/** Any rates: between e^-1 and e of one that moves features visibly. */
const ratesOf = (lab: Lab, { depth }: Setup, index: number) =>
  Array.from(lab.normals(depth + 1, index), (x) => Math.exp(Math.max(-1, Math.min(1, x))));

/** One layer of one network: what both sides of the formulas are made of; norms are of all samples together. */
interface Layer {
  /** |fdot_v|_2, cos(theta_v) and |b_v|_2. */
  readonly speed: number;
  readonly cosine: number;
  readonly backward: number;
  /** m_v, times the number of samples. */
  readonly size: number;
}

function layerOf({ values }: CellMeasurement, { width, samples = 1 }: Setup, v: number): Layer {
  const size = width * samples;
  return {
    speed: values.feature_speed_rms[v - 1]! * Math.sqrt(size),
    cosine: Math.cos(values.bfa_rad[v - 1]!),
    backward: values.backward_rms[v - 1]! * Math.sqrt(size),
    size,
  };
}

/** float32, at angles up to 1.5 rad. */
const ROUNDING = 1e-4;

interface Formula extends Layer {
  /** -dloss/dt where the layers up to v learn, and where those before v do, by what happens to the outputs. */
  readonly decay: number;
  readonly decayBefore: number;
}

export const theorem21 = defineClaim<Formula[], { predict: (layer: Formula) => number }>({
  id: 'thm-2.1',
  title: 'Feature speed formula',
  where: 'Theorem 2.1',
  statement: '|fdot_v|_2 cos(theta_v) |b_v|_2 = sum_{l<=v} eta_l |G_l|^2, in any architecture, at any rates',
  note: 'The sum is measured apart from the gradients: as the velocity of the loss where only the layers up to v learn.',
  law: { predict: ({ decay, cosine, backward }) => decay / (cosine * backward) },
  measure: (lab) =>
    SETUPS.flatMap((setup, index) => {
      const { depth, train = 'all' } = setup;
      const full: Setup = { ...setup, learningRate: ratesOf(lab, setup, index) };
      const cells = lab.measure(full, DRAWS);
      const learning = Array.from({ length: depth - 1 }, (_, i) => i + 1).filter((l) =>
        learns(train, l, depth),
      );
      /** Loss decay where the learning layers up to v learn; by draw. */
      const decays = learning.map((v) =>
        lab
          .measure({ ...full, train: learning.filter((l) => l <= v), layers: 'output' }, DRAWS)
          .map(({ values }) => -values.loss_change[0]!),
      );
      return cells.flatMap((cell, draw) =>
        learning.map((v, i): Formula => {
          const decayBefore = i === 0 ? 0 : decays[i - 1]![draw]!;
          return { ...layerOf(cell, setup, v), decay: decays[i]![draw]!, decayBefore };
        }),
      );
    }),
  judge: (layers, { predict }) => [
    identity(
      `relative residual, largest of ${layers.length} layers of ${SETUPS.length} kinds of networks`,
      layers.map((layer) => layer.speed / predict(layer) - 1),
      ROUNDING,
    ),
  ],
  mutations: {
    'without the angle': { predict: ({ decay, backward }) => decay / backward },
    'without the layer itself': {
      predict: ({ decayBefore, cosine, backward }) => decayBefore / (cosine * backward),
    },
  },
});

interface Sensitivity extends Layer {
  /** |fdot_v|_rms / sum_{l<=v} eta_l |G_l|^2. */
  readonly sensitivity: number;
}

export const equation4 = defineClaim<Sensitivity[], { predict: (layer: Layer) => number }>({
  id: 'eq-4',
  title: 'Sensitivity',
  where: 'Eq. 4',
  statement: 'S_v = |fdot_v|_rms / sum_{l<=v} C_l = 1 / (m_v cos(theta_v) |b_v|_rms)',
  law: {
    predict: ({ size, cosine, backward }) => 1 / (size * cosine * (backward / Math.sqrt(size))),
  },
  measure: (lab) =>
    SETUPS.flatMap((setup, index) => {
      const cells = lab.measure({ ...setup, learningRate: ratesOf(lab, setup, index) }, DRAWS);
      return cells.flatMap((cell) => {
        const { feature_speed_rms: speeds, contribution } = cell.values;
        return Array.from(speeds, (speed, i): Sensitivity => {
          const decay = contribution.slice(0, i + 1).reduce((sum, C) => sum + C, 0);
          return { ...layerOf(cell, setup, i + 1), sensitivity: speed / decay };
        }).filter(({ speed }) => speed > 0);
      });
    }),
  judge: (layers, { predict }) => [
    identity(
      `relative difference of the two sides, largest of ${layers.length} layers of two widths`,
      layers.map((layer) => layer.sensitivity / predict(layer) - 1),
      ROUNDING,
    ),
  ],
  mutations: {
    'without m_v': { predict: ({ size, cosine, backward }) => Math.sqrt(size) / (cosine * backward) },
    'without the angle': { predict: ({ size, backward }) => 1 / (Math.sqrt(size) * backward) },
  },
});
