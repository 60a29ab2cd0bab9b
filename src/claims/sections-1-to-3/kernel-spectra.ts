/** Lemma A.1: the two kernels of an MLP have one spectrum. */
import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { mean } from 'simple-statistics';
import { backwardFeatureKernel, featureBackwardKernel } from '../../core/curvature/kernels.js';
import { meanWithin } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab } from '../lab.js';
import { lanesOf } from '../vectors.js';

const DEPTH = 9;
const WIDTH = 96;

/** Eigenvalues of a symmetric matrix, falling, over their mean. */
function spectrumOf(kernel: Float32Array): number[] {
  const matrix = Matrix.from1DArray(WIDTH, WIDTH, kernel);
  const symmetric = Matrix.add(matrix, matrix.transpose()).mul(0.5);
  const values = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true }).realEigenvalues;
  const average = mean(values);
  return values.map((value) => value / average).sort((a, b) => b - a);
}

/** Spectra of K_v or K~_v, by draw. */
function spectra(lab: Lab, which: 'bfk' | 'fbk', layer: number, draws: number): number[][] {
  return lab.withStep({ depth: DEPTH, width: WIDTH, weights: 'dense' }, draws, (step) => {
    const units = tf.tile(tf.expandDims<tf.Tensor3D>(tf.eye(WIDTH)), [draws, 1, 1]);
    const kernel = which === 'bfk' ? backwardFeatureKernel : featureBackwardKernel;
    return lanesOf(kernel(step, layer, units)).map(spectrumOf);
  });
}

/** Numbers that tell spectra apart: spectral moments over those of M_1, and the share of eigenvalues that are not zero. */
const SHAPES = {
  'M_2 / M_1^2': (values: readonly number[]) => mean(values.map((x) => x ** 2)),
  'M_1/2 / M_1^(1/2)': (values: readonly number[]) => mean(values.map((x) => Math.sqrt(Math.max(0, x)))),
  'the share of nonzero eigenvalues': (values: readonly number[]) =>
    values.filter((x) => x > 1e-4).length / values.length,
} as const satisfies Record<string, (values: readonly number[]) => number>;

/** v of K~_v. */
const V = 6;

interface Spectra {
  readonly backward: readonly number[][];
  /** Of K_l by l. */
  readonly forward: Readonly<Record<number, number[][]>>;
}

export const oneSpectrum = defineClaim<Spectra, { layer: (v: number, L: number) => number }>({
  id: 'lemma-a.1-spectra',
  title: 'One spectrum of two kernels',
  where: 'Lemma A.1, proof',
  statement: 'K~_v has the same distribution of nonzero eigenvalues as K_{L-v}, up to a factor',
  law: { layer: (v, L) => L - v },
  measure: (lab) => ({
    backward: spectra(lab.drawing('lemma-a.1-spectra backward'), 'fbk', V, 20),
    forward: Object.fromEntries(
      [V, DEPTH - V, DEPTH - 1].map((layer) => [
        layer,
        spectra(lab.drawing(`lemma-a.1-spectra forward ${layer}`), 'bfk', layer, 20),
      ]),
    ),
  }),
  judge: ({ backward, forward }, { layer }) => {
    const other = forward[layer(V, DEPTH)]!;
    return Object.entries<(values: readonly number[]) => number>(SHAPES).map(([name, shape]) => {
      const reference = mean(backward.map(shape));
      return meanWithin(
        `${name} of K_${layer(V, DEPTH)} over that of K~_${V}, L = ${DEPTH}`,
        other.map((values) => shape(values) / reference),
        1,
        0.2,
      );
    });
  },
  mutations: { 'K_v itself': { layer: (v) => v }, 'K_{L-1}': { layer: (_v, L) => L - 1 } },
});
