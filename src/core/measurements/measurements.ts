/** Every quantity by the numbers of a finished step that it is made of: the definitions of `quantities.ts`, in symbols. */
import type { MeasuredQuantity } from '../../quantities.js';

/** What is known of layer v of one network when the step is done; NaN where it was not asked for, or does not exist. */
export interface LayerFacts {
  /** Number of the step, from 1. */
  readonly step: number;
  readonly isUpdate: boolean;
  /** dt of an update; of a velocity 1, as it is per unit of time. */
  readonly duration: number;
  /** |f_v|_rms, |b_v|_rms, and |fdot_v|_rms dt. */
  readonly features: number;
  readonly backward: number;
  readonly change: number;
  /** <b_v, fdot_v> dt. */
  readonly overlap: number;
  /** theta_v. */
  readonly angle: number;
  /** |f_v(t) - f_v(0)|_rms. */
  readonly displacement: number;
  /** |bdot_v|_rms and theta~_v. */
  readonly backwardSpeed: number;
  readonly feedbackAngle: number;
  /** C_v, sum_{l <= v} C_l, and max C_l / min C_l of the layers that learn. */
  readonly contribution: number;
  readonly decay: number;
  readonly balance: number;
  /** |G_v|_F. */
  readonly gradient: number;
  readonly loss: number;
  readonly lossChange: number;
  /** The cosine of the new update with those before, and |W_v - W_v(0)|_F / |W_v(0)|_F. */
  readonly updateCosine: number;
  readonly weightDisplacement: number;
  /** The largest eigenvalue of the Hessian, and of the step. */
  readonly sharpness: number;
  readonly stepSharpness: number;
  /** Share of the units that are closed for every sample. */
  readonly dead: number;
  readonly accuracy: number;
  /** Loss and accuracy on the samples that are held out. */
  readonly heldOut: { readonly loss: number; readonly accuracy: number };
}

const speed = ({ change, duration }: LayerFacts) => change / duration;

export const MEASUREMENTS: Readonly<Record<MeasuredQuantity, (of: LayerFacts) => number>> = {
  step_number: ({ step }) => step,
  bfa_rad: ({ angle }) => angle,
  sensitivity: (of) => speed(of) / of.decay,
  sensitivity_finite: (of) =>
    of.isUpdate ? (speed(of) * of.duration) / Math.abs(of.lossChange) : Number.NaN,
  feature_rms: ({ features }) => features,
  backward_rms: ({ backward }) => backward,
  feature_speed_rms: speed,
  feature_displacement_rms: ({ displacement }) => displacement,
  backward_speed_rms: ({ backwardSpeed }) => backwardSpeed,
  fba_rad: ({ feedbackAngle }) => feedbackAngle,
  contribution: ({ contribution }) => contribution,
  contribution_balance: ({ balance }) => balance,
  gradient_norm: ({ gradient }) => gradient,
  loss: ({ loss }) => loss,
  loss_change: ({ lossChange }) => lossChange,
  speed_formula_residual: ({ overlap, duration, decay }) => Math.abs(-(overlap / duration) / decay - 1),
  dead_units: ({ dead }) => dead,
  update_cosine: ({ updateCosine }) => updateCosine,
  weight_displacement: ({ weightDisplacement }) => weightDisplacement,
  sharpness: ({ sharpness }) => sharpness,
  step_sharpness: ({ stepSharpness }) => stepSharpness,
  accuracy: ({ accuracy }) => accuracy,
  loss_held_out: ({ heldOut }) => heldOut.loss,
  accuracy_held_out: ({ heldOut }) => heldOut.accuracy,
};

/** Whether a step of a built-in network measures it. */
export const isMeasured = (name: string): name is MeasuredQuantity => Object.hasOwn(MEASUREMENTS, name);
