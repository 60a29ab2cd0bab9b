import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
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

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  writeFileSync(join(folder, 'powers.json'), JSON.stringify(CONFIG));
  writeFileSync(join(folder, 'range.json'), JSON.stringify(RANGE));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const call = (node: string, words: string) =>
  new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const all = [
      PROGRAM,
      ...words.split(' '),
      ...(words.startsWith('run') ? ['--backend', 'wasm', '--workers', '1'] : []),
    ];
    execFile(node, all, { cwd: folder }, (error, _, stderr) =>
      resolve({ code: error ? error.code : 0, stderr }),
    );
  });
const table = (path: string) => readFileSync(join(folder, path, 'table.csv'), 'utf8');

describe.each(['20', '22', '24'].filter((version) => !process.versions.node.startsWith(`${version}.`)))(
  'this Node and Node %s',
  { timeout: 180_000 },
  (version) => {
    let other: string | undefined;
    beforeAll(() => {
      const { status, stdout } = spawnSync(process.execPath, [VERSIONS, '--path', version], {
        encoding: 'utf8',
      });
      other = status === 0 ? stdout.trim() : undefined;
    }, 400_000);
    const unreachable = `Node ${version} cannot be fetched from the registry`;

    test.for(['powers', 'range'])(
      'write the same bytes, and their shards merge: %s',
      async (name, { skip }) => {
        if (other === undefined) return skip(unreachable);
        const out = `${version}/${name}`;
        expect(await call(process.execPath, `run ${name}.json --out ${out}/one`)).toMatchObject({ code: 0 });
        expect(await call(process.execPath, `run ${name}.json --shard 1/2 --out ${out}/a`)).toMatchObject({
          code: 0,
        });
        expect(await call(other, `run ${name}.json --shard 2/2 --out ${out}/b`)).toMatchObject({ code: 0 });
        const parts = `${out}/b/${name} ${out}/a/${name}`;
        expect(await call(other, `merge ${parts} --out ${out}/merged --quiet`)).toEqual({
          code: 0,
          stderr: '',
        });
        expect(table(`${out}/merged/${name}`)).toBe(table(`${out}/one/${name}`));
      },
    );

    test('go on with what the other has begun, and measure none of it again', async ({ skip }) => {
      if (other === undefined) return skip(unreachable);
      const words = 'run powers.json --set draws=400 --set record.layers=output --backend wasm --workers 1';
      const out = `${version}/stopped`;
      const child = spawn(process.execPath, [PROGRAM, ...words.split(' '), '--out', out], {
        cwd: folder,
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('close', resolve));
      const partial = join(folder, out, 'powers/.partial');
      const kept = () =>
        existsSync(partial) ? readdirSync(partial).filter((file) => file.endsWith('.cells')) : [];
      while (child.exitCode === null && kept().length === 0) await new Promise((go) => setTimeout(go, 10));
      child.kill('SIGKILL');
      await ended;
      expect(kept().length).toBeGreaterThan(0);
      const { code, stderr } = await call(
        other,
        `${words} --out ${out}`.replace(' --backend wasm --workers 1', ''),
      );
      expect(code).toBe(0);
      expect(stderr).toMatch(/^powers: [1-9]\d* of 2400 cells were measured before$/m);
      expect(stderr).not.toMatch(/none of this run's/);
    });
  },
);
