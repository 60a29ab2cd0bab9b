/** Kernels of networks as matrices, with their moments and eigenvalues. */

import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { backwardFeatureKernel, featureBackwardKernel } from '../../core/curvature/kernels.js';
import type { Lab, Setup } from '../lab.js';

/** A kernel of one network as a matrix, row major [m x m]: the operator on the unit vectors. */
export function kernelsOf(
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
export function eigenOf(kernel: Float64Array, m: number): { values: number[]; vectors: Matrix } {
  const matrix = Matrix.from1DArray(m, m, kernel);
  const symmetric = Matrix.add(matrix, matrix.transpose()).mul(0.5);
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, {
    assumeSymmetric: true,
  });
  const order = realEigenvalues.map((_, i) => i).sort((i, j) => realEigenvalues[i]! - realEigenvalues[j]!);
  return { values: order.map((i) => realEigenvalues[i]!), vectors: eigenvectorMatrix.subMatrixColumn(order) };
}

/** cos(theta) of a backward pass b: between b and K b = -fdot (Eq. 6). */
export function cosineAt(kernel: Float64Array, b: ArrayLike<number>): number {
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

export interface Moments {
  readonly cosine: number;
  readonly M1: number;
  readonly M2: number;
}

/** Angles and moments of one kernel at one layer, by draw: theta_v and K_v, or theta~_v and K~_v. */
export function momentsAt(
  lab: Lab,
  setup: Setup,
  layer: number,
  draws: number,
  which: 'bfk' | 'fbk',
): Moments[] {
  const angle = which === 'bfk' ? 'bfa_rad' : 'fba_rad';
  const kernels = kernelsOf(lab, setup, layer, draws, which);
  const cells = lab.measure({ ...setup, weights: 'dense', measuresBackward: which === 'fbk' }, draws);
  return cells.map(({ values }, i) => ({
    cosine: Math.cos(values[angle][layer - 1]!),
    ...momentsOf(kernels[i]!, setup.width),
  }));
}
