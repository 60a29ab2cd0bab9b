import { describe, expect, test } from 'vitest';
import { parseExperiment } from '../config/file/load.js';
import { adviceOn } from './advice.js';

function adviceFor(changes: Readonly<Record<string, unknown>>): readonly string[] {
  const file = {
    network: { depth: 4, width: 8 },
    scaling: 'NTK',
    record: { quantities: ['sensitivity'] },
    ...changes,
  };
  const parsed = parseExperiment(JSON.stringify(file), 'mine.json', []);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return adviceOn(parsed.experiment);
}

describe('a sensitivity', () => {
  const advice =
    /^mine: sensitivity divides by the residual f_L - y, which for a normal target may be near 0: compare medians/;

  test('of a residual that is one random number is told to have no mean', () => {
    expect(adviceFor({})).toEqual([expect.stringMatching(advice)]);
  });

  test.each([
    ['a constant target', { data: { target: { law: 'constant', value: 1 } } }],
    ['a linear loss, whose gradient hangs on no residual', { loss: 'linear' }],
    ['many samples', { data: { samples: 100 } }],
    ['none recorded', { record: { quantities: ['bfa_rad'] } }],
  ])('with %s is not', (_, changes) => {
    expect(adviceFor(changes)).toEqual([]);
  });
});

describe('scalings that are compared', () => {
  const record = { quantities: ['bfa_rad'] };
  const sweep = { scaling: ['NTK', 'MF+muP'] };

  test('are told to share no draws, unless they do', () => {
    expect(adviceFor({ record, sweep, scaling: undefined })).toEqual([
      'mine: each scaling has networks of its own, so that their differences have the noise of both; ' +
        'with "commonRandomNumbers": ["scaling"] they share their draws',
    ]);
    expect(adviceFor({ record, sweep, scaling: undefined, commonRandomNumbers: ['scaling'] })).toEqual([]);
  });
});
