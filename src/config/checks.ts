import { findEmptyColumns } from './empty-columns.js';
import { type ExperimentFile, MOST_CELLS } from './experiment.js';
import { compileExpression, ExpressionError, type Values } from './expression.js';
import { expected, type Path, show } from './problem.js';
import type { Experiment } from './resolve.js';
import { SCALING_NAMES } from './scalings.js';
import { countSettings, valuesAt } from './settings.js';

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
const BACKWARD_QUANTITIES: readonly string[] = ['backward_speed_rms', 'fba_rad'];
const HOMOGENEOUS: readonly string[] = ['relu', 'linear', 'leaky'];

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
    reads: ['network', 'data'],
    find: ({ network, data }) =>
      data.target.law === 'cosine' && network.outputWidth > network.inputWidth
        ? [
            {
              path: ['data', 'target', 'law'],
              message: expected(
                `outputWidth <= inputWidth = ${network.inputWidth} for "cosine"`,
                network.outputWidth,
                'y_i = cos(pi x_i), i = 1 .. k',
              ),
            },
          ]
        : [],
  },
  {
    reads: ['network', 'sweep'],
    find: ({ axes: { architecture, branchScale } }, file) => {
      if (!architecture.includes('mlp')) return [];
      const path =
        file.sweep?.branchScale === undefined ? ['network', 'branchScale'] : ['sweep', 'branchScale'];
      if (!architecture.includes('resnet')) {
        const other = branchScale.find((beta) => beta !== 1);
        return other === undefined
          ? []
          : [{ path, message: expected('no branch scale but 1 for "mlp"', other, '"resnet" has branches') }];
      }
      return branchScale.length === 1
        ? []
        : [
            {
              path,
              message: expected(
                'one branch scale where an "mlp" is among the architectures',
                branchScale,
                'it is of the resnets; the mlp would be measured once for each',
              ),
            },
          ];
    },
  },
  {
    reads: ['network', 'loss', 'data'],
    find: ({ network, loss, data }) => [
      ...(loss === 'cross-entropy' && data.target.law !== 'one-hot'
        ? [
            {
              path: ['data', 'target', 'law'],
              message: expected('"one-hot" for the cross-entropy', data.target.law, 'y is a class'),
            },
          ]
        : []),
      ...(data.target.law === 'one-hot' && network.outputWidth < 2
        ? [
            {
              path: ['network', 'outputWidth'],
              message: expected(
                'an integer >= 2 for "one-hot" targets',
                network.outputWidth,
                'they are classes',
              ),
            },
          ]
        : []),
    ],
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
        if (step.kind === 'velocity' && name === 'sensitivity_finite') {
          return refuse('step.kind "update"', step.kind, 'sensitivity is its limit for a velocity');
        }
        if (step.count === 1 && name === 'feature_displacement_rms') {
          return refuse('step.count >= 2', step.count, 'before the first step nothing is displaced');
        }
        if (!BACKWARD_QUANTITIES.includes(name)) return [];
        if (step.kind === 'update') {
          return refuse('step.kind "velocity"', step.kind, 'it is of the velocity of the backward pass');
        }
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

/** 0 <= beta <= 1 at every depth and width. */
function findBranchScaleIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const points = depthsAndWidths(experiment);
  const sources = file.sweep?.branchScale;
  return experiment.axes.branchScale.flatMap((source, index) => {
    const path =
      sources === undefined
        ? ['network', 'branchScale']
        : ['sweep', 'branchScale', ...(Array.isArray(sources) ? [index] : [])];
    return findFault(path, source, points, 'a number from 0 to 1', (beta) => beta >= 0 && beta <= 1);
  });
}

/**
 * Branch scales that are equal in numbers at every depth and width are one that is written twice. Those that meet at some,
 * as `1/L` and `1/(2*sqrt(L))` at L = 4, are two, which are measured once there.
 */
function findBranchScalesWrittenTwice(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  if (!Array.isArray(file.sweep?.branchScale)) return [];
  const points = depthsAndWidths(experiment);
  const seen = new Map<string, number>();
  return experiment.axes.branchScale.flatMap((source, index) => {
    const expression = compileExpression(source);
    const numbers = points.map((values) => expression.evaluate(values));
    const first = seen.get(numbers.join()) ?? index;
    seen.set(numbers.join(), first);
    if (first === index) return [];
    const other = `sweep.branchScale[${first}], ${show(experiment.axes.branchScale[first])}`;
    const where = points.length === 1 ? `both are ${numbers[0]}` : 'they are equal at every depth and width';
    return [
      {
        path: ['sweep', 'branchScale', index],
        message: expected(`a branch scale other than ${other}`, source, `${where}; remove one`),
      },
    ];
  });
}

/** Scales of the layers and of the input, learning rates and the step size are in range at every setting. */
function findScaleIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const { architecture, branchScale } = experiment.axes;
  const sources = [
    ...(architecture.includes('resnet') ? branchScale : []),
    ...(architecture.includes('mlp') ? [1] : []),
  ];
  const branchScales = sources.map((source) => compileExpression(source));
  const points = depthsAndWidths(experiment).flatMap((values) =>
    branchScales.map((branchScale) => ({ ...values, beta: branchScale.evaluate(values) })),
  );
  const positive = [
    [['data', 'input', 'scale'], file.data?.input?.scale],
    [['step', 'size'], file.step?.size],
  ] as const;
  return [
    ...positive.flatMap(([path, source]) =>
      source === undefined ? [] : findFault(path, source, points, 'a number > 0', (value) => value > 0),
    ),
    ...scalingEntries(file).flatMap(({ path, entry }) =>
      Object.entries(typeof entry === 'string' ? {} : entry)
        .flatMap(([key, value]) =>
          typeof value === 'object'
            ? Object.entries(value).map(([group, rate]) => ({ at: [...path, key, group], value: rate }))
            : [{ at: [...path, key], value }],
        )
        .filter(({ at, value }) => at.at(-1) !== 'name' && value !== undefined && !WORDS.includes(value))
        .flatMap(({ at, value }) => findFault(at, value!, points, 'a number >= 0', (number) => number >= 0)),
    ),
  ];
}

function depthsAndWidths(experiment: Experiment): readonly Values[] {
  const { depth: depths, width: widths } = experiment.axes;
  return depths.flatMap((depth) => widths.map((width) => valuesAt(experiment, depth, width)));
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
  path: Path,
  source: number | string,
  points: readonly Values[],
  what: string,
  isFine: (value: number) => boolean,
): readonly Issue[] {
  const expression = compileExpression(source);
  for (const values of points) {
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
