/** Lemma A.1 and section 6.1: angles by layer, from the moments of the kernels. */

import { mean } from 'simple-statistics';
import type { ExponentPoint } from '../../results/exponent.js';
import { exponentIs, meanWithin } from '../checks.js';
import { defineClaim } from '../claim.js';
import { type Lab, limitOf, type Setup } from '../lab.js';
import { alongLayers, measureLayers } from '../sequences.js';
import { type Moments, momentsAt } from './kernel-matrices.js';

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
    const setup: Setup = { architecture: 'mlp', depth: 7, width: 96 };
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
