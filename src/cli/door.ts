/** The door to the terminal: what the program says passes here, and nowhere else. */
import { isatty } from 'node:tty';
import type { Worker } from 'node:worker_threads';
import { reasonOf } from '../store/files.js';

export interface Door {
  /** Writes to stderr. */
  tell(text: string): void;
  /** Whether something that was said to stdout could not be written, other than to a reader that has gone away. */
  isBroken(): boolean;
}

/**
 * Control and format characters, line and paragraph separators, halves of pairs: escape sequences, and what turns or
 * hides text. Line feeds and tabs are none of them.
 */
const UNSEEN = /[^\P{C}\p{Co}\p{Cn}\n\t]|[\p{Zl}\p{Zp}]/gu;

/**
 * Text as a terminal may see it: characters that are not to be seen are written as `\u001b`, which in a string of JSON
 * is the same character.
 */
export function clean(text: string): string {
  return text.replace(UNSEEN, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/** Lets through what a thread says, cleaned; `mark` begins a terminal's command, where there is a terminal. */
export function openDoor(program: Worker, mark: string): Door {
  let isBroken = false;
  // A reader that goes away, as `head` does, is no error, and no reason to stop either: results are files.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || isBroken) return;
    isBroken = true;
    tell(`stdout: ${reasonOf(error) ?? error.message}\n`);
  });
  process.stderr.on('error', () => {});

  const pass = (to: NodeJS.WriteStream, command: string) => (text: string) =>
    to.write(clean(text).replaceAll(mark, command));
  const commandOf = (descriptor: number) => (isatty(descriptor) ? '\u001b[' : '');
  const tell = pass(process.stderr, commandOf(2));
  program.stdout.setEncoding('utf8').on('data', pass(process.stdout, commandOf(1)));
  program.stderr.setEncoding('utf8').on('data', tell);
  return { tell: (text) => void tell(text), isBroken: () => isBroken };
}
