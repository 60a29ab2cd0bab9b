import { describe, expect, test } from 'vitest';
import type { ExperimentFile } from './file/experiment.js';
import { parseExperiment } from './file/load.js';
import { expandAxes } from './settings.js';

const FILE: ExperimentFile = {
  network: { architecture: 'mlp', depth: 5, width: 64 },
  scaling: 'MF+muP',
  record: { quantities: ['loss'] },
};
const parsed = (changes: Partial<ExperimentFile>) =>
  parseExperiment(JSON.stringify({ ...FILE, ...changes }), 'x.json');
const settings = (changes: Partial<ExperimentFile>) => {
  const found = parsed(changes);
  if (!found.ok) throw new Error(found.problems.map(({ message }) => message).join('\n'));
  return expandAxes(found.experiment);
};
const widths = (width: number | string, changes: Partial<ExperimentFile> = {}) =>
  settings({ ...changes, network: { ...FILE.network, ...changes.network, width } }).map((each) => [
    each.width,
    each.widths,
    each.widthFormula,
  ]);
const complaints = (changes: Partial<ExperimentFile>) => {
  const found = parsed(changes);
  return found.ok ? [] : found.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe('a width', () => {
  test('may be a formula in l, whose value at the last hidden layer is m', () => {
    expect(widths('64 + 4*l')).toEqual([[80, [68, 72, 76, 80], '64 + 4*l']]);
  });

  test('is one number where the formula is the same in every layer, whatever it is made of', () => {
    expect(widths('64 + 0*l')).toEqual([[64, null, '64 + 0*l']]);
    expect(widths('8*L + d + k + n')).toEqual([[52, null, '8*L + d + k + n']]);
    expect(widths(64)).toEqual([[64, null, 64]]);
  });

  test('may use a parameter of the sweep, and be rounded', () => {
    const formula = { sweep: { c: [0, 0.5] } };
    expect(widths('round(8*pow(l, c))', formula)).toEqual([
      [8, null, 'round(8*pow(l, c))'],
      [16, [8, 11, 14, 16], 'round(8*pow(l, c))'],
    ]);
  });

  test('that is a number among formulas is told as one', () => {
    const swept = settings({ sweep: { width: [64, '16*l'] } });
    expect(swept.map(({ widthFormula }) => widthFormula)).toEqual(['64', '16*l']);
  });

  test.each<[string, Partial<ExperimentFile>, string]>([
    [
      'not an integer',
      { sweep: { width: ['l', '64 + 0.5*l'] } },
      'sweep.width[1]: expected an integer >= 1 in every layer, got "64 + 0.5*l"; it is 64.5 at layer l = 1, L = 5; round(64 + 0.5*l) is one',
    ],
    [
      'zero',
      { network: { ...FILE.network, width: '4*(3 - l)' } },
      'network.width: expected an integer >= 1 in every layer, got "4*(3 - l)"; it is 0 at layer l = 3, L = 5',
    ],
    [
      'negative at one depth',
      { network: { architecture: 'mlp', width: '40 - l' }, sweep: { depth: [10, 50] } },
      'network.width: expected an integer >= 1 in every layer, got "40 - l"; it is 0 at layer l = 40, L = 50',
    ],
    [
      'too small in all layers',
      { network: { ...FILE.network, width: 'L - 5' } },
      'network.width: expected an integer >= 1 in every layer, got "L - 5"; it is 0 at L = 5',
    ],
    [
      'not finite',
      { network: { ...FILE.network, width: '8/(l - 2)' } },
      'network.width: expected an integer >= 1 in every layer, got "8/(l - 2)"; 8/(l - 2) is Infinity at l = 2',
    ],
    [
      'of a residual network',
      { network: { ...FILE.network, width: '16*l', architecture: 'resnet' } },
      'network.width: expected one width for "resnet", got "16*l"; widths of a residual network are one, those of an "mlp" may differ from layer to layer',
    ],
    [
      'of a block of two matrices',
      { network: { depth: 5, width: 'L*l', architecture: 'resnet-2' } },
      'network.width: expected one width for "resnet-2", got "L*l"; widths of a residual network are one, those of an "mlp" may differ from layer to layer',
    ],
    [
      'written twice',
      { sweep: { width: [64, 'l', '64 + 0*l'] } },
      'sweep.width[2]: expected a width other than sweep.width[0], "64", got "64 + 0*l"; they are equal at every setting; remove one',
    ],
    [
      'asked for a slope',
      { sweep: { width: ['l', '2*l'] }, slopes: [{ quantity: 'loss', axis: 'width' }] },
      'slopes[0].axis: expected an axis but the width, got "width"; networks with a formula in l have no one width',
    ],
    [
      'of a model',
      { network: { model: 'm.mjs', width: '64' } as never, scaling: undefined },
      'network.width: expected an integer >= 1 beside network.model, got "64"; its module is given one number',
    ],
  ])('is refused where it is %s', (_, changes, message) => {
    expect(complaints(changes)).toContain(message);
  });

  test('knows neither itself nor the branch scale, and no parameter is called as its layer', () => {
    for (const name of ['m', 'beta']) {
      expect(complaints({ network: { ...FILE.network, width: name } })[0]).toContain(
        `the name "${name}" is not known here`,
      );
    }
    expect(complaints({ sweep: { l: [1, 2] }, network: { ...FILE.network, width: '8*l' } })[0]).toContain(
      'in expressions of the width it is the layer',
    );
  });
});

test('a hidden width may use a parameter of the sweep', () => {
  const network = { architecture: 'resnet-2', depth: 5, width: 16, hiddenWidth: 'c*m' } as const;
  expect(settings({ network, sweep: { c: [1, 2] } }).map(({ hiddenWidth }) => hiddenWidth)).toEqual([16, 32]);
});

describe('where widths differ', () => {
  const network = { ...FILE.network, width: '8*l' } as const;
  const scalingOf = (scaling: ExperimentFile['scaling']) => settings({ network, scaling })[0]!.scaling;

  test('the critical scale of V_l is sqrt(2/m_{l-1}), and m is m_{L-1} in all else (Prop 5.1)', () => {
    const { sigmaOutput, hiddenLayers } = scalingOf('MF+muP');
    expect(sigmaOutput).toBe(1 / 32);
    hiddenLayers!.sigma.forEach((sigma, i) => {
      expect(sigma).toBeCloseTo(Math.sqrt(2 / (8 * (i + 1))), 11);
    });
  });

  test('m of the rate of V_l is what it takes', () => {
    const { hiddenLayers, learningRate } = scalingOf({ name: 'a', learningRate: '24/m' });
    expect(hiddenLayers!.rate).toEqual([3, 1.5, 1]);
    expect(learningRate).toMatchObject({ input: 0.75, output: 0.75 });
  });

  test.each(['FSC (Table 1)', 'MF+muP (Table 1)', 'NTK (Table 1)'] as const)(
    'the rates of %s balance |G_l|^2, which grows as m_{l-1}',
    (name) => {
      const { hiddenLayers, learningRate } = scalingOf(name);
      const { hidden } = learningRate as { hidden: number };
      hiddenLayers!.rate!.forEach((rate, i) => {
        expect(rate * 8 * (i + 1)).toBeCloseTo(hidden * 32, 12);
      });
    },
  );

  test('a scale that is negative in one layer alone is found', () => {
    const scaling = { name: 'a', sigmaHidden: 'm - 16' };
    expect(complaints({ network, scaling })).toEqual([
      'scaling.sigmaHidden: expected a number >= 0, got "m - 16"; it is -8 at m = 8',
    ]);
  });
});
