/** Theorem 2.1 "at any training time": on weights that have learnt. */

import type { CellMeasurement } from '../../core/experiment.js';
import type { TrainingState } from '../../core/training.js';
import { identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';

/** Steps that are measured, from the first to the last. */
const RECORDED: readonly number[] = [1, 4, 16, 64];
const STEPS = RECORDED.at(-1)!;
/** Samples that are learnt from, of which a batch has fewer. */
const SAMPLES = 32;
const DRAWS = 3;

/** Networks, activations, losses and rates, each of which learns in so many steps. */
const SETUPS: readonly Setup[] = [
  {
    architecture: 'mlp',
    depth: 5,
    width: 32,
    outputWidth: 3,
    loss: 'cross-entropy',
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'one-hot' } },
    learningRate: 'held',
    stepSize: 0.05,
    samples: 8,
  },
  {
    architecture: 'resnet',
    activation: 'tanh',
    branchScale: 0.4,
    depth: 6,
    width: 24,
    outputWidth: 2,
    loss: 'squared',
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
    learningRate: 'polyak',
    stepSize: 0.2,
    samples: 8,
  },
  {
    architecture: 'resnet',
    branchScale: 0.6,
    depth: 5,
    width: 32,
    loss: 'squared',
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'normal' } },
    learningRate: [0, 0.05, 0.4, 0.3, 0.2, 0.1],
    stepSize: 0.1,
    samples: 32,
  },
];

/** One layer of one network at one step. */
interface Layer {
  readonly step: number;
  /** |fdot_v|_2, cos(theta_v) and |b_v|_2. */
  readonly speed: number;
  readonly cosine: number;
  readonly backward: number;
  /** -dloss/dt where the layers up to v learn; the same where those before v do, and at the first step. */
  readonly decay: number;
  readonly decayBefore: number;
  readonly decayAtFirst: number;
}

/** Every layer at every recorded step of a training. */
function trainingOf(lab: Lab, setup: Setup): Layer[] {
  const { depth, width, samples = 1 } = setup;
  const full: Setup = { ...setup, kind: 'velocity', steps: STEPS };
  const schooling = { samples: SAMPLES, recorded: RECORDED };
  const states = new Map<number, TrainingState>();
  const cells = lab.train(full, DRAWS, schooling, {
    stepped: (taken, state) => {
      if (RECORDED.some((t) => t === taken + 1)) states.set(taken + 1, structuredClone(state()));
    },
  });
  const row = (t: number, v: number) => RECORDED.indexOf(t) * (depth - 1) + v - 1;
  const layers = Array.from({ length: depth - 1 }, (_, i) => i + 1);
  /** -dloss/dt of the weights as they are before step t, where the layers up to v learn; by draw. */
  const decaysOf = (t: number, v: number) =>
    lab
      .train({ ...full, train: layers.filter((l) => l <= v), steps: t }, DRAWS, schooling, {
        state: states.get(t),
      })
      .map(({ values }) => -values.loss_change[row(t, v)]!);
  const decays = RECORDED.map((t) => layers.map((v) => decaysOf(t, v)));
  const size = Math.sqrt(width * samples);
  const layerOf = ({ values }: CellMeasurement, draw: number, step: number, v: number): Layer => {
    const at = row(step, v);
    const own = decays[RECORDED.indexOf(step)]!;
    return {
      step,
      speed: values.feature_speed_rms[at]! * size,
      cosine: Math.cos(values.bfa_rad[at]!),
      backward: values.backward_rms[at]! * size,
      decay: own[v - 1]![draw]!,
      decayBefore: v === 1 ? 0 : own[v - 2]![draw]!,
      decayAtFirst: decays[0]![v - 1]![draw]!,
    };
  };
  return cells.flatMap((cell, draw) => RECORDED.flatMap((t) => layers.map((v) => layerOf(cell, draw, t, v))));
}

export const theorem21Training = defineClaim<Layer[], { predict: (layer: Layer) => number }>({
  id: 'thm-2.1-training',
  title: 'Feature speed formula at any training time',
  where: 'Theorem 2.1, "at any training time"',
  statement:
    '|fdot_v|_2 cos(theta_v) |b_v|_2 = sum_{l<=v} eta_l |G_l|^2 at every step of a training, on mini-batches or not, at rates ' +
    'that are held, given, or follow the loss',
  note: 'The sum is measured apart from the gradients, on the same weights: as the velocity of the loss where only the layers up to v learn.',
  law: { predict: ({ decay, cosine, backward }) => decay / (cosine * backward) },
  measure: (lab) => SETUPS.flatMap((setup) => trainingOf(lab, setup)),
  judge: (all, { predict }) =>
    RECORDED.map((t) => {
      const layers = all.filter(({ step }) => step === t);
      return identity(
        `relative residual at step ${t}, largest of ${layers.length} layers of ${SETUPS.length} kinds of networks`,
        layers.map((layer) => layer.speed / predict(layer) - 1),
        1e-4,
      );
    }),
  mutations: {
    'without the angle': { predict: ({ decay, backward }) => decay / backward },
    'without the layer itself': {
      predict: ({ decayBefore, cosine, backward }) => decayBefore / (cosine * backward),
    },
    'with the loss decay of the first step': {
      predict: ({ decayAtFirst, cosine, backward }) => decayAtFirst / (cosine * backward),
    },
  },
});
