/**
 * The glossary: every quantity that can be recorded, under the name of its column.
 *
 * CSV headers, the schema of the experiment files, axis titles and the tables of the READMEs all come
 * from this list. Notation is the paper's: `v` a layer in 1 .. L-1, `f_v` the features, `b_v` the
 * backward pass, `C_l = eta_l |G_l|^2` the contribution of layer l, `|x|_rms = |x|_2 / sqrt(size of x)`.
 */
import { type Need, OF_MATRICES, type Quantity } from './quantities/quantity.js';

export type { Need, Quantity } from './quantities/quantity.js';
export { twelveDigits } from './quantities/twelve-digits.js';

/** The accuracy that is asked of angles, rad. */
const ANGLE = 2e-4;

export const QUANTITIES = {
  step_number: {
    symbol: 't',
    unit: '1',
    meaning: 'number of the step that is measured, from 1; of an experiment with several steps',
    equation: 'configs/README.md',
    title: 'step',
  },
  bfa_rad: {
    symbol: 'theta_v',
    unit: 'rad',
    meaning: 'backward-feature angle: between -b_v and the feature velocity (or update)',
    equation: 'Thm 2.1',
    title: 'BFA',
    isOfMotion: true,
    rounding: ANGLE,
  },
  bfa_theory_rad: {
    symbol: 'theta_v (m -> inf)',
    unit: 'rad',
    meaning: 'infinite-width limit of the angle at this depth and layer, where it is known; of small steps',
    equation: 'src/README.md, Theory',
    title: 'BFA (theory)',
    isTheory: true,
    rounding: ANGLE,
  },
  sensitivity: {
    symbol: 'S_v',
    unit: '1',
    meaning: 'feature speed over loss decay up to v: |fdot_v|_rms / sum_{l<=v} C_l',
    equation: 'Eq. 4',
    title: 'sensitivity',
    isOfMotion: true,
  },
  sensitivity_finite: {
    symbol: '|df_v|_rms / |dloss|',
    unit: '1',
    meaning: 'the same from one finite step, with the loss change of all layers (Fig. 2, at v = L-1)',
    equation: 'Fig. 2',
    title: 'sensitivity (finite step)',
    isOfMotion: true,
    only: { steps: 'updates', because: 'sensitivity is its limit for a velocity' },
  },
  sensitivity_theory: {
    symbol: 'S_{L-1} (m -> inf)',
    unit: '1',
    meaning: 'infinite-width limit of the sensitivity at the residual |y|, n = k = 1; of small steps',
    equation: 'src/README.md, Theory',
    title: 'sensitivity (theory)',
    isTheory: true,
  },
  feature_rms: {
    symbol: '|f_v|_rms',
    unit: '1',
    meaning: 'size of the features',
    equation: 'Eq. 12',
    title: 'feature rms',
  },
  feature_rms_theory: {
    symbol: 'exp E log |g_v|_rms',
    unit: '1',
    meaning: 'typical size of the features of random ReLU MLPs of these widths: their geometric mean',
    equation: 'src/README.md, Theory',
    title: 'feature rms (theory)',
    isTheory: true,
  },
  backward_rms: {
    symbol: '|b_v|_rms',
    unit: '1',
    meaning: 'size of the backward pass',
    equation: 'Eq. 12',
    title: 'backward rms',
  },
  feature_speed_rms: {
    symbol: '|fdot_v|_rms',
    unit: '1 / time',
    meaning: 'size of the feature velocity; for an update, |df_v|_rms / dt',
    equation: 'Thm 2.1',
    title: 'feature speed',
  },
  feature_displacement_rms: {
    symbol: '|f_v(t) - f_v(0)|_rms',
    unit: '1',
    meaning: 'distance of the features from where they were before the first step',
    equation: 'configs/README.md',
    title: 'feature displacement',
    needs: 'first features',
    only: { steps: 'several', because: 'before the first step nothing is displaced' },
  },
  backward_speed_rms: {
    symbol: '|bdot_v|_rms',
    unit: '1 / time',
    meaning: 'size of the velocity of the backward pass (homogeneous activations)',
    equation: 'Prop 6.1',
    title: 'backward speed',
    needs: 'backward velocity',
    only: { steps: 'velocities', because: 'it is of the velocity of the backward pass' },
  },
  fba_rad: {
    symbol: 'theta~_v',
    unit: 'rad',
    meaning: 'feature-backward angle: between f_v and minus the velocity of the backward pass',
    equation: 'Prop 6.1',
    title: 'FBA',
    needs: 'backward velocity',
    only: { steps: 'velocities', because: 'it is of the velocity of the backward pass' },
    rounding: ANGLE,
  },
  weight_variance: {
    symbol: 'Var W_v',
    unit: '1',
    meaning: 'variance of the entries of the matrices of the layer; of a model',
    equation: 'configs/models/README.md',
    title: 'variance of weights',
    isOfModels: true,
  },
  contribution: {
    symbol: 'C_v',
    unit: 'loss / time',
    meaning: 'loss decay due to layer v: eta_v |G_v|^2',
    equation: 'Eq. 4',
    title: 'contribution',
  },
  contribution_balance: {
    symbol: 'max C_l / min C_l',
    unit: '1',
    meaning: 'largest contribution over the smallest, of the layers l = 1 .. L that learn; 1 is balanced',
    equation: 'section 4.1, (BC)',
    title: 'balance of contributions',
  },
  gradient_norm: {
    symbol: '|G_v|_F',
    unit: 'loss',
    meaning: 'size of the gradient of layer v, of all its matrices, whether it learns or not',
    equation: 'Eq. 4',
    title: 'gradient norm',
    needs: 'all gradients',
  },
  loss: {
    symbol: 'loss',
    unit: 'loss',
    meaning: 'before the step: |f_L - y|^2 / (2 k n), unless the experiment names another',
    equation: 'Eq. 12',
    title: 'loss',
  },
  loss_change: {
    symbol: 'dloss',
    unit: 'loss (velocity: loss / time)',
    meaning: 'change of the loss in the step; for a velocity, its time derivative',
    equation: 'Thm 2.1',
    title: 'loss change',
  },
  speed_formula_residual: {
    symbol: '| -<b_v, fdot_v> / sum C - 1 |',
    unit: '1',
    meaning: 'relative residual of the feature speed formula: rounding for a velocity, O(dt) for an update',
    equation: 'Thm 2.1',
    title: 'residual of Thm 2.1',
    isOfMotion: true,
    rounding: 1e-5,
  },
  dead_units: {
    symbol: '#{j: phi(f_v)_j = 0} / m',
    unit: '1',
    meaning: 'share of units whose activation is 0 for every sample of the step, of one that closes (relu)',
    equation: 'configs/README.md',
    title: 'dead units',
    needs: 'features',
  },
  update_cosine: {
    symbol: 'cos(dW_v, W_v - W_v(0))',
    unit: '1',
    meaning: 'cosine between the update of the trained matrices of layer v and the sum of those before',
    equation: 'configs/README.md',
    title: 'cosine of new and cumulative update',
    needs: 'displaced weights',
    only: { steps: 'several', because: 'before the first step nothing is displaced' },
    rounding: ANGLE,
  },
  weight_displacement: {
    symbol: '|W_v - W_v(0)|_F / |W_v(0)|_F',
    unit: '1',
    meaning: 'distance of the trained matrices of layer v from where they began, relative to their size then',
    equation: 'configs/README.md',
    title: 'displacement of weights',
    needs: 'first weights',
    only: { steps: 'several', because: 'before the first step nothing is displaced' },
  },
  sharpness: {
    symbol: 'lambda_max(H)',
    unit: 'loss',
    meaning: 'largest eigenvalue of the Hessian of the loss of the step in the weights that learn',
    equation: 'configs/README.md',
    title: 'sharpness',
    needs: 'curvature',
  },
  step_sharpness: {
    symbol: 'lambda_max(dt eta^(1/2) H eta^(1/2))',
    unit: '1',
    meaning: 'the same, times dt, each layer at its rate; a quadratic loss grows above 2',
    equation: 'configs/README.md',
    title: 'step size x sharpness',
    needs: 'curvature of the step',
    only: { steps: 'finite', because: 'the velocity of one step has no step size' },
  },
  accuracy: {
    symbol: 'acc',
    unit: '1',
    meaning: 'share of the samples of the step whose largest output is that of their class, before the step',
    equation: 'configs/README.md',
    title: 'accuracy',
  },
  loss_held_out: {
    symbol: 'loss (held out)',
    unit: 'loss',
    meaning: 'loss of the samples that are held out (data.heldOut), before the step',
    equation: 'configs/README.md',
    title: 'held-out loss',
    needs: 'held-out outputs',
  },
  accuracy_held_out: {
    symbol: 'acc (held out)',
    unit: '1',
    meaning: 'accuracy on the samples that are held out (data.heldOut), before the step',
    equation: 'configs/README.md',
    title: 'held-out accuracy',
    needs: 'held-out outputs',
  },
} as const satisfies Record<string, Quantity>;

/** Column name of a recorded quantity. */
export type QuantityName = keyof typeof QUANTITIES;

/** Quantities that are computed, of the limit of infinite width, and not measured. */
export type TheoryQuantity = {
  [name in QuantityName]: (typeof QUANTITIES)[name] extends { readonly isTheory: true } ? name : never;
}[QuantityName];

/** Quantities that networks of the user's own alone have. */
type QuantityOfModels = {
  [name in QuantityName]: (typeof QUANTITIES)[name] extends { readonly isOfModels: true } ? name : never;
}[QuantityName];

/** Quantities that a step of a built-in network measures (`core/measurements/measurements.ts`). */
export type MeasuredQuantity = Exclude<QuantityName, TheoryQuantity | QuantityOfModels>;

/** The entry of a quantity, whichever it is. */
export const quantityEntry = (name: QuantityName): Quantity => QUANTITIES[name];

export function isTheory(name: QuantityName): name is TheoryQuantity {
  return quantityEntry(name).isTheory === true;
}

/** What is done in a step for some quantities, besides what every step does. */
export const needsOf = (quantities: readonly QuantityName[]): ReadonlySet<Need> =>
  new Set(quantities.flatMap((name) => quantityEntry(name).needs ?? []));

/** Whether weights that are never formed are without it. */
export const isOfMatrices = (name: QuantityName): boolean =>
  OF_MATRICES.some((need) => need === quantityEntry(name).needs);

/** Quantities that are measured of networks of the user's own. */
export const MODEL_QUANTITIES = [
  'step_number',
  'bfa_rad',
  'sensitivity',
  'sensitivity_finite',
  'feature_rms',
  'backward_rms',
  'feature_speed_rms',
  'feature_displacement_rms',
  'weight_variance',
  'contribution',
  'contribution_balance',
  'gradient_norm',
  'loss',
  'loss_change',
  'speed_formula_residual',
  'accuracy',
  'loss_held_out',
  'accuracy_held_out',
] as const satisfies readonly QuantityName[];

/** Column names of all quantities, in the order of the table. */
export const QUANTITY_NAMES = Object.keys(QUANTITIES) as QuantityName[];
