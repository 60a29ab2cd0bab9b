/** Sections 5.1 and 5.2: the gradient b_L of the loss, and what the readout makes of it. */
import type { ExponentPoint } from '../../results/exponent.js';
import { between, exponentIs, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import { dense, type Lab, type Setup, SPARSE } from '../lab.js';
import { lanesOf, length } from '../vectors.js';

interface Readout {
  readonly k: number;
  readonly m: number;
  /** |b_{L-1}|_rms / (sigma_L |b_L|_2). */
  readonly ratio: number;
}

/** |z_{L-1}|_rms / (sigma_L |b_L|_2) at output widths around m. */
function readouts(lab: Lab, loss: 'squared' | 'linear', target: number): Readout[] {
  const m = 1024;
  return [64, 1024, 8192].flatMap((k) => {
    const data = { ...dense(10), target: { law: 'constant', value: target } } as const;
    const setup: Setup = {
      depth: 3,
      width: m,
      outputWidth: k,
      loss,
      data,
      sigma: { output: 1 / Math.sqrt(m) },
    };
    return lab.withStep(setup, 4, ({ output: { slope }, layers }) =>
      lanesOf(layers[1]!.backward!).map((z, i) => ({
        k,
        m,
        ratio: length(z) / length(slope.subarray(i * k, (i + 1) * k)),
      })),
    );
  });
}

/**
 * How far single draws may be off. With u = W g, |W^T u|^2 / (sigma^2 |u|^2) is the sum of a chi-square of k degrees of freedom,
 * along g, and one of m - 1; for a u that does not depend on W it is one of m. The root of a chi-square of p degrees of freedom
 * over p has the standard deviation 1 / sqrt(2 p), here at most 0.022: 0.13 is 6 of them, a chance of 2e-9 a draw.
 */
const SIX_SIGMAS = 0.13;

export const footnote2 = defineClaim<
  { squared: Readout[]; linear: Readout[] },
  { squared: (r: number) => number; linear: (r: number) => number; theta: (r: number) => number }
>({
  id: 'footnote-2',
  title: 'The backward pass behind a wide readout',
  where: 'Footnote 2',
  statement:
    'For loss = |f|^2 / 2, |b_{L-1}|_rms = Theta(sigma_L max{1, sqrt(k/m)} |b_L|_2), while under (H2) it is Theta(sigma_L |b_L|_2)',
  note: 'Ours: the ratio is sqrt(1 + k/m), between 1 and sqrt(2) times the maximum.',
  law: {
    squared: (r) => Math.sqrt(1 + r),
    linear: () => 1,
    theta: (r) => Math.max(1, Math.sqrt(r)),
  },
  measure: (lab) => ({ squared: readouts(lab, 'squared', 0), linear: readouts(lab, 'linear', 1) }),
  judge: ({ squared, linear }, law) => {
    const constants = squared.map(({ k, m, ratio }) => ratio / law.theta(k / m));
    return [
      between('least ratio over max{1, sqrt(k/m)}', Math.min(...constants), 1 - SIX_SIGMAS, Infinity),
      between('largest ratio over max{1, sqrt(k/m)}', Math.max(...constants), 0, Math.SQRT2 + SIX_SIGMAS),
      identity(
        'squared loss: largest deviation of the ratio over sqrt(1 + k/m) from 1',
        squared.map(({ k, m, ratio }) => ratio / law.squared((k - 1) / m) - 1),
        SIX_SIGMAS,
      ),
      identity(
        'linear loss: largest deviation of the ratio from 1',
        linear.map(({ k, m, ratio }) => ratio / law.linear(k / m) - 1),
        SIX_SIGMAS,
      ),
    ];
  },
  mutations: {
    'no matter how many outputs': { squared: () => 1, theta: () => 1 },
    'sqrt(k/m) alone': { theta: (r) => Math.sqrt(r) },
    'the maximum itself': { squared: (r) => Math.max(1, Math.sqrt(r)) },
    'with a linear loss too': { linear: (r) => Math.sqrt(1 + r) },
  },
});

const OUTPUT_WIDTHS = [16, 256, 4096];

/** |b_L|_2 at growing k, with an output that is small. */
function slopes(lab: Lab, kind: Pick<Setup, 'data' | 'loss'>): ExponentPoint[] {
  const width = 512;
  return OUTPUT_WIDTHS.map((k) => {
    const setup: Setup = { ...kind, depth: 3, width, outputWidth: k, sigma: { output: 1 / width } };
    return {
      x: k,
      y: lab.withStep(setup, 12, ({ output: { slope }, network }) =>
        network.lanes.map((_, i) => length(slope.subarray(i * k, (i + 1) * k))),
      ),
    };
  });
}

export const outputSettings = defineClaim<
  { dense: ExponentPoint[]; sparse: ExponentPoint[] },
  { dense: number; sparse: number }
>({
  id: 'section-5.2-settings',
  title: 'The gradient of the loss in the two settings',
  where: 'Section 5.2, dense and sparse',
  statement:
    '|b_L|_2 = Theta(1/sqrt(k)) for a RMS loss and a dense y, and |b_L|_2 = Theta(1) for the cross-entropy and a one-hot y',
  law: { dense: -0.5, sparse: 0 },
  measure: (lab) => ({
    dense: slopes(lab, { data: { ...dense(10), target: { law: 'normal' } }, loss: 'squared' }),
    sparse: slopes(lab, { data: SPARSE, loss: 'cross-entropy' }),
  }),
  judge: (measured, law) => [
    exponentIs('dense: exponent of |b_L|_2 in k', measured.dense, law.dense),
    exponentIs('sparse: exponent of |b_L|_2 in k', measured.sparse, law.sparse),
  ],
  mutations: {
    'a loss that is not divided by k': { dense: 0.5 },
    'a cross-entropy that is divided by k': { sparse: -0.5 },
  },
});

export const crossEntropyPrinted = defineClaim<ExponentPoint[], { exponent: number; largest: number }>({
  id: 'section-5.2-log-printed',
  title: 'The gradient of the cross-entropy, as printed',
  where: 'Section 5.2, sparse',
  statement: 'For the multiclass logistic loss |b_L|_2 = Theta(log(k))',
  note: '|b_L|_2 = |p - y|_2 is sqrt(1 - 1/k) at f_L = 0, and never above sqrt(2); it is the loss that is log(k).',
  law: { exponent: 1, largest: Infinity },
  measure: (lab) => slopes(lab, { data: SPARSE, loss: 'cross-entropy' }),
  judge: (measured, { exponent, largest }) => [
    exponentIs(
      'exponent of |b_L|_2 in log(k)',
      measured.map(({ x, y }) => ({ x: Math.log(x), y })),
      exponent,
    ),
    between(
      `largest |b_L|_2, k up to ${Math.max(...measured.map(({ x }) => x))}`,
      Math.max(...measured.flatMap(({ y }) => y)),
      0,
      largest,
    ),
  ],
  mutations: { 'as measured': { exponent: 0, largest: Math.SQRT2 } },
});
