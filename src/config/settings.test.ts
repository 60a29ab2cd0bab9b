import { describe, expect, it } from 'vitest';
import { twelveDigits } from '../quantities.js';
import type { ExperimentFile } from './file/experiment.js';
import { resolveExperiment } from './resolve.js';
import { countSettings, expandAxes } from './settings.js';

function experimentWith(changes: Partial<ExperimentFile>) {
  const file: ExperimentFile = {
    network: { depth: 4, width: 16 },
    scaling: 'MF+muP',
    record: { quantities: ['loss'] },
    ...changes,
  };
  return resolveExperiment(file, 'test');
}

describe('expandAxes', () => {
  it('goes through the sweep in the order of the file, first key outermost', () => {
    const depthFirst = experimentWith({ sweep: { depth: [4, 16], branchScale: ['1/L', '1/sqrt(L)'] } });
    expect(expandAxes(depthFirst).map(({ depth, branchScale }) => [depth, branchScale])).toEqual([
      [4, 0.25],
      [4, 0.5],
      [16, 0.0625],
      [16, 0.25],
    ]);
    const branchScaleFirst = experimentWith({ sweep: { branchScale: ['1/L', '1/sqrt(L)'], depth: [4, 16] } });
    expect(
      expandAxes(branchScaleFirst).map(({ depth, branchScaleFormula }) => [branchScaleFormula, depth]),
    ).toEqual([
      ['1/L', 4],
      ['1/L', 16],
      ['1/sqrt(L)', 4],
      ['1/sqrt(L)', 16],
    ]);
  });

  it('evaluates the scalings of Table 1 at every setting', () => {
    const experiment = experimentWith({
      network: { depth: 9, width: 100, inputWidth: 4, outputWidth: 1 },
      sweep: { scaling: ['NTK', 'MF+muP', 'FSC'] },
    });
    const same = {
      sigmaInput: 0.5,
      sigmaInner: 0.1,
      sigmaHidden: twelveDigits(Math.sqrt(2 / 100)),
      learningRate: 'scale-invariant',
      isNormalized: false,
    };
    expect(expandAxes(experiment).map(({ scaling }) => scaling)).toEqual([
      { name: 'NTK', sigmaOutput: 0.1, ...same },
      { name: 'MF+muP', sigmaOutput: 0.01, ...same },
      { name: 'FSC', sigmaOutput: 0.03, ...same },
    ]);
  });

  it('evaluates scales that depend on the branch scale, and a learning rate of 0', () => {
    const experiment = experimentWith({
      network: { depth: 4, width: 16, branchScale: '1/sqrt(L)' },
      scaling: { name: 'mine', sigmaHidden: 'beta/m', learningRate: 0 },
      data: { input: { law: 'normal', scale: '1/sqrt(d)' } },
    });
    expect(expandAxes(experiment)).toEqual([
      {
        architecture: 'resnet',
        activation: 'relu',
        depth: 4,
        width: 16,
        widths: null,
        widthFormula: 16,
        inputWidth: 10,
        outputWidth: 1,
        samples: 1,
        hiddenWidth: null,
        hiddenWidthFormula: 'm',
        branchScale: 0.5,
        branchScaleFormula: '1/sqrt(L)',
        inputScale: twelveDigits(1 / Math.sqrt(10)),
        stepSize: 0.001,
        stepSizeFormula: '0.001',
        loss: 'squared',
        train: 'hidden',
        parameters: {},
        scaling: {
          name: 'mine',
          sigmaInput: twelveDigits(1 / Math.sqrt(10)),
          sigmaInner: 1 / 4,
          sigmaHidden: 1 / 32,
          sigmaOutput: 1 / 16,
          learningRate: { input: 0, hidden: 0, output: 0 },
          isNormalized: false,
        },
      },
    ]);
  });

  it('gives every activation its own hidden scale, unless one is given for all', () => {
    const sigmas = (scaling: ExperimentFile['scaling']) =>
      expandAxes(experimentWith({ scaling, sweep: { activation: ['relu', 'linear', 'tanh'] } })).map(
        (setting) => [setting.activation, setting.scaling.sigmaHidden],
      );
    expect(sigmas('FSC')).toEqual([
      ['relu', twelveDigits(Math.sqrt(2 / 16))],
      ['linear', 1 / 4],
      ['tanh', twelveDigits(Math.sqrt(1 / (0.394294490398 * 16)))],
    ]);
    expect(sigmas({ name: 'mine', sigmaHidden: '1/m' }).map(([, sigma]) => sigma)).toEqual([
      1 / 16,
      1 / 16,
      1 / 16,
    ]);
  });

  it('gives an mlp the branch scale 1, whatever that of the resnets beside it is', () => {
    const experiment = experimentWith({
      network: { width: 16, branchScale: '1/sqrt(L)' },
      scaling: { name: 'mine', sigmaOutput: 'beta' },
      sweep: { architecture: ['mlp', 'resnet'], depth: [4, 16] },
    });
    expect(
      expandAxes(experiment).map((s) => [s.architecture, s.depth, s.branchScale, s.scaling.sigmaOutput]),
    ).toEqual([
      ['mlp', 4, 1, 1],
      ['mlp', 16, 1, 1],
      ['resnet', 4, 0.5, 0.5],
      ['resnet', 16, 0.25, 0.25],
    ]);
  });

  it('gives every value twelve digits, which are those of other versions of Node too', () => {
    const [setting] = expandAxes(
      experimentWith({
        network: { depth: 107, width: 16, branchScale: 'pow(L, -0.5)' },
        step: { size: 'exp(-beta)' },
      }),
    );
    expect(setting).toMatchObject({ branchScale: 0.0966736489046, stepSize: 0.907852236365 });
  });

  it('has a value of a range once, where rounding leaves several the same', () => {
    const range = { from: 0.5, to: 0.5 + 1e-13, count: 3 };
    expect(experimentWith({ sweep: { branchScale: range } }).axes.branchScale).toEqual([0.5]);
  });

  it('includes both ends of a range, in short decimals', () => {
    const experiment = experimentWith({ sweep: { branchScale: { from: 0, to: 1, step: 0.1 } } });
    expect(experiment.axes.branchScale).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  });

  it('spaces a logarithmic range by equal factors', () => {
    const experiment = experimentWith({
      sweep: { branchScale: { from: 0.001, to: 1, count: 4, scale: 'log' } },
    });
    expect(experiment.axes.branchScale).toEqual([0.001, 0.01, 0.1, 1]);
  });

  it('rounds ranges of depth and width to integers, each once', () => {
    const experiment = experimentWith({
      sweep: {
        depth: { from: 3, to: 5, step: 0.5 },
        width: { from: 1, to: 8, count: 7, scale: 'log' },
      },
    });
    expect(experiment.axes.depth).toEqual([3, 4, 5]);
    expect(experiment.axes.width).toEqual([1, 2, 3, 4, 6, 8]);
    expect(countSettings(experiment)).toBe(18);
    expect(expandAxes(experiment)).toHaveLength(18);
  });
});
