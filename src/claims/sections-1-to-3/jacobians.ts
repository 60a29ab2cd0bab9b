/** Appendix A: singular values of the Jacobians of linear ResNets. */
import * as tf from '@tensorflow/tfjs-core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { mean } from 'simple-statistics';
import type { ExponentPoint } from '../../results/exponent.js';
import { spectrumEnds } from '../../theory/jacobian.js';
import { between, exponentIs } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab } from '../lab.js';
import { lanesOf } from '../vectors.js';

/** beta = C / sqrt(L). */
const C = 1;
const WIDTH = 96;

/** The ends of a spectrum of finite width lie inside those of the limit, here by some 8 %. */
const EDGE = 0.15;

/** The least and the largest singular value of d f_{L-1} / d f_1, by draw. */
function singularValues(lab: Lab, depth: number, draws: number): { least: number; largest: number }[] {
  const branchScale = C / Math.sqrt(depth);
  return lab.withStep(
    { architecture: 'resnet', activation: 'linear', branchScale, depth, width: WIDTH, weights: 'dense' },
    draws,
    ({ network }) => {
      let rows = tf.tile(tf.expandDims<tf.Tensor3D>(tf.eye(WIDTH)), [draws, 1, 1]);
      for (let distance = depth - 2; distance >= 1; distance--) {
        rows = network.addSkip(network.weights('hidden', distance).times(rows), rows);
      }
      return lanesOf(rows).map((values) => {
        const jacobian = Matrix.from1DArray(WIDTH, WIDTH, values);
        const squares = new EigenvalueDecomposition(jacobian.mmul(jacobian.transpose()), {
          assumeSymmetric: true,
        }).realEigenvalues;
        return { least: Math.sqrt(Math.min(...squares)), largest: Math.sqrt(Math.max(...squares)) };
      });
    },
  );
}

type Ends = { readonly least: ExponentPoint[]; readonly largest: ExponentPoint[] };

export const jacobianSpectrum = defineClaim<
  Ends,
  { least: number; largest: number; ends: (t: number) => { least: number; largest: number } }
>({
  id: 'proof-5.2-jacobians',
  title: 'Singular values of the Jacobians of linear ResNets',
  where: 'Proof of Proposition 5.2',
  statement: 'With beta = O(1/sqrt(L)), sigma_min and sigma_max of d f_v / d f_l are Theta(1)',
  note:
    'Ours: for beta = c/sqrt(L) they tend to the ends of a free multiplicative Brownian motion, at c = 1 to 0.132 and 2.79; ' +
    'their ratio bounds cos(theta) from below by 0.002 only.',
  law: { least: 0, largest: 0, ends: spectrumEnds },
  measure: (lab) => {
    const points = [32, 128].map((depth) => ({ x: depth, draws: singularValues(lab, depth, 8) }));
    return {
      least: points.map(({ x, draws }) => ({ x, y: draws.map(({ least }) => least) })),
      largest: points.map(({ x, draws }) => ({ x, y: draws.map(({ largest }) => largest) })),
    };
  },
  judge: (measured, law) => [
    exponentIs('exponent of sigma_min(1 -> L-1) in L', measured.least, law.least, 0.15),
    exponentIs('exponent of sigma_max(1 -> L-1) in L', measured.largest, law.largest, 0.15),
    ...(['least', 'largest'] as const).map((which) =>
      between(
        `sigma_${which === 'least' ? 'min' : 'max'} over its limit, mean of 8 draws at L = 128`,
        mean([...measured[which].at(-1)!.y]) / Math.sqrt(law.ends((C ** 2 * 126) / 128)[which]),
        1 - EDGE,
        1 + EDGE,
      ),
    ),
  ],
  mutations: {
    'a sigma_max that grows as sqrt(L)': { largest: 0.5 },
    'a sigma_min that falls as 1/sqrt(L)': { least: -0.5 },
    isometries: { ends: () => ({ least: 1, largest: 1 }) },
    'half the time': { ends: (t) => spectrumEnds(t / 2) },
  },
});
