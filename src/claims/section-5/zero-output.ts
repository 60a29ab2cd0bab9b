/** End of section 5.2: what the first step does to an output layer that was initialized with zero. */
import { identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import { withNextStep } from '../section-6/second-step.js';
import { dot, lanesOf, length } from '../vectors.js';

interface Steps {
  readonly depth: number;
  readonly width: number;
  /** Of the first step: eta_L dt, b_L, and C_l at index l = 1 .. L. */
  readonly rate: number;
  readonly slope: number;
  readonly contributions: Float64Array;
  /** g_{L-1} before and after, and z_{L-1} of the second step. */
  readonly features: Float32Array;
  readonly nextFeatures: Float32Array;
  readonly backward: Float32Array;
  /** f_L of the second step. */
  readonly output: number;
}

const ROUNDING = 1e-5;

export const zeroOutputSteps = defineClaim<
  Steps[],
  { output: (of: Steps) => number; factor: (of: Steps) => number }
>({
  id: 'zero-output-steps',
  title: 'The first step from zero output weights',
  where: 'End of section 5.2',
  statement:
    'With W_L(0) = 0 only W_L moves: the second forward pass is the first up to g_{L-1}, f_L(1) = -eta_L |g_{L-1}|^2 b_L and ' +
    'z_{L-1}(1) = -eta_L |b_L|^2 g_{L-1} for a linear loss; eta_L = sqrt(L) / (m |b_L|^2) makes m |z_{L-1}|_rms = Theta(sqrt(L))',
  note: 'A step of b_L^2 = 1 and of any size, not of an infinitesimal one; |g_{L-1}|_rms is 1/sqrt(2), which is the constant.',
  law: {
    output: ({ rate, slope, features }) => -rate * slope * dot(features, features),
    factor: ({ rate, slope }) => -rate * slope ** 2,
  },
  measure: (lab) =>
    [8, 32].flatMap((depth) => {
      const width = 4096;
      // eta_L = dt / (L |b_L|^2 |g|^2) by Eq. 8, with |g|^2 near m/2.
      const setup = { depth, width, sigma: { output: 0 }, stepSize: depth ** 1.5 / 2 };
      return lab.withStep(setup, 4, (step, { contributions }) => {
        const before = lanesOf(step.layers[1]!.features);
        const { rates } = step.readout.descents[0]!;
        return withNextStep(step, (next) => {
          const after = lanesOf(next.layers[1]!.features);
          const backward = lanesOf(next.layers[1]!.backward!);
          return before.map((features, i) => ({
            depth,
            width,
            rate: rates[i]! * setup.stepSize,
            slope: step.output.slope[i]!,
            contributions: contributions[i]!,
            features,
            nextFeatures: after[i]!,
            backward: backward[i]!,
            output: next.output.values[i]!,
          }));
        });
      });
    }),
  judge: (all, { output, factor }) => [
    identity(
      'first step: largest C_l / C_L, l < L',
      all.map(
        ({ contributions, depth }) => Math.max(...contributions.subarray(1, depth)) / contributions[depth]!,
      ),
      ROUNDING,
    ),
    identity(
      'largest |g_{L-1}(1) - g_{L-1}(0)| / |g_{L-1}(0)|',
      all.map(
        ({ features, nextFeatures }) =>
          length(features.map((x, i) => x - nextFeatures[i]!)) / length(features),
      ),
      ROUNDING,
    ),
    identity(
      'f_L(1): largest relative deviation',
      all.map((of) => of.output / output(of) - 1),
      ROUNDING,
    ),
    identity(
      'z_{L-1}(1): largest relative deviation',
      all.map((of) => {
        const scale = factor(of);
        return (
          length(of.backward.map((z, i) => z - scale * of.features[i]!)) /
          Math.abs(scale) /
          length(of.features)
        );
      }),
      ROUNDING,
    ),
    identity(
      'm |z_{L-1}(1)|_rms over sqrt(L/2): largest deviation from 1',
      all.map(
        ({ backward, depth, width }) => (Math.sqrt(width) * length(backward)) / Math.sqrt(depth / 2) - 1,
      ),
      0.5,
    ),
  ],
  mutations: {
    'a backward pass along b_L alone, of the other sign': { factor: ({ rate, slope }) => rate * slope ** 2 },
    'an output without |g_{L-1}|^2': { output: ({ rate, slope }) => -rate * slope },
  },
});
