/** The rows of Tables 1 and 2 in numbers, for one network. */
import { ACTIVATION_NAMES, type ActivationName } from '../../activations.js';
import { LAYER_GROUPS } from '../../architectures/architecture.js';
import { compileExpression, ExpressionError, type Values } from '../expression.js';
import { expected } from '../file/problem.js';
import { type TableRow, tableRows } from './scalings.js';

/** Whether inputs and targets are one-hot. */
const SETTINGS_OF_TABLES = ['dense', 'sparse'] as const;

export interface ScaledNetwork {
  /** L, with embedding and readout; >= 3. */
  readonly depth: number;
  /** m */
  readonly width: number;
  /** d */
  readonly input: number;
  /** k */
  readonly output: number;
  /** beta in (0, 1], a number or a formula in L, m, d, k; of Table 2 only. Default `1/sqrt(L)`. */
  readonly branchScale?: number | string | undefined;
  /** Decides the hidden scale; default `relu`. */
  readonly activation?: ActivationName | undefined;
  /** Default `dense`. */
  readonly setting?: (typeof SETTINGS_OF_TABLES)[number] | undefined;
}

/** A formula and its value for the network. */
export interface Entry {
  readonly formula: string;
  readonly value: number;
}

/** Initial standard deviation sigma and learning rate eta of a group of layers, both up to a factor in Theta(1). */
export interface ScaledGroup {
  readonly sigma: Entry;
  readonly eta: Entry;
}

/** One row: what it is called, where the paper has it, the three groups of layers, and what we correct in the print. */
export type NetworkScaling = Readonly<Record<(typeof LAYER_GROUPS)[number], ScaledGroup>> & {
  readonly scaling: string;
  readonly where: string;
  readonly corrections: readonly string[];
};

/** What is wrong with a network, by its keys. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  constructor(readonly problems: readonly { readonly key: keyof ScaledNetwork; readonly message: string }[]) {
    super(problems.map(({ key, message }) => `${key}: ${message}`).join('\n'));
  }
}

/**
 * Scales and learning rates by every row of Tables 1 and 2 in a setting.
 *
 * @throws NetworkError that has all problems at once.
 */
export function scalings(network: ScaledNetwork): {
  branchScale: Entry;
  scalings: readonly NetworkScaling[];
} {
  const { depth: L, width: m, input: d, output: k, activation = 'relu', setting = 'dense' } = network;
  const problems: { key: keyof ScaledNetwork; message: string }[] = [];
  for (const key of SIZES) {
    const [size, least] = [network[key], LEAST[key]];
    if (Number.isInteger(size) && size >= least && size <= MOST) continue;
    problems.push({ key, message: expected(`an integer from ${least} to 1e12`, size, MEANINGS[key]) });
  }
  const chosen = { activation: ACTIVATION_NAMES, setting: SETTINGS_OF_TABLES };
  for (const [key, names] of Object.entries(chosen) as [keyof typeof chosen, readonly string[]][]) {
    const name = { activation, setting }[key];
    if (!names.includes(name)) problems.push({ key, message: expected(names.join(', '), name) });
  }
  const broken = problems.map(({ key }) => key);
  const sizes = Object.entries({ L, m, d, k }).filter((_, i) => !broken.includes(SIZES[i]!));
  const branchScale = branchScaleOf(network.branchScale ?? '1/sqrt(L)', Object.fromEntries(sizes));
  if (typeof branchScale === 'string') problems.push({ key: 'branchScale', message: branchScale });
  if (problems.length > 0 || typeof branchScale === 'string') throw new NetworkError(problems);
  const rows = tableRows(activation).filter(({ where }) => where.endsWith(`, ${setting}`));
  return {
    branchScale,
    scalings: rows.map((row) => inNumbers(row, { L, m, d, k, beta: branchScale.value })),
  };
}

const LEAST = { depth: 3, width: 1, input: 1, output: 1 };
const SIZES = Object.keys(LEAST) as (keyof typeof LEAST)[];
const MOST = 1e12;
const MEANINGS = {
  depth: 'L counts the layers with embedding and readout',
  width: 'm, of the hidden layers',
  input: 'd, numbers of an input',
  output: 'k, numbers of an output',
};

/** The branch scale, or what is wrong with it; `values` are of the sizes that are right, and others leave it open. */
function branchScaleOf(source: number | string, values: Values): Entry | string {
  const refuse = (advice: string) =>
    expected('a number or an expression in L, m, d, k with 0 < beta <= 1', source, advice);
  try {
    const { source: formula, names, evaluate } = compileExpression(String(source), ['L', 'm', 'd', 'k']);
    if (!names.every((name) => name in values)) return { formula, value: Number.NaN };
    const value = evaluate(values);
    if (value > 0 && value <= 1) return { formula, value };
    return refuse(`it is ${value} here; "1/sqrt(L)" is the largest of Table 2`);
  } catch (error) {
    if (error instanceof ExpressionError) return refuse(error.message);
    throw error;
  }
}

function inNumbers({ name, where, layers, corrections }: TableRow, values: Values): NetworkScaling {
  const entry = (formula: string): Entry => ({ formula, value: compileExpression(formula).evaluate(values) });
  const [input, hidden, output] = LAYER_GROUPS.map(
    (group): ScaledGroup => ({ sigma: entry(layers[group].sigma), eta: entry(layers[group].eta) }),
  ) as [ScaledGroup, ScaledGroup, ScaledGroup];
  return { scaling: name, where, input, hidden, output, corrections };
}
