/** Commands for a network of the user: `inspect`, `scalings`. */
import { type Command, Option } from '@commander-js/extra-typings';
import { ACTIVATION_NAMES } from '../../activations.js';
import { MODEL_LOSSES } from '../../model/loss-names.js';
import type { Effects } from '../effects.js';
import { atLeast, collect, factor, json, numberOrText } from './options.js';

export function declareNetworks(program: Command, exit: (code: number) => void, effects: Effects): void {
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
      return exit(await (await import('../commands/inspect.js')).inspect(model, options, effects));
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
    .action(async (options) =>
      exit(await (await import('../commands/scalings.js')).scalings(options, effects)),
    );
}
