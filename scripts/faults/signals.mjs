/** Commands under SIGTERM in each of their phases. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, isSame, litterIn, stateOf } from './program.mjs';

const MOST_MS = 2000;

/** Sends SIGTERM when `isTime`; how long the process then takes, ms. */
async function terminate(words, isTime, options = {}) {
  let sentAt;
  const outcome = await call(words, {
    ...options,
    meanwhile: async (child) => {
      while (child.exitCode === null && !isTime()) await new Promise((resolve) => setTimeout(resolve, 20));
      sentAt = performance.now();
      child.kill('SIGTERM');
    },
  });
  return { ...outcome, takenMs: performance.now() - sentAt };
}

export async function testSignals({ scratch, check }) {
  const folder = join(scratch, 'signals');
  mkdirSync(folder);
  const config = join(folder, 'c.json');
  const spec = join(folder, 'spec.json');
  const measured = {
    network: { depth: 100 },
    scaling: 'MF+muP',
    sweep: { width: { from: 100, to: 490, step: 10 } },
    draws: 30,
    record: { layers: 'output', quantities: ['bfa_rad', 'loss'] },
  };
  writeFileSync(config, JSON.stringify(measured));
  const run = (out) => ['run', config, '--backend', 'wasm', '--workers', '2', '--out', out];
  const told = ({ code, takenMs, stderr }) => `exit code ${code} after ${takenMs.toFixed(0)} ms: ${stderr}`;
  const inTime = ({ code, takenMs }) => code === 143 && takenMs < MOST_MS;
  const whole = join(folder, 'whole');
  await call(run(whole));
  const expected = stateOf(whole);

  const out = join(folder, 'measuring');
  const partial = join(out, 'c/.partial');
  const hasBatch = () => existsSync(partial) && readdirSync(partial).length > 0;
  const measuring = await terminate(run(out), hasBatch);
  check(inTime(measuring), 'SIGTERM while it measures: gone in two seconds', told(measuring));
  const rest = await call(run(out));
  check(
    rest.code === 0 && /were measured before/.test(rest.stderr) && isSame(stateOf(out), expected),
    'and the next run goes on from what was kept, to the same bytes',
    rest.stderr,
  );

  // A disk that takes half a second for each file: the signal comes while the table is written over an older one.
  const preload = join(folder, 'slow.cjs');
  writeFileSync(
    preload,
    `const fs = require('node:fs');
    const { fsyncSync } = fs;
    fs.fsyncSync = (file) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      fsyncSync(file);
    };
    require('node:module').syncBuiltinESMExports();`,
  );
  const slow = join(folder, 'writing');
  await call([...run(slow), '--set', 'draws=2']);
  const isWriting = () => readdirSync(join(slow, 'c')).some((name) => name.startsWith('.unfinished-'));
  const writing = await terminate([...run(slow), '--fresh'], isWriting, {
    environment: { NODE_OPTIONS: `--require ${preload}` },
  });
  // Its work may be done by then.
  check(
    writing.takenMs < MOST_MS && [0, 143].includes(writing.code),
    'SIGTERM while it writes: gone in two seconds',
    told(writing),
  );
  // One that had to be ended the hard way leaves what the next run takes away.
  check(
    litterIn(slow).every((path) => /\.partial|\.lock$|\.unfinished-/.test(path)),
    'and nothing is left but what was kept, and what a dead run leaves',
    litterIn(slow).join(),
  );
  const again = await call([...run(slow), '--fresh']);
  check(again.code === 0 && isSame(stateOf(slow), expected), 'the next run has the same bytes', again.stderr);
  check(litterIn(slow).length === 0, 'and has taken all of it away', litterIn(slow).join());

  // A pattern that takes longer than the universe on this text.
  writeFileSync(
    spec,
    JSON.stringify({
      data: { name: 'table' },
      transform: [{ calculate: `test(regexp('^(a+)+$'), '${'a'.repeat(60)}b')`, as: 'z' }],
      mark: 'point',
      encoding: { x: { field: 'z', type: 'nominal' }, y: { field: 'loss', type: 'quantitative' } },
    }),
  );
  const drawn = join(folder, 'drawing');
  await call(run(drawn));
  const before = stateOf(drawn);
  const [watch, begun] = [join(folder, 'watch.cjs'), join(folder, 'begun')];
  writeFileSync(
    watch,
    `if (process.argv[1].endsWith('draw-process.js')) {
      process.once('message', () => require('node:fs').writeFileSync(${JSON.stringify(begun)}, ''));
    }`,
  );
  const drawing = await terminate(['plot', join(drawn, 'c'), '--spec', spec], () => existsSync(begun), {
    environment: { NODE_OPTIONS: `--require ${watch}` },
  });
  check(inTime(drawing), 'SIGTERM while it draws: gone in two seconds', told(drawing));
  check(isSame(stateOf(drawn), before), 'and what was there is as it was', litterIn(drawn).join());
}
