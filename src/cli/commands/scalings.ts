/** `scalings`: the rows of Tables 1 and 2 in numbers, for one network. */
import { LAYER_GROUPS } from '../../architectures/architecture.js';
import {
  type Entry,
  NetworkError,
  type NetworkScaling,
  type ScaledGroup,
  type ScaledNetwork,
  scalings as scalingsOf,
} from '../../config/scalings/network-scalings.js';
import { UserError } from '../../store/user-error.js';
import type { Effects } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { pytorchSnippet } from '../pytorch.js';
import type { Terminal } from '../terminal.js';
import { textTable } from '../text-table.js';

/** The network as it was typed in; what is wrong with it is told all at once. */
export interface ScalingsCommand {
  readonly depth?: number | string | undefined;
  readonly width?: number | string | undefined;
  readonly input?: number | string | undefined;
  readonly output?: number | string | undefined;
  readonly branchScale: string;
  readonly activation: string;
  readonly setting: string;
  readonly format: 'table' | 'json' | 'pytorch';
  readonly json?: boolean | undefined;
}

type Named = Required<ScaledNetwork>;

/**
 * Prints sigma and eta of the input, hidden and output layers by every row of Tables 1 and 2 in a setting.
 *
 * @throws UserError that has all problems of the command line at once.
 */
export async function scalings(command: ScalingsCommand, { write, terminal }: Effects): Promise<number> {
  const { json, format, ...network } = command;
  const { branchScale, scalings: rows } = rowsFor(network as ScaledNetwork);
  write(FORMATS[json ? 'json' : format](rows, network as Named, branchScale, terminal));
  return EXIT.fine;
}

const FORMATS = {
  table: textOf,
  json: (rows: readonly NetworkScaling[], network: Named, beta: Entry) => {
    const { setting, branchScale: _, ...sizes } = network;
    const document = { setting, network: { ...sizes, branch_scale: beta }, scalings: rows };
    return `${JSON.stringify(document, null, 2)}\n`;
  },
  pytorch: pytorchSnippet,
};

function rowsFor(network: ScaledNetwork): ReturnType<typeof scalingsOf> {
  try {
    return scalingsOf(network);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const option = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UserError(error.problems.map(({ key, message }) => `${option(key)}: ${message}`).join('\n'));
  }
}

function textOf(rows: readonly NetworkScaling[], network: Named, beta: Entry, terminal: Terminal): string {
  const { depth, width, input, output, activation, setting } = network;
  const notes = [...new Set(rows.flatMap(({ corrections }) => corrections))];
  const mark = (note: string) => `[${notes.indexOf(note) + 1}]`;
  const lines = rows.flatMap((row) => {
    const name = [row.scaling, ...(row.corrections.length > 0 ? [row.corrections.map(mark).join(' ')] : [])];
    const line = (of: (group: ScaledGroup) => Entry) =>
      LAYER_GROUPS.map((group) => {
        const { value, formula } = of(row[group]);
        return `${Number(value.toPrecision(4))}\n${formula}`;
      });
    return [
      [name.join('\n'), 'sigma', ...line(({ sigma }) => sigma)],
      ['', 'eta', ...line(({ eta }) => eta)],
    ];
  });
  return [
    `depth L = ${depth}, width m = ${width}, input d = ${input}, output k = ${output}, ${activation}, ${setting} setting; ` +
      `beta = ${beta.formula} = ${Number(beta.value.toPrecision(4))} in Table 2`,
    textTable(['scaling', '', ...LAYER_GROUPS], lines, terminal),
    'sigma: standard deviation of the initial weights; eta: rate of gradient descent, per layer; both up to a factor in Theta(1)',
    'corrections of the printed tables, which are ours:',
    ...notes.map((note) => `${mark(note)} ${note}`),
    '',
  ].join('\n');
}
