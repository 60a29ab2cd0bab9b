// How often `diff` calls two seeds of one experiment different, which should be less than 5 %, and how often it finds a
// planted bug: ReLU's slope 0.9, which is the initial scale of the hidden layers times 0.9. Needs a build.
//
//     node scripts/diff-false-alarms.mjs [pairs of seeds, default 200]

import { diffExperiment } from '../dist/compare/diff.js';
import { parseExperiment } from '../dist/config/file/load.js';
import { cutBatches } from '../dist/plan/batch.js';
import { expandCells } from '../dist/plan/cell.js';
import { OF_MATRICES } from '../dist/quantities/quantity.js';
import { needsOf, QUANTITY_NAMES } from '../dist/quantities.js';
import { measureTask } from '../dist/run/measure-task.js';
import { tableOf } from '../dist/run/rows.js';
import { taskOf } from '../dist/run/task.js';

const PAIRS = Number(process.argv[2] ?? 200);

const CASES = {
  '20 draws, width 30, depth 12, every layer': { draws: [20, 20], sweep: { depth: [12] } },
  '20 draws, the same as velocities': { draws: [20, 20], sweep: { depth: [12] }, step: { kind: 'velocity' } },
  '20 draws, dense -> matrix-free': {
    draws: [20, 20],
    sweep: { depth: [12] },
    weights: ['dense', 'matrix-free'],
  },
  '5 draws -> 20 draws, two branch scales': {
    draws: [5, 20],
    sweep: { depth: [12], branchScale: ['1/sqrt(L)', 1] },
  },
  '3 draws, MLP of NTK and MF+muP': { draws: [3, 3], sweep: { depth: [12], scaling: ['NTK', 'MF+muP'] } },
  '1 draw of 40 settings, output layer': {
    draws: [1, 1],
    sweep: { depth: { from: 3, to: 22, step: 1 }, branchScale: ['1/sqrt(L)', 1] },
    layers: 'output',
  },
};

/** Those that weights have whether they are formed or not. */
const OF_ALL_WEIGHTS = QUANTITY_NAMES.filter(
  (name) => !OF_MATRICES.some((need) => needsOf([name]).has(need)),
);

/** The experiment of a case, with all quantities that its step has: those are left out that the config reader refuses. */
const experimentOf = ({ sweep, step, layers = 'all' }, draws, seed, quantities = OF_ALL_WEIGHTS) => {
  const config = {
    network: { width: 30 },
    scaling: 'MF+muP',
    sweep,
    step: step ?? { kind: 'update', size: 0.001 },
    draws,
    seed,
    record: { layers, quantities },
  };
  if (sweep.scaling) delete config.scaling;
  const parsed = parseExperiment(JSON.stringify(config), 'alarms.json');
  if (parsed.ok) return parsed.experiment;
  const refused = parsed.problems.map(({ path }) => /^record\.quantities\[(\d+)\]$/.exec(path)?.[1]);
  if (refused.includes(undefined)) throw new Error(JSON.stringify(parsed.problems));
  const left = quantities.filter((_, i) => !refused.includes(String(i)));
  return experimentOf({ sweep, step, layers }, draws, seed, left);
};

async function resultsOf(experiment, weights, slope) {
  const cells = expandCells(experiment).map((cell) => {
    const { scaling } = cell.setting;
    const planted = { ...scaling, sigmaHidden: scaling.sigmaHidden * slope };
    return { ...cell, setting: { ...cell.setting, scaling: planted } };
  });
  const finished = [];
  for (const batch of cutBatches(experiment, cells, weights)) {
    const { measurements } = await measureTask(taskOf(experiment, cells, batch, 'wasm'));
    batch.cells.forEach((at, i) => {
      finished[at] = { cell: cells[at], weights: batch.weights, measured: measurements[i] };
    });
  }
  return { name: experiment.name, table: tableOf(experiment, finished), manifest: { seed: experiment.seed } };
}

for (const [title, each] of Object.entries(CASES)) {
  const { draws, weights = ['auto', 'auto'] } = each;
  const counts = { alarms: 0, found: 0, undecided: 0 };
  const alarms = {};
  for (let pair = 0; pair < PAIRS; pair++) {
    const experiments = draws.map((count, side) => experimentOf(each, count, 1000 + 2 * pair + side));
    const before = await resultsOf(experiments[0], weights[0], 1);
    const verdictOf = async (slope) => {
      const after = await resultsOf(experiments[1], weights[1], slope);
      const options = { atol: 0, rtol: 0, compare: 'laws' };
      return diffExperiment(before, after, options);
    };
    const same = await verdictOf(1);
    if (same.verdict === 'different law') {
      counts.alarms += 1;
      const { kind, quantity } = same.laws.smallest;
      alarms[`${kind} ${quantity}`] = (alarms[`${kind} ${quantity}`] ?? 0) + 1;
    } else if (same.verdict !== 'same law') counts.undecided += 1;
    if ((await verdictOf(0.9)).verdict === 'different law') counts.found += 1;
  }
  const share = (count) => `${((100 * count) / PAIRS).toFixed(1)} %`;
  console.log(
    `${title}: false alarms ${share(counts.alarms)}, planted bug found ${share(counts.found)}, ` +
      `undecided ${share(counts.undecided)} of ${PAIRS} pairs${counts.alarms ? ` ${JSON.stringify(alarms)}` : ''}`,
  );
}
