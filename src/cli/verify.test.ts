import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test as base, describe, expect } from 'vitest';
import { readVerdicts } from '../claims/record.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A folder of its own for each test, where the built program records verdicts. */
class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'feature-speed-'));
  readonly record = join(this.path, 'claims.json');

  verify(...words: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      execFile(process.execPath, [PROGRAM, 'verify', '--out', this.path, ...words], (error, stdout, stderr) =>
        resolve({ code: error ? error.code : 0, stdout, stderr }),
      );
    });
  }

  read() {
    return readVerdicts(readFileSync(this.record, 'utf8'));
  }
}

const test = base.extend<{ folder: Folder }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the names of fixtures off the pattern
  folder: async ({}, use) => {
    const folder = new Folder();
    await use(folder);
    rmSync(folder.path, { recursive: true, force: true });
  },
});

describe('verify', () => {
  test('prints every check of a claim that is named, and the reason where it fails', async ({ folder }) => {
    const { code, stdout, stderr } = await folder.verify('prop-b.1', 'section-6.1-printed');
    expect(code).toBe(0);
    expect(stdout.match(/^ +[+-] /gm)).toHaveLength(5);
    expect(stdout).toContain('A misprint');
    expect(stdout).toContain('1 claims hold, 1 fail');
    expect(stderr).toContain('--record writes it');
  });

  test('records what it measured beside what it did not, and finds the same verdicts again', async ({
    folder,
  }) => {
    expect((await folder.verify('prop-b.1', '--record', '--quiet')).code).toBe(0);
    expect((await folder.verify('thm-2.1', '--record', '--quiet', '--workers', '1')).code).toBe(0);
    expect(folder.read().map(({ id }) => id)).toEqual(['thm-2.1', 'prop-b.1']);
    const again = await folder.verify('prop-b.1', 'thm-2.1', '--json');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(readVerdicts(again.stdout)).toEqual(folder.read());
  });

  test('exits with 1 where a verdict is another than the recorded one, and where none is', async ({
    folder,
  }) => {
    await folder.verify('thm-2.1', '--record', '--quiet');
    expect(await folder.verify('prop-b.1', '--quiet')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('prop-b.1: holds, not recorded in'),
    });
    writeFileSync(folder.record, readFileSync(folder.record, 'utf8').replace('"holds"', '"fails"'));
    const { code, stdout, stderr } = await folder.verify('thm-2.1', '--markdown');
    expect(code).toBe(1);
    expect(stdout).toContain('holds (recorded: fails)');
    expect(stderr).toContain('thm-2.1: holds, recorded: fails in');
  });

  test('measures other draws with another seed, finds the same verdict, and records none of them', async ({
    folder,
  }) => {
    await folder.verify('prop-6.1', '--record', '--quiet');
    const [first] = folder.read();
    const other = await folder.verify('prop-6.1', '--seed', '7', '--json');
    expect(other).toMatchObject({ code: 0, stderr: '' });
    const [second] = readVerdicts(other.stdout);
    expect(second!.verdict).toBe(first!.verdict);
    expect(second!.checks[0]!.measured).not.toBe(first!.checks[0]!.measured);
    expect((await folder.verify('prop-6.1', '--seed', '7', '--record')).code).toBe(2);
    expect(await folder.verify('prop-6.1', '--seed', '-1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected an integer from 0'),
    });
    expect(folder.read()).toEqual([first]);
  });

  test('lists claims without measuring them', async ({ folder }) => {
    expect(await folder.verify('eq-4', 'thm-2.1', '--list')).toMatchObject({
      code: 0,
      stdout: 'thm-2.1  Theorem 2.1  Feature speed formula\neq-4     Eq. 4        Sensitivity\n',
    });
    const { stdout } = await folder.verify('eq-4', '--list', '--json');
    expect(JSON.parse(stdout)).toEqual([{ id: 'eq-4', where: 'Eq. 4', title: 'Sensitivity' }]);
  });

  test('refuses names that no claim has, with the nearest that one has', async ({ folder }) => {
    expect(await folder.verify('thm-2.2', 'thm-2.1')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('thm-2.2: no claim has this name; did you mean thm-2.1?'),
    });
  });

  test.for([
    ['', 'not JSON'],
    ['{"claims": {}}', 'claims: '],
  ])('refuses the record %j and leaves it', async ([text, message], { folder }) => {
    writeFileSync(folder.record, text!);
    const { code, stderr } = await folder.verify('thm-2.1', '--record');
    expect([code, stderr]).toEqual([2, expect.stringContaining(message!)]);
    expect(readFileSync(folder.record, 'utf8')).toBe(text);
  });

  test('writes through no symbolic link', async ({ folder }) => {
    const target = join(folder.path, 'other.json');
    writeFileSync(target, '{"claims": []}');
    symlinkSync(target, folder.record);
    expect((await folder.verify('thm-2.1', '--record')).code).toBe(2);
    expect(readFileSync(target, 'utf8')).toBe('{"claims": []}');
  });
});
