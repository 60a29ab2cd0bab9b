/** Proposition 6.1: the velocity of the backward pass, and its angle. */

import { backwardVelocity } from '../../core/step/backward-velocity.js';
import { between, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';

/** The terms of the backward speed formula at one layer. */
interface BackwardSpeed {
  readonly speed: number;
  readonly features: number;
  readonly cosine: number;
  /** f_L^T (d^2 loss / d f_L^2) fdot_L. */
  readonly curvature: number;
  /** sum_{l > v} C_l, and that with C_v. */
  readonly after: number;
  readonly from: number;
}

/** Homogeneous networks of both architectures. */
const NETWORKS: readonly Setup[] = [
  { architecture: 'mlp', depth: 10, width: 64, outputWidth: 3, scaling: 'NTK' },
  { architecture: 'mlp', activation: 'leaky', depth: 6, width: 64, scaling: 'NTK' },
  { architecture: 'resnet', branchScale: 0.4, depth: 16, width: 64, scaling: 'NTK' },
  { architecture: 'resnet', activation: 'linear', branchScale: 0.3, depth: 16, width: 64, scaling: 'NTK' },
];

function backwardSpeeds(lab: Lab, loss: 'linear' | 'squared'): BackwardSpeed[] {
  const draws = 16;
  return NETWORKS.flatMap((network) => {
    const setup = { ...network, loss };
    return lab.withStep(setup, draws, (step, { contributions }) => {
      const size = step.network.shape.outputWidth;
      const second = step.output.eachLane((of, _, own) =>
        of.curvature(own(step.output.values), own(step.output.change), step.network.shape),
      );
      const speeds: BackwardSpeed[] = [];
      backwardVelocity(step, ({ distance, features, velocity }) => {
        const [f, bdot] = [features, velocity].map((state) => state.dataSync<'float32'>());
        const m = setup.width;
        for (let i = 0; i < draws; i++) {
          let [ff, bb, fb] = [0, 0, 0];
          for (let j = i * m; j < (i + 1) * m; j++) {
            ff += f![j]! ** 2;
            bb += bdot![j]! ** 2;
            fb += f![j]! * bdot![j]!;
          }
          let curvature = 0;
          for (let j = 0; j < size; j++)
            curvature += step.output.values[i * size + j]! * second[i * size + j]!;
          const own = contributions[i]!;
          const layer = setup.depth - distance;
          const after = own.slice(layer + 1).reduce((sum, c) => sum + c, 0);
          speeds.push({
            speed: Math.sqrt(bb),
            features: Math.sqrt(ff),
            // The last layer's bdot is parallel to its f, and rounding may take the cosine beyond 1.
            cosine: Math.max(-1, Math.min(1, -fb / Math.sqrt(ff * bb))),
            curvature,
            after,
            from: after + own[layer]!,
          });
        }
      });
      return speeds;
    });
  });
}

const SPEEDS = 'backward speeds';

/** Shared by Prop 6.1 and the range that it gives its angle. */
const withSquaredLoss = (lab: Lab) => lab.once(SPEEDS, (own) => backwardSpeeds(own, 'squared'));

export const proposition61 = defineClaim<
  { linear: BackwardSpeed[]; squared: BackwardSpeed[] },
  { numerator: (of: BackwardSpeed) => number }
>({
  id: 'prop-6.1',
  shares: SPEEDS,
  title: 'Backward speed formula',
  where: 'Proposition 6.1',
  statement:
    '|bdot_v|_2 cos(theta~_v) |f_v|_2 = -f_L^T H fdot_L + sum_{l>v} eta_l |G_l|^2, and theta~_v, between f_v ' +
    'and -bdot_v, is in [0, pi/2] for a linear loss',
  note: 'Stated with the angle to bdot_v; its proof has -bdot_v.',
  law: { numerator: ({ after, curvature }) => after - curvature },
  measure: (lab) => ({ linear: backwardSpeeds(lab, 'linear'), squared: withSquaredLoss(lab) }),
  judge: ({ linear, squared }, { numerator }) => {
    const deviation = (each: BackwardSpeed) =>
      (each.speed * each.cosine * each.features - numerator(each)) / (each.from + Math.abs(each.curvature));
    const angles = linear.map(({ cosine }) => Math.acos(cosine));
    return [
      identity(`linear loss: largest residual of ${linear.length} layers`, linear.map(deviation), 1e-4),
      identity(`squared loss: largest residual of ${squared.length} layers`, squared.map(deviation), 1e-4),
      between('linear loss: largest theta~_v in rad', Math.max(...angles), 0, Math.PI / 2),
    ];
  },
  mutations: {
    'the other sign of the curvature': { numerator: ({ after, curvature }) => after + curvature },
    'the sum from l = v': { numerator: ({ from, curvature }) => from - curvature },
  },
});

export const proposition61Range = defineClaim<BackwardSpeed[], { largest: number }>({
  id: 'prop-6.1-range',
  shares: SPEEDS,
  title: 'Range of the feature-backward angle',
  where: 'Proposition 6.1',
  statement: 'theta~_v is in [0, pi/2] whatever the loss',
  note:
    'Only where the numerator is not negative: for a linear loss always, for a squared one not when ' +
    'f_L^T H fdot_L exceeds the contributions of the layers that follow. The draws are those of prop-6.1.',
  law: { largest: Math.PI / 2 },
  measure: withSquaredLoss,
  judge: (layers, { largest }) => [
    between(
      `squared loss: largest theta~_v of ${layers.length} layers in rad`,
      Math.max(...layers.map(({ cosine }) => Math.acos(cosine))),
      0,
      largest,
    ),
  ],
  mutations: { 'the range of every angle': { largest: Math.PI } },
});
