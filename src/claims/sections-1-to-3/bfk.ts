/** Sections 1 to 3: where features move, the kernel that moves them, and the kernel of the outputs. */
import { backwardFeatureKernel, outputKernel } from '../../core/curvature/kernels.js';
import type { ExponentPoint } from '../../results/exponent.js';
import { between, exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';
import { cosine, dot, lanesOf, length } from '../vectors.js';

/** float32, at angles up to 1.5 rad. */
const ROUNDING = 1e-4;

/** The entries of each lane of numbers of all lanes. */
const split = (values: Float32Array | Float64Array, size: number, lane: number) =>
  Array.from(values.subarray(lane * size, (lane + 1) * size));

export const outputAnglePrinted = defineClaim<ExponentPoint[], { exponent: number }>({
  id: 'section-1-printed',
  title: 'Angle at the output, as printed in section 1',
  where: 'Section 1, contributions',
  statement: 'For a depth L, cos(theta_L) = Theta(L^(-1/2)) for ReLU MLPs',
  note:
    'theta_{L-1} is meant, as in Prop 5.1. At the output K_L is the Neural Tangent Kernel, at large width a multiple of the ' +
    'identity, so that cos(theta_L) = 1 at any depth.',
  law: { exponent: -0.5 },
  measure: (lab) =>
    [8, 64].map((depth) => ({
      x: depth,
      y: lab.withStep({ depth, width: 8192, outputWidth: 4 }, 4, ({ output: { slope, change }, network }) =>
        network.lanes.map((_, i) => -cosine(split(slope, 4, i), split(change, 4, i))),
      ),
    })),
  judge: (cosines, { exponent }) => [exponentIs('exponent of cos(theta_L) in L, k = 4', cosines, exponent)],
  mutations: { 'as measured': { exponent: 0 } },
});

interface Moving {
  readonly layer: number;
  /** The first layer that learns. */
  readonly first: number;
  readonly speed: number;
  readonly angle: number;
}

export const theorem21Range = defineClaim<Moving[], { moves: (layer: number, first: number) => boolean }>({
  id: 'thm-2.1-range',
  title: 'Where features move, and in which half space',
  where: 'Theorem 2.1',
  statement: 'fdot_v = 0 if no layer up to v learns; otherwise theta_v is in [0, pi/2)',
  law: { moves: (layer, first) => layer >= first },
  measure: (lab) =>
    (['mlp', 'resnet'] as const).flatMap((architecture) =>
      [1, 4, 7].flatMap((first) => {
        const depth = 10;
        const train = Array.from({ length: depth + 1 - first }, (_, i) => first + i);
        const branchScale = architecture === 'mlp' ? 1 : 0.5;
        return lab
          .measure({ architecture, branchScale, depth, width: 64, train, loss: 'squared' }, 8)
          .flatMap(({ layers, values }) =>
            layers.map((layer, i) => ({
              layer,
              first,
              speed: values.feature_speed_rms[i]!,
              angle: values.bfa_rad[i]!,
            })),
          );
      }),
    ),
  judge: (layers, { moves }) => {
    const [moving, still] = [true, false].map((which) =>
      layers.filter(({ layer, first }) => moves(layer, first) === which),
    );
    return [
      between(
        'largest |fdot_v| where nothing learns up to v',
        Math.max(...still!.map((each) => each.speed)),
        0,
        0,
      ),
      between(
        `cos of the largest theta_v of ${moving!.length} layers where something does`,
        Math.min(...moving!.map(({ angle }) => (Number.isNaN(angle) ? -1 : Math.cos(angle)))),
        Number.MIN_VALUE,
        1,
      ),
    ];
  },
  mutations: {
    'the layer before moves too': { moves: (layer, first) => layer >= first - 1 },
    'the layer itself does not': { moves: (layer, first) => layer > first },
  },
});

/** One layer of one network, with the kernel applied to its backward pass. */
interface Kernel {
  readonly backward: Float32Array;
  readonly velocity: Float32Array;
  readonly image: Float32Array;
  /** C_l at index l = 1 .. L, and v. */
  readonly contributions: Float64Array;
  readonly layer: number;
}

/** Networks of both architectures, activations with and without kinks, and any trained layers. */
const NETWORKS: readonly Setup[] = [
  { depth: 8, width: 64, outputWidth: 3, loss: 'squared' },
  { activation: 'tanh', depth: 6, width: 64, loss: 'squared', train: 'hidden' },
  { architecture: 'resnet', activation: 'gelu', branchScale: 0.5, depth: 12, width: 64 },
  {
    architecture: 'resnet',
    activation: 'linear',
    branchScale: 0.3,
    depth: 12,
    width: 64,
    train: ['input', 4, 9],
  },
];

function kernelsOf(lab: Lab, setup: Setup): Kernel[] {
  const layers = [2, Math.floor(setup.depth / 2), setup.depth - 1];
  const states = new Map<number, { backward: Float32Array[]; velocity: Float32Array[] }>();
  const images = lab.withStep(
    setup,
    4,
    (step, { contributions }) =>
      layers.map((layer) => {
        const at = step.layers[setup.depth - layer]!;
        const applied = backwardFeatureKernel(step, layer, at.backward!);
        return { layer, image: lanesOf(applied), contributions };
      }),
    ({ distance, backward, change }) => {
      states.set(setup.depth - distance, { backward: lanesOf(backward), velocity: lanesOf(change) });
    },
  );
  return images.flatMap(({ layer, image, contributions }) => {
    const { backward, velocity } = states.get(layer)!;
    return image.map((each, i) => ({
      layer,
      image: each,
      backward: backward[i]!,
      velocity: velocity[i]!,
      contributions: contributions[i]!,
    }));
  });
}

export const definition31 = defineClaim<Kernel[], { sign: number; upTo: (v: number) => number }>({
  id: 'def-3.1',
  title: 'The backward-to-feature kernel moves the features',
  where: 'Definition 3.1, Eqs. 3 and 6',
  statement:
    'fdot_v = -K_v b_v, and b_v^T K_v b_v = sum_{l<=v} eta_l |G_l|^2, so that cos(theta_v) = b_v^T K_v b_v / (|K_v b_v| |b_v|)',
  law: { sign: -1, upTo: (v) => v },
  measure: (lab) => NETWORKS.flatMap((setup) => kernelsOf(lab, setup)),
  judge: (kernels, { sign, upTo }) => [
    identity(
      `largest |fdot_v + K_v b_v| / |fdot_v| of ${kernels.length} layers`,
      kernels.map(
        ({ velocity, image }) => length(velocity.map((x, i) => x - sign * image[i]!)) / length(velocity),
      ),
      ROUNDING,
    ),
    identity(
      'largest relative difference of b_v^T K_v b_v and the sum',
      kernels.map(({ backward, image, contributions, layer }) => {
        const decay = contributions.slice(1, upTo(layer) + 1).reduce((sum, c) => sum + c, 0);
        return dot(backward, image) / decay - 1;
      }),
      ROUNDING,
    ),
    identity(
      'largest difference of cos(theta_v)',
      kernels.map(({ backward, image, velocity }) => cosine(backward, image) + cosine(backward, velocity)),
      ROUNDING,
    ),
  ],
  mutations: {
    'the other sign': { sign: 1 },
    'the sum without l = v': { upTo: (v) => v - 1 },
    'the sum of all layers': { upTo: () => Infinity },
  },
});

interface Outputs {
  /** fdot_L and b_L. */
  readonly velocity: readonly number[];
  readonly slope: readonly number[];
  /** K_L, k x k, and the part of it that W_L alone makes, a multiple of the identity. */
  readonly kernel: readonly number[];
  readonly readout: number;
}

export const tangentKernel = defineClaim<Outputs[], { entry: (of: Outputs, i: number, j: number) => number }>(
  {
    id: 'def-3.1-ntk',
    title: 'The kernel of the output is the Neural Tangent Kernel',
    where: 'Section 3, after Definition 3.1',
    statement:
      'fdot_L = -K_L b_L with (K_L)_ij = sum_l eta_l <d f_L,i / d w_l, d f_L,j / d w_l>, the Neural Tangent Kernel',
    note: 'The gradients of the outputs are taken by a backward pass each, fdot_L by the tangent pass.',
    law: { entry: ({ kernel, slope }, i, j) => kernel[i * slope.length + j]! },
    measure: (lab) =>
      NETWORKS.flatMap((setup) => {
        const k = 3;
        return lab.withStep({ ...setup, outputWidth: k, train: 'all' }, 4, (step) => {
          const kernels = outputKernel(step);
          const { slope, change: outputChange } = step.output;
          const [readout] = step.readout.descents;
          const inputs = lanesOf(readout!.input);
          return inputs.map((input, i) => ({
            kernel: split(kernels, k * k, i),
            slope: split(slope, k, i),
            velocity: split(outputChange, k, i),
            readout: readout!.rates[i]! * dot(input, input),
          }));
        });
      }),
    judge: (all, { entry }) => [
      identity(
        `largest |fdot_L + K_L b_L| / |fdot_L| of ${all.length} networks, k = 3`,
        all.map((of) => {
          const rows = Array.from(of.slope, (_, i) => i);
          const predicted = rows.map(
            (i) => -rows.reduce((sum, j) => sum + entry(of, i, j) * of.slope[j]!, 0),
          );
          return length(of.velocity.map((x, i) => x - predicted[i]!)) / length(of.velocity);
        }),
        ROUNDING,
      ),
    ],
    mutations: {
      'that of W_L alone, the conjugate kernel': { entry: ({ readout }, i, j) => (i === j ? readout : 0) },
      'without W_L': {
        entry: ({ kernel, readout, slope }, i, j) => kernel[i * slope.length + j]! - (i === j ? readout : 0),
      },
    },
  },
);
