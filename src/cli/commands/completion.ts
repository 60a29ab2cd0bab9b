/** `completion`: what a shell sources, and the answers to what it asks then, by the hidden command `complete`. */

import { readdirSync, statSync } from 'node:fs';
import { RootCommand } from '@bomb.sh/tab';
import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { experimentNames } from '../../store/config-files.js';
import { EXIT } from '../exit-code.js';
import { readRecord, SHIPPED_RECORD } from '../recorded-claims.js';

/** Prints the script of a shell. */
export function completion(program: CommandUnknownOpts, shell: 'bash' | 'zsh' | 'fish'): number {
  new RootCommand().setup(program.name(), program.name(), shell);
  return EXIT.fine;
}

/** Prints what may stand for the last of the words, one a line with its description. */
export function complete(program: CommandUnknownOpts, words: readonly string[]): number {
  const root = new RootCommand();
  const last = words.at(-1) ?? '';
  for (const command of program.createHelp().visibleCommands(program)) {
    const entry = root.command(command.name(), command.summary() || command.description());
    for (const option of command.options) {
      const name = option.long!.slice(2);
      const short = option.short?.slice(1);
      if (!option.required) entry.option(name, option.description, short);
      else
        entry.option(
          name,
          option.description,
          (add) => valuesOf(option, last).forEach((value) => void add(value, '')),
          short,
        );
    }
    for (const argument of command.registeredArguments) {
      const words = ARGUMENTS[`${command.name()} ${argument.name()}`] ?? pathsLike;
      const known = () => argument.argChoices ?? words(last);
      entry.argument(
        argument.name(),
        (add) => known().forEach((word) => void add(word, '')),
        argument.variadic,
      );
    }
  }
  root.parse([...words]);
  return EXIT.fine;
}

/** What may stand for an argument, by command and argument; elsewhere it is a path. */
const ARGUMENTS: Readonly<Record<string, (typed: string) => readonly string[]>> = {
  'run experiment': (typed) => [...experimentNames(), ...pathsLike(typed)],
  'plan experiment': (typed) => [...experimentNames(), ...pathsLike(typed)],
  'plot name': (typed) => [...namesOfResults(), ...pathsLike(typed)],
  'verify name': () => (readRecord(SHIPPED_RECORD) ?? []).map(({ id }) => id),
};

/** Names of the folders in `results`. */
const namesOfResults = () =>
  pathsLike('results/')
    .filter((path) => path.endsWith('/'))
    .map((path) => path.slice('results/'.length, -1));

const PATHS = new Set(['--out', '--from', '--file', '--spec', '--plot']);

function valuesOf({ long, argChoices }: Option, typed: string): readonly string[] {
  return argChoices ?? (PATHS.has(long!) ? pathsLike(typed) : []);
}

/** Files and folders that begin as typed; folders end in a slash. */
function pathsLike(typed: string): string[] {
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  try {
    return readdirSync(folder === '' ? '.' : folder)
      .filter((name) => !name.startsWith('.'))
      .map((name) => `${folder}${name}`)
      .map((path) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() ? `${path}/` : path));
  } catch {
    return [];
  }
}
