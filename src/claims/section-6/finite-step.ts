/** Footnote 5: gates that open or close in a step, which the velocity of the backward pass does not see. */
import { median } from 'simple-statistics';
import { backwardVelocity } from '../../core/step/backward-velocity.js';
import type { ExponentPoint } from '../../results/exponent.js';
import { between, exponentIs } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';
import { lanesOf, length } from '../vectors.js';
import { withNextStep } from './second-step.js';

/** |b_v(dt) - b_v(0)| and its deviation from dt bdot_v, both relative to |b_v|, of the middle layer of an MLP. */
function backwardUpdates(lab: Lab, width: number, stepSize: number, draws: number) {
  const depth = 6;
  const distance = depth / 2;
  const setup: Setup = { depth, width, stepSize };
  return lab.withStep(setup, draws, (step) => {
    let velocities: Float32Array[] = [];
    backwardVelocity(step, (layer) => {
      if (layer.distance === distance) velocities = lanesOf(layer.velocity);
    });
    const before = lanesOf(step.preactivations(distance).backward);
    const after = withNextStep(step, (next) => lanesOf(next.preactivations(distance).backward));
    return before.map((b, i) => {
      const change = after[i]!.map((x, j) => x - b[j]!);
      const [predicted, norm] = [velocities[i]!.map((x) => stepSize * x), length(b)];
      return {
        change: length(change) / norm,
        predicted: length(predicted) / norm,
        deviation: length(change.map((x, j) => x - predicted[j]!)) / length(predicted),
      };
    });
  });
}

interface Limits {
  /** The step first: the relative deviation from dt bdot_v at a small step and width. */
  readonly stepFirst: readonly number[];
  /** The width first: |b_v(dt) - b_v(0)| / |b_v| against dt, at large width. */
  readonly widthFirst: readonly ExponentPoint[];
}

export const footnote5 = defineClaim<Limits, { exponent: number; deviation: number }>({
  id: 'footnote-5',
  title: 'The order of the limits of width and step',
  where: 'Footnote 5',
  statement:
    'The velocity bdot_v is blind to the discontinuities of the Jacobian, which a finite step feels: with the width first and then the ' +
    'step, b_v(dt) - b_v(0) is another expression',
  note:
    'Ours: a share of the gates in proportion to dt opens or closes in a step, so that |b_v(dt) - b_v(0)| is of the order of ' +
    'sqrt(dt), and there is no velocity in the norm.',
  law: { exponent: 0.5, deviation: 0.01 },
  measure: (lab) => ({
    stepFirst: backwardUpdates(lab, 32, 2 ** -10, 64).map(({ deviation }) => deviation),
    widthFirst: [2 ** -8, 2 ** -5].map((stepSize) => ({
      x: stepSize,
      y: backwardUpdates(lab, 32_768, stepSize, 8).map(({ change }) => change),
    })),
  }),
  judge: ({ stepFirst, widthFirst }, { exponent, deviation }) => [
    between(
      `m = 32, dt = 2^-10: median of |b_v(dt) - b_v(0) - dt bdot_v| / |dt bdot_v| of ${stepFirst.length} networks`,
      median([...stepFirst]),
      0,
      deviation,
    ),
    exponentIs('m = 32768: exponent of |b_v(dt) - b_v(0)| in dt', widthFirst, exponent, 0.2),
  ],
  mutations: { 'the same with the width first': { exponent: 1 } },
});
