/** Commands about the installation: `doctor`, `completion`. */
import { Argument, type Command } from '@commander-js/extra-typings';
import type { Effects } from '../effects.js';
import { json } from './options.js';

export function declareInstallation(program: Command, exit: (code: number) => void, effects: Effects): void {
  program
    .command('doctor')
    .description('print backends, versions, SIMD and workers, and what is missing')
    .addOption(json())
    .addHelpText('after', '\nExamples:\n  $ feature-speed doctor --json')
    .action(async (options) => exit(await (await import('../commands/doctor.js')).doctor(options, effects)));

  program
    .command('completion')
    .description('print the completion of commands, options and names for a shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish'] as const))
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed completion bash > ~/.local/share/bash-completion/completions/feature-speed
  $ feature-speed completion zsh > ~/.zfunc/_feature-speed
  $ feature-speed completion fish > ~/.config/fish/completions/feature-speed.fish`,
    )
    .action(async (shell) => exit((await import('../commands/completion.js')).completion(program, shell)));

  program
    .command('complete', { hidden: true })
    .argument('[word...]')
    .action(async (words) => exit((await import('../commands/completion.js')).complete(program, words)));
}
