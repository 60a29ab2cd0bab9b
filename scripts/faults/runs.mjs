/** One experiment in many batches, of which a run is killed, meets a full or read-only disk, or loses its workers. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, randomFrom } from './program.mjs';
import { withMount } from './writes.mjs';

const NAME = 'fault';
// Cells of one width share a batch: 40 batches of 10 cells.
const EXPERIMENT = {
  network: { depth: 30 },
  scaling: 'MF+muP',
  sweep: { width: { from: 100, to: 490, step: 10 }, branchScale: ['1/sqrt(L)', 1] },
  draws: 5,
  record: { layers: 'output', quantities: ['bfa_rad', 'sensitivity', 'loss'] },
};

function namesIn(out) {
  const folder = join(out, NAME, '.partial');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.cells')) : [];
}

/** The files of the checkpoint with what tells one writing from another, and the cells in them. */
function checkpointIn(out) {
  const folder = join(out, NAME, '.partial');
  return new Map(
    namesIn(out).map((name) => {
      const { ino, mtimeNs } = statSync(join(folder, name), { bigint: true });
      const [, header] = readFileSync(join(folder, name), 'latin1').split('\n', 2);
      return [name, { written: `${ino} ${mtimeNs}`, keys: JSON.parse(header).cells.map(({ key }) => key) }];
    }),
  );
}

const cellsOf = (checkpoint) => [...checkpoint.values()].flatMap(({ keys }) => keys);
const resumedIn = (stderr) => Number(/(\d+) of \d+ cells were measured before/.exec(stderr)?.[1] ?? 0);

const tableIn = (out) => {
  try {
    return readFileSync(join(out, NAME, 'table.csv'), 'utf8');
  } catch {
    return undefined;
  }
};
function succeeds(act) {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
const isClean = (out) => readdirSync(join(out, NAME)).sort().join() === 'manifest.json,table.csv';

/** The tests, all against one run that nothing disturbs; `check` is given what holds or not. */
export async function interruptedRuns({ scratch, check, seed }) {
  const config = join(scratch, `${NAME}.json`);
  writeFileSync(config, JSON.stringify(EXPERIMENT));

  /** Runs the program; kills it after `killAfterMs`, or does `meanwhile` to it. */
  const run = (out, { killAfterMs, meanwhile, environment } = {}) =>
    call(['run', config, '--out', out, '--backend', 'wasm', '--workers', '2'], {
      environment,
      meanwhile:
        killAfterMs === undefined
          ? meanwhile
          : async (child, ended) => {
              const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
              await ended;
              clearTimeout(timer);
            },
    });

  // The run that the others are compared with.
  const undisturbed = join(scratch, 'undisturbed');
  const first = await run(undisturbed);
  const expected = tableIn(undisturbed);
  const { counts } = JSON.parse(readFileSync(join(undisturbed, NAME, 'manifest.json'), 'utf8'));
  const { cells, batches } = counts;
  check(
    first.code === 0 && batches === 40,
    `an undisturbed run: ${batches} batches, ${cells} cells, ${(first.elapsedMs / 1000).toFixed(1)} s`,
    first.stderr,
  );

  /**
   * Kills the program at `kills` random moments, or more until a batch was kept; where it comes to its end before, it
   * begins anew.
   *
   * The moments are in the first 60 % of an undisturbed run, which is stretched where most kills come before a batch is
   * kept, and shrinks where a run comes to its end: other work on the machine does not take the sense out of the test.
   */
  async function testKills(kills) {
    const random = randomFrom(seed);
    let reachMs = 0.6 * first.elapsedMs;
    let [killed, rounds, repeated, missed, kept] = [0, 1, 0, 0, 0];
    const wrong = [];
    let out = join(scratch, 'kills-1');
    let before = new Map();
    for (;;) {
      const isLast = killed >= kills && kept > 0;
      const outcome = await run(out, isLast ? {} : { killAfterMs: random() * reachMs });
      const ended = outcome.code === 0;
      if (outcome.stderr.includes('measured before') || ended) {
        // What was there was seen again, and nothing else.
        if (resumedIn(outcome.stderr) !== cellsOf(before).length) missed += 1;
      }
      if (ended) {
        if (tableIn(out) !== expected) wrong.push(`round ${rounds}: another table`);
        if (!isClean(out)) wrong.push(`round ${rounds}: ${readdirSync(join(out, NAME)).join()}`);
        if (isLast) break;
        rounds += 1;
        reachMs *= 0.8;
        out = join(scratch, `kills-${rounds}`);
        before = new Map();
        continue;
      }
      if (!outcome.signal === 'SIGKILL') {
        check(false, 'a run ends by itself or is killed', `exit code ${outcome.code}: ${outcome.stderr}`);
        return;
      }
      killed += 1;
      const after = checkpointIn(out);
      for (const [name, { written }] of before) {
        // Once the table is written the checkpoint goes, as a whole or, killed over it, in part.
        if (after.get(name)?.written !== written && tableIn(out) === undefined) repeated += 1;
      }
      const keys = cellsOf(after);
      if (new Set(keys).size !== keys.length) repeated += 1;
      kept += Math.max(0, after.size - before.size);
      if (after.size === before.size) reachMs *= 1.1;
      before = after;
    }
    check(
      repeated === 0,
      `${killed} SIGKILLs in ${rounds} rounds, ${kept} batches kept: none was measured twice`,
      `${repeated}`,
    );
    check(missed === 0, 'every resumed run found just what the killed one had kept', `${missed} did not`);
    check(
      wrong.length === 0,
      `${rounds} tables have the bytes of the undisturbed run, and nothing is left beside them`,
      wrong.join('; '),
    );
  }

  async function testFullDisk() {
    await withMount(scratch, 'a disk that fills up', '96k', async (folder, remount) => {
      const full = await run(folder);
      const kept = checkpointIn(folder);
      check(
        full.code === 2 &&
          /no space left on the device/.test(full.stderr) &&
          !/at .*:\d+:\d+/.test(full.stderr),
        'a disk that fills up ends the run with exit code 2 and a message',
        `${full.code}: ${full.stderr}`,
      );
      check(kept.size > 0 && kept.size < batches, `what was finished before is kept: ${kept.size} batches`);
      remount('size=16m');
      const resumed = await run(folder);
      check(
        resumed.code === 0 &&
          resumedIn(resumed.stderr) === cellsOf(kept).length &&
          tableIn(folder) === expected,
        'with space again the run goes on from there to the same bytes',
        `${resumed.code}: ${resumed.stderr}`,
      );
      check(isClean(folder), 'and leaves nothing beside them', readdirSync(join(folder, NAME)).join());
    });
  }

  async function testReadOnly() {
    await withMount(scratch, 'a read-only folder', '16m', async (folder, remount) => {
      remount('ro');
      const refused = await run(folder);
      check(
        refused.code === 2 &&
          /read-only/.test(refused.stderr) &&
          refused.stderr.trim().split('\n').length === 1,
        'a read-only folder is refused with exit code 2 and one line',
        `${refused.code}: ${refused.stderr}`,
      );
      remount('rw');
      // It becomes read-only in the midst of the run, as disks with errors do. The run stands still while it is looked at;
      // where it is writing a file it goes on a little, and where it has come to its end by then, it begins anew.
      let broken;
      let isReadOnly = false;
      do {
        rmSync(join(folder, NAME), { recursive: true, force: true });
        broken = await run(folder, {
          meanwhile: async (child) => {
            while (!isReadOnly && child.exitCode === null) {
              await new Promise((resolve) => setTimeout(resolve, 20));
              child.kill('SIGSTOP');
              if (namesIn(folder).length >= 3 && tableIn(folder) === undefined)
                isReadOnly = succeeds(() => remount('ro'));
              child.kill('SIGCONT');
            }
          },
        });
      } while (!isReadOnly && broken.code === 0);
      const kept = checkpointIn(folder);
      check(
        broken.code === 2 && /read-only/.test(broken.stderr) && kept.size >= 3,
        `one that becomes read-only ends the run with exit code 2, ${kept.size} batches kept`,
        `${broken.code}: ${broken.stderr}`,
      );
      remount('rw');
      const resumed = await run(folder);
      check(
        resumed.code === 0 && tableIn(folder) === expected,
        'writable again, it ends with the same bytes',
        resumed.stderr,
      );
    });
  }

  /** Runs with a preloaded script that ends worker threads in the midst of a batch. */
  async function testWorker() {
    // A batch looks at the clock when it begins and when it ends.
    const preload = join(scratch, 'preload.cjs');
    writeFileSync(
      preload,
      `const { threadId } = require('node:worker_threads');
    const { mkdirSync } = require('node:fs');
    const claims = () => { try { mkdirSync(process.env.FAULT_ONCE); return true; } catch { return false; } };
    // 0 hears signals, 1 is the thread of the program.
    if (threadId > 1) {
      const now = performance.now.bind(performance);
      let calls = 0;
      performance.now = () => {
        calls += 1;
        if (calls === 3 && (!process.env.FAULT_ONCE || claims())) process.exit(9);
        return now();
      };
    }`,
    );
    const environment = { NODE_OPTIONS: `--require ${preload}` };
    const once = join(scratch, 'worker-once');
    const retried = await run(once, {
      environment: { ...environment, FAULT_ONCE: join(scratch, 'claimed') },
    });
    check(
      statSync(join(scratch, 'claimed'), { throwIfNoEntry: false }) !== undefined && retried.code === 0,
      'a worker that dies has its batch done by another',
      `${retried.code}: ${retried.stderr}`,
    );
    check(tableIn(once) === expected, 'to the same bytes');

    const always = join(scratch, 'worker-always');
    const lost = await run(always, { environment });
    const {
      status,
      counts,
      failed: reasons,
    } = JSON.parse(readFileSync(join(always, NAME, 'manifest.json'), 'utf8'));
    check(
      lost.code === 3 &&
        status === 'partial' &&
        counts.failed > 0 &&
        counts.measured + counts.failed === cells,
      `workers that die at every second batch: exit code 3, ${counts.measured} cells measured, ${counts.failed} failed`,
      `${lost.code} ${status} ${JSON.stringify(counts)}: ${lost.stderr}`,
    );
    check(
      /worker exited with code: 9/.test(reasons[0]?.reason),
      'and the manifest says why',
      reasons[0]?.reason,
    );
    const mended = await run(always);
    check(
      mended.code === 0 && resumedIn(mended.stderr) === counts.measured && tableIn(always) === expected,
      'the next run measures those only, to the same bytes',
      `${mended.code}: ${mended.stderr}`,
    );
  }

  return { kills: testKills, disk: testFullDisk, 'read-only': testReadOnly, worker: testWorker };
}
