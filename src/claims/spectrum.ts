/** Section 3 and Lemma A.1: angles by the spectra of the kernels. */

import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { backwardFeatureKernel, featureBackwardKernel } from '../core/kernels.js';
import type { ExponentPoint } from '../results/exponent.js';
import { between, exponentIs, meanIs } from './checks.js';
import { defineClaim } from './claim.js';
import type { Lab, Setup } from './lab.js';
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

/** Eigenvalues of a symmetric matrix, rising. */
function spectrumOf(kernel: Float64Array, m: number): number[] {
  const matrix = Matrix.from1DArray(m, m, kernel);
  const symmetric = Matrix.add(matrix, matrix.transpose()).mul(0.5);
  return new EigenvalueDecomposition(symmetric, { assumeSymmetric: true }).realEigenvalues.sort(
    (a, b) => a - b,
  );
}

const MLP: Setup = { architecture: 'mlp', depth: 8, width: 48 };
const RESNET: Setup = { architecture: 'resnet', branchScale: 1 / Math.sqrt(12), depth: 12, width: 48 };

interface Bound {
  readonly cosine: number;
  readonly smallest: number;
  readonly largest: number;
}

export const theorem32Bounds = defineClaim<Bound[], { bound: (of: Bound) => number }>({
  id: 'thm-3.2-bounds',
  title: 'Angle and conditioning of the BFK',
  where: 'Theorem 3.2, first part',
  statement: 'lambda_min(K_v) / lambda_max(K_v) <= cos(theta_v) <= 1',
  law: { bound: ({ smallest, largest }) => smallest / largest },
  measure: (lab) =>
    [MLP, RESNET, { ...RESNET, activation: 'linear' as const }].flatMap((setup) => {
      const draws = 4;
      const layer = setup.depth - 1;
      const kernels = kernelsOf(lab, setup, layer, draws, 'bfk');
      return lab.measure({ ...setup, weights: 'dense' }, draws).map(({ values }, i): Bound => {
        const spectrum = spectrumOf(kernels[i]!, setup.width);
        // Eigenvalues that are zero come out of float32 as small numbers of any sign.
        return {
          cosine: Math.cos(values.bfa_rad[layer - 1]!),
          smallest: Math.max(0, spectrum[0]!),
          largest: spectrum.at(-1)!,
        };
      });
    }),
  judge: (bounds, { bound }) => [
    between(
      `smallest cos(theta) - lambda_min / lambda_max of ${bounds.length} networks`,
      Math.min(...bounds.map((each) => each.cosine - bound(each))),
      0,
      Infinity,
    ),
    between('largest cos(theta)', Math.max(...bounds.map(({ cosine }) => cosine)), 0, 1),
  ],
  mutations: { 'the ratio upside down': { bound: ({ smallest, largest }) => largest / smallest } },
});

interface Moments {
  readonly width: number;
  readonly cosine: number;
  readonly M1: number;
  readonly M2: number;
}

/** Angles and moments of one kernel over widths, or over layers: theta_v and K_v, or theta~_v and K~_v. */
function momentsAlong(
  lab: Lab,
  setups: readonly { readonly setup: Setup; readonly layer: number }[],
  draws: number,
  which: 'bfk' | 'fbk',
): Moments[] {
  const angle = which === 'bfk' ? 'bfa_rad' : 'fba_rad';
  return setups.flatMap(({ setup, layer }) => {
    const kernels = kernelsOf(lab, setup, layer, draws, which);
    const cells = lab.measure({ ...setup, weights: 'dense', measuresBackward: which === 'fbk' }, draws);
    return cells.map(({ values }, i) => ({
      width: setup.width,
      cosine: Math.cos(values[angle][layer - 1]!),
      ...momentsOf(kernels[i]!, setup.width),
    }));
  });
}

export const theorem32Limit = defineClaim<Moments[], { predict: (of: Moments) => number; exponent: number }>({
  id: 'thm-3.2-limit',
  title: 'Angle by the moments of the BFK',
  where: 'Theorem 3.2, second part',
  statement: 'cos(theta_v) -> M_1 / sqrt(M_2) as m -> infinity, b_v being Gaussian and independent of K_v',
  note: 'The deviation falls as m^(-1/2), as that of a mean over m numbers does; the paper states no rate.',
  law: { predict: ({ M1, M2 }) => M1 / Math.sqrt(M2), exponent: -0.5 },
  measure: (lab) =>
    momentsAlong(
      lab,
      [32, 64, 128, 256].map((width) => ({ setup: { ...MLP, width }, layer: MLP.depth - 1 })),
      24,
      'bfk',
    ),
  judge: (moments, { predict, exponent }) => {
    const widths = [...new Set(moments.map(({ width }) => width))];
    const deviations = (width: number) =>
      moments.filter((each) => each.width === width).map((each) => each.cosine - predict(each));
    const rms = (values: readonly number[]) =>
      Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    const widest = Math.max(...widths);
    return [
      between(`rms deviation at m = ${widest}`, rms(deviations(widest)), 0, 0.05),
      exponentIs(
        'exponent of the rms deviation in m',
        widths.map((x) => ({ x, y: [rms(deviations(x))] })),
        exponent,
        0.4,
      ),
    ];
  },
  mutations: {
    'without the root': { predict: ({ M1, M2 }) => M1 / M2 },
    'without the moments': { predict: () => 1 },
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
    const draws = 20_000;
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
    return { norms, spectrum: spectrumOf(kernel!, m) };
  },
  judge: ({ norms, spectrum }, law) => {
    const m = spectrum.length;
    const M = [0, 1, 2, 3, 4].map((p) => spectrum.reduce((sum, x) => sum + x ** p, 0) / m);
    const mean = law.mean(M);
    const variance = law.variance(M, m);
    return [
      meanIs(
        'E |K a|^2 / M_2',
        norms.map((x) => x / mean),
        1,
      ),
      meanIs(
        'Var |K a|^2 / (2 M_4 / m)',
        norms.map((x) => (x - M[2]!) ** 2 / variance),
        1,
      ),
    ];
  },
  mutations: {
    'the mean is M_1^2': { mean: (M) => M[1]! ** 2 },
    'without the 2 of a chi-square': { variance: (M, m) => M[4]! / m },
  },
});

interface Layers {
  readonly moments: Moments[];
  readonly backward: Moments[];
  /** cos(theta_v) against v, and cos(theta~_v) against L - v, at large width. */
  readonly forwardLaw: ExponentPoint[];
  readonly backwardLaw: ExponentPoint[];
}

/** Cosines of a wide MLP by layer: theta_v against v and theta~_v against L - v. */
function cosinesByLayer(lab: Lab): Pick<Layers, 'forwardLaw' | 'backwardLaw'> {
  const { depth, cells } = measureLayers(lab, { measuresBackward: true });
  return {
    forwardLaw: alongLayers(cells, ({ bfa_rad }, v) => Math.cos(bfa_rad[v - 1]!)),
    backwardLaw: alongLayers(cells, ({ fba_rad }, x) => Math.cos(fba_rad[depth - x - 1]!)),
  };
}

export const lemmaA1 = defineClaim<
  Layers,
  { exponent: number; backwardExponent: number; ratio: (of: Moments) => number }
>({
  id: 'lemma-a.1',
  title: 'Spectra of BFK and FBK of an MLP',
  where: 'Lemma A.1',
  statement:
    'At initialization cos(theta_v) = M_1/sqrt(M_2) (K_v) = Theta(v^(-1/2)), and cos(theta~_v) = ' +
    'Theta(M_1/sqrt(M_2) (K~_v)) = Theta((L-v)^(-1/2)) for a linear loss',
  law: { exponent: -0.5, backwardExponent: -0.5, ratio: ({ M1, M2 }) => M1 / Math.sqrt(M2) },
  measure: (lab) => {
    const setup: Setup = { ...MLP, depth: 13, width: 128 };
    const layers = [4, 8].map((layer) => ({ setup, layer }));
    return {
      moments: momentsAlong(lab, layers, 8, 'bfk'),
      backward: momentsAlong(lab, layers, 8, 'fbk'),
      ...cosinesByLayer(lab),
    };
  },
  judge: ({ moments, backward, forwardLaw, backwardLaw }, { exponent, backwardExponent, ratio }) => [
    meanIs(
      'cos(theta_v) / (M_1/sqrt(M_2)) (K_v)',
      moments.map((each) => each.cosine / ratio(each)),
      1,
      0.05,
    ),
    meanIs(
      'cos(theta~_v) / (M_1/sqrt(M_2)) (K~_v)',
      backward.map((each) => each.cosine / ratio(each)),
      1,
      0.05,
    ),
    exponentIs('exponent of cos(theta_v) in v', forwardLaw, exponent),
    exponentIs('exponent of cos(theta~_v) in L - v', backwardLaw, backwardExponent),
  ],
  mutations: {
    'the angle of a ResNet': { exponent: 0 },
    'the exponent -1 backward': { backwardExponent: -1 },
    'M_1/M_2': { ratio: ({ M1, M2 }) => M1 / M2 },
  },
});

export const section61Printed = defineClaim<Pick<Layers, 'backwardLaw'>, { exponent: number }>({
  id: 'section-6.1-printed',
  title: 'Feature-backward angle, as printed in section 6.1',
  where: 'Section 6.1, after Eq. 14',
  statement: 'cos(theta~_v) = Theta(sqrt(L - v))',
  note: 'A misprint: a cosine cannot grow. Lemma A.1 has (L - v)^(-1/2), which is what is measured.',
  law: { exponent: 0.5 },
  measure: cosinesByLayer,
  judge: ({ backwardLaw }, { exponent }) => [
    exponentIs('exponent of cos(theta~_v) in L - v', backwardLaw, exponent),
  ],
  mutations: { 'as Lemma A.1 has it': { exponent: -0.5 } },
});
