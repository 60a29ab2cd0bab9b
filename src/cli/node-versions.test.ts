import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Folder, type Outcome, PROGRAM } from './program-under-test.js';

const VERSIONS = fileURLToPath(new URL('../../scripts/node-versions.mjs', import.meta.url));

/** Powers, a logarithmic range and the theory: what Node 24 rounds otherwise than 20 in the last digit. */
const CONFIG = {
  network: { width: 64 },
  scaling: 'FSC',
  step: { size: 'pow(L, -1.3)' },
  sweep: { depth: [107, 128, 134], branchScale: ['pow(L, -0.5)', 'pow(L, -0.7)'] },
  draws: 12,
  seed: 7,
  record: { quantities: ['bfa_rad', 'bfa_theory_rad', 'sensitivity', 'loss'] },
};
const RANGE = {
  ...CONFIG,
  sweep: { branchScale: { from: 0.01, to: 1, count: 20, scale: 'log' }, depth: [8] },
  draws: 1,
};
/** Batches of one width each. */
const WIDTHS = { ...CONFIG, network: {}, sweep: { ...CONFIG.sweep, width: [16, 24, 32] }, draws: 2 };

/** It takes other versions of Node from the registry: `scripts/node-versions.mjs`, a step of its own in CI, runs it. */
const slowly = describe.runIf(process.env.FEATURE_SPEED_SLOW);

let folder: Folder;
slowly('of two versions of Node', () => {
  beforeAll(async () => {
    folder = new Folder();
    folder.write('powers.json', CONFIG);
    folder.write('range.json', RANGE);
    folder.write('widths.json', WIDTHS);
    for (const words of ['--out one', '--shard 1/2 --out a'])
      expect(await folder.call(`run powers.json range.json ${words}`)).toMatchObject({ code: 0 });
  });
  afterAll(() => folder.remove());

  const table = (path: string) => folder.read(`${path}/table.csv`);

  describe.each(['20', '22', '24'].filter((version) => !process.versions.node.startsWith(`${version}.`)))(
    'this Node and Node %s',
    (version) => {
      let other: string | undefined;
      beforeAll(() => {
        const words = [VERSIONS, '--path', version];
        const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
        other = status === 0 ? stdout.trim() : undefined;
      });
      const unreachable = `Node ${version} cannot be fetched from the registry`;

      const callOther = (words: string) =>
        new Promise<Outcome>((resolve) => {
          execFile(other!, [PROGRAM, ...words.split(' ')], { cwd: folder.path }, (error, stdout, stderr) =>
            resolve({ code: error ? error.code : 0, stdout, stderr }),
          );
        });

      test('write the same bytes, and their shards merge on either', async ({ skip }) => {
        if (other === undefined) return skip(unreachable);
        const run = await callOther(`run powers.json range.json --shard 2/2 --workers 1 --out ${version}/b`);
        expect(run).toMatchObject({ code: 0 });
        for (const [name, call] of [
          ['powers', callOther],
          ['range', (words: string) => folder.call(words)],
        ] as const) {
          const merged = await call(`merge ${version}/b/${name} a/${name} --out ${version}/merged --quiet`);
          expect(merged).toMatchObject({ code: 0, stderr: '' });
          expect(table(`${version}/merged/${name}`)).toBe(table(`one/${name}`));
        }
      });

      test('go on with what the other has begun, and measure none of it again', async ({ skip }) => {
        if (other === undefined) return skip(unreachable);
        const words = `run widths.json --workers 1 --out ${version}`;
        const { child, ended } = await folder.hold(words);
        child.kill('SIGKILL');
        await ended;
        expect(await callOther(words)).toMatchObject({
          code: 0,
          stderr: expect.stringContaining('widths: 12 of 36 cells were measured before\n'),
        });
      });
    },
  );
});
