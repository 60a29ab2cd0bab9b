// Runs the built program and does to it what machines do: SIGKILL at random moments, a disk that fills up, a read-only
// folder, a worker that dies, signals. Whatever happens, no finished batch is measured twice, no older file is lost, and
// the results end with the bytes of an undisturbed run.
//
//     node scripts/fault-test.mjs [--full] [--kills 50] [--seed 1] [--only kills,disk,read-only,worker,sizes,points,figures,signals]
//
// --full: a disk that fills at 40 sizes instead of 8, SIGKILL at 60 moments over figures instead of 8, and at every call
// that changes a file instead of 12 of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testFigureKills } from './faults/figures.mjs';
import { interruptedRuns } from './faults/runs.mjs';
import { testSignals } from './faults/signals.mjs';
import { testFullDisks, testKillPoints } from './faults/writes.mjs';

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'kills,disk,read-only,worker,sizes,points,figures,signals' },
  },
});
const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-fault-'));
const seed = Number(options.seed);

let passed = 0;
let failed = 0;
function check(condition, claim, detail = '') {
  if (condition) passed += 1;
  else failed += 1;
  console.log(
    `${condition ? 'ok    ' : 'FAILED'} ${claim}${condition || detail === '' ? '' : `: ${detail}`}`,
  );
}

let runs;
/** The tests of one experiment, made when the first of them is asked for. */
const ofRuns = (name) => async () => {
  runs ??= await interruptedRuns({ scratch, check, seed });
  await runs[name](Number(options.kills));
};

const tests = {
  kills: ofRuns('kills'),
  disk: ofRuns('disk'),
  'read-only': ofRuns('read-only'),
  worker: ofRuns('worker'),
  sizes: () => testFullDisks({ scratch, check, sizes: options.full ? 40 : 8 }),
  points: () => testKillPoints({ scratch, check, points: options.full ? 1000 : 12 }),
  figures: () => testFigureKills({ scratch, check, kills: options.full ? 60 : 8, seed }),
  signals: () => testSignals({ scratch, check }),
};
try {
  for (const name of options.only.split(',')) await tests[name]();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
