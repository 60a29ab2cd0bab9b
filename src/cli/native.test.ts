/** The program on the native backend; these tests are among those that run where it loads. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-native-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const node = (...words: string[]) => execFileSync(process.execPath, words, { encoding: 'utf8' });

/** Of an experiment of two batches, one for each worker. */
function tableOf(name: string, ...words: string[]): string {
  const out = join(scratch, name);
  node('dist/cli/main.js', 'run', 'configs/figure-2a.json', '--quiet', '--out', out, ...words);
  return readFileSync(join(out, 'figure-2a/table.csv'), 'utf8');
}

test('two processes write the same bytes as one', () => {
  const one = tableOf('native', '--backend', 'native', '--workers', '1');
  expect(tableOf('two', '--backend', 'native', '--workers', '2')).toBe(one);
});

test('its table is that of wasm, but for the rounding of float32', () => {
  tableOf('wasm', '--backend', 'wasm');
  const folders = [join(scratch, 'wasm'), join(scratch, 'native')];
  node('dist/cli/main.js', 'diff', ...folders, '--rtol', '1e-4', '--atol', '1e-6', '--quiet');
});

test('it loads in a Node that lacks the functions which tfjs-node calls, as 23 and later do', () => {
  const script = `
    import util from 'node:util';
    delete util.isNullOrUndefined;
    delete util.isArray;
    const { openBackend } = await import('./dist/core/backend.js');
    console.log((await openBackend('native')).name);`;
  expect(node('--input-type=module', '--eval', script)).toBe('native\n');
});
