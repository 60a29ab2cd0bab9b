import { ACTIVATION_NAMES, isHomogeneous } from '../activations.js';
import { quantityEntry } from '../quantities.js';
import { AXES, type AxisName } from './axes.js';
import { findEmptyColumns } from './empty-columns.js';
import { type ExperimentFile, MOST_CELLS } from './experiment.js';
import { compileExpression, ExpressionError } from './expression.js';
import { usesParameter } from './parameters.js';
import { pointsOf } from './points.js';
import { expected, type Path, show } from './problem.js';
import type { Experiment } from './resolve.js';
import { SCALING_NAMES } from './scalings.js';
import { countSettings, namesOf } from './settings.js';

/** Something wrong at a key of an experiment file. */
export interface Issue {
  readonly path: Path;
  readonly message: string;
}

/** A rule that several keys must fulfil together. */
interface Check {
  /** Top-level keys that it looks at: it waits until these are in order. */
  readonly reads: readonly (keyof ExperimentFile)[];
  readonly find: (experiment: Experiment, file: ExperimentFile) => readonly Issue[];
}

/** Quantities of the velocity of the backward pass, and the activations that it is known for. */
/** Steps that a quantity may be of alone: whether an experiment has them, and what the file has to say for it. */
const STEPS = {
  updates: { need: 'step.kind "update"', has: ({ kind }) => kind === 'update', got: ({ kind }) => kind },
  velocities: {
    need: 'step.kind "velocity"',
    has: ({ kind }) => kind === 'velocity',
    got: ({ kind }) => kind,
  },
  several: { need: 'step.count >= 2', has: ({ count }) => count > 1, got: ({ count }) => count },
} as const satisfies Record<
  string,
  { need: string; has(step: Experiment['step']): boolean; got(step: Experiment['step']): unknown }
>;
const HOMOGENEOUS = ACTIVATION_NAMES.filter(isHomogeneous);

/** Values of a scaling that are no formula. */
const WORDS: readonly unknown[] = ['critical', 'scale-invariant'];

const CHECKS: readonly Check[] = [
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
      if (!architecture.includes('mlp')) return [];
      const path = placeOf('branchScale', file);
      if (!architecture.includes('resnet')) {
        const other = branchScale.find((beta) => beta !== 1);
        return other === undefined
          ? []
          : [{ path, message: expected('no branch scale but 1 for "mlp"', other, '"resnet" has branches') }];
      }
      const isOne = branchScale.length === 1 && !usesParameter(branchScale[0]!, Object.keys(parameters));
      return isOne
        ? []
        : [
            {
              path,
              message: expected(
                'one branch scale where an "mlp" is among the architectures',
                branchScale.length === 1 ? branchScale[0] : branchScale,
                'it is of the resnets; the mlp would be measured once for each',
              ),
            },
          ];
    },
  },
  {
    reads: ['network', 'loss', 'data', 'sweep'],
    find: ({ axes: { loss, outputWidth }, data }, file) => [
      ...(loss.includes('cross-entropy') && data.target.law !== 'one-hot'
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
    find: ({ axes, step }, file) =>
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
        if (needs !== 'backward velocity') return [];
        const other = axes.activation.find((activation) => !HOMOGENEOUS.includes(activation));
        if (other === undefined) return [];
        return refuse(`no activation but ${HOMOGENEOUS.join(', ')}`, other, 'Prop 6.1 needs one of them');
      }),
  },
  {
    reads: ['network', 'scaling', 'sweep', 'record', 'commonRandomNumbers', 'slopes'],
    find: ({ axes, record, commonRandomNumbers, slopes = [] }) =>
      slopes.flatMap(({ quantity, axis, expected: exponents }, index) => {
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
      }),
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
      countSettings(experiment) > MOST_CELLS || findRangeIssues(experiment, file).length > 0
        ? []
        : findEmptyColumns(experiment, file.record.quantities),
  },
];

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

/** Every formula is in its range at every setting. */
function findRangeIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  if (countSettings(experiment) > MOST_CELLS) return [];
  const branchScaleIssues = findBranchScaleIssues(experiment, file);
  return branchScaleIssues.length > 0
    ? branchScaleIssues
    : [...findBranchScalesWrittenTwice(experiment, file), ...findScaleIssues(experiment, file)];
}

/** Where a file gives an axis. */
function placeOf(axis: AxisName, file: ExperimentFile): Path {
  return file.sweep?.[axis] === undefined ? AXES[axis].path : ['sweep', axis];
}

/** The same with the index of a value. */
function placeOfValue(axis: AxisName, index: number, file: ExperimentFile): Path {
  return [...placeOf(axis, file), ...(Array.isArray(file.sweep?.[axis]) ? [index] : [])];
}

/** 0 <= beta <= 1 at every setting. */
function findBranchScaleIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  return experiment.axes.branchScale.flatMap((source, index) =>
    findFault(
      experiment,
      placeOfValue('branchScale', index, file),
      source,
      'a number from 0 to 1',
      (beta) => beta >= 0 && beta <= 1,
    ),
  );
}

/**
 * Branch scales that are equal in numbers at every setting are one that is written twice. Those that meet at some,
 * as `1/L` and `1/(2*sqrt(L))` at L = 4, are two, which are measured once there.
 */
function findBranchScalesWrittenTwice(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  if (!Array.isArray(file.sweep?.branchScale)) return [];
  const names = namesOf(experiment);
  const expressions = experiment.axes.branchScale.map((source) => compileExpression(source, names));
  const points = pointsOf(
    experiment,
    expressions.flatMap((expression) => expression.names),
  );
  const seen = new Map<string, number>();
  return experiment.axes.branchScale.flatMap((source, index) => {
    const numbers = points.map((values) => expressions[index]!.evaluate(values));
    const first = seen.get(numbers.join()) ?? index;
    seen.set(numbers.join(), first);
    if (first === index) return [];
    const other = `sweep.branchScale[${first}], ${show(experiment.axes.branchScale[first])}`;
    const where = points.length === 1 ? `both are ${numbers[0]}` : 'they are equal at every setting';
    return [
      {
        path: ['sweep', 'branchScale', index],
        message: expected(`a branch scale other than ${other}`, source, `${where}; remove one`),
      },
    ];
  });
}

/** Scales of the layers and of the input, learning rates and step sizes are in range at every setting. */
function findScaleIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const fault = (path: Path, source: number | string, what: string, isFine: (value: number) => boolean) =>
    findFault(experiment, path, source, what, isFine);
  const scale = file.data?.input?.scale;
  return [
    ...(scale === undefined
      ? []
      : fault(['data', 'input', 'scale'], scale, 'a number > 0', (value) => value > 0)),
    ...experiment.axes.stepSize.flatMap((source, index) =>
      fault(placeOfValue('stepSize', index, file), source, 'a number > 0', (value) => value > 0),
    ),
    ...scalingEntries(file).flatMap(({ path, entry }) =>
      Object.entries(typeof entry === 'string' ? {} : entry)
        .flatMap(([key, value]) =>
          typeof value === 'object'
            ? Object.entries(value).map(([group, rate]) => ({ at: [...path, key, group], value: rate }))
            : [{ at: [...path, key], value }],
        )
        .filter(({ at, value }) => at.at(-1) !== 'name' && value !== undefined && !WORDS.includes(value))
        .flatMap(({ at, value }) => fault(at, value!, 'a number >= 0', (number) => number >= 0)),
    ),
  ];
}

/** Scalings of a file, with their places. */
function scalingEntries({ scaling, sweep }: ExperimentFile) {
  if (sweep?.scaling !== undefined) {
    return sweep.scaling.map((entry, index) => ({ path: ['sweep', 'scaling', index], entry }));
  }
  return scaling === undefined ? [] : [{ path: ['scaling'], entry: scaling }];
}

/** The first point at which an expression is not what it should be, if there is one. */
function findFault(
  experiment: Experiment,
  path: Path,
  source: number | string,
  what: string,
  isFine: (value: number) => boolean,
): readonly Issue[] {
  const expression = compileExpression(source, namesOf(experiment));
  for (const values of pointsOf(experiment, expression.names)) {
    try {
      const value = expression.evaluate(values);
      if (isFine(value)) continue;
      const at = expression.names.map((name) => `${name} = ${values[name]}`).join(', ');
      const advice = at === '' ? '' : `; it is ${value} at ${at}`;
      return [{ path, message: `${expected(what, source)}${advice}` }];
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      return [{ path, message: expected(what, source, error.message) }];
    }
  }
  return [];
}

const smallest = (values: readonly number[]) =>
  values.reduce((least, value) => Math.min(least, value), Infinity);
const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), 0);
