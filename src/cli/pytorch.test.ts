import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { ACTIVATION_NAMES } from '../activations.js';
import { type ScaledNetwork, scalings } from '../config/scalings/network-scalings.js';
import { pytorchSnippet } from './pytorch.js';

const NETWORK = { depth: 6, width: 64, input: 8, output: 3, branchScale: '1/sqrt(L)' } as const;

function snippetOf(network: Pick<ScaledNetwork, 'activation' | 'setting'>): string {
  const whole = { ...NETWORK, activation: 'relu', setting: 'dense', ...network } as Required<ScaledNetwork>;
  const { scalings: rows, branchScale } = scalings(whole);
  return pytorchSnippet(rows, whole, branchScale);
}

/** Compiles it, and prints what is a constant of it. */
const CONSTANTS = `
import ast, json, sys
tree = ast.parse(sys.stdin.read())
compile(tree, "snippet", "exec")
named = {n.targets[0].id: n.value for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)}
print(json.dumps(ast.literal_eval(named["SCALINGS"])))`;

const python = (source: string) =>
  spawnSync('python3', ['-c', CONSTANTS], { input: source, encoding: 'utf8' });
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.log('no python3 in PATH: the snippet for PyTorch is not compiled');

describe.runIf(hasPython)('Python reads the snippet', () => {
  test.each(ACTIVATION_NAMES)('of %s', (activation) => {
    const { status, stderr } = python(snippetOf({ activation }));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test.each(['dense', 'sparse'] as const)('and has the numbers of the tables, %s', (setting) => {
    const { scalings: rows } = scalings({ ...NETWORK, setting });
    const read = JSON.parse(python(snippetOf({ setting })).stdout);
    expect(Object.keys(read)).toEqual(rows.map(({ scaling }) => scaling));
    for (const { scaling, hidden, output } of rows) {
      for (const [group, { sigma, eta }] of Object.entries({ hidden, output })) {
        expect(read[scaling][group][0] / sigma.value).toBeCloseTo(1, 5);
        expect(read[scaling][group][1] / eta.value).toBeCloseTo(1, 5);
      }
    }
  });
});
