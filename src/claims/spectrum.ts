/** Section 3 and Lemma A.1: angles by the spectra of the kernels. */

import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { mean } from 'simple-statistics';
import { backwardFeatureKernel, featureBackwardKernel } from '../core/kernels.js';
import type { ExponentPoint } from '../results/exponent.js';
import { between, exponentIs, identity, meanWithin } from './checks.js';
import { defineClaim } from './claim.js';
import { type Lab, limitOf, type Setup } from './lab.js';
import { alongLayers, measureLayers } from './sequences.js';

/** A kernel of one network as a matrix, row major [m x m]: the operator on the unit vectors. */
function kernelsOf(
  lab: Lab,
  setup: Setup,
  layer: number,
  draws: number,
  which: 'bfk' | 'fbk',
): Float64Array[] {
  const m = setup.width;
  return lab.withStep({ ...setup, weights: 'dense' }, draws, (step) => {
    const units = tf.tile(tf.expandDims(tf.eye(m), 0), [draws, 1, 1]) as tf.Tensor3D;
    const kernel = which === 'bfk' ? backwardFeatureKernel : featureBackwardKernel;
    const all = kernel(step, layer, units).dataSync<'float32'>();
    return Array.from({ length: draws }, (_, i) =>
      Float64Array.from(all.subarray(i * m * m, (i + 1) * m * m)),
    );
  });
}

/** M_1 = tr K / m and M_2 = |K|_F^2 / m, of a symmetric K. */
function momentsOf(kernel: Float64Array, m: number): { M1: number; M2: number } {
  let trace = 0;
  for (let i = 0; i < m; i++) trace += kernel[i * m + i]!;
  return { M1: trace / m, M2: kernel.reduce((sum, x) => sum + x * x, 0) / m };
}

/** Eigenvalues of a symmetric matrix, rising, with unit eigenvectors as columns. */
function eigenOf(kernel: Float64Array, m: number): { values: number[]; vectors: Matrix } {
  const matrix = Matrix.from1DArray(m, m, kernel);
  const symmetric = Matrix.add(matrix, matrix.transpose()).mul(0.5);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[i]! - realEigenvalues[j]!);
  return { values: order.map((i) => realEigenvalues[i]!), vectors: eigenvectorMatrix.subMatrixColumn(order) };
}

/** cos(theta) of a backward pass b: between b and K b = -fdot (Eq. 6). */
function cosineAt(kernel: Float64Array, b: ArrayLike<number>): number {
  const m = b.length;
  let [bb, bk, kk] = [0, 0, 0];
  for (let i = 0; i < m; i++) {
    let sum = 0;
    for (let j = 0; j < m; j++) sum += kernel[i * m + j]! * b[j]!;
    bb += b[i]! ** 2;
    bk += b[i]! * sum;
    kk += sum ** 2;
  }
  return bk / Math.sqrt(bb * kk);
}

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

interface Moments {
  readonly cosine: number;
  readonly M1: number;
  readonly M2: number;
}

/** Angles and moments of one kernel at one layer, by draw: theta_v and K_v, or theta~_v and K~_v. */
function momentsAt(lab: Lab, setup: Setup, layer: number, draws: number, which: 'bfk' | 'fbk'): Moments[] {
  const angle = which === 'bfk' ? 'bfa_rad' : 'fba_rad';
  const kernels = kernelsOf(lab, setup, layer, draws, which);
  const cells = lab.measure({ ...setup, weights: 'dense', measuresBackward: which === 'fbk' }, draws);
  return cells.map(({ values }, i) => ({
    cosine: Math.cos(values[angle][layer - 1]!),
    ...momentsOf(kernels[i]!, setup.width),
  }));
}

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

/** cos(theta_v) against v, and cos(theta~_v) against L - v, of wide MLPs: as measured, and over the exact law. */
interface Cosines {
  readonly forward: readonly ExponentPoint[];
  readonly backward: readonly ExponentPoint[];
  readonly forwardRatios: readonly number[];
  readonly backwardRatios: readonly number[];
}

const COSINES = 'cosines by layer';

/**
 * Angles by layer, for the two claims on them. What the exact law has beside (2x/3)^(-1/2) is divided out: with N layers
 * that contribute alike, 1 / cos^2 = (2N^2 + 3N + 1) / (3N), forward and backward.
 */
const cosinesByLayer = (lab: Lab): Cosines =>
  lab.once(COSINES, (own) => {
    const { depth, cells } = measureLayers(own, { measuresBackward: true });
    const limit = limitOf({ depth, width: 1 })!;
    const factor = (angle: number, x: number) => Math.cos(angle) * Math.sqrt((2 * x) / 3);
    const forward = (v: number) => factor(limit.backwardFeatureAngle[v - 1]!, v);
    const backward = (x: number) => factor(limit.featureBackwardAngle[depth - x - 1]!, x);
    const points = {
      forward: alongLayers(cells, ({ bfa_rad }, v) => Math.cos(bfa_rad[v - 1]!) / forward(v)),
      backward: alongLayers(cells, ({ fba_rad }, x) => Math.cos(fba_rad[depth - x - 1]!) / backward(x)),
    };
    /** By draw, the mean over the layers of cosine over law. */
    const ratios = (of: readonly ExponentPoint[]) =>
      cells.map((_, draw) => mean(of.map(({ x, y }) => y[draw]! / Math.sqrt(3 / (2 * x)))));
    return {
      ...points,
      forwardRatios: ratios(points.forward),
      backwardRatios: ratios(points.backward),
    };
  });

interface Spectra extends Cosines {
  /** By draw and layer. */
  readonly moments: readonly (readonly Moments[])[];
  readonly backwardMoments: readonly (readonly Moments[])[];
}

export const lemmaA1 = defineClaim<
  Spectra,
  { exponent: number; backwardExponent: number; constant: number; ratio: (of: Moments) => number }
>({
  id: 'lemma-a.1',
  shares: COSINES,
  title: 'Spectra of BFK and FBK of an MLP',
  where: 'Lemma A.1',
  statement:
    'At initialization cos(theta_v) = M_1/sqrt(M_2) (K_v) = Theta(v^(-1/2)), and cos(theta~_v) = ' +
    'Theta(M_1/sqrt(M_2) (K~_v)) = Theta((L-v)^(-1/2)) for a linear loss',
  note: 'The constant is ours: cos(theta_v) = sqrt(3v / (2v^2 + 3v + 1)), and cos(theta~_v) the same of L - v.',
  law: {
    exponent: -0.5,
    backwardExponent: -0.5,
    constant: 1,
    ratio: ({ M1, M2 }) => M1 / Math.sqrt(M2),
  },
  measure: (lab) => {
    const setup: Setup = { ...MLP, depth: 7, width: 96 };
    const byLayer = (which: 'bfk' | 'fbk') => [2, 5].map((layer) => momentsAt(lab, setup, layer, 48, which));
    const byDraw = (layers: Moments[][]) =>
      layers[0]!.map((_, draw) => layers.map((moments) => moments[draw]!));
    return {
      ...cosinesByLayer(lab),
      moments: byDraw(byLayer('bfk')),
      backwardMoments: byDraw(byLayer('fbk')),
    };
  },
  judge: (spectra, { exponent, backwardExponent, constant, ratio }) => {
    const ratios = (draws: readonly (readonly Moments[])[]) =>
      draws.map((layers) => mean(layers.map((each) => each.cosine / ratio(each))));
    return [
      meanWithin('cos(theta_v) / (M_1/sqrt(M_2)) (K_v), m = 96', ratios(spectra.moments), 1, 0.08),
      meanWithin('cos(theta~_v) / (M_1/sqrt(M_2)) (K~_v), m = 96', ratios(spectra.backwardMoments), 1, 0.08),
      exponentIs('exponent of cos(theta_v) in v', spectra.forward, exponent),
      exponentIs('exponent of cos(theta~_v) in L - v', spectra.backward, backwardExponent),
      meanWithin('cos(theta_v) over its constant, m = 8192', spectra.forwardRatios, constant, 0.03),
      meanWithin('cos(theta~_v) over its constant, m = 8192', spectra.backwardRatios, constant, 0.03),
    ];
  },
  mutations: {
    'the angle of a ResNet': { exponent: 0 },
    'the exponent -1 backward': { backwardExponent: -1 },
    'M_1/M_2': { ratio: ({ M1, M2 }) => M1 / M2 },
    'a constant that is 10 % larger': { constant: 1.1 },
  },
});

export const section61Printed = defineClaim<Cosines, { exponent: number }>({
  id: 'section-6.1-printed',
  shares: COSINES,
  title: 'Feature-backward angle, as printed in section 6.1',
  where: 'Section 6.1, after Eq. 14',
  statement: 'cos(theta~_v) = Theta(sqrt(L - v))',
  note: 'A misprint: a cosine cannot grow. Lemma A.1 has (L - v)^(-1/2), which is what is measured: the same draws as there.',
  law: { exponent: 0.5 },
  measure: cosinesByLayer,
  judge: ({ backward }, { exponent }) => [
    exponentIs('exponent of cos(theta~_v) in L - v', backward, exponent),
  ],
  mutations: { 'as Lemma A.1 has it': { exponent: -0.5 } },
});
