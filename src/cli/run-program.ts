/** Runs a command and turns what happens into an exit code. */
import { CommanderError } from 'commander';
import { asUserError } from '../store/files.js';
import { UserError } from '../store/user-error.js';
import { EXIT } from './exit-code.js';
import { createProgram } from './program.js';

/**
 * Runs the command of these words, as they follow the name of the program.
 *
 * @returns the exit code; a reason has been told on stderr.
 */
export async function runProgram(words: readonly string[]): Promise<number> {
  let code: number = EXIT.fine;
  const program = createProgram((result) => {
    code = result;
  });
  program.exitOverride();
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.misuse;
    const told = asUserError(undefined, error);
    if (told instanceof UserError) {
      process.stderr.write(`${told.message}\n`);
      return EXIT.misuse;
    }
    process.stderr.write(
      `This is a bug of feature-speed; please report it.\n${(error as Error)?.stack ?? error}\n`,
    );
    return EXIT.bug;
  }
}
