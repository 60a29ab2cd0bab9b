/** Runs a command and turns what happens into an exit code. */
import { CommanderError } from 'commander';
import { asUserError } from '../store/files.js';
import { UserError } from '../store/user-error.js';
import { programEffects } from './effects.js';
import { EXIT } from './exit-code.js';
import { createProgram } from './program.js';

/**
 * Runs the command of these words, as they follow the name of the program.
 *
 * @returns the exit code; a reason has been told on stderr.
 */
export async function runProgram(words: readonly string[], effects = programEffects()): Promise<number> {
  let code: number = EXIT.fine;
  const program = createProgram((result) => {
    code = result;
  }, effects);
  program.exitOverride();
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.misuse;
    const told = asUserError(undefined, error);
    if (told instanceof UserError) {
      effects.tell(told.message);
      return EXIT.misuse;
    }
    effects.tell(`This is a bug of feature-speed; please report it.\n${(error as Error)?.stack ?? error}`);
    return EXIT.bug;
  }
}
