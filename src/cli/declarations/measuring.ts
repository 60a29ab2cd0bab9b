/** Commands that measure and draw experiments: `run`, `figures`, `plan`, `plot`, `merge`. */
import { type Command, Option } from '@commander-js/extra-typings';
import type { Effects } from '../effects.js';
import { backend, fresh, json, out, quiet, set, shard, takeOver, weights, workers } from './options.js';

export function declareMeasuring(program: Command, exit: (code: number) => void, effects: Effects): void {
  program
    .command('run')
    .description(
      'measure; writes <out>/NAME/{table.csv, manifest.json}, slopes.csv and optima.csv if asked for; goes on where a run was stopped',
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
        return exit(await (await import('../commands/run.js')).run(experiments, rest, effects));
      }
      if (experiments.length > 0)
        command.error("error: option '--from <dir>' needs no experiment, it has its own");
      const given = <T>(key: 'out' | 'backend', value: T) =>
        command.getOptionValueSource(key) === 'default' ? undefined : value;
      const own = { ...rest, out: given('out', rest.out), backend: given('backend', rest.backend) };
      return exit(await (await import('../commands/rerun.js')).rerun(from, own, effects));
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
    .action(async (names, options) =>
      exit(await (await import('../commands/plot.js')).plot(names, options, effects)),
    );

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
    .action(async (options) =>
      exit(await (await import('../commands/figures.js')).figures(options, effects)),
    );

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
      exit(await (await import('../commands/plan.js')).plan(experiments, options, effects)),
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
      exit(await (await import('../commands/merge.js')).merge(folders, options, effects)),
    );
}
