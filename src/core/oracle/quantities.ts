/** What is recorded of a step, from the brute force, for tests: by the definitions of `quantities.ts`. */
import type { MeasuredQuantity } from '../../quantities.js';
import { learns, type Train } from '../step/lane.js';
import { angle, norm, overlap, rms } from './arithmetic.js';
import type { TakenStep } from './brute-force.js';

/** Those of one step and its own samples. */
export type StepQuantity = Exclude<
  MeasuredQuantity,
  | 'accuracy'
  | 'dead_units'
  | 'update_cosine'
  | 'weight_displacement'
  | `${string}sharpness`
  | `${string}_held_out`
>;

/** By quantity, a number for each layer v = 1 .. L-1; NaN or infinite where it does not exist. */
export type Quantities = Readonly<Record<StepQuantity, readonly number[]>>;

/** @param dt 1 for a velocity. */
export function quantitiesOf(
  step: TakenStep,
  {
    number,
    count,
    train,
    dt,
    isUpdate,
  }: {
    readonly number: number;
    readonly count: number;
    readonly train: Train;
    readonly dt: number;
    readonly isUpdate: boolean;
  },
): Quantities {
  const { features, backward, change, contributions, gradientNorms, backwardVelocity, loss, lossChange } =
    step;
  const depth = contributions.length - 1;
  const byLayer = (of: (v: number) => number) => Array.from({ length: depth - 1 }, (_, i) => of(i + 1));
  const decay = (v: number) => contributions.slice(1, v + 1).reduce((sum, c) => sum + c, 0);
  const speed = (v: number) => rms(change[v]!) / dt;
  const learning = Array.from(contributions).filter((_, l) => l > 0 && learns(train, l, depth));
  const missing = () => Number.NaN;
  return {
    step_number: byLayer(() => number),
    bfa_rad: byLayer((v) => Math.PI - angle(backward[v]!, change[v]!)),
    sensitivity: byLayer((v) => speed(v) / decay(v)),
    sensitivity_finite: byLayer(isUpdate ? (v) => rms(change[v]!) / Math.abs(lossChange) : missing),
    feature_rms: byLayer((v) => rms(features[v]!)),
    backward_rms: byLayer((v) => rms(backward[v]!)),
    feature_speed_rms: byLayer(speed),
    feature_displacement_rms: byLayer(count > 1 ? (v) => rms(step.displacement[v]!) : missing),
    backward_speed_rms: byLayer(backwardVelocity ? (v) => rms(backwardVelocity[v]!) : missing),
    fba_rad: byLayer(
      backwardVelocity ? (v) => Math.PI - angle(step.preactivations[v]!, backwardVelocity[v]!) : missing,
    ),
    contribution: byLayer((v) => contributions[v]!),
    contribution_balance: byLayer(() => Math.max(...learning) / Math.min(...learning)),
    gradient_norm: byLayer((v) => gradientNorms[v]!),
    loss: byLayer(() => loss),
    loss_change: byLayer(() => lossChange),
    speed_formula_residual: byLayer((v) => {
      const found = norm(change[v]!) === 0 ? 0 : overlap(backward[v]!, change[v]!) / dt;
      return Math.abs(-found / decay(v) - 1);
    }),
  };
}
