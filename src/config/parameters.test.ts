import { describe, expect, test } from 'vitest';
import { parseExperiment } from './file/load.js';
import { expandAxes } from './settings.js';

const FILE = {
  network: { depth: 4, width: 16, branchScale: 'c/sqrt(L)' },
  scaling: 'NTK',
  record: { quantities: ['loss'] },
};

const parse = (changes: object, ...overrides: string[]) =>
  parseExperiment(JSON.stringify({ ...FILE, ...changes }), 'x.json', overrides);

function settingsOf(changes: object, ...overrides: string[]) {
  const parsed = parse(changes, ...overrides);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return expandAxes(parsed.experiment);
}

function complaints(changes: object, ...overrides: string[]): string[] {
  const parsed = parse(changes, ...overrides);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a parameter', () => {
  test.each([
    ['a list', [0.5, 1, 2], [0.5, 1, 2]],
    ['a linear range', { from: 0, to: 1, step: 0.5 }, [0, 0.5, 1]],
    ['a logarithmic range', { from: 0.01, to: 1, count: 3, scale: 'log' }, [0.01, 0.1, 1]],
    ['values that twelve digits tell apart', [0.3, 0.30000000000000004], [0.3]],
  ])('has %s', (_, c, values) => {
    const settings = settingsOf({ sweep: { c } });
    expect(settings.map(({ parameters }) => parameters.c)).toEqual(values);
    expect(settings.map(({ branchScale }) => branchScale)).toEqual(values.map((value) => value / 2));
  });

  test('is seen by every expression, at its place in the nesting', () => {
    const settings = settingsOf({
      network: { depth: 4, width: 16 },
      scaling: { name: 'own', sigmaHidden: 'c/m', learningRate: 'c' },
      data: { input: { law: 'normal', scale: 'c*2' } },
      sweep: { c: [1, 2], stepSize: ['c/10', 0.5] },
    });
    expect(settings.map((s) => [s.parameters.c, s.inputScale, s.stepSize, s.scaling.sigmaHidden])).toEqual([
      [1, 2, 0.1, 1 / 16],
      [1, 2, 0.5, 1 / 16],
      [2, 4, 0.2, 1 / 8],
      [2, 4, 0.5, 1 / 8],
    ]);
    expect(settings[0]!.scaling.learningRate).toEqual({ input: 1, hidden: 1, output: 1 });
  });

  test('can be set', () => {
    expect(settingsOf({ sweep: { c: [1] } }, 'sweep.c=[0.5, 0.25]')).toHaveLength(2);
    expect(settingsOf({}, 'sweep.c=[0.5, 0.25]')).toHaveLength(2);
    expect(complaints({ sweep: { c: [1] } }, 'sweep.c[0]=x')).toEqual([
      'sweep.c[0]: expected a number, got "x"',
    ]);
  });

  const FREE = 'expected an axis, or a name for a parameter that is free, got';
  test.each([
    ['L', 'in expressions it is the depth; sweep it as "depth"'],
    ['beta', 'in expressions it is the branch scale; sweep it as "branchScale"'],
    ['t', 'in expressions it is the number of the step; choose another name'],
    ['T', 'in expressions it is the number of all steps; choose another name'],
    ['sqrt', 'in expressions it is a function; choose another name'],
    ['pi', 'in expressions it is a constant; choose another name'],
    ['input_width', 'it is a column of the table; sweep it as "inputWidth"'],
    ['loss_function', 'it is a column of the table; sweep it as "loss"'],
    ['bfa_rad', 'it is a column of the results; choose another name'],
    ['layer', 'it is a column of the results; choose another name'],
    ['true', 'expressions cannot read it; choose another name'],
  ])('is not called %s', (name, reason) => {
    const [problem] = complaints({ network: { depth: 4, width: 16 }, sweep: { [name]: [1] } });
    expect(problem).toBe(`sweep.${name}: ${FREE} "${name}"; ${reason}`);
  });

  test.each([
    ['dpeth', 'depth'],
    ['branch_scal', 'branchScale'],
    ['sample', 'samples'],
    ['Width', 'width'],
  ])('that no expression uses, %s, is told with the axis that is meant', (name, axis) => {
    // Of its values nothing is said: they are those of the axis.
    expect(complaints({ network: { depth: 4, width: 16 }, sweep: { [name]: ['resnet'] } })).toEqual([
      `sweep.${name}: expected an axis, or a parameter that an expression uses, got "${name}"; ` +
        `no expression of the file uses it; did you mean "${axis}"?`,
    ]);
  });

  test('is not used by the name of a scaling, a law or a spacing', () => {
    const file = {
      network: { depth: 4, width: 16 },
      scaling: { name: 'own', sigmaInput: 1 },
      sweep: {
        own: [1],
        NTK: [1],
        normal: [1],
        log: [1],
        branchScale: { from: 0.1, to: 1, count: 2, scale: 'log' },
      },
    };
    expect(complaints(file).map((problem) => problem.split(':')[0])).toEqual([
      'sweep.own',
      'sweep.NTK',
      'sweep.normal',
      'sweep.log',
    ]);
  });

  test('that is misspelt in an expression is told at both places', () => {
    expect(complaints({ sweep: { cc: [1] } }).map((problem) => problem.split(',')[0])).toEqual([
      'network.branchScale: expected a number or an expression in L',
      'sweep.cc: expected an axis',
    ]);
  });

  test('of the branch scale is refused beside an mlp, which would be measured once for each', () => {
    expect(complaints({ sweep: { c: [1], architecture: ['resnet', 'mlp'] } })[0]).toContain(
      'network.branchScale: expected one branch scale where "mlp" is among the architectures, got "c/sqrt(L)"',
    );
  });

  test('is in range at every setting, or told where it is not', () => {
    expect(complaints({ sweep: { c: [1, 5] } })).toEqual([
      'network.branchScale: expected a number from 0 to 1, got "c/sqrt(L)"; it is 2.5 at c = 5, L = 4',
    ]);
  });
});
