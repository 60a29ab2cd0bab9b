/** The command line: commands, options and help. Each command is loaded when it is chosen. */
import { Argument, Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { ACTIVATION_NAMES } from '../activations.js';
import { MODEL_LOSSES } from '../model/loss-names.js';
import { parseShard } from '../plan/shard.js';
import { programVersion } from '../store/provenance.js';
import { BACKEND_CHOICES } from './backend-choice.js';

const collect = (value: string, previous: string[]) => [...previous, value];

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 256) {
    throw new InvalidArgumentError('expected an integer from 1 to 256');
  }
  return value;
}

/** A number as a number, and anything else as it stands, for a command that tells all problems at once. */
const numberOrText = (text: string): number | string => {
  const value = /^[-+\d.e]+$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : text;
};

/** Reads an integer. */
const atLeast = (least: number) => (text: string) => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= 1e12)) {
    throw new InvalidArgumentError(`expected an integer from ${least} to 1e12`);
  }
  return value;
};

function factor(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number > 0');
  return value;
}

function size(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('expected a number >= 0');
  return value;
}

const out = () => new Option('-o, --out <dir>', 'folder of the results').default('results');
const set = () =>
  new Option('--set <path=value>', 'change a value of the configs; repeatable')
    .argParser(collect)
    .default([] as string[]);
const weights = () =>
  new Option('--weights <kind>', 'how weights are represented')
    .choices(['auto', 'dense', 'matrix-free'] as const)
    .default('auto' as const);
const backend = () =>
  new Option(
    '--backend <name>',
    'tensor backend; auto: wasm, or native where it loads and is faster (dense weights, many samples)',
  )
    .choices(BACKEND_CHOICES)
    .default('auto' as const);
const workers = () =>
  new Option(
    '--workers <n>',
    'threads, or processes on native; default: one for each core, 8 at most, and as few as fit into memory',
  ).argParser(count);
const shard = () =>
  new Option('--shard <i/n>', 'only the cells that fall into part i of n, by their keys').argParser(
    (text) => {
      const shard = parseShard(text);
      if (!shard) throw new InvalidArgumentError('expected i/n with 1 <= i <= n, such as 2/8');
      return shard;
    },
  );
const fresh = () =>
  new Option(
    '--fresh',
    'discard what an earlier run has measured and not finished, also of another config, and replace another result',
  );
const takeOver = () =>
  new Option(
    '--take-over',
    'take the folder of a run on another machine, or in another container, that is no more',
  );
const json = () => new Option('--json', 'print a JSON document for programs');
const quiet = () => new Option('--quiet', 'print nothing but errors');

/** The program; `exit` is given the exit code of the command that ran. */
export function createProgram(exit: (code: number) => void) {
  const program = new Command('feature-speed')
    .description('Single-gradient-step experiments on the backward-feature angle and feature speed.')
    .version(programVersion())
    .showHelpAfterError('(feature-speed --help lists the commands)')
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed figures                         measure and draw the five figures of the paper
  $ feature-speed run figure-1a                   measure one experiment
  $ feature-speed run my.json --set draws=20 --set sweep.depth=[10,100]
  $ feature-speed plot figure-1a                  draw it again from its table
  $ feature-speed plan configs/*.json             what would run, and how long
  $ feature-speed verify                          every claim of the paper as a measured verdict
  $ feature-speed inspect configs/models/transformer.mjs   a network of your own, layer by layer
  $ feature-speed scalings --depth 96 --width 4096 --input 784 --output 10

Exit codes: 0 fine, 1 differences or another verdict, 2 your mistake, 3 some cells diverged or failed, 70 a bug, 130 and 143 on signals.`,
    );

  program
    .command('run')
    .description(
      'measure; writes <out>/NAME/{table.csv, manifest.json}, slopes.csv if asked for; goes on where a run was stopped',
    )
    .argument('[experiment...]', 'files, or names of experiments that come with the program')
    .addOption(
      new Option(
        '--from <dir>',
        'measure again what is in a results folder, in a temporary one, and compare',
      ).conflicts(['set', 'weights', 'shard']),
    )
    .addOption(out())
    .addOption(set())
    .addOption(backend())
    .addOption(weights())
    .addOption(workers())
    .addOption(shard())
    .addOption(fresh())
    .addOption(takeOver())
    .addOption(json())
    .addOption(quiet())
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed run configs/figure-2a.json
  $ feature-speed run configs/figure-1c.json --set network.width=2000 --out wide
  $ feature-speed run configs/*.json --weights dense --workers 2 --json
  $ feature-speed run configs/figure-1b.json --shard 2/8 --out shards/2
  $ feature-speed run --from results/figure-1a`,
    )
    .action(async (experiments, options, command) => {
      const { from, ...rest } = options;
      if (from === undefined) {
        if (experiments.length === 0) command.error("error: missing required argument 'experiment'");
        return exit(await (await import('./commands/run.js')).run(experiments, rest));
      }
      if (experiments.length > 0)
        command.error("error: option '--from <dir>' needs no experiment, it has its own");
      const given = <T>(key: 'out' | 'backend', value: T) =>
        command.getOptionValueSource(key) === 'default' ? undefined : value;
      const own = { ...rest, out: given('out', rest.out), backend: given('backend', rest.backend) };
      return exit(await (await import('./commands/rerun.js')).rerun(from, own));
    });

  program
    .command('plot')
    .description('draw; writes chart.vl.json, chart.svg, chart.png and chart.html beside the table')
    .argument('<name...>', 'names of experiments in <out>, their configs, or folders with a table.csv')
    .addOption(out())
    .addOption(
      new Option(
        '--spec <file>',
        'Vega-Lite specification; default: NAME.vl.json beside the config or in configs, else a chart of the sweep',
      ),
    )
    .addOption(quiet())
    .addHelpText(
      'after',
      '\nExamples:\n  $ feature-speed plot figure-1a\n  $ feature-speed plot wide/figure-1c',
    )
    .action(async (names, options) => exit(await (await import('./commands/plot.js')).plot(names, options)));

  program
    .command('figures')
    .description('measure and draw every figure of the paper')
    .addOption(out())
    .addOption(set())
    .addOption(backend())
    .addOption(weights())
    .addOption(workers())
    .addOption(fresh())
    .addOption(takeOver())
    .addOption(json())
    .addOption(quiet())
    .addHelpText(
      'after',
      '\nExamples:\n  $ feature-speed figures\n  $ feature-speed figures --set seed=2 --out second',
    )
    .action(async (options) => exit(await (await import('./commands/figures.js')).figures(options)));

  program
    .command('plan')
    .description('print what would run: cells, batches, estimated time and memory')
    .argument('<experiment...>', 'files, or names of experiments that come with the program')
    .addOption(set())
    .addOption(backend())
    .addOption(weights())
    .addOption(workers())
    .addOption(shard())
    .addOption(json())
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed plan configs/figure-1b.json --weights dense
  $ feature-speed plan configs/figure-1b.json --shard 2/8 --workers 1`,
    )
    .action(async (experiments, options) =>
      exit(await (await import('./commands/plan.js')).plan(experiments, options)),
    );

  program
    .command('diff')
    .description('compare results: folders, CSV files or git revisions; exit code 1 when they differ')
    .argument('[before]', 'default: HEAD')
    .argument('[after]', 'default: <out> of the working tree')
    .addOption(out())
    .addOption(new Option('--atol <number>', 'changes up to this are none').argParser(size).default(0))
    .addOption(
      new Option('--rtol <number>', 'nor are changes up to atol + rtol |before|').argParser(size).default(0),
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
      exit(await (await import('./commands/diff.js')).diff(before, after, options)),
    );

  program
    .command('merge')
    .description(
      'put shards together into the table of one run; writes <out>/NAME/{table.csv, manifest.json}',
    )
    .argument('<dir...>', 'results of the shards, folders with a table.csv')
    .addOption(out())
    .addOption(new Option('--fresh', 'replace another result that is in its place'))
    .addOption(takeOver())
    .addOption(quiet())
    .addHelpText('after', '\nExamples:\n  $ feature-speed merge shards/*/figure-1b')
    .action(async (folders, options) =>
      exit(await (await import('./commands/merge.js')).merge(folders, options)),
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
      exit(await (await import('./commands/verify.js')).verify(names, options)),
    );

  program
    .command('inspect')
    .description('measure a network of your own, layer by layer, and say what scales and rates it wants')
    .argument(
      '[model]',
      'a module that makes a model (.mjs), or a model.json of TensorFlow.js Layers or Keras',
    )
    .addOption(
      new Option('--capture <file>', 'instead of a model: a step that PyTorch or JAX saved (.safetensors)'),
    )
    .addOption(new Option('--depth <n>', 'argument of the module').argParser(atLeast(1)))
    .addOption(new Option('--width <n>', 'argument of the module').argParser(atLeast(1)))
    .addOption(
      new Option('--param <name=value>', 'any other argument of the module; repeatable')
        .argParser(collect)
        .default([] as string[]),
    )
    .addOption(
      new Option('--data <file>', 'inputs, .csv or .npy; repeatable, one for each input; default: Gaussian')
        .argParser(collect)
        .default([] as string[]),
    )
    .addOption(
      new Option(
        '--target <file>',
        'targets, .csv or .npy, or columns of the CSV file of the data: y or y1,y2',
      )
        .argParser(collect)
        .default([] as string[]),
    )
    .addOption(new Option('--samples <n>', 'default: all of the data, or 1').argParser(atLeast(1)))
    .addOption(
      new Option(
        '--input-shape <lengths>',
        'of a sample, where the model leaves lengths open: 32,16',
      ).argParser((text) => text.split(',').map(atLeast(1))),
    )
    .addOption(new Option('--loss <name>', 'loss').choices(MODEL_LOSSES).default('squared' as const))
    .addOption(
      new Option(
        '--rates <which>',
        'equal (1 for every layer), scale-invariant (Eq. 8), or a file: {"layer": rate}, or an output of --json',
      ).default('equal'),
    )
    .addOption(
      new Option('--output-multiplier <s>', 'multiply the features before the readout').argParser(factor),
    )
    .addOption(
      new Option('--batch-norm <how>', 'by moving averages, or over the batch')
        .choices(['inference', 'batch'] as const)
        .default('inference' as const),
    )
    .addOption(
      new Option('--backend <name>', 'tensor backend; auto: wasm, with kernels of cpu where it lacks them')
        .choices(['auto', 'wasm', 'cpu'] as const)
        .default('auto' as const),
    )
    .addOption(new Option('--seed <n>', 'of data and initial weights').argParser(atLeast(0)).default(0))
    .addOption(json().conflicts('csv'))
    .addOption(new Option('--csv', 'print CSV'))
    .addOption(new Option('--chart <file>', 'draw features, backward pass and angle: .svg, .png or .html'))
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed inspect configs/models/transformer.mjs --depth 12 --width 128
  $ feature-speed inspect configs/models/residual-mlp.mjs --param branchScale=0.2 --chart depth.svg
  $ feature-speed inspect model.json --data digits.csv --target label --loss cross-entropy
  $ feature-speed inspect --capture step.safetensors

How to write a module: configs/models/README.md. A module is a program: inspect runs it.`,
    )
    .action(async (model, options, command) => {
      if ((model === undefined) === (options.capture === undefined)) {
        command.error('error: expected a model, or --capture <file> instead of it');
      }
      return exit(await (await import('./commands/inspect.js')).inspect(model, options));
    });

  program
    .command('scalings')
    .description('print initial scales and learning rates of a network by Tables 1 and 2')
    .addOption(new Option('--depth <L>', 'layers, with embedding and readout').argParser(numberOrText))
    .addOption(new Option('--width <m>', 'width').argParser(numberOrText))
    .addOption(new Option('--input <d>', 'input width').argParser(numberOrText))
    .addOption(new Option('--output <k>', 'output width').argParser(numberOrText))
    .addOption(
      new Option('--branch-scale <beta>', 'number or expression in L, m, d, k, for Table 2').default(
        '1/sqrt(L)',
      ),
    )
    .addOption(
      new Option('--activation <name>', `decides the hidden scale: ${ACTIVATION_NAMES.join(', ')}`).default(
        'relu',
      ),
    )
    .addOption(
      new Option('--setting <name>', 'dense, or sparse: one-hot inputs and targets').default('dense'),
    )
    .addOption(
      new Option('--format <name>', 'how they are printed')
        .choices(['table', 'json', 'pytorch'] as const)
        .default('table' as const),
    )
    .addOption(new Option('--json', 'the same as --format json').conflicts('format'))
    .addHelpText(
      'after',
      `
Examples:
  $ feature-speed scalings --depth 96 --width 4096 --input 784 --output 10
  $ feature-speed scalings --depth 12 --width 768 --input 50257 --output 50257 --setting sparse --json
  $ feature-speed scalings --depth 96 --width 4096 --input 784 --output 10 --branch-scale "0.5/sqrt(L)"
  $ feature-speed scalings --depth 96 --width 4096 --input 784 --output 10 --format pytorch > scalings.py`,
    )
    .action(async (options) => exit(await (await import('./commands/scalings.js')).scalings(options)));

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
    .action(async (options) => exit(await (await import('./commands/report.js')).report(options)));

  program
    .command('doctor')
    .description('print backends, versions, SIMD and workers, and what is missing')
    .addOption(json())
    .addHelpText('after', '\nExamples:\n  $ feature-speed doctor --json')
    .action(async (options) => exit(await (await import('./commands/doctor.js')).doctor(options)));

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
    .action(async (shell) => exit((await import('./commands/completion.js')).completion(program, shell)));

  // What the scripts of the shells call.
  program
    .command('complete', { hidden: true })
    .argument('[word...]')
    .action(async (words) => exit((await import('./commands/completion.js')).complete(program, words)));

  return program;
}
