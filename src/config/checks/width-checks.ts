/** Widths that are formulas: what they come to in every layer, and what cannot be asked of networks with several. */
import { hasBranches } from '../../architectures/architectures.js';
import { ExpressionError, type Values } from '../expression.js';
import type { ExperimentFile } from '../file/experiment.js';
import { placeOfValue } from '../file/places.js';
import { expected, type Issue, show } from '../file/problem.js';
import type { Experiment } from '../resolve.js';
import { compileWidth } from '../widths.js';
import { pointsOf } from './points.js';

/** Widths are integers in every layer, one number where there is a skip connection, and no two formulas are the same ones. */
export function findWidthIssues(experiment: Experiment, file: ExperimentFile): readonly Issue[] {
  const { axes, model, parameters } = experiment;
  const sources = axes.width.filter((source) => typeof source === 'string');
  if (sources.length === 0) return [];
  const formulas = sources.map((source) => compileWidth(source, Object.keys(parameters)));
  const points = model ? [] : pointsOf(experiment, ['L', ...formulas.flatMap(({ names }) => names)]);
  const skipped = axes.architecture.find(hasBranches);
  const seen = new Map<string, number>();
  return sources.flatMap((source, index) => {
    const refuse = (what: string, advice: string): readonly Issue[] => [
      { path: placeOfValue('width', index, file), message: expected(what, source, advice) },
    ];
    if (model) return refuse('an integer >= 1 beside network.model', 'its module is given one number');
    const found: (readonly number[])[] = [];
    for (const values of points) {
      const own = widthsAt(source, formulas[index]!, values);
      if (typeof own === 'string') return refuse('an integer >= 1 in every layer', own);
      found.push(own);
    }
    if (skipped !== undefined && found.some((widths) => widths.some((m) => m !== widths[0]))) {
      return refuse(
        `one width for "${skipped}"`,
        'widths of a residual network are one, those of an "mlp" may differ from layer to layer',
      );
    }
    const numbers = JSON.stringify(found);
    const first = seen.get(numbers) ?? index;
    seen.set(numbers, first);
    if (first === index) return [];
    return refuse(
      `a width other than sweep.width[${first}], ${show(sources[first])}`,
      'they are equal at every setting; remove one',
    );
  });
}

/** Whether networks of a width have no one number to grow with. */
export function hasManyWidths({ axes, parameters }: Experiment): boolean {
  return axes.width.some(
    (source) => source !== null && compileWidth(source, Object.keys(parameters)).usesLayer,
  );
}

/** m_1 .. m_{L-1}, or why they are none. */
function widthsAt(
  source: string,
  { usesLayer, names, widths }: ReturnType<typeof compileWidth>,
  values: Values,
): readonly number[] | string {
  try {
    const own = widths(values);
    const wrong = own.findIndex((m) => !(Number.isSafeInteger(m) && m >= 1));
    if (wrong === -1) return own;
    const named = [...new Set([...(usesLayer ? ['L'] : []), ...names])].map(
      (name) => `${name} = ${values[name]}`,
    );
    const at = [...(usesLayer ? [`layer l = ${wrong + 1}`] : []), ...named].join(', ');
    const isOff = !Number.isInteger(own[wrong]) && Math.round(own[wrong]!) >= 1;
    const advice = isOff ? `; round(${source}) is one` : '';
    return `it is ${own[wrong]}${at === '' ? '' : ` at ${at}`}${advice}`;
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
}
