/**
 * What is written over a good older result while the machine fails: a disk that fills at one size after another, and
 * SIGKILL at every call that changes a file.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, isSame, litterIn, stateOf } from './program.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
const CONFIG = {
  network: { depth: 40, width: 16 },
  scaling: 'MF+muP',
  sweep: { branchScale: ['1/sqrt(L)', 1] },
  record: { quantities: ['bfa_rad', 'loss', 'feature_rms'] },
};
const SPEC = {
  data: { name: 'table' },
  mark: 'point',
  encoding: { x: { field: 'layer', type: 'quantitative' }, y: { field: 'bfa_rad', type: 'quantitative' } },
};

/** The commands that write, each with the folder that it finds and what it is called with, `OUT` being that folder. */
async function commandsIn(scratch) {
  const inputs = join(scratch, 'inputs');
  mkdirSync(inputs);
  const config = join(inputs, 'c.json');
  const spec = join(inputs, 'spec.json');
  writeFileSync(config, JSON.stringify({ ...CONFIG, draws: 20 }));
  writeFileSync(spec, JSON.stringify(SPEC));
  const run = (out, ...more) =>
    call(['run', config, '--backend', 'wasm', '--workers', '1', '--out', out, ...more]);
  const shards = [1, 2].map((i) => join(inputs, `${i}`));
  for (const [i, out] of shards.entries()) await run(out, '--shard', `${i + 1}/2`);
  const before = (name) => join(inputs, 'before', name);
  await run(before('run'), '--set', 'draws=2');
  await call(['plot', join(before('run'), 'c'), '--spec', spec]);
  cpSync(before('run'), before('plot'), { recursive: true });
  await run(before('plot'), '--fresh');
  for (const name of ['report', 'verify']) mkdirSync(before(name), { recursive: true });
  writeFileSync(join(before('report'), 'page.html'), 'an older page');
  cpSync(join(ROOT, 'results/claims.json'), join(before('verify'), 'claims.json'));
  const record = JSON.parse(readFileSync(join(before('verify'), 'claims.json'), 'utf8'));
  const [first] = record.claims;
  first.title = 'an older title';
  writeFileSync(join(before('verify'), 'claims.json'), JSON.stringify(record));
  const claim = first.id;
  return [
    ['run', before('run'), ['run', config, '--backend', 'wasm', '--workers', '1', '--fresh', '--out', 'OUT']],
    ['merge', before('run'), ['merge', ...shards.map((out) => join(out, 'c')), '--fresh', '--out', 'OUT']],
    ['plot', before('plot'), ['plot', join('OUT', 'c'), '--spec', spec]],
    [
      'report',
      before('report'),
      ['report', '--out', join(ROOT, 'results'), '--file', join('OUT', 'page.html')],
    ],
    ['verify', before('verify'), ['verify', claim, '--record', '--workers', '1', '--out', 'OUT']],
  ];
}

const into = (words, out) => words.map((word) => word.replace(/^OUT(?=\/|$)/, out));

/** The state without what a run keeps that did not come to its end. */
const finishedIn = (out) => new Map([...stateOf(out)].filter(([path]) => !path.includes('.partial')));

export async function testFullDisks({ scratch, check, sizes }) {
  const commands = await commandsIn(scratch);
  for (const [name, before, words] of commands) {
    const whole = join(scratch, `whole-${name}`);
    cpSync(before, whole, { recursive: true });
    const fine = await call(into(words, whole));
    const [old, now] = [finishedIn(before), finishedIn(whole)];
    check(fine.code === 0 && !isSame(old, now), `${name} with all the room that it needs`, fine.stderr);
    const largest = Math.max(...[...now.keys()].map((path) => readFileSync(join(whole, path)).length));
    const most = 2.2 * [...now.keys()].reduce((sum, path) => sum + readFileSync(join(whole, path)).length, 0);
    const faults = { untold: [], lost: [], litter: [], cut: [] };
    let [refused, written] = [0, 0];
    const judge = (where, out, { code, stderr }) => {
      const state = finishedIn(out);
      if (code === 0) written += 1;
      else refused += 1;
      if (code === 0 && !isSame(state, now)) faults.cut.push(where);
      if (
        code !== 0 &&
        !(
          code === 2 &&
          stderr
            .trim()
            .split('\n')
            .every((line) => /: [^:]+$/.test(line))
        )
      )
        faults.untold.push(`${where}: exit code ${code}: ${stderr}`);
      const kept = new Map([...state].filter(([path]) => !/\.unfinished-|\.lock/.test(path)));
      if (code !== 0 && !isSame(kept, old)) faults.lost.push(where);
      if (state.size > kept.size) faults.litter.push(`${where}: ${litterIn(out)}`);
    };
    const mounted = await withMount(scratch, `a disk that fills up under ${name}`, '64m', async (folder) => {
      for (let i = 0; i < sizes; i++) {
        const [out, filler] = [join(folder, 'out'), join(folder, 'filler')];
        for (const path of [out, filler]) rmSync(path, { recursive: true, force: true });
        cpSync(before, out, { recursive: true });
        const { bavail, bsize } = statfsSync(folder);
        const free = Math.floor((most * i) / (sizes - 1));
        writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - free)));
        judge(`${free} bytes free`, out, await call(into(words, out)));
      }
    });
    if (!mounted) {
      for (let i = 0; i < sizes; i++) {
        const out = join(scratch, `limit-${name}-${i}`);
        cpSync(before, out, { recursive: true });
        // Blocks of 512 bytes.
        const blocks = 1 + Math.floor((1.2 * largest * i) / (sizes - 1) / 512);
        judge(`ulimit -f ${blocks}`, out, await call(into(words, out), { limit: `ulimit -f ${blocks}` }));
      }
    }
    check(
      refused > 0 && written > 0,
      `${name} was stopped by ${refused} of ${sizes} sizes, and wrote all with ${written}`,
    );
    check(faults.cut.length === 0, 'exit code 0 only where every file is whole', faults.cut.join('; '));
    check(faults.lost.length === 0, 'else every older file as it was', faults.lost.join('; '));
    check(faults.untold.length === 0, 'and exit code 2 with a sentence', faults.untold[0]);
    check(faults.litter.length === 0, 'nothing is left beside them', faults.litter.join('; '));
  }
}

/** Ends the process by SIGKILL at the call of FAULT_AT, counted from 1, that changes a file; tells how many there were. */
const PRELOAD = `
  const { threadId } = require('node:worker_threads');
  const fs = require('node:fs');
  // The thread of the program; 0 hears signals.
  if (threadId === 1) {
    let calls = 0;
    const step = () => { if (++calls === Number(process.env.FAULT_AT)) process.kill(process.pid, 'SIGKILL'); };
    for (const name of ['openSync', 'writeFileSync', 'fsyncSync', 'closeSync', 'renameSync', 'rmSync', 'mkdirSync']) {
      const before = fs[name];
      fs[name] = (...words) => { step(); return before(...words); };
    }
    const { fsync } = fs;
    fs.fsync = (...words) => { step(); return fsync(...words); };
    require('node:module').syncBuiltinESMExports();
    process.on('exit', () => fs.writeSync(2, 'calls ' + calls + '\\n'));
  }`;

export async function testKillPoints({ scratch, check, points }) {
  const folder = join(scratch, 'points');
  mkdirSync(folder);
  const [config, spec, preload] = ['c.json', 'spec.json', 'preload.cjs'].map((name) => join(folder, name));
  writeFileSync(
    config,
    JSON.stringify({
      ...CONFIG,
      draws: 3,
      slopes: [{ quantity: 'loss', axis: 'depth' }],
      sweep: { depth: [5, 9, 17] },
    }),
  );
  writeFileSync(spec, JSON.stringify(SPEC));
  writeFileSync(preload, PRELOAD);
  const commands = (out) => [
    ['run', config, '--backend', 'wasm', '--workers', '1', '--fresh', '--out', out],
    ['plot', join(out, 'c'), '--spec', spec],
  ];
  const before = join(folder, 'before');
  for (const words of commands(before))
    await call([...words, ...(words[0] === 'run' ? ['--set', 'draws=4'] : [])]);
  const whole = join(folder, 'whole');
  cpSync(before, whole, { recursive: true });
  for (const words of commands(whole)) await call(words);
  const expected = stateOf(whole);
  for (const [which, what] of ['run', 'plot'].entries()) {
    const environment = (at) => ({ NODE_OPTIONS: `--require ${preload}`, FAULT_AT: `${at}` });
    const count = async () => {
      const out = join(folder, `count-${what}`);
      cpSync(before, out, { recursive: true });
      const told = (await call(commands(out)[which], { environment: environment(0) })).stderr;
      return Number(/calls (\d+)/.exec(told)?.[1]);
    };
    const calls = await count();
    const tried = Math.min(points, calls);
    const wrong = [];
    let killed = 0;
    for (let i = 0; i < tried; i++) {
      const at = 1 + Math.floor((i * calls) / tried);
      const out = join(folder, `${what}-${at}`);
      cpSync(before, out, { recursive: true });
      if (which === 1) await call(commands(out)[0]);
      const outcome = await call(commands(out)[which], { environment: environment(at) });
      if (outcome.signal === 'SIGKILL') killed += 1;
      // Without --fresh, unless nothing of the new result was there yet.
      const again = await call(commands(out)[0]);
      if (again.code !== 0) wrong.push(`call ${at}: ${again.stderr}`);
      await call(commands(out)[1]);
      if (!isSame(stateOf(out), expected)) wrong.push(`call ${at}: other bytes, or ${litterIn(out)}`);
      rmSync(out, { recursive: true });
    }
    check(
      wrong.length === 0 && killed === tried,
      `SIGKILL at ${killed} of the ${calls} calls of ${what} that change a file: the next gives the same bytes, and no litter`,
      `${killed} of ${tried} killed; ${wrong.join('; ')}`,
    );
  }
}

/** A file system of its own for `act`; false where that is not possible. */
export async function withMount(scratch, what, size, act) {
  const folder = join(scratch, `mount-${what.replaceAll(' ', '-')}`);
  if (!existsSync(folder)) mkdirSync(folder);
  const mount = (...words) => execFileSync('mount', words, { stdio: 'pipe' });
  try {
    mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder);
  } catch (error) {
    console.log(`without ${what}: mount: ${String(error.stderr ?? error.message).trim()}`);
    return false;
  }
  try {
    await act(folder, (change) => mount('-o', `remount,${change}`, folder));
  } finally {
    execFileSync('umount', [folder]);
  }
  return true;
}
