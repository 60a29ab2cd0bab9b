/** Keys of data of one's own and of a training: what they mean together, and what is refused. */
import { describe, expect, it } from 'vitest';
import { digestOf } from '../plan/digest.js';
import type { DataSet, ReadData } from './data-set.js';
import { parseExperiment } from './file/load.js';
import { expandAxes } from './settings.js';

const SET: DataSet = {
  rows: 100,
  inputWidth: 4,
  outputWidth: 3,
  inputs: new Float32Array(400),
  targets: new Float32Array(300),
  hasClasses: true,
  sha256: 'aa',
};
const BASE = {
  network: { depth: 3, width: 8 },
  scaling: 'NTK',
  data: { file: 'x.csv', target: 'label' },
  record: { quantities: ['loss'] },
};

function parse(changes: object, set: DataSet = SET) {
  const readData: ReadData = ({ file }) =>
    file === 'x.csv' ? { set } : { key: 'file', message: `no such file as ${file}` };
  return parseExperiment(JSON.stringify({ ...BASE, ...changes }), 'x.json', [], undefined, readData);
}
const experimentOf = (changes: object, set?: DataSet) => {
  const parsed = parse(changes, set);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return parsed.experiment;
};
const complaints = (changes: object) => {
  const parsed = parse(changes);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};

describe('data of a file', () => {
  it('decide widths, samples and classes', () => {
    const { axes, data } = experimentOf({ data: { ...BASE.data, heldOut: 0.2 } });
    expect([axes.inputWidth, axes.outputWidth, axes.samples]).toEqual([[4], [3], [80]]);
    expect([data.target.law, data.heldOut]).toEqual(['one-hot', 20]);
  });

  it('count by their content in the digest, and not by their name', () => {
    const digest = (sha256: string) => digestOf(experimentOf({}, { ...SET, sha256 }), 'auto');
    expect(digest('aa')).not.toBe(digest('bb'));
    const raw = { data: { ...BASE.data, input: { columns: 'raw' } } };
    expect(digestOf(experimentOf(raw), 'auto')).not.toBe(digest('aa'));
  });

  const data = (changes: object) => ({ data: { ...BASE.data, ...changes } });
  it.each<[changes: object, message: string]>([
    [data({ file: 'y.csv' }), 'data.file: no such file as y.csv'],
    [
      { data: { file: 'x.csv' } },
      'data.target: expected the name of a column beside data.file, got nothing; its column is y',
    ],
    [
      { data: { target: 'label' } },
      'data.target: expected {"law"} of y, got "label"; a column is of data.file',
    ],
    [
      data({ input: { law: 'normal' } }),
      'data.input.law: expected no law beside data.file, got "normal"; its rows are x; remove one',
    ],
    [{ data: { input: { scale: 2 } } }, 'data.input.law: expected "normal" or "one-hot", got nothing'],
    [
      { data: { input: { law: 'normal', columns: 'raw' } } },
      'data.input.columns: expected data.file beside it, got nothing; drawn data have a law',
    ],
    [data({ heldOut: 1.5 }), 'data.heldOut: expected an integer from 1 on, or a share below 1, got 1.5'],
    [
      { data: { heldOut: 0.5 } },
      'data.heldOut: expected a number of samples, got 0.5; a share is one of the rows of data.file',
    ],
    [data({ heldOut: 100 }), 'data.heldOut: expected fewer than the 100 rows of data.file, got 100'],
    [
      data({ samples: 90, heldOut: 20 }),
      'data.samples: expected at most 80 of 100 rows, 20 being held out, got 90',
    ],
    [data({ batch: 101 }), 'data.batch: expected at most the 100 samples that are learnt from, got 101'],
    [
      { network: { depth: 3, width: 8, inputWidth: 5 } },
      'network.inputWidth: expected 4 as data.file has it, or nothing, got 5; remove it',
    ],
  ])('%j is refused with its reason', (changes, message) => {
    expect(complaints(changes)).toContain(message);
  });
});

describe('quantities of a training', () => {
  const record = (quantity: string) => ({ record: { quantities: [quantity] } });
  it.each<[changes: object, message: string]>([
    [
      record('loss_held_out'),
      'record.quantities[0]: expected data.heldOut for loss_held_out, got nothing; no sample is held out',
    ],
    [
      { ...record('accuracy'), data: undefined },
      'record.quantities[0]: expected classes as targets for accuracy, got "normal"; others are never right or wrong',
    ],
    [
      { ...record('update_cosine'), step: { count: 1 } },
      'record.quantities[0]: expected step.count >= 2 for update_cosine, got 1; before the first step nothing is displaced',
    ],
    [
      { ...record('step_sharpness'), step: { kind: 'velocity' } },
      'record.quantities[0]: expected step.kind "update", or step.count >= 2 for step_sharpness, got "velocity"; ' +
        'the velocity of one step has no step size',
    ],
    [
      record('bfa_theory_rad'),
      'record.quantities[0]: expected drawn data for bfa_theory_rad, got "data.file"; the limit is of Gaussian or unit-norm samples of a law',
    ],
    [
      { record: { quantities: ['loss'], steps: [1, 3] }, step: { count: 2 } },
      'record.steps[1]: expected at most step.count = 2, got 3',
    ],
    [
      { scaling: { name: 'P', learningRate: 'polyak' }, loss: 'linear' },
      'loss: expected "squared" or "cross-entropy" for the rates "polyak", got "linear"; its infimum has to be 0',
    ],
  ])('%j is refused with its reason', (changes, message) => {
    expect(complaints(changes)).toContain(message);
  });
});

describe('the step size', () => {
  it('may follow a schedule, which tables tell by its first value', () => {
    const experiment = experimentOf({ step: { count: 10, size: '0.2*(1 - t/T)' } });
    expect(expandAxes(experiment)[0]).toMatchObject({ stepSize: 0.18, stepSizeFormula: '0.2*(1 - t/T)' });
  });

  it('is refused where it is below 0 at some step, and where two begin alike', () => {
    expect(complaints({ step: { count: 10, size: '0.5 - t/T' } })).toEqual([
      'step.size: expected a number >= 0, got "0.5 - t/T"; it is -0.1 at t = 6, T = 10',
    ]);
    expect(complaints({ step: { count: 10 }, sweep: { stepSize: ['0.2 - 0.1*(t - 1)/T', 0.2] } })[0]).toMatch(
      /^sweep.stepSize\[1\]: expected another first step size than sweep.stepSize\[0\]/,
    );
  });
});

describe('recorded steps', () => {
  it('are a list or a range, once each and rising', () => {
    const steps = { from: 1, to: 1000, count: 4, scale: 'log' };
    const { record } = experimentOf({ step: { count: 1000 }, record: { quantities: ['loss'], steps } });
    expect(record.steps).toEqual([1, 10, 100, 1000]);
    expect(record.quantities).toEqual(['step_number', 'loss']);
  });

  it('leave the digest of an experiment without them as it was', () => {
    const drawn = { data: undefined, step: { count: 5 } };
    expect(JSON.stringify(experimentOf(drawn).record)).toBe(
      '{"layers":"all","quantities":["step_number","loss"]}',
    );
    expect(experimentOf(drawn).data).toEqual(experimentOf({ data: undefined }).data);
  });
});
