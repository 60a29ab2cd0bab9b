// Holds what `plan` says of memory and time against real runs: processor time and peak memory of the built program, for
// experiments of every kind. Writes results/plan-accuracy.json.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-'));
const normal = { samples: 1 };
const output = { layers: 'output', quantities: ['bfa_rad', 'loss'] };

/** Experiments by kind: [network, draws, workers, the rest]. */
const KINDS = {
  'many narrow cells': [{ depth: 30, width: 100 }, 1500, 1, {}],
  'wide, one worker': [{ depth: 20, width: 400_000 }, 3, 1, {}],
  'wide, two workers': [{ depth: 20, width: 400_000 }, 4, 2, {}],
  'mlp, velocity, all layers': [
    { architecture: 'mlp', depth: 60, width: 20_000 },
    6,
    1,
    { step: { kind: 'velocity', train: 'all' }, record: { layers: 'all', quantities: ['bfa_rad'] } },
  ],
  'smooth activation': [{ activation: 'gelu', depth: 20, width: 20_000 }, 12, 1, {}],
  'dense, one sample': [{ depth: 12, width: 1500 }, 3, 1, { weights: 'dense' }],
  'dense, narrow, many samples': [
    { depth: 60, width: 50 },
    40,
    1,
    { data: { samples: 200 }, step: { kind: 'update' } },
  ],
  'dense, more samples than units': [{ depth: 20, width: 100 }, 12, 1, { data: { samples: 1000 } }],
  'dense, large matrices': [{ depth: 8, width: 600 }, 2, 1, { data: { samples: 1000 } }],
  'dense, fewer samples than units': [{ depth: 20, width: 300 }, 8, 1, { data: { samples: 40 } }],
  'dense, wide, many samples': [{ depth: 5, width: 1500 }, 1, 1, { data: { samples: 1000 } }],
  'dense, smooth activation': [
    { activation: 'tanh', depth: 20, width: 50 },
    30,
    1,
    { data: { samples: 200 } },
  ],
  'dense, many samples': [{ depth: 10, width: 400 }, 4, 1, { data: { samples: 300 } }],
  'matrix-free, several samples': [{ depth: 10, width: 4000 }, 4, 1, { data: { samples: 6 } }],
  'several steps': [{ depth: 10, width: 20_000 }, 6, 1, { step: { count: 5 } }],
  'backward velocity': [
    { depth: 30, width: 50_000 },
    4,
    1,
    { step: { kind: 'velocity' }, record: { layers: 'output', quantities: ['fba_rad', 'bfa_rad'] } },
  ],
  'normalized scales': [
    { architecture: 'mlp', depth: 10, width: 50_000 },
    4,
    1,
    { scaling: 'auto', step: { kind: 'velocity', train: 'all' } },
  ],
  'large input width': [{ depth: 4, width: 40, inputWidth: 1_000_000 }, 8, 1, {}],
  'large output width': [
    { depth: 4, width: 40, outputWidth: 300_000 },
    4,
    1,
    { loss: 'cross-entropy', data: { target: { law: 'one-hot' } } },
  ],
  'many rows': [
    { depth: 100, width: 50, branchScale: '1/sqrt(L)' },
    800,
    1,
    { record: { layers: 'all', quantities: ['bfa_rad', 'feature_rms', 'loss'] } },
  ],
};

const REPORT = `
import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeFileSync(process.env.USAGE, JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, bytes: 1024 * maxRSS }));
});`;

/** The figures, as they are shipped. */
const FIGURES = ['figure-1a', 'figure-1b', 'figure-1c', 'figure-2a', 'figure-2b'];

/** Runs the program; its processor time and peak memory, all threads included. */
function program(...words) {
  const usage = join(scratch, 'usage.json');
  const hook = `data:text/javascript,${encodeURIComponent(REPORT)}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', hook, 'dist/cli/main.js', ...words, '--backend', 'wasm'],
    { env: { ...process.env, USAGE: usage }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${words.join(' ')}: exit code ${status}\n${stderr}`);
  return { stdout, ...JSON.parse(readFileSync(usage, 'utf8')) };
}

const round = (x) => Number(x.toPrecision(3));
const only = process.argv.slice(2);

const experiments = [
  ...FIGURES.map((kind) => {
    const file = `configs/${kind}.json`;
    return { kind, file, experiment: file, weights: 'auto', workers: 1 };
  }),
  ...Object.entries(KINDS).map(([kind, [network, draws, workers, { weights = 'auto', ...rest }]], i) => {
    const file = join(scratch, `measured-${i}.json`);
    const experiment = { network, scaling: 'MF+muP', data: normal, record: output, draws, ...rest };
    writeFileSync(file, JSON.stringify(experiment));
    return { kind, file, experiment, weights, workers };
  }),
];

const kinds = experiments
  .filter(({ kind }) => only.length === 0 || only.includes(kind))
  .map(({ kind, file, experiment, weights, workers }) => {
    const words = ['--weights', weights, '--workers', String(workers)];
    const planned = () => JSON.parse(program('plan', file, '--json', ...words).stdout);
    // The pace of a shared machine changes: the mean of before and after.
    const before = planned();
    const run = program('run', file, '--fresh', '--quiet', '--out', join(scratch, 'out'), ...words);
    const after = planned();
    const [plan] = before.experiments;
    const seconds = (plan.work_seconds + after.experiments[0].work_seconds) / 2;
    const result = {
      kind,
      experiment:
        typeof experiment === 'string' ? experiment : { ...experiment, weights: plan.weights[0], workers },
      pace: round((before.pace + after.pace) / 2),
      seconds: { planned: round(seconds), measured: round(run.seconds), ratio: round(seconds / run.seconds) },
      bytes: { planned: round(plan.bytes), measured: round(run.bytes), ratio: round(plan.bytes / run.bytes) },
    };
    process.stderr.write(
      `${kind}: time ${JSON.stringify(result.seconds)}, memory ${JSON.stringify(result.bytes)}\n`,
    );
    return result;
  });

rmSync(scratch, { recursive: true });
if (only.length === 0) {
  const report = { node: process.version, kinds };
  writeFileSync('results/plan-accuracy.json', `${JSON.stringify(report, null, 2)}\n`);
}
