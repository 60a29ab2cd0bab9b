import { execFileSync } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { createProgram } from '../program.js';
import { complete, completion } from './completion.js';

const program = createProgram(() => {});
const print = vi.spyOn(console, 'log').mockImplementation(() => {});
afterEach(() => print.mockClear());

/** The words that may stand for the last, without their descriptions. */
function answersTo(...words: string[]): string[] {
  complete(program, words);
  const lines = print.mock.calls.map(([line]) => String(line).split('\t')[0]!);
  expect(lines.at(-1)).toBe(':4'); // the shell adds nothing of its own
  return lines.slice(0, -1);
}

test.each([
  [['ver'], ['verify']],
  [
    ['run', 'figure-2'],
    ['figure-2a', 'figure-2b'],
  ],
  [
    ['run', 'configs/figure-1a'],
    ['configs/figure-1a.json', 'configs/figure-1a.vl.json'],
  ],
  [
    ['run', '--backend', ''],
    ['auto', 'native', 'wasm', 'cpu'],
  ],
  [['run', 'figure-1a', '--wor'], ['--workers']],
  [
    ['plot', 'figure-1'],
    ['figure-1a', 'figure-1b', 'figure-1c'],
  ],
  [['verify', 'thm-6'], ['thm-6.3']],
  [['diff', 'resul'], ['results/']],
  [['run', '--seed-of-nothing'], []],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
])('after %j may come %j', (words, expected) => {
  expect(answersTo(...words)).toEqual(expected);
});

test('every command is completed, and the one that answers is not shown', () => {
  const visible = program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());
  expect(answersTo('')).toEqual(visible);
  expect(visible).not.toContain('complete');
});

test('bash can read what is printed for it', () => {
  completion(program, 'bash');
  const script = print.mock.calls.map(([line]) => line).join('\n');
  execFileSync('bash', ['-n'], { input: script });
  expect(script).toContain('feature-speed complete --');
});
