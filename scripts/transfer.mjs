// What the experiments on the transfer of step sizes have found: where the best ones lie, and the one step size that serves all
// settings best, with what it costs. For scripts/readme.mjs.
import { readFileSync } from 'node:fs';
import { experimentOf } from '../dist/cli/experiments.js';
import { readManifest } from '../dist/results/manifest.js';
import { fromCsv } from '../dist/results/table.js';
import { curvesOf } from '../dist/run/optima.js';

/**
 * One entry for every architecture and scaling of an experiment in `folder`: over its depths, widths and lengths of training the
 * least and the largest optimum, whether one lies at an end of the sweep, and the step size of the sweep whose loss exceeds that of
 * the optimum by the least factor where that is largest.
 */
export function transferOf(folder) {
  const path = `${folder}/manifest.json`;
  const experiment = experimentOf(readManifest(readFileSync(path)), path);
  const { columns, rows } = curvesOf(experiment, fromCsv(readFileSync(`${folder}/table.csv`, 'utf8')));
  const found = new Map();
  let optimum; // stands in the first row of a curve
  for (const cells of rows) {
    const row = Object.fromEntries(columns.map((column, j) => [column, cells[j]]));
    const key = `${row.architecture}, ${row.scaling}`;
    const own = found.get(key) ?? {
      architecture: row.architecture,
      scaling: row.scaling,
      optima: [],
      costs: new Map(),
    };
    found.set(key, own);
    if (row.optimum !== null) {
      optimum = row;
      own.optima.push(row);
    }
    // What diverged is missing, and costs all.
    const cost = row.value === null ? Infinity : row.value / optimum.quantity_at_optimum;
    own.costs.set(row.at, Math.max(own.costs.get(row.at) ?? 0, cost));
  }
  return [...found.values()].map(({ architecture, scaling, optima, costs }) => {
    const at = optima.map((row) => row.optimum);
    const [size, cost] = [...costs].reduce((best, own) => (own[1] < best[1] ? own : best));
    return {
      architecture,
      scaling,
      least: Math.min(...at),
      most: Math.max(...at),
      isCensored: optima.some(({ censored }) => censored !== 'no'),
      size,
      cost,
      costs,
    };
  });
}

const brief = (value) => String(Number(value.toPrecision(2)));

/** A factor of a loss in words: by how much, or how many times. */
export const costText = (factor) =>
  factor < 2 ? `${Math.round(100 * (factor - 1))} %` : factor < 1000 ? `${brief(factor)} times` : 'all';

/** `0.73 .. 1.6, 1 costs 10 %`; with a star where an optimum lies at an end of the sweep. */
export const entryText = ({ least, most, isCensored, size, cost }) =>
  `${brief(least)} .. ${brief(most)}${isCensored ? '\\*' : ''}, ${brief(size)} costs ${costText(cost)}`;
