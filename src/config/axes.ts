/**
 * The table of axes: all that a sweep can run over, each in one entry.
 *
 * The schema of the file and of its sweep, settings, columns and identities of tables, keys and seeds of cells, what a batch has
 * in common, and the tables of the README follow from it. Two things are kept apart: what tells cells from each other, which
 * is every axis and parameter, and what their random numbers hang on, which is `isSeeded`: an axis that comes later moves
 * no number that was there before.
 */
import { ACTIVATION_NAMES, type ActivationName } from '../activations.js';
import {
  ARCHITECTURE_NAMES,
  type ArchitectureName,
  architectureOf,
  hasBranches,
  hasHiddenWidth,
} from '../architectures/architectures.js';
import { type At, type AxisEntry, integerEnd, ofIntegers } from './axis.js';
import { compileExpression, stepSizeNames, VARIABLE_NAMES } from './expression.js';
import { expression, list, listOrRange, number, oneOf } from './file/schema-parts.js';
import {
  compileScaling,
  nameOfScaling,
  resolveScaling,
  type Scaling,
  type ScalingEntry,
  scalingSchema,
} from './scalings/scaling-entry.js';
import { nameOfTrain, type Train, trainedLayers, trainSchema } from './train.js';
import { WIDTHS } from './widths.js';

const DEPTH_ADVICE = 'L counts the embedding and the readout';

const architecture = oneOf(ARCHITECTURE_NAMES);
const activation = oneOf(ACTIVATION_NAMES);
const loss = oneOf(['squared', 'linear', 'cross-entropy']);
const branchScale = (parameters: readonly string[]) => expression(['L', 'm', 'd', 'k', 'n', ...parameters]);
const hiddenWidth = branchScale;
const WITH_HIDDEN_WIDTH = ARCHITECTURE_NAMES.filter(hasHiddenWidth);
const schedule = (parameters: readonly string[]) => expression(stepSizeNames(parameters));

const NO_BRANCH = { branchScale: 1, branchScaleFormula: '1' };

/** In the order of the columns. */
export const AXES = {
  architecture: {
    path: ['network', 'architecture'],
    title: 'architecture',
    notOfModels: 'the model is one',
    default: 'resnet',
    help: `${ARCHITECTURE_NAMES.map((name) => `${name}: ${architectureOf(name).meaning}`).join('; ')}; default resnet`,
    sweepHelp: 'architectures; with an mlp, which has no branches, there is one branch scale, of the resnets',
    schema: () => architecture,
    sweep: () => list(architecture, 'a list of architectures, not empty'),
    read: (value: ArchitectureName) => () => ({ architecture: value }),
    column: 'architecture',
    holds: 'text',
    of: 'network',
    key: '',
    isSeeded: true,
    isOfBatch: true,
  },
  activation: {
    path: ['network', 'activation'],
    title: 'activation',
    notOfModels: 'the module chooses its own, and may take it from network.parameters',
    default: 'relu',
    help: 'phi; leaky has slope 0.1 below 0; default relu',
    sweepHelp: 'activations',
    schema: () => activation,
    sweep: () => list(activation, 'a list of activations, not empty'),
    read: (value: ActivationName) => () => ({ activation: value }),
    column: 'activation',
    holds: 'text',
    of: 'network',
    key: '',
    isSeeded: true,
    isOfBatch: true,
  },
  depth: {
    ...ofIntegers(3, DEPTH_ADVICE, 1),
    path: ['network', 'depth'],
    title: 'depth L',
    symbol: 'L',
    help: 'L >= 3, counting the embedding and the readout; needed unless swept; of a model, what it takes as depth',
    sweepHelp: 'values of L: a list, or a range that is rounded to integers',
    read: (value: number) => () => ({ depth: value }),
    column: 'depth',
    key: 'L=',
    isOfBatch: false,
  },
  width: {
    ...WIDTHS,
    path: ['network', 'width'],
    title: 'width m',
    symbol: 'm',
    help:
      'm >= 1, or of an mlp m_l of every layer as an expression in l, L, d, k, n and parameters of the sweep: "64 + 4*l"; ' +
      'm is m_{L-1} then, and of V_l what it takes, m_{l-1}; needed unless swept',
    sweepHelp: 'values of m: a list, of expressions too, or a range that is rounded to integers',
    column: 'width',
    key: 'm=',
    isOfBatch: true,
  },
  inputWidth: {
    ...ofIntegers(1),
    path: ['network', 'inputWidth'],
    title: 'input width d',
    symbol: 'd',
    notOfModels: 'the module has its inputs, and may take their size from network.parameters',
    default: 10,
    help: 'd; default 10',
    sweepHelp: 'values of d: a list, or a range that is rounded to integers',
    read: (value: number) => () => ({ inputWidth: value }),
    column: 'input_width',
    key: 'd=',
    isOfBatch: true,
  },
  outputWidth: {
    ...ofIntegers(1),
    path: ['network', 'outputWidth'],
    title: 'output width k',
    symbol: 'k',
    notOfModels: 'the module has its outputs, and may take their number from network.parameters',
    default: 1,
    help: 'k; default 1',
    sweepHelp: 'values of k: a list, or a range that is rounded to integers',
    read: (value: number) => () => ({ outputWidth: value }),
    column: 'output_width',
    key: 'k=',
    isOfBatch: true,
  },
  samples: {
    ...ofIntegers(1),
    path: ['data', 'samples'],
    title: 'samples n',
    symbol: 'n',
    default: 1,
    help: 'n; default 1',
    sweepHelp: 'values of n: a list, or a range that is rounded to integers',
    read: (value: number) => () => ({ samples: value }),
    column: 'samples',
    key: 'n=',
    isOfBatch: true,
  },
  hiddenWidth: {
    path: ['network', 'hiddenWidth'],
    title: 'hidden width M',
    notOfModels: 'the module takes its sizes from network.parameters',
    default: 'm',
    help: `M of ${WITH_HIDDEN_WIDTH.join(', ')}: an integer >= 1, or an expression in L, m, d, k, n and parameters of the sweep, rounded; default m`,
    sweepHelp: 'values of M: a list, or a range that is rounded to integers',
    schema: hiddenWidth,
    sweep: (parameters: readonly string[]) =>
      listOrRange(hiddenWidth(parameters), integerEnd(1), 'integers >= 1 or expressions'),
    read: (value: number | string, parameters: readonly string[]) => {
      const { source, evaluate } = compileExpression(value, [...VARIABLE_NAMES, ...parameters]);
      return ({ architecture, values }: At) => ({
        hiddenWidth: hasHiddenWidth(architecture) ? Math.round(evaluate(values)) : null,
        hiddenWidthFormula: source,
      });
    },
    column: 'hidden_width',
    holds: 'number',
    isOptional: true,
    isOf: hasHiddenWidth,
    of: 'network',
    key: 'M=',
    isSeeded: true,
    isOfBatch: true,
  },
  branchScale: {
    path: ['network', 'branchScale'],
    title: 'branch scale \u03b2',
    symbol: 'beta',
    default: 1,
    help: 'beta in 0 .. 1 of a resnet, or an expression in L, m, d, k, n and parameters of the sweep; default 1',
    sweepHelp: 'values of beta: a list, or a range',
    schema: branchScale,
    sweep: (parameters: readonly string[]) =>
      listOrRange(
        branchScale(parameters),
        number('a number from 0 to 1').between(0, 1),
        'numbers or expressions',
      ),
    read: (value: number | string, parameters: readonly string[]) => {
      const { source, evaluate } = compileExpression(value, [...VARIABLE_NAMES, ...parameters]);
      return ({ architecture, values }: At) =>
        !hasBranches(architecture)
          ? NO_BRANCH
          : { branchScale: evaluate(values), branchScaleFormula: source };
    },
    column: 'branch_scale',
    holds: 'number',
    formulaColumn: 'branch_scale_formula',
    of: 'network',
    key: 'beta=',
    isSeeded: true,
    isOfBatch: false,
  },
  scaling: {
    path: ['scaling'],
    title: 'scaling',
    help: 'initial scales and learning rates; needed unless swept',
    sweepHelp: 'scalings',
    schema: scalingSchema,
    sweep: (parameters: readonly string[]) =>
      list(scalingSchema(parameters), 'a list of scalings, not empty', nameOfScaling),
    resolve: (entry: ScalingEntry): Scaling => resolveScaling(entry),
    read: (value: Scaling, parameters: readonly string[]) => {
      const evaluate = compileScaling(value, parameters);
      return ({ activation, hiddenWidth, widths, values }: At) => ({
        scaling: evaluate(activation, values, hiddenWidth, widths),
      });
    },
    tell: ({ name }: { readonly name: string }) => name,
    column: 'scaling',
    holds: 'text',
    of: 'network',
    key: 'scaling=',
    isSeeded: true,
    isOfBatch: false,
  },
  stepSize: {
    path: ['step', 'size'],
    title: 'step size dt',
    default: 0.001,
    help:
      'dt > 0: a number or an expression in L, m, d, k, n, beta, parameters of the sweep, and t and T, the number of the step ' +
      'and of all steps: "0.2*(1 - t/T)"; default 0.001',
    sweepHelp: 'values of dt: a list, or a range; tables tell that of the first step',
    schema: schedule,
    sweep: (parameters: readonly string[]) =>
      listOrRange(schedule(parameters), number('a number > 0').above(0), 'numbers or expressions'),
    read: (value: number | string, parameters: readonly string[]) => {
      const { source, evaluate } = compileExpression(value, stepSizeNames(parameters));
      return ({ values, steps }: At) => ({
        stepSize: evaluate({ ...values, t: 1, T: steps }),
        stepSizeFormula: source,
      });
    },
    column: 'step_size',
    holds: 'number',
    of: 'step',
    key: 'dt=',
    isSeeded: false,
    isOfBatch: false,
  },
  loss: {
    path: ['loss'],
    title: 'loss',
    default: 'squared',
    help:
      'squared: |f_L - y|^2 / (2 k n); linear: <y, f_L> / (k n); cross-entropy: of softmax(f_L) with y one-hot, / n; ' +
      'default squared',
    sweepHelp: 'losses',
    schema: () => loss,
    sweep: () => list(loss, 'a list of losses, not empty'),
    read: (value: 'squared' | 'linear' | 'cross-entropy') => () => ({ loss: value }),
    // `loss` is the column of its value.
    column: 'loss_function',
    holds: 'text',
    isOptional: true,
    of: 'step',
    key: 'loss=',
    isSeeded: false,
    isOfBatch: true,
  },
  train: {
    path: ['step', 'train'],
    title: 'layers that learn',
    notOfModels: 'all weights of a model learn but those that it has as `trainable: false`',
    default: 'hidden',
    help: 'layers that learn; hidden: V_2 .. V_{L-1}; default hidden',
    sweepHelp: 'layers that learn, an entry each',
    schema: () => trainSchema,
    sweep: () => list(trainSchema, 'a list of "hidden", "all" and lists of layers, not empty', nameOfTrain),
    read: (value: Train) => () => ({ train: value }),
    tell: trainedLayers,
    column: 'trained_layers',
    holds: 'text',
    isOptional: true,
    of: 'step',
    key: 'train=',
    isSeeded: false,
    isOfBatch: true,
  },
} as const satisfies Record<string, AxisEntry>;

export type Axes = typeof AXES;

/** Axes that a sweep can run over. */
export type AxisName = keyof Axes;
export const AXIS_NAMES = Object.keys(AXES) as [AxisName, ...AxisName[]];

/** The entry of an axis, whichever it is. */
export const entryOf = (axis: AxisName): AxisEntry => AXES[axis];
