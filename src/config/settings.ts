import type { AxisName } from './experiment.js';
import { compileExpression, type Values } from './expression.js';
import type { Experiment, Scaling } from './resolve.js';
import { type ActivationName, SIGMA_HIDDEN } from './scalings.js';

/** A scaling at one setting, in numbers. */
interface ScalingValues {
  readonly name: string;
  /** Standard deviation of W_1. */
  readonly sigmaInput: number;
  /** Standard deviation of V_2 .. V_{L-1}. */
  readonly sigmaHidden: number;
  /** Standard deviation of W_L. */
  readonly sigmaOutput: number;
  /** `scale-invariant`: eta_l = 1/(L |G_l|^2) (Eq. 8). */
  readonly learningRate:
    | 'scale-invariant'
    | { readonly input: number; readonly hidden: number; readonly output: number };
  /** Whether the scales are set by what is measured, from these on. */
  readonly isNormalized: boolean;
}

/** One combination of the values of a sweep: what all the draws of a network share. */
export interface Setting {
  readonly architecture: 'resnet' | 'mlp';
  readonly activation: ActivationName;
  /** L */
  readonly depth: number;
  /** m */
  readonly width: number;
  /** beta; 1 for an mlp, which has no branches. */
  readonly branchScale: number;
  /** beta as the file writes it, `1/sqrt(L)`: it stays the same where the depth changes the value. */
  readonly branchScaleSource: string;
  /** Standard deviation of the entries of x. */
  readonly inputScale: number;
  /** dt */
  readonly stepSize: number;
  readonly scaling: ScalingValues;
}

/** Number of settings of an experiment, without making them. */
export function countSettings({ axes, nesting }: Experiment): number {
  return nesting.reduce((product, axis) => product * axes[axis].length, 1);
}

/** The values that expressions see, at one depth and width; beta is added when it is known. */
export function valuesAt({ network, data }: Experiment, depth: number, width: number): Values {
  return { L: depth, m: width, d: network.inputWidth, k: network.outputWidth, n: data.samples };
}

/**
 * All settings of an experiment: the cartesian product of its axes, in the order of the file, first axis outermost.
 *
 * Two settings may be equal in numbers: the branch scales `1/L` and `1/(2*sqrt(L))` meet at L = 4. As cells they are one.
 *
 * @throws {ExpressionError} never for an experiment that `parseExperiment` returned
 */
export function expandAxes(experiment: Experiment): readonly Setting[] {
  const { axes, data, nesting, step } = experiment;
  const branchScales = axes.branchScale.map((source) => compileExpression(source));
  const noBranch = compileExpression(1);
  const scalings = axes.activation.map((name) =>
    axes.scaling.map((scaling) => compileScaling(scaling, name)),
  );
  const inputScale = compileExpression(data.input.scale);
  const stepSize = compileExpression(step.size);
  const inward = [...nesting].reverse();

  return Array.from({ length: countSettings(experiment) }, (_, index) => {
    const at = Object.fromEntries(nesting.map((axis) => [axis, 0])) as Record<AxisName, number>;
    let rest = index;
    for (const axis of inward) {
      const { length } = axes[axis];
      at[axis] = rest % length;
      rest = Math.floor(rest / length);
    }
    const depth = axes.depth[at.depth]!;
    const width = axes.width[at.width]!;
    const architecture = axes.architecture[at.architecture]!;
    const branchScale = architecture === 'mlp' ? noBranch : branchScales[at.branchScale]!;
    const values = valuesAt(experiment, depth, width);
    const beta = branchScale.evaluate(values);
    const all = { ...values, beta };
    return {
      architecture,
      activation: axes.activation[at.activation]!,
      depth,
      width,
      branchScale: beta,
      branchScaleSource: branchScale.source,
      inputScale: inputScale.evaluate(all),
      stepSize: stepSize.evaluate(all),
      scaling: scalings[at.activation]![at.scaling]!(all),
    };
  });
}

/** The formulas of a scaling, read once and evaluated at every setting. */
function compileScaling(scaling: Scaling, activation: ActivationName): (values: Values) => ScalingValues {
  const sigmaInput = compileExpression(scaling.sigmaInput);
  const sigmaHidden = compileExpression(
    scaling.sigmaHidden === 'critical' ? SIGMA_HIDDEN[activation] : scaling.sigmaHidden,
  );
  const sigmaOutput = compileExpression(scaling.sigmaOutput);
  const { learningRate } = scaling;
  const rates =
    learningRate === 'scale-invariant'
      ? undefined
      : {
          input: compileExpression(learningRate.input),
          hidden: compileExpression(learningRate.hidden),
          output: compileExpression(learningRate.output),
        };
  return (values) => ({
    name: scaling.name,
    sigmaInput: sigmaInput.evaluate(values),
    sigmaHidden: sigmaHidden.evaluate(values),
    sigmaOutput: sigmaOutput.evaluate(values),
    learningRate: rates
      ? {
          input: rates.input.evaluate(values),
          hidden: rates.hidden.evaluate(values),
          output: rates.output.evaluate(values),
        }
      : 'scale-invariant',
    isNormalized: scaling.isNormalized,
  });
}
