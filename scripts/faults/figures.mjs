/** `figures`, measured and drawn, under SIGKILL at any moment. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { call, isSame, litterIn, randomFrom, stateOf } from './program.mjs';

export async function testFigureKills({ scratch, check, kills, seed }) {
  const figures = (out) => [
    'figures',
    '--set',
    'draws=1',
    '--backend',
    'wasm',
    '--workers',
    '2',
    '--out',
    out,
  ];
  const whole = join(scratch, 'figures-whole');
  const first = await call(figures(whole));
  const expected = stateOf(whole);
  check(first.code === 0, `figures, undisturbed: ${(first.elapsedMs / 1000).toFixed(1)} s`, first.stderr);
  const random = randomFrom(seed);
  const wrong = [];
  let [killed, rounds, reachMs] = [0, 0, first.elapsedMs];
  const out = join(scratch, 'figures-killed');
  while (killed < kills) {
    const after = random() * reachMs;
    const outcome = await call(figures(out), {
      meanwhile: async (child, ended) => {
        const timer = setTimeout(() => child.kill('SIGKILL'), after);
        await ended;
        clearTimeout(timer);
      },
    });
    if (outcome.signal === 'SIGKILL') killed += 1;
    if (outcome.signal === null && outcome.code !== 0)
      wrong.push(`exit code ${outcome.code}: ${outcome.stderr}`);
    // Some rounds begin with nothing, others with whole results that are measured and drawn again.
    if (outcome.code === 0) {
      rounds += 1;
      reachMs *= 0.9;
      if (!isSame(stateOf(out), expected)) wrong.push(`round ${rounds}: ${litterIn(out)}`);
      if (rounds % 2 === 0) rmSync(out, { recursive: true });
    }
  }
  const last = await call(figures(out));
  if (last.code !== 0) wrong.push(`exit code ${last.code}: ${last.stderr}`);
  const left = litterIn(out);
  check(
    isSame(stateOf(out), expected) && wrong.length === 0,
    `${killed} SIGKILLs over figures: tables, manifests and charts have the bytes of the undisturbed run`,
    wrong.join('; '),
  );
  check(left.length === 0, 'and nothing is left beside them', left.join());
}
