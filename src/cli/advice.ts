/** What an experiment makes easy to misread, told before it is measured. */
import { min } from 'simple-statistics';
import type { Experiment } from '../config/resolve.js';

/** Sentences, none for most experiments. */
export function adviceOn(experiment: Experiment): readonly string[] {
  return [residualNearZero(experiment), scalingsApart(experiment)].flatMap((sentence) =>
    sentence === undefined ? [] : [`${experiment.name}: ${sentence}`],
  );
}

/**
 * Sensitivities are inverse to the residual f_L - y, of which n k = 1 random entry has a density at 0: their mean does not
 * exist, and with two entries their variance does not.
 */
function residualNearZero({ axes, data, record }: Experiment): string | undefined {
  const recorded = record.quantities.filter((name) => /^sensitivity(_finite)?$/.test(name));
  const entries = min([...axes.samples]) * min([...axes.outputWidth]);
  const isRandom = data.target.law === 'normal' && axes.loss.includes('squared');
  if (recorded.length === 0 || entries > 2 || !isRandom) return undefined;
  return (
    `${recorded.join(' and ')} ${recorded.length > 1 ? 'divide' : 'divides'} by the residual f_L - y, which for a normal ` +
    'target may be near 0: compare medians, not means, or set data.target={"law": "constant", "value": 1} and loss=linear'
  );
}

/** Differences between scalings are seen with fewer draws where the draws are the same networks. */
function scalingsApart({ axes, commonRandomNumbers }: Experiment): string | undefined {
  if (axes.scaling.length < 2 || commonRandomNumbers.includes('scaling')) return undefined;
  return (
    'each scaling has networks of its own, so that their differences have the noise of both; ' +
    'with "commonRandomNumbers": ["scaling"] they share their draws'
  );
}
