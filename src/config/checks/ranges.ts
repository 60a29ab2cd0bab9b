/** Formulas of an experiment out of their range: each is evaluated at every combination of the values that it hangs on. */
import { compileExpression, ExpressionError, stepSizeNames } from '../expression.js';
import { type ExperimentFile, MOST_CELLS } from '../file/experiment.js';
import { placeOfValue, scalingEntries } from '../file/places.js';
import { expected, type Issue, type Path, show } from '../file/problem.js';
import type { Experiment } from '../resolve.js';
import { RATE_NAMES } from '../scalings/rates.js';
import { countSettings, namesOf } from '../settings.js';
import { pointsOf } from './points.js';
import { findWidthIssues } from './width-checks.js';

/** Values of a scaling that are no formula. */
const WORDS: readonly unknown[] = ['critical', ...RATE_NAMES];

/** Every formula is in its range at every setting. */
export function findRangeIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  if (countSettings(experiment) > MOST_CELLS) return [];
  const widthIssues = findWidthIssues(experiment, file);
  // Other formulas may hang on the width.
  if (widthIssues.length > 0) return widthIssues;
  const branchScaleIssues = findBranchScaleIssues(experiment, file);
  return branchScaleIssues.length > 0
    ? branchScaleIssues
    : [
        ...findBranchScalesWrittenTwice(experiment, file),
        ...findHiddenWidthIssues(experiment, file),
        ...findScaleIssues(experiment, file),
      ];
}

/** M is a number of rows at every setting. */
function findHiddenWidthIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  return experiment.axes.hiddenWidth.flatMap((source, index) =>
    findFault(
      experiment,
      placeOfValue('hiddenWidth', index, file),
      source,
      'a number >= 1',
      (value) => Number.isSafeInteger(Math.round(value)) && Math.round(value) >= 1,
    ),
  );
}

/** 0 <= beta <= 1 at every setting; a model may multiply its branches with any number. */
function findBranchScaleIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const { model, axes } = experiment;
  const what = model ? 'a number' : 'a number from 0 to 1';
  const isFine = (beta: number) => model !== undefined || (beta >= 0 && beta <= 1);
  return axes.branchScale.flatMap((source, index) =>
    findFault(experiment, placeOfValue('branchScale', index, file), source, what, isFine),
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
  // Those of V_l are of every layer.
  const isOfLayers = (path: Path) => ['sigmaHidden', 'learningRate', 'hidden'].includes(String(path.at(-1)));
  const fault = (path: Path, source: number | string, what: string, isFine: (value: number) => boolean) =>
    findFault(experiment, path, source, what, isFine, isOfLayers(path));
  const scale = file.data?.input?.scale;
  return [
    ...(scale === undefined
      ? []
      : fault(['data', 'input', 'scale'], scale, 'a number > 0', (value) => value > 0)),
    ...experiment.axes.stepSize.flatMap((source, index) =>
      // A schedule may end at 0.
      fault(
        placeOfValue('stepSize', index, file),
        source,
        usesSchedule(source, experiment) ? 'a number >= 0' : 'a number > 0',
        (value) => value > 0 || (value === 0 && usesSchedule(source, experiment)),
      ),
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

/** Whether a step size changes from step to step. */
function usesSchedule(source: number | string, { parameters }: Experiment): boolean {
  return compileExpression(source, stepSizeNames(Object.keys(parameters))).names.includes('t');
}

/** The first point at which an expression is not what it should be, if there is one. */
function findFault(
  experiment: Experiment,
  path: Path,
  source: number | string,
  what: string,
  isFine: (value: number) => boolean,
  ofLayers = false,
): readonly Issue[] {
  // A network of the user's own may be without.
  if (source === null) return [];
  const expression = compileExpression(source, stepSizeNames(Object.keys(experiment.parameters)));
  for (const values of pointsOf(experiment, expression.names, ofLayers)) {
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
