import { ACTIVATION_NAMES, isHomogeneous } from '../../activations.js';
import { hasBranches, hasHiddenWidth } from '../../architectures/architectures.js';
import { quantityEntry } from '../../quantities.js';
import { type ExperimentFile, MOST_CELLS } from '../file/experiment.js';
import { placeOf, scalingEntries } from '../file/places.js';
import { expected, type Issue, type Path } from '../file/problem.js';
import { usesParameter } from '../parameters.js';
import type { Experiment } from '../resolve.js';
import { SCALING_NAMES } from '../scalings/scalings.js';
import { countSettings } from '../settings.js';
import type { Check } from './check.js';
import { findEmptyColumns } from './empty-columns.js';
import { findModelIssues } from './model-checks.js';
import { findRangeIssues } from './ranges.js';
import { TRAINING_CHECKS } from './training-checks.js';
import { hasManyWidths } from './width-checks.js';

/** Steps that a quantity may be of alone: whether an experiment has them, and what the file has to say for it. */
const STEPS = {
  updates: { need: 'step.kind "update"', has: ({ kind }) => kind === 'update', got: ({ kind }) => kind },
  velocities: {
    need: 'step.kind "velocity"',
    has: ({ kind }) => kind === 'velocity',
    got: ({ kind }) => kind,
  },
  several: { need: 'step.count >= 2', has: ({ count }) => count > 1, got: ({ count }) => count },
  finite: {
    need: 'step.kind "update", or step.count >= 2',
    has: ({ kind, count }) => kind === 'update' || count > 1,
    got: ({ kind }) => kind,
  },
} as const satisfies Record<
  string,
  { need: string; has(step: Experiment['step']): boolean; got(step: Experiment['step']): unknown }
>;
const HOMOGENEOUS = ACTIVATION_NAMES.filter(isHomogeneous);

const CHECKS: readonly Check[] = [
  ...TRAINING_CHECKS,
  {
    reads: ['network', 'scaling', 'data', 'step', 'sweep', 'record', 'slopes'],
    find: findModelIssues,
  },
  {
    reads: ['network', 'scaling', 'sweep'],
    find: ({ axes }) =>
      (
        [
          ['depth', ['network', 'depth'], 'an integer >= 3', 'sweep.depth'],
          ['width', ['network', 'width'], 'an integer >= 1', 'sweep.width'],
          ['scaling', ['scaling'], 'a scaling', 'sweep.scaling'],
        ] as const
      )
        .filter(([axis]) => axes[axis].length === 0)
        .map(([, path, what, swept]) => ({
          path,
          message: expected(what, undefined, `give it, or ${swept}`),
        })),
  },
  {
    reads: ['scaling', 'sweep'],
    find: (_, file) =>
      scalingEntries(file).flatMap(({ path, entry }) =>
        typeof entry !== 'string' && SCALING_NAMES.some((name) => name === entry.name)
          ? [
              {
                path: [...path, 'name'],
                message: expected('a name of its own', entry.name, 'this one is the name of another'),
              },
            ]
          : [],
      ),
  },
  {
    reads: ['network', 'data', 'sweep'],
    find: ({ axes, data }, file) => {
      const [least, most] = [smallest(axes.inputWidth), largest(axes.outputWidth)];
      if (data.target.law !== 'cosine' || most <= least) return [];
      const message = expected(
        `outputWidth <= inputWidth = ${least} for "cosine"`,
        most,
        'y_i = cos(pi x_i), i = 1 .. k',
      );
      const isSwept = file.sweep?.outputWidth !== undefined || file.sweep?.inputWidth !== undefined;
      return [{ path: isSwept ? ['sweep', 'outputWidth'] : ['data', 'target', 'law'], message }];
    },
  },
  {
    reads: ['network', 'sweep'],
    find: ({ axes: { architecture, branchScale }, parameters }, file) => {
      const without = architecture.find((name) => !hasBranches(name));
      if (without === undefined) return [];
      const path = placeOf('branchScale', file);
      if (!architecture.some(hasBranches)) {
        const other = branchScale.find((beta) => beta !== 1);
        return other === undefined
          ? []
          : [
              {
                path,
                message: expected(`no branch scale but 1 for "${without}"`, other, '"resnet" has branches'),
              },
            ];
      }
      const isOne = branchScale.length === 1 && !usesParameter(branchScale[0]!, Object.keys(parameters));
      return isOne ? [] : [{ path, message: onlyOne('branch scale', without, branchScale) }];
    },
  },
  {
    reads: ['network', 'sweep'],
    find: ({ axes: { architecture, hiddenWidth }, parameters }, file) => {
      const without = architecture.find((name) => !hasHiddenWidth(name));
      if (without === undefined) return [];
      const path = placeOf('hiddenWidth', file);
      if (!architecture.some(hasHiddenWidth)) {
        const isGiven = file.network.hiddenWidth !== undefined || file.sweep?.hiddenWidth !== undefined;
        const message = expected(`no hidden width for "${without}"`, hiddenWidth[0], '"resnet-2" has one');
        return isGiven ? [{ path, message }] : [];
      }
      const isOne = hiddenWidth.length === 1 && !usesParameter(hiddenWidth[0]!, Object.keys(parameters));
      return isOne ? [] : [{ path, message: onlyOne('hidden width', without, hiddenWidth) }];
    },
  },
  {
    reads: ['network', 'loss', 'data', 'sweep'],
    find: ({ axes: { loss, outputWidth }, data, model }, file) => [
      ...(loss.includes('cross-entropy') && data.target.law !== 'one-hot' && !model
        ? [
            {
              path: ['data', 'target', 'law'],
              message: expected('"one-hot" for the cross-entropy', data.target.law, 'y is a class'),
            },
          ]
        : []),
      ...(data.target.law === 'one-hot' && outputWidth.includes(1)
        ? [
            {
              path: placeOf('outputWidth', file),
              message: expected('an integer >= 2 for "one-hot" targets', 1, 'they are classes'),
            },
          ]
        : []),
    ],
  },
  {
    reads: ['step', 'sweep'],
    find: ({ step }, file) =>
      file.sweep?.stepSize !== undefined && step.kind === 'velocity' && step.count === 1
        ? [
            {
              path: ['sweep', 'stepSize'],
              message: expected(
                'step.kind "update", or step.count >= 2, to sweep it',
                step.kind,
                'the velocity of one step has no dt, and would be measured once for each',
              ),
            },
          ]
        : [],
  },
  {
    reads: ['network', 'step', 'sweep', 'record'],
    find: ({ axes, step, model }, file) =>
      file.record.quantities.flatMap((name, index) => {
        const refuse = (what: string, value: unknown, advice: string) => [
          {
            path: ['record', 'quantities', index],
            message: expected(`${what} for ${name}`, value, advice),
          },
        ];
        const { only, needs } = quantityEntry(name);
        if (only && !STEPS[only.steps].has(step)) {
          const { need, got } = STEPS[only.steps];
          return refuse(need, got(step), only.because);
        }
        if (needs !== 'backward velocity' || model) return [];
        const other = axes.activation.find((activation) => !HOMOGENEOUS.includes(activation));
        if (other === undefined) return [];
        return refuse(`no activation but ${HOMOGENEOUS.join(', ')}`, other, 'Prop 6.1 needs one of them');
      }),
  },
  {
    reads: ['network', 'scaling', 'sweep', 'record', 'commonRandomNumbers', 'slopes'],
    find: (experiment) => {
      const { axes, record, commonRandomNumbers, slopes = [] } = experiment;
      return slopes.flatMap(({ quantity, axis, expected: exponents }, index) => {
        const refuse = (path: Path, what: string, value: unknown, advice: string) => [
          { path: ['slopes', index, ...path], message: expected(what, value, advice) },
        ];
        const names = axes.scaling.map(({ name }) => name);
        const unknown = Object.keys(typeof exponents === 'object' ? exponents : {}).filter(
          (name) => !names.includes(name),
        );
        return [
          ...(record.quantities.includes(quantity)
            ? []
            : refuse(['quantity'], 'one of record.quantities', quantity, 'add it there')),
          ...(axes[axis].length >= 2
            ? []
            : refuse(['axis'], 'an axis of two values or more', axis, `give sweep.${axis}`)),
          ...(axis === 'width' && hasManyWidths(experiment)
            ? refuse(
                ['axis'],
                'an axis but the width',
                axis,
                'networks with a formula in l have no one width',
              )
            : []),
          ...(commonRandomNumbers.includes(axis)
            ? refuse(
                ['axis'],
                'an axis whose cells draw their own random numbers',
                axis,
                'it is in commonRandomNumbers, and the interval needs independent draws',
              )
            : []),
          ...unknown.flatMap((name) =>
            refuse(['expected', name], 'a scaling of this experiment', name, `there are ${names.join(', ')}`),
          ),
        ];
      });
    },
  },
  {
    reads: ['sweep', 'draws'],
    find: (experiment) => {
      const settings = countSettings(experiment);
      const cells = settings * experiment.draws;
      return cells > MOST_CELLS
        ? [
            {
              path: [experiment.draws > settings ? 'draws' : 'sweep'],
              message: `expected at most ${MOST_CELLS} cells, got ${cells}; ${settings} settings x ${experiment.draws} draws`,
            },
          ]
        : [];
    },
  },
  {
    reads: ['network', 'scaling', 'data', 'step', 'sweep', 'draws'],
    find: findRangeIssues,
  },
  {
    reads: ['network', 'scaling', 'loss', 'data', 'step', 'sweep', 'draws', 'record'],
    find: (experiment, file) =>
      experiment.model ||
      countSettings(experiment) > MOST_CELLS ||
      findRangeIssues(experiment, file).length > 0
        ? []
        : findEmptyColumns(experiment, file.record.quantities),
  },
];

/** Several values of what an architecture does not have would measure it once for each. */
const onlyOne = (what: string, without: string, values: readonly (number | string)[]) =>
  expected(
    `one ${what} where "${without}" is among the architectures`,
    values.length === 1 ? values[0] : values,
    `it has none, and would be measured once for each`,
  );

/**
 * What is wrong with an experiment whose keys are right one by one.
 *
 * @param inOrder whether the schema had nothing against a top-level key
 */
export function findIssues(
  experiment: Experiment,
  file: ExperimentFile,
  inOrder: (key: keyof ExperimentFile) => boolean,
): readonly Issue[] {
  return CHECKS.flatMap(({ reads, find }) => (reads.every(inOrder) ? find(experiment, file) : []));
}

const smallest = (values: readonly number[]) =>
  values.reduce((least, value) => Math.min(least, value), Infinity);
const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), 0);
