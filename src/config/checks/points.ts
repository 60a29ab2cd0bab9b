/** Where an expression of an experiment is evaluated: every combination of the values of the names that it uses. */
import { hasBranches } from '../../architectures/architectures.js';
import { AXIS_NAMES, entryOf } from '../axes.js';
import { compileExpression, type Values } from '../expression.js';
import type { Experiment } from '../resolve.js';
import { namesOf } from '../settings.js';
import { compileWidth } from '../widths.js';

/**
 * All values that some names have together, over the settings of an experiment; a point has what the branch scale hangs on too,
 * where that is one of them.
 *
 * @param ofLayers whether m is the width of every layer, and not the last alone.
 */
export function pointsOf(
  experiment: Experiment,
  names: readonly string[],
  ofLayers = false,
): readonly Values[] {
  const free = names.filter((name) => name !== 'beta');
  if (!names.includes('beta')) return product(experiment, free, ofLayers);
  const { architecture, branchScale } = experiment.axes;
  const sources = [
    ...(architecture.some(hasBranches) ? branchScale : []),
    ...(architecture.every(hasBranches) ? [] : [1]),
  ];
  return sources.flatMap((source) => {
    // A model may be without.
    if (source === null) return product(experiment, free, ofLayers);
    const beta = compileExpression(source, namesOf(experiment));
    return product(experiment, [...free, ...beta.names], ofLayers).map((values) => ({
      ...values,
      beta: beta.evaluate(values),
    }));
  });
}

function product(experiment: Experiment, names: readonly string[], ofLayers = false): readonly Values[] {
  const { axes, parameters } = experiment;
  if (!names.includes('m') || !axes.width.some((source) => typeof source === 'string')) {
    return productOfValues(experiment, names);
  }
  const others = names.filter((name) => name !== 'm');
  return axes.width.flatMap((source) => {
    const formula = compileWidth(source, Object.keys(parameters));
    return productOfValues(experiment, [...others, 'L', ...formula.names]).flatMap((point) => {
      const widths = formula.widths(point);
      return (ofLayers ? [...new Set(widths)] : widths.slice(-1)).map((m) => ({ ...point, m }));
    });
  });
}

function productOfValues(experiment: Experiment, names: readonly string[]): readonly Values[] {
  return [...new Set(names)].reduce<readonly Values[]>(
    (points, name) => {
      const values = valuesNamed(experiment, name);
      return points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
    },
    [{}],
  );
}

/** Steps at which a schedule is looked at: all of few, else some of them, the first and the last among them. */
const MOST_STEPS_LOOKED_AT = 1000;

function stepsLookedAt(count: number): readonly number[] {
  const looks = Math.min(count, MOST_STEPS_LOOKED_AT);
  return Array.from({ length: looks }, (_, i) => 1 + Math.round((i * (count - 1)) / Math.max(1, looks - 1)));
}

/** The values of a name of expressions, in the order of its axis. */
function valuesNamed({ axes, parameters, step }: Experiment, name: string): readonly number[] {
  if (name === 't') return stepsLookedAt(step.count);
  if (name === 'T') return [step.count];
  const axis = AXIS_NAMES.find((each) => entryOf(each).symbol === name);
  return axis === undefined ? parameters[name]! : (axes[axis] as readonly number[]);
}
