/** The command line: its commands are declared in `declarations/`, and each is loaded when it is chosen. */
import { Command } from '@commander-js/extra-typings';
import { programVersion } from '../store/provenance.js';
import { declareComparing } from './declarations/comparing.js';
import { declareInstallation } from './declarations/installation.js';
import { declareMeasuring } from './declarations/measuring.js';
import { declareNetworks } from './declarations/networks.js';
import { programEffects } from './effects.js';

/** The program; `exit` is given the exit code of the command that ran. */
export function createProgram(exit: (code: number) => void, effects = programEffects()) {
  const program = new Command('feature-speed')
    .description('Single-gradient-step experiments on the backward-feature angle and feature speed.')
    .version(programVersion())
    .configureOutput({ writeOut: effects.write, writeErr: (text) => effects.tell(text.replace(/\n$/, '')) })
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

  declareMeasuring(program, exit, effects);
  declareComparing(program, exit, effects);
  declareNetworks(program, exit, effects);
  declareInstallation(program, exit, effects);
  return program;
}
