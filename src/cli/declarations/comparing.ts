/** Commands that say what results mean: `diff`, `verify`, `report`. */
import { type Command, Option } from '@commander-js/extra-typings';
import type { Effects } from '../effects.js';
import { atLeast, collect, json, numberOrText, out, quiet, workers } from './options.js';

export function declareComparing(program: Command, exit: (code: number) => void, effects: Effects): void {
  program
    .command('diff')
    .description('compare results: folders, CSV files or git revisions; exit code 1 when they differ')
    .argument('[before]', 'default: HEAD')
    .argument('[after]', 'default: <out> of the working tree')
    .addOption(out())
    .addOption(
      new Option('--atol <number>', 'changes up to this are none').argParser(numberOrText).default(0),
    )
    .addOption(
      new Option('--rtol <number>', 'nor are changes up to atol + rtol |before|')
        .argParser(numberOrText)
        .default(0),
    )
    .addOption(
      new Option(
        '--compare <how>',
        'row by row, law by law, or auto: laws where seed, draws or weights are others',
      )
        .choices(['auto', 'rows', 'laws'] as const)
        .default('auto' as const),
    )
    .addOption(
      new Option('--experiment <name>', 'compare this one; repeatable')
        .argParser(collect)
        .default([] as string[]),
    )
    .addOption(new Option('--plot <file>', 'draw both and the difference: .svg, .png or .html'))
    .addOption(new Option('--quantity <column>', 'what --plot draws; default: the first'))
    .addOption(json().conflicts(['markdown', 'quiet']))
    .addOption(new Option('--markdown', 'print markdown for a pull request').conflicts('quiet'))
    .addOption(new Option('--quiet', 'print nothing but errors; the exit code says it'))
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed diff                            the working tree against HEAD
  $ feature-speed diff HEAD~3 --rtol 1e-6
  $ feature-speed diff v1.0 v1.1 --experiment figure-1a --plot diff.svg --quantity bfa_rad
  $ feature-speed diff results second --markdown  two seeds: same law or not
  $ feature-speed diff --quiet                    for a pre-commit hook

Exit codes: 0 the same or the same law, 1 different, 2 your mistake.`,
    )
    .action(async (before, after, options) =>
      exit(await (await import('../commands/diff.js')).diff(before, after, options, effects)),
    );

  program
    .command('verify')
    .description(
      'measure every claim of the paper; exit code 1 where a verdict is not the one in <out>/claims.json',
    )
    .argument('[name...]', 'claims, such as thm-2.1; default: all')
    .addOption(out())
    .addOption(workers())
    .addOption(
      new Option('--seed <n>', 'other draws; a verdict does not hang on them (default: 0)')
        .argParser(atLeast(0))
        .conflicts('record'),
    )
    .addOption(new Option('--list', 'print the claims, and measure none').conflicts(['record', 'markdown']))
    .addOption(new Option('--record', 'write the verdicts to <out>/claims.json'))
    .addOption(json().conflicts('markdown'))
    .addOption(new Option('--markdown', 'print markdown for a pull request'))
    .addOption(quiet())
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed verify                          all claims, with what each verdict hangs on
  $ feature-speed verify prop-5.3-iii thm-6.3     two of them, with every check
  $ feature-speed verify thm-6.3 --seed 7         the same of other draws
  $ feature-speed verify --list                   names, places in the paper and titles
  $ feature-speed verify --record                 after a change that was meant`,
    )
    .action(async (names, options) =>
      exit(await (await import('../commands/verify.js')).verify(names, options, effects)),
    );

  program
    .command('report')
    .description('write one self-contained page: figures, agreement, claims, scalings, provenance')
    .addOption(out())
    .addOption(new Option('--file <file>', 'the page; default: <out>/report.html'))
    .addOption(quiet())
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed report                          after figures and verify --record
  $ feature-speed report --out second --file second.html`,
    )
    .action(async (options) => exit(await (await import('../commands/report.js')).report(options, effects)));
}
