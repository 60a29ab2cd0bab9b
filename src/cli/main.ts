#!/usr/bin/env node
/** Entry: runs the command and turns what happens into an exit code. */
import { CommanderError } from 'commander';
import { UserError } from '../store/user-error.js';
import { EXIT } from './exit-code.js';
import { createProgram } from './program.js';
import { listenForSignals } from './signals.js';

async function main(): Promise<number> {
  let code: number = EXIT.fine;
  const program = createProgram((result) => {
    code = result;
  });
  program.exitOverride();
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync();
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.misuse;
    if (error instanceof UserError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.misuse;
    }
    process.stderr.write(
      `This is a bug of feature-speed; please report it.\n${(error as Error)?.stack ?? error}\n`,
    );
    return EXIT.bug;
  }
}

// A reader that goes away, as `head` does, is no error, and no reason to stop either: results are files.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`stdout: ${error.message}\n`);
  process.exit(EXIT.misuse);
});
process.stderr.on('error', () => {});
listenForSignals();

process.exitCode = await main();
