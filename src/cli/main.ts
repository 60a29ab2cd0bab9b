#!/usr/bin/env node
/**
 * Entry: the program runs in a thread of its own.
 *
 * This one does nothing but wait. So a signal is heard whatever the program is doing, and all that it says, its
 * libraries and their threads too, reaches the terminal through one door.
 */
import { Worker } from 'node:worker_threads';
import { asUserError } from '../store/files.js';
import { UserError } from '../store/user-error.js';
import { openDoor } from './door.js';
import { EXIT } from './exit-code.js';
import { endOnSignals } from './signals.js';
import type { ThreadData } from './terminal.js';

/** What stands for the beginning of a terminal's commands in the text of the program; no file can have it. */
const mark = `<${Math.random()}${Math.random()}>`;

const program = new Worker(new URL('../program/thread.js', import.meta.url), {
  argv: process.argv.slice(2),
  workerData: { mark, columns: process.stdout.columns } satisfies ThreadData,
  stdout: true,
  stderr: true,
});
const door = openDoor(program, mark);
endOnSignals(program);

program.on('error', (error: NodeJS.ErrnoException) => {
  const told = asUserError(undefined, error);
  const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (isMemory) {
    door.tell('out of memory; use smaller tables or networks, or node --max-old-space-size=MEGABYTES\n');
  } else if (told instanceof UserError) door.tell(`${told.message}\n`);
  else door.tell(`This is a bug of feature-speed; please report it.\n${error?.stack ?? error}\n`);
  process.exitCode = isMemory || told instanceof UserError ? EXIT.misuse : EXIT.bug;
});
program.on('exit', (code) => {
  process.exitCode ??= code;
});
process.on('exit', () => {
  if (door.isBroken()) process.exitCode = EXIT.misuse;
});
