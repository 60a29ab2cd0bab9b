/** Section 5.2: what deep ReLU MLPs make of two inputs. */
import type { Step } from '../../core/step/step.js';
import { meanWithin } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab } from '../lab.js';
import { cosine, dot, lanesOf } from '../vectors.js';

interface Pair {
  /** The cosine of the two inputs. */
  readonly inputs: number;
  /** The cosine of the two g_{L-1}: the conjugate kernel over its diagonal. */
  readonly features: number;
  /** The Neural Tangent Kernel of the two over its diagonal. */
  readonly tangent: number;
}

/** The two rows of a state of two samples, by lane. */
const rowsOf = (values: Float32Array): [Float32Array, Float32Array] => [
  values.subarray(0, values.length / 2),
  values.subarray(values.length / 2),
];

/** The NTK of two samples for each lane, sum_l eta_l <b_l, b_l'> <g_{l-1}, g_{l-1}'>, over the geometric mean of its diagonal. */
function tangentCosines(step: Step): number[] {
  const sums = step.network.lanes.map(() => [0, 0, 0]);
  for (const { backward, input, rates } of step.descents) {
    const inputs = lanesOf(input).map(rowsOf);
    lanesOf(backward).forEach((values, i) => {
      const [b, q] = [rowsOf(values), inputs[i]!];
      [[0, 0] as const, [1, 1] as const, [0, 1] as const].forEach(([s, t], at) => {
        sums[i]![at]! += rates[i]! * dot(b[s], b[t]) * dot(q[s], q[t]);
      });
    });
  }
  return sums.map(([first, second, mixed]) => mixed! / Math.sqrt(first! * second!));
}

function pairs(lab: Lab, depth: number): Pair[] {
  // Inputs of four numbers: pairs at any angle.
  const setup = { depth, width: 8192, inputWidth: 4, samples: 2, scaling: 'NTK (Table 1)' } as const;
  return lab.withStep(setup, 10, (step) => {
    const tangents = tangentCosines(step);
    const inputs = lanesOf(step.layers[depth - 1]!.embedding!.states[0]!).map(rowsOf);
    return lanesOf(step.layers[1]!.features).map((features, i) => ({
      inputs: cosine(...inputs[i]!),
      features: cosine(...rowsOf(features)),
      tangent: tangents[i]!,
    }));
  });
}

/** Two correlated Gaussians: that of their ReLU, and of their gates, over those of equal ones (Cho and Saul). */
interface Duals {
  readonly features: (cosine: number) => number;
  readonly gates: (cosine: number) => number;
}

const RELU: Duals = {
  features: (c) => (Math.sqrt(1 - c ** 2) + c * (Math.PI - Math.acos(c))) / Math.PI,
  gates: (c) => 1 - Math.acos(c) / Math.PI,
};

/** The limit of infinite width from the cosine of the inputs, at balanced contributions. */
function limitOf(inputs: number, depth: number, { features, gates }: Duals): Omit<Pair, 'inputs'> {
  /** Cosines of g_0 = x, g_1, .. g_{L-1}; those of f_l are the same as those of g_{l-1}. */
  const cosines = [inputs];
  while (cosines.length < depth) cosines.push(features(cosines.at(-1)!));
  let tangent = 0;
  let backward = 1; // the cosine of b_l
  for (let l = depth; l >= 1; l--) {
    if (l < depth) backward *= gates(cosines[l - 1]!);
    tangent += (backward * cosines[l - 1]!) / depth;
  }
  return { features: cosines.at(-1)!, tangent };
}

export const twoInputs = defineClaim<{ depth: number; pairs: Pair[] }[], Duals>({
  id: 'section-5.2-two-inputs',
  title: 'Degenerate kernels of two inputs',
  where: 'Section 5.2, after Proposition 5.3',
  statement:
    'In deep ReLU MLPs the conjugate kernel and the Neural Tangent Kernel degenerate: whatever the two inputs, the cosine of their ' +
    'features tends to 1, and their tangent kernel to a constant share of the diagonal',
  note: 'Measured against the limit of infinite width at finite depth; 1 - cos falls as 9 pi^2 / (2 L^2), and the share tends to 1/4.',
  law: RELU,
  measure: (lab) => [4, 32].map((depth) => ({ depth, pairs: pairs(lab, depth) })),
  judge: (all, duals) =>
    all.flatMap(({ depth, pairs }) => {
      const limits = pairs.map(({ inputs }) => limitOf(inputs, depth, duals));
      return [
        meanWithin(
          `L = ${depth}: 1 - cos(g_{L-1}, g'_{L-1}) over its limit`,
          pairs.map(({ features }, i) => (1 - features) / (1 - limits[i]!.features)),
          1,
          0.3,
        ),
        meanWithin(
          `L = ${depth}: tangent kernel of two inputs over its diagonal, less its limit`,
          pairs.map(({ tangent }, i) => tangent - limits[i]!.tangent),
          0,
          0.1,
        ),
      ];
    }),
  mutations: {
    'those of a linear network': { features: (c) => c, gates: () => 1 },
    'features that keep their angle': { features: (c) => c },
    'without the gates of the backward pass': { gates: () => 1 },
  },
});
