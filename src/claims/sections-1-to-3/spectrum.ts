/** Section 3: angles by the spectra of the kernels. */

import { mean } from 'simple-statistics';
import { between, exponentIs, identity, meanWithin } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Setup } from '../lab.js';
import { cosineAt, eigenOf, kernelsOf, type Moments, momentsAt } from './kernel-matrices.js';

const MLP: Setup = { architecture: 'mlp', depth: 8, width: 48 };
const RESNET: Setup = { architecture: 'resnet', branchScale: 1 / Math.sqrt(12), depth: 12, width: 48 };

interface Bound {
  readonly smallest: number;
  readonly largest: number;
  /** cos(theta_v) of the network, of the worst b, and of the best. */
  readonly cosine: number;
  readonly worst: number;
  readonly best: number;
}

/**
 * The least that cos(theta) can be (Kantorovich): 2 sqrt(x) / (1 + x) with x = lambda_min / lambda_max, of which b has
 * the components sqrt(lambda_max) and sqrt(lambda_min) along the eigenvectors of these two, and no others.
 */
const kantorovich = ({ smallest, largest }: Bound) =>
  (2 * Math.sqrt(smallest * largest)) / (smallest + largest);

export const theorem32Bounds = defineClaim<
  Bound[],
  { bound: (of: Bound) => number; worst: (of: Bound) => number }
>({
  id: 'thm-3.2-bounds',
  title: 'Angle and conditioning of the BFK',
  where: 'Theorem 3.2, first part',
  statement: 'lambda_min(K_v) / lambda_max(K_v) <= cos(theta_v) <= 1',
  note:
    'No b attains the lower bound unless K_v is a multiple of the identity: the worst has cos(theta_v) = ' +
    '2 sqrt(lambda_min lambda_max) / (lambda_min + lambda_max), which is measured too.',
  law: { bound: ({ smallest, largest }) => smallest / largest, worst: kantorovich },
  measure: (lab) =>
    [
      RESNET,
      { ...RESNET, activation: 'linear' as const },
      { ...RESNET, branchScale: 0.1, activation: 'tanh' as const },
    ].flatMap((setup) => {
      const draws = 4;
      const [m, layer] = [setup.width, setup.depth - 1];
      const kernels = kernelsOf(lab, setup, layer, draws, 'bfk');
      return lab.measure({ ...setup, weights: 'dense' }, draws).map(({ values }, i): Bound => {
        const kernel = kernels[i]!;
        const spectrum = eigenOf(kernel, m);
        const [smallest, largest] = [spectrum.values[0]!, spectrum.values.at(-1)!];
        const [first, last] = [spectrum.vectors.getColumn(0), spectrum.vectors.getColumn(m - 1)];
        const worst = first.map((x, j) => Math.sqrt(largest) * x + Math.sqrt(smallest) * last[j]!);
        return {
          smallest,
          largest,
          cosine: Math.cos(values.bfa_rad[layer - 1]!),
          worst: cosineAt(kernel, worst),
          best: cosineAt(kernel, last),
        };
      });
    }),
  judge: (bounds, { bound, worst }) => [
    between(
      `smallest cos(theta) - lambda_min / lambda_max of ${bounds.length} networks, at their own b and at the worst`,
      Math.min(...bounds.map((each) => Math.min(each.cosine, each.worst) - bound(each))),
      0,
      Infinity,
    ),
    identity(
      'cos(theta) of the worst b over its law, largest deviation from 1',
      bounds.map((each) => each.worst / worst(each) - 1),
      1e-3,
    ),
    between(
      'largest cos(theta), b an eigenvector',
      Math.max(...bounds.map(({ best }) => best)),
      0.999,
      1.000001,
    ),
  ],
  mutations: {
    'the ratio upside down': { bound: ({ smallest, largest }) => largest / smallest },
    'twice what the worst b has': { bound: (of) => 2 * kantorovich(of) },
    'a worst b that attains the bound': { worst: ({ smallest, largest }) => smallest / largest },
  },
});

/** A kernel with angles at Gaussian b that are independent of it, and at the b of its network. */
interface GaussianAngles extends Moments {
  readonly width: number;
  readonly cosines: readonly number[];
}

export const theorem32Limit = defineClaim<
  { kernels: GaussianAngles[]; networks: Moments[] },
  { predict: (of: Moments) => number; exponent: number }
>({
  id: 'thm-3.2-limit',
  title: 'Angle by the moments of the BFK',
  where: 'Theorem 3.2, second part',
  statement: 'cos(theta_v) -> M_1 / sqrt(M_2) as m -> infinity, b_v being Gaussian and independent of K_v',
  note:
    'The rate is ours: the rms deviation over b falls as m^(-1/2), as that of a mean over m numbers does. The b_v of a ' +
    'network is neither quite Gaussian nor quite independent; its angle is within 8 % of the limit at m = 128.',
  law: { predict: ({ M1, M2 }) => M1 / Math.sqrt(M2), exponent: -0.5 },
  measure: (lab) => {
    const [draws, vectors, layer] = [32, 200, 3];
    const kernels = [24, 48, 96, 192].flatMap((width) => {
      const setup: Setup = { ...MLP, depth: layer + 1, width };
      const kernels = kernelsOf(lab, setup, layer, draws, 'bfk');
      return momentsAt(lab, setup, layer, draws, 'bfk').map((moments, i): GaussianAngles => {
        const b = lab.normals(vectors * width, `b ${width} ${i}`);
        const cosines = Array.from({ length: vectors }, (_, j) =>
          cosineAt(kernels[i]!, b.subarray(j * width, (j + 1) * width)),
        );
        return { ...moments, width, cosines };
      });
    });
    return { kernels, networks: momentsAt(lab, { ...MLP, depth: layer + 1, width: 128 }, layer, 64, 'bfk') };
  },
  judge: ({ kernels, networks }, { predict, exponent }) => {
    const at = (width: number) => kernels.filter((each) => each.width === width);
    const widths = [...new Set(kernels.map(({ width }) => width))];
    const rms = (each: GaussianAngles) =>
      Math.sqrt(mean(each.cosines.map((cosine) => (cosine / predict(each) - 1) ** 2)));
    const widest = at(Math.max(...widths));
    return [
      exponentIs(
        'exponent of the rms deviation from the limit in m, over Gaussian b',
        widths.map((x) => ({ x, y: at(x).map(rms) })),
        exponent,
        0.15,
      ),
      meanWithin('rms deviation from the limit over Gaussian b, m = 192', widest.map(rms), 0, 0.1),
      meanWithin(
        'cos(theta_v) of the network over the limit, m = 128',
        networks.map((each) => each.cosine / predict(each)),
        1,
        0.08,
      ),
    ];
  },
  mutations: {
    'without the root': { predict: ({ M1, M2 }) => M1 / M2 },
    'without the moments': { predict: () => 1 },
    'a rate of m^(-1/4)': { exponent: -0.25 },
  },
});

interface Quadratic {
  readonly norms: number[];
  readonly spectrum: number[];
}

export const lemma33 = defineClaim<
  Quadratic,
  { mean: (M: number[]) => number; variance: (M: number[], m: number) => number }
>({
  id: 'lemma-3.3',
  title: 'Norms of random matrix-vector products',
  where: 'Lemma 3.3',
  statement: 'For a ~ N(0, I/m): E |K a|^2 = M_2(K) and Var |K a|^2 = (2/m) M_4(K)',
  law: { mean: (M) => M[2]!, variance: (M, m) => (2 / m) * M[4]! },
  measure: (lab) => {
    const m = 48;
    const [kernel] = kernelsOf(lab, { ...MLP, width: m }, MLP.depth - 1, 1, 'bfk');
    const draws = 60_000;
    const a = lab.normals(draws * m, 33);
    const norms = Array.from({ length: draws }, (_, draw) => {
      let square = 0;
      for (let i = 0; i < m; i++) {
        let sum = 0;
        for (let j = 0; j < m; j++) sum += kernel![i * m + j]! * a[draw * m + j]!;
        square += sum ** 2 / m;
      }
      return square;
    });
    return { norms, spectrum: eigenOf(kernel!, m).values };
  },
  judge: ({ norms, spectrum }, law) => {
    const m = spectrum.length;
    const M = [0, 1, 2, 3, 4].map((p) => spectrum.reduce((sum, x) => sum + x ** p, 0) / m);
    const expected = law.mean(M);
    const variance = law.variance(M, m);
    return [
      meanWithin(
        'E |K a|^2 / M_2',
        norms.map((x) => x / expected),
        1,
        0.05,
      ),
      meanWithin(
        'Var |K a|^2 / (2 M_4 / m)',
        norms.map((x) => (x - M[2]!) ** 2 / variance),
        1,
        0.2,
      ),
    ];
  },
  mutations: {
    'the mean is M_1^2': { mean: (M) => M[1]! ** 2 },
    'without the 2 of a chi-square': { variance: (M, m) => M[4]! / m },
  },
});
