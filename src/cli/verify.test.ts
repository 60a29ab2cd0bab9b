import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { readVerdicts } from '../claims/record.js';
import { Folder, testIn } from './program-under-test.js';

/** A folder in which verdicts are recorded. */
class Verdicts extends Folder {
  readonly record = this.at('claims.json');

  verify(...words: string[]) {
    return this.call('verify', '--out', '.', ...words);
  }

  verdicts() {
    return readVerdicts(this.read('claims.json'));
  }
}

const test = testIn(() => new Verdicts());

describe('verify', () => {
  test('prints every check of a claim that is named, and the reason where it fails', async ({ folder }) => {
    const { code, stdout, stderr } = await folder.verify('def-3.1', 'section-5.2-log-printed');
    expect(code).toBe(0);
    expect(stdout.match(/^ +[+-] /gm)).toHaveLength(5);
    expect(stdout).toContain('it is the loss that is log(k)');
    expect(stdout).toContain('1 claims hold, 1 fail');
    expect(stderr).toMatch(/^compared with .*results\/claims\.json; --record writes .*claims\.json\n$/);
  });

  test('records what it measured beside what it did not, and finds the same verdicts again', async ({
    folder,
  }) => {
    expect((await folder.verify('def-3.1', '--record', '--quiet')).code).toBe(0);
    expect(await folder.start('verify eq-4 --out . --record --quiet --workers 1')).toMatchObject({
      code: 0,
    });
    expect(folder.verdicts().map(({ id }) => id)).toEqual(['eq-4', 'def-3.1']);
    const again = await folder.verify('def-3.1', 'eq-4', '--json');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(readVerdicts(again.stdout)).toEqual(folder.verdicts());
  });

  test('exits with 1 where a verdict is another than the recorded one, and where none is', async ({
    folder,
  }) => {
    await folder.verify('eq-4', '--record', '--quiet');
    expect(await folder.verify('def-3.1', '--quiet')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('def-3.1: holds, not recorded in'),
    });
    writeFileSync(folder.record, readFileSync(folder.record, 'utf8').replace('"holds"', '"fails"'));
    const { code, stdout, stderr } = await folder.verify('eq-4', '--markdown');
    expect(code).toBe(1);
    expect(stdout).toContain('holds (recorded: fails)');
    expect(stderr).toContain('eq-4: holds, recorded: fails in');
  });

  test('measures other draws with another seed, finds the same verdict, and records none of them', async ({
    folder,
  }) => {
    await folder.verify('prop-6.1', '--record', '--quiet');
    const [first] = folder.verdicts();
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
    expect(folder.verdicts()).toEqual([first]);
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
    expect(await folder.verify('thm-2.2', 'eq-4')).toMatchObject({
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
    const { code, stderr } = await folder.verify('eq-4', '--record');
    expect([code, stderr]).toEqual([2, expect.stringContaining(message!)]);
    expect(readFileSync(folder.record, 'utf8')).toBe(text);
  });

  test('writes through no symbolic link', async ({ folder }) => {
    const target = folder.at('other.json');
    writeFileSync(target, '{"claims": []}');
    symlinkSync(target, folder.record);
    expect((await folder.verify('eq-4', '--record')).code).toBe(2);
    expect(readFileSync(target, 'utf8')).toBe('{"claims": []}');
  });
});
