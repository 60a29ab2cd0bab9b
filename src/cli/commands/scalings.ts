/** `scalings`: the rows of Tables 1 and 2 in numbers, for one network. */
import CliTable from 'cli-table3';
import { compileExpression, type Expression, ExpressionError, type Values } from '../../config/expression.js';
import { expected } from '../../config/problem.js';
import { type ActivationName, LAYER_GROUPS, type TableRow, tableRows } from '../../config/scalings.js';
import { UserError } from '../../store/user-error.js';
import { EXIT } from '../exit-code.js';

export interface ScalingsCommand {
  /** L */
  readonly depth: number;
  /** m */
  readonly width: number;
  /** d */
  readonly input: number;
  /** k */
  readonly output: number;
  /** beta, a number or a formula; of Table 2 only. */
  readonly branchScale: string;
  readonly activation: ActivationName;
  readonly setting: 'dense' | 'sparse';
  readonly json?: boolean | undefined;
}

/** A formula and its value for the network. */
interface Entry {
  readonly formula: string;
  readonly value: number;
}

/** Initial standard deviation sigma and learning rate eta of a group of layers. */
interface Group {
  readonly sigma: Entry;
  readonly eta: Entry;
}

type Row = Readonly<Record<(typeof LAYER_GROUPS)[number], Group>> & {
  readonly scaling: string;
  readonly where: string;
  readonly corrections: readonly string[];
};

/**
 * Prints sigma and eta of the input, hidden and output layers by every row of Tables 1 and 2 in a setting.
 *
 * @throws UserError for a branch scale that is no expression, or not in (0, 1].
 */
export async function scalings(command: ScalingsCommand): Promise<number> {
  const { depth: L, width: m, input: d, output: k, setting } = command;
  const beta = branchScaleOf(command.branchScale, { L, m, d, k });
  const rows = tableRows(command.activation)
    .filter(({ where }) => where.endsWith(`, ${setting}`))
    .map((row) => inNumbers(row, { L, m, d, k, beta: beta.value }));
  if (command.json) {
    const { depth, width, input, output, activation } = command;
    const network = { depth, width, input, output, activation, branch_scale: beta };
    process.stdout.write(`${JSON.stringify({ setting, network, scalings: rows }, null, 2)}\n`);
  } else process.stdout.write(textOf(rows, command, beta));
  return EXIT.fine;
}

function branchScaleOf(source: string, values: Values): Entry {
  const what = 'a number or an expression in L, m, d, k with 0 < beta <= 1';
  const refuse = (advice: string) => new UserError(`--branch-scale: ${expected(what, source, advice)}`);
  let expression: Expression;
  let value: number;
  try {
    expression = compileExpression(source, ['L', 'm', 'd', 'k']);
    value = expression.evaluate(values);
  } catch (error) {
    throw error instanceof ExpressionError ? refuse(error.message) : error;
  }
  if (!(value > 0 && value <= 1)) throw refuse(`it is ${value} here; "1/sqrt(L)" is the largest of Table 2`);
  return { formula: expression.source, value };
}

function inNumbers({ name, where, layers, corrections }: TableRow, values: Values): Row {
  const entry = (formula: string): Entry => ({ formula, value: compileExpression(formula).evaluate(values) });
  const group = ({ sigma, eta }: TableRow['layers']['input']): Group => ({
    sigma: entry(sigma),
    eta: entry(eta),
  });
  return {
    scaling: name,
    where,
    input: group(layers.input),
    hidden: group(layers.hidden),
    output: group(layers.output),
    corrections,
  };
}

function textOf(rows: readonly Row[], command: ScalingsCommand, beta: Entry): string {
  const { depth, width, input, output, activation, setting } = command;
  const notes = [...new Set(rows.flatMap(({ corrections }) => corrections))];
  const mark = (note: string) => `[${notes.indexOf(note) + 1}]`;
  const table = new CliTable({
    head: ['scaling', '', ...LAYER_GROUPS],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'left', 'left', 'left'],
  });
  for (const row of rows) {
    const name = [row.scaling, ...(row.corrections.length > 0 ? [row.corrections.map(mark).join(' ')] : [])];
    const line = (of: (group: Group) => Entry) =>
      LAYER_GROUPS.map((group) => {
        const { value, formula } = of(row[group]);
        return `${Number(value.toPrecision(4))}\n${formula}`;
      });
    table.push([name.join('\n'), 'sigma', ...line(({ sigma }) => sigma)]);
    table.push(['', 'eta', ...line(({ eta }) => eta)]);
  }
  return [
    `depth L = ${depth}, width m = ${width}, input d = ${input}, output k = ${output}, ${activation}, ${setting} setting; ` +
      `beta = ${beta.formula} = ${Number(beta.value.toPrecision(4))} in Table 2`,
    table.toString(),
    'sigma: standard deviation of the initial weights; eta: rate of gradient descent, per layer; both up to a factor in Theta(1)',
    'corrections of the printed tables, which are ours:',
    ...notes.map((note) => `${mark(note)} ${note}`),
    '',
  ].join('\n');
}
