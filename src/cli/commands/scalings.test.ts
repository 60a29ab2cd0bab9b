import { describe, expect, test } from 'vitest';
import { twelveDigits } from '../../quantities.js';
import { callHere } from '../program-under-test.js';

const NETWORK = '--depth 16 --width 4096 --input 64 --output 4';

const call = (words: string) => callHere('.', `scalings ${words}`);

/** sigma_1, sigma_hid, sigma_L, eta_1, eta_hid, eta_L by scaling. */
async function numbersOf(words: string): Promise<Record<string, number[]>> {
  const { code, stdout } = await call(`${NETWORK} --json ${words}`);
  expect(code).toBe(0);
  const { scalings } = JSON.parse(stdout);
  return Object.fromEntries(
    scalings.map((row: Record<string, { sigma: { value: number }; eta: { value: number } }>) => {
      const groups = [row.input!, row.hidden!, row.output!];
      return [
        row.scaling,
        [...groups.map(({ sigma }) => sigma.value), ...groups.map(({ eta }) => eta.value)],
      ];
    }),
  );
}

const [L, m, d, k] = [16, 4096, 64, 4];

describe('corrections are those of the activation', () => {
  const notesOf = async (activation: string): Promise<string[]> => {
    const { stdout } = await call(`${NETWORK} --json --activation ${activation}`);
    const { scalings } = JSON.parse(stdout);
    return scalings.map(({ corrections }: { corrections: string[] }) => corrections.join(' | '));
  };

  test('linear branches have the printed scale, so Table 2 has none', async () => {
    const [fsc, , , table2] = await notesOf('linear');
    expect(fsc).toBe('sigma_hid = 1/sqrt(m) for linear; printed 2/sqrt(m) makes activations grow by 2^(L-2)');
    expect(table2).toBe('');
  });

  test('where the backward pass grows with depth it is said that the rates do not balance', async () => {
    for (const activation of ['tanh', 'erf', 'gelu']) {
      const [fsc, mup, ntk, table2] = await notesOf(activation);
      for (const notes of [fsc, mup, ntk]) expect(notes).toContain(`a deep MLP of ${activation}`);
      expect(table2).toContain(`for ${activation} and features of rms 1`);
    }
    for (const activation of ['relu', 'leaky'])
      expect((await notesOf(activation)).join()).not.toContain('deep MLP');
  });
});

describe('the numbers are those of the paper', () => {
  test('in the dense setting', async () => {
    const hidden = Math.sqrt(2 / m);
    const rows = await numbersOf('');
    expect(Object.keys(rows)).toEqual([
      'FSC (Table 1)',
      'MF+muP (Table 1)',
      'NTK (Table 1)',
      'FSC (Table 2)',
    ]);
    const expected = {
      'FSC (Table 1)': [1 / 8, hidden, 8 / m, m / (L ** 2 * d), 1 / L ** 2, k / (L * m)],
      'MF+muP (Table 1)': [1 / 8, hidden, 2 / m, m / (L ** 1.5 * d), L ** -1.5, k / (L ** 1.5 * m)],
      // With k in eta_1 and eta_hid, which the printed row lacks.
      'NTK (Table 1)': [1 / 8, hidden, 1 / 64, k / (L * d), k / (L * m), k / (L * m)],
      // 1/(beta^2 L) = 1 at the default beta = 1/sqrt(L).
      'FSC (Table 2)': [1 / 8, hidden, 2 / m, m / (L * d), 1, k / (L * m)],
    };
    for (const [name, numbers] of Object.entries(expected)) {
      numbers.forEach((number, i) => {
        expect(rows[name]![i]).toBe(twelveDigits(number));
      });
    }
  });

  test('in the sparse setting, where d and k do not count', async () => {
    const rows = await numbersOf('--setting sparse');
    expect(rows['FSC (Table 1, sparse)']).toEqual([
      1,
      twelveDigits(Math.sqrt(2 / m)),
      4 / m,
      m / L ** 2,
      1 / L ** 2,
      1 / (L * m),
    ]);
    expect(await numbersOf('--setting sparse --input 9 --output 9')).toEqual(rows);
  });

  test('with the branch scale in Table 2 alone, and the activation in sigma_hid alone', async () => {
    const before = await numbersOf('');
    const beta = await numbersOf('--branch-scale 1/L');
    expect(beta['FSC (Table 2)']).toEqual(before['FSC (Table 2)']!.with(4, L));
    expect({ ...beta, 'FSC (Table 2)': before['FSC (Table 2)'] }).toEqual(before);
    const linear = await numbersOf('--activation linear');
    for (const [name, row] of Object.entries(before))
      expect(linear[name]).toEqual(row.with(1, 1 / Math.sqrt(m)));
  });
});

test('the table has the formula below each number, and says which of them are corrected by us', async () => {
  const { code, stdout, stderr } = await call(NETWORK);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^depth L = 16, .* beta = 1\/sqrt\(L\) = 0\.25 in Table 2$/m);
  expect(stdout).toMatch(/│ NTK \(Table 1\) +│ sigma │ 0\.125 +│ 0\.0221 +│ 0\.01563 +│\n│ \[1\] \[2\] +│/);
  expect(stdout).toMatch(
    /^corrections of the printed tables, which are ours:\n\[1\] sigma_hid .*\n\[2\] eta_1 and/m,
  );
});

describe('a mistake is told clearly, with exit code 2:', () => {
  test.each([
    ['--depth 2 --width 8 --input 1 --output 1', /^--depth: expected an integer from 3 to 1e12, got 2;/],
    ['--depth 3 --width 0 --input 1 --output 1', /^--width: expected an integer from 1 to 1e12, got 0;/],
    ['--depth 3 --width 1.5 --input 1 --output 1', /^--width: expected an integer .* got 1\.5;/],
    ['--depth 3 --width 8 --input -1 --output 1', /^--input: expected an integer .* got -1;/],
    ['--depth 3 --width 8 --input 1', /^--output: expected an integer .* got nothing;/],
    [`${NETWORK} --setting thick`, /^--setting: expected dense, sparse, got "thick"$/m],
    [
      '--depth 2 --width wide --input 1 --setting thick --activation sigmoid --branch-scale 3',
      /^--depth: .* got 2;.*\n--width: .* got "wide";.*\n--output: .* got nothing;.*\n--activation: .*\n--setting: .*\n--branch-scale: .* it is 3 here/,
    ],
    [`${NETWORK} --branch-scale 0`, /^--branch-scale: expected .* 0 < beta <= 1, got "0"; it is 0 here/],
    [`${NETWORK} --branch-scale L`, /^--branch-scale: expected .* got "L"; it is 16 here/],
    [
      `${NETWORK} --branch-scale 1/n`,
      /^--branch-scale: expected .* got "1\/n"; the name "n" is not known here/,
    ],
  ])('%s', async (words, said) => {
    const { code, stdout, stderr } = await call(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(said);
  });
});
