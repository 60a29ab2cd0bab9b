/** Section 6.1: the stability of gradients, and the signs and exceptions of the backward speed. */
import { median } from 'simple-statistics';
import { featureBackwardKernel } from '../../core/curvature/kernels.js';
import { backwardVelocity } from '../../core/step/backward-velocity.js';
import type { Step } from '../../core/step/step.js';
import type { ExponentPoint } from '../../results/exponent.js';
import { between, type Exponent, exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import { dense, type Lab, type Setup } from '../lab.js';
import { cosine, dot, lanesOf, length } from '../vectors.js';

/** bdot_l and b_l of every lane by distance. */
function backwardStates(step: Step): Map<number, { velocity: Float32Array[]; backward: Float32Array[] }> {
  const states = new Map<number, { velocity: Float32Array[]; backward: Float32Array[] }>();
  backwardVelocity(step, ({ distance, velocity, backward }) => {
    states.set(distance, { velocity: lanesOf(velocity), backward: lanesOf(backward) });
  });
  return states;
}

interface Stability {
  /** max_l |dG_l/dt| / |G_l|. */
  readonly relative: number;
  /** The largest ratio of it to |bdot_l| / |b_l| + |gdot_{l-1}| / |g_{l-1}|. */
  readonly ofBound: number;
}

/** The relative speed of the gradients G_l = b_l g_{l-1}^T of all layers, of an MLP or a linear ResNet with a linear loss. */
function stabilities(lab: Lab, setup: Setup, draws: number): Stability[] {
  const changes = new Map<number, Float32Array[]>();
  return lab.withStep(
    setup,
    draws,
    (step) => {
      const backward = backwardStates(step);
      const all = step.network.lanes.map(() => ({ relative: 0, ofBound: 0 }));
      for (let distance = 0; distance < setup.depth; distance++) {
        // b_L stays with a linear loss, and the input of W_1 does always.
        const { velocity: bdots, backward: bs } = backward.get(distance) ?? {
          velocity: all.map(() => [0]),
          backward: all.map(() => [1]),
        };
        const input = step.layers[distance + 1];
        const gdots = changes.get(distance + 1) ?? all.map(() => [0]);
        const gs = input ? lanesOf(input.features) : all.map(() => [1]);
        all.forEach((stability, i) => {
          const [bdot, b, gdot, g] = [bdots[i]!, bs[i]!, gdots[i]!, gs[i]!];
          const [forward, back] = [length(gdot) / length(g), length(bdot) / length(b)];
          const mixed = (2 * dot(bdot, b) * dot(gdot, g)) / (dot(b, b) * dot(g, g));
          const speed = Math.sqrt(Math.max(0, forward ** 2 + back ** 2 + mixed));
          stability.relative = Math.max(stability.relative, speed);
          stability.ofBound = Math.max(stability.ofBound, speed / (forward + back));
        });
      }
      return all;
    },
    ({ distance, change }) => {
      changes.set(distance, lanesOf(change));
    },
  );
}

const STABILITY_CASES = {
  'MLP, FSC': () => ({ scaling: 'FSC' }),
  'MLP, sigma_L = 1/m': () => ({ scaling: 'MF+muP' }),
  'linear ResNet, sigma_L = 1/m': (L: number) => ({
    architecture: 'resnet',
    activation: 'linear',
    branchScale: 1 / Math.sqrt(L),
    scaling: 'MF+muP',
  }),
} as const satisfies Record<string, (L: number) => Partial<Setup>>;

type StabilityCase = keyof typeof STABILITY_CASES;

export const gradientStability = defineClaim<
  Record<StabilityCase, { x: number; draws: Stability[] }[]>,
  Record<StabilityCase, Exponent> & { bound: number }
>({
  id: 'section-6.1-s',
  title: 'Stability of the gradients',
  where: 'Section 6.1, property (S)',
  statement:
    'max_l |dG_l/dt| / |G_l| = O(1) with FSC, as |dG_l/dt| / |G_l| <= |bdot_l| / |b_l| + |gdot_{l-1}| / |g_{l-1}|, and for linear ' +
    'ResNets with their FSC too; with the sigma_L = 1/m of MF+muP it grows as sqrt(L) in an MLP',
  law: {
    'MLP, FSC': 0,
    'MLP, sigma_L = 1/m': 0.5,
    'linear ResNet, sigma_L = 1/m': 0,
    bound: 1,
  },
  measure: (lab) =>
    Object.fromEntries(
      Object.entries(STABILITY_CASES).map(([name, kindAt]): [string, { x: number; draws: Stability[] }[]] => [
        name,
        [16, 64].map((depth) => ({
          x: depth,
          draws: stabilities(lab, { ...kindAt(depth), depth, width: 4096 }, name.startsWith('MLP') ? 48 : 8),
        })),
      ]),
    ) as Record<StabilityCase, { x: number; draws: Stability[] }[]>,
  judge: (measured, law) => [
    ...(Object.keys(STABILITY_CASES) as StabilityCase[]).map((name) =>
      exponentIs(
        `${name}: exponent of max_l |dG_l/dt| / |G_l| in L`,
        measured[name].map(
          ({ x, draws }): ExponentPoint => ({ x, y: draws.map(({ relative }) => relative) }),
        ),
        law[name],
        0.2,
      ),
    ),
    between(
      'largest |dG_l/dt| / |G_l| over the sum of the two',
      Math.max(
        ...Object.values(measured).flatMap((points) =>
          points.flatMap(({ draws }) => draws.map(({ ofBound }) => ofBound)),
        ),
      ),
      0,
      law.bound + 1e-5,
    ),
  ],
  mutations: {
    'FSC grows': { 'MLP, FSC': 0.5 },
    'sigma_L = 1/m would do': { 'MLP, sigma_L = 1/m': 0 },
    'half the bound': { bound: 0.5 },
  },
});

interface Equation14 {
  readonly velocity: Float32Array;
  readonly image: Float32Array;
}

export const equation14Printed = defineClaim<Equation14[], { sign: number }>({
  id: 'eq-14-printed',
  title: 'The velocity of the backward pass, as printed',
  where: 'Eq. 14',
  statement: 'For ReLU MLPs and a linear loss bdot_v = K~_v f_v',
  note: 'The sign is lost: wdot_l = -eta_l G_l, so that bdot_v = -K~_v f_v, as the angle of Lemma A.1 has it.',
  law: { sign: 1 },
  measure: (lab) => {
    const depth = 8;
    return lab.withStep({ depth, width: 64, outputWidth: 3 }, 6, (step) => {
      const velocities = backwardStates(step);
      return [1, 4, 7].flatMap((layer) => {
        const images = lanesOf(
          featureBackwardKernel(step, layer, step.preactivations(depth - layer).features),
        );
        return images.map((image, i) => ({ image, velocity: velocities.get(depth - layer)!.velocity[i]! }));
      });
    });
  },
  judge: (layers, { sign }) => [
    identity(
      `largest |bdot_v ${sign > 0 ? '-' : '+'} K~_v f_v| / |bdot_v| of ${layers.length} layers`,
      layers.map(
        ({ velocity, image }) => length(velocity.map((x, i) => x - sign * image[i]!)) / length(velocity),
      ),
      1e-4,
    ),
  ],
  mutations: { 'as measured': { sign: -1 } },
});

interface Vanishing {
  /** The numerator over the sum of the absolute values of its terms. */
  readonly numerator: number;
  /** |bdot_v| / |b_v|. */
  readonly speed: number;
  readonly cosine: number;
}

/**
 * Networks of one output with a squared loss, at rates that make the numerator of Prop 6.1 zero at layer v. With A and B the
 * loss decay by the layers up to v and after it, b_L = f - y and fdot_L = -(A + B) / (f - y), it is B + f (A + B) / (f - y),
 * and zero at A / B = (y - 2 f) / f: a ratio of rates, where 0 < f < y / 2.
 */
function withoutNumerator(lab: Lab): Vanishing[] {
  const [depth, width, layer, draws, y] = [8, 64, 4, 32, 2];
  const data = { ...dense(10), target: { law: 'constant', value: y } } as const;
  const setup: Setup = { depth, width, loss: 'squared', scaling: 'NTK', data };
  const outputs = lab.withStep(setup, draws, ({ output }) => Array.from(output.values));
  const chosen = outputs.map((f) => f > 0.05 * y && f < 0.45 * y);
  const norms = lab.gradientNorms(setup, draws);
  return norms.flatMap((squares, draw) => {
    if (!chosen[draw]) return [];
    const f = outputs[draw]!;
    const [below, above] = [(y - 2 * f) / f / layer, 1 / (depth - layer)];
    const learningRate = squares.map((square, l) => (l === 0 ? 0 : (l <= layer ? below : above) / square));
    return lab.withStep({ ...setup, learningRate }, draw + 1, (step, { contributions }) => {
      const own = contributions[draw]!;
      const after = own.subarray(layer + 1).reduce((sum, c) => sum + c, 0);
      const curvature = step.output.values[draw]! * step.output.change[draw]!;
      const { velocity, backward } = backwardStates(step).get(depth - layer)!;
      const features = lanesOf(step.preactivations(depth - layer).features)[draw]!;
      return [
        {
          numerator: (after - curvature) / (after + Math.abs(curvature)),
          speed: length(velocity[draw]!) / length(backward[draw]!),
          cosine: cosine(features, velocity[draw]!),
        },
      ];
    });
  });
}

export const vanishingPrinted = defineClaim<Vanishing[], { speed: number }>({
  id: 'prop-6.1-zero',
  title: 'A numerator of zero',
  where: 'Proposition 6.1',
  statement: 'If -f_L^T H fdot_L + sum_{l>v} eta_l |G_l|^2 = 0 then bdot_v = 0',
  note:
    'True for a linear loss, where no layer after v moves then. With a squared loss the terms cancel at suitable rates, and ' +
    'bdot_v is orthogonal to f_v instead: there the angle is pi/2.',
  law: { speed: 0 },
  measure: withoutNumerator,
  judge: (networks, { speed }) => [
    identity(
      `largest numerator of ${networks.length} networks, relative to its terms`,
      networks.map(({ numerator }) => numerator),
      1e-4,
    ),
    between(
      'median of |bdot_v| / |b_v|',
      median(networks.map((each) => each.speed)),
      speed === 0 ? 0 : speed,
      speed === 0 ? 1e-3 : Infinity,
    ),
    identity(
      'largest |cos(theta~_v)|',
      networks.map((each) => each.cosine),
      1e-3,
    ),
  ],
  mutations: { 'as measured': { speed: 0.01 } },
});
