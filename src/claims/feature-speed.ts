/** Section 2: the feature speed formula, and the sensitivity. */

import { identity } from './checks.js';
import { defineClaim } from './claim.js';
import type { Lab, Setup } from './lab.js';

/** One layer of one network: what both sides of the formulas are made of. */
interface Layer {
  readonly speed: number;
  /** S_v. */
  readonly sensitivity: number;
  readonly cosine: number;
  readonly backward: number;
  /** sum_{l <= v} C_l, and that without C_v. */
  readonly decay: number;
  readonly decayBefore: number;
  /** m_v. */
  readonly size: number;
}

/** Networks, activations, losses and trained layers of every kind, at any learning rates. */
const WIDTH = 64;
const SETUPS: readonly Setup[] = [
  { architecture: 'mlp', depth: 12, width: WIDTH },
  { architecture: 'mlp', activation: 'tanh', depth: 8, width: WIDTH, loss: 'squared' },
  { architecture: 'resnet', branchScale: 0.3, depth: 24, width: WIDTH, train: 'hidden' },
  { architecture: 'resnet', activation: 'gelu', branchScale: 0.5, depth: 12, width: WIDTH, outputWidth: 3 },
  { architecture: 'resnet', activation: 'linear', depth: 12, width: WIDTH, train: ['input', 4, 9] },
];

const measureLayers = (lab: Lab): Layer[] =>
  SETUPS.flatMap((setup, i) => {
    // Any rates: between e^-1 and e of one that moves features visibly.
    const rates = Array.from(lab.normals(setup.depth + 1, 100 + i), (x) =>
      Math.exp(Math.max(-1, Math.min(1, x))),
    );
    return lab.measure({ ...setup, learningRate: rates }, 4).flatMap(({ values }) => {
      let decay = 0;
      return Array.from(values.contribution, (contribution, v): Layer => {
        const decayBefore = decay;
        decay += contribution;
        return {
          speed: values.feature_speed_rms[v]! * Math.sqrt(WIDTH),
          sensitivity: values.sensitivity[v]!,
          cosine: Math.cos(values.bfa_rad[v]!),
          backward: values.backward_rms[v]! * Math.sqrt(WIDTH),
          decay,
          decayBefore,
          size: WIDTH,
        };
      }).filter((layer) => layer.decay > 0);
    });
  });

/** float32, at angles up to 1.5 rad. */
const ROUNDING = 1e-4;

export const theorem21 = defineClaim<Layer[], { predict: (layer: Layer) => number }>({
  id: 'thm-2.1',
  title: 'Feature speed formula',
  where: 'Theorem 2.1',
  statement: '|fdot_v|_2 cos(theta_v) |b_v|_2 = sum_{l<=v} eta_l |G_l|^2, in any architecture, at any rates',
  law: { predict: ({ decay, cosine, backward }) => decay / (cosine * backward) },
  measure: measureLayers,
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

export const equation4 = defineClaim<Layer[], { predict: (layer: Layer) => number }>({
  id: 'eq-4',
  title: 'Sensitivity',
  where: 'Eq. 4',
  statement: 'S_v = |fdot_v|_rms / sum_{l<=v} C_l = 1 / (m_v cos(theta_v) |b_v|_rms)',
  law: {
    predict: ({ size, cosine, backward }) => 1 / (size * cosine * (backward / Math.sqrt(size))),
  },
  measure: measureLayers,
  judge: (layers, { predict }) => [
    identity(
      `relative difference of the two sides, largest of ${layers.length} layers`,
      layers.map((layer) => layer.sensitivity / predict(layer) - 1),
      ROUNDING,
    ),
  ],
  mutations: {
    'without m_v': { predict: ({ size, cosine, backward }) => Math.sqrt(size) / (cosine * backward) },
    'without the angle': { predict: ({ size, backward }) => 1 / (Math.sqrt(size) * backward) },
  },
});
