/**
 * Every command of `--help` and of the READMEs, as it stands, in a clone of this repository. Those that take more than a
 * second or two run with FEATURE_SPEED_SLOW; where it is not set they are parsed, and the clone has the results of the
 * figures alone.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from './program.js';
import { callHere } from './program-under-test.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = execFileSync('git', ['ls-files', '*README.md'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n');

const SLOW =
  /^(figures|plan .*\*|verify$|verify --record|run .*\*|run (configs\/)?figure-(1a|1b|1c|2b)|(plot|merge) (wide|shards|figure)|report|diff v1\.0 v1\.1 --plot|verify .*(5\.3|6\.3)|inspect .*(depth 12|transformer\.mjs$))/;
const IS_SLOW = process.env.FEATURE_SPEED_SLOW !== undefined;
/** Of files that the user has. */
const OF_OTHERS = /model\.json|step\.safetensors/;
/** Where results differ, that is what they say. */
const MAY_DIFFER = /^(diff|verify)/;

const program = createProgram(() => {});

function inHelp(): string[] {
  return [program, ...program.commands].flatMap((command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    return Array.from(help.matchAll(/^ *\$ feature-speed (.*?)(?: {2,}.*)?$/gm), ([, words]) => words!);
  });
}

function inPage(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const blocks = Array.from(text.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block]) => block!).join('');
  const lines = Array.from(
    blocks.matchAll(/^(?:npx )?feature-speed (.*?)(?: +#.*)?$/gm),
    ([, words]) => words!,
  );
  const cells = Array.from(text.matchAll(/\| `feature-speed ([^`]*)` \|/g), ([, words]) => words!);
  return [...lines, ...cells];
}

const commands = [...new Set([...inHelp(), ...PAGES.flatMap(inPage)])];

const folder = mkdtempSync(join(tmpdir(), 'feature-speed-examples-'));
const clone = join(folder, 'clone');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: clone });
  execFileSync('git', ['clone', '--quiet', '--local', ROOT, clone]);
  // Pages and configs as they are now.
  for (const path of ['README.md', 'configs'])
    cpSync(join(ROOT, path), join(clone, path), { recursive: true });
  const few = readdirSync(join(clone, 'results')).filter((name) => !/\.(json|md)$|^figure-/.test(name));
  if (!IS_SLOW) git('rm', '-r', '--quiet', '--', ...few.map((name) => `results/${name}`));
  // A checkout may have no history.
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  for (let i = 0; i < 4; i++) git(...author, 'commit', '--quiet', '--allow-empty', '--message', 'later');
  for (const tag of ['v1.0', 'v1.1']) git('tag', '--force', tag);
  cpSync(join(clone, 'results'), join(clone, 'second'), { recursive: true });
  const [config, spec] = Array.from(
    readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^```json\n([\s\S]*?)^```/gm),
    ([, json]) => json!,
  );
  for (const name of ['mine.json', 'my.json']) writeFileSync(join(clone, name), config!);
  writeFileSync(join(clone, 'mine.vl.json'), spec!);
}, 60_000);

/** The words of a command as the shell makes them, in the clone. */
function wordsOf(command: string): string[] {
  const [typed] = command.split(' > ');
  const script = `set -- ${typed}; printf '%s\\0' "$@"`;
  return execFileSync('sh', ['-c', script], { cwd: clone, encoding: 'utf8' }).split('\0').slice(0, -1);
}

async function runs(command: string): Promise<void> {
  const { code, stderr } = await callHere(clone, ...wordsOf(command));
  const fine = MAY_DIFFER.test(command) ? [0, 1] : [0];
  expect(fine, stderr).toContain(code);
}

test.each(commands)('an example is read as it stands: feature-speed %s', async (command) => {
  const refused: string[] = [];
  const reading = createProgram(() => {});
  for (const each of [reading, ...reading.commands]) {
    each.exitOverride().configureOutput({ writeErr: (text) => refused.push(text) });
    if (each !== reading) each.action(() => {});
  }
  await reading.parseAsync(wordsOf(command), { from: 'user' }).catch((error) => refused.push(String(error)));
  expect(refused).toEqual([]);
});

const isNow = (command: string) => !SLOW.test(command) && !OF_OTHERS.test(command);

describe('an example runs:', () => {
  test.each(commands.filter(isNow))('feature-speed %s', runs, 120_000);
});

describe.runIf(IS_SLOW)('an example that takes longer runs:', () => {
  beforeAll(async () => {
    for (const i of [1, 3, 4, 5, 6, 7, 8])
      await callHere(clone, ...`run figure-1b --shard ${i}/8 --out shards/${i} --quiet`.split(' '));
  }, 600_000);
  test.each(commands.filter((command) => SLOW.test(command)))('feature-speed %s', runs, 3_600_000);
});

test('they are all that the pages have, and many', () => {
  expect(commands.length).toBeGreaterThanOrEqual(60);
  expect(existsSync(join(clone, 'mine.json'))).toBe(true);
});
