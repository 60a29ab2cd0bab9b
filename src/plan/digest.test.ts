import { describe, expect, test } from 'vitest';
import type { ExperimentFile } from '../config/file/experiment.js';
import { resolveExperiment } from '../config/resolve.js';
import { digestOf } from './digest.js';

const FILE: ExperimentFile = {
  network: { width: 16 },
  scaling: 'FSC',
  sweep: { depth: [4, 16], branchScale: ['1/L', 0.5] },
  record: { quantities: ['loss', 'bfa_rad'] },
};
const digest = (changes: Partial<ExperimentFile> = {}, name = 'test', weights: 'auto' | 'dense' = 'auto') =>
  digestOf(resolveExperiment({ ...FILE, ...changes }, name), weights);

describe('the digest of an experiment is not changed by', () => {
  test.each<[string, Partial<ExperimentFile>]>([
    ['a title', { title: 'Other' }],
    ['the figure that it is', { figure: '1a' }],
    ['slopes', { slopes: [{ quantity: 'loss', axis: 'depth' }] }],
    ['the order of axes', { sweep: { branchScale: ['1/L', 0.5], depth: [4, 16] } }],
    ['the order of values', { sweep: { depth: [16, 4], branchScale: [0.5, '1/L'] } }],
    ['the order of quantities', { record: { quantities: ['bfa_rad', 'loss'] } }],
    [
      'a range in the place of its values',
      { sweep: { depth: { from: 4, to: 16, step: 12 }, branchScale: ['1/L', 0.5] } },
    ],
    [
      'defaults, written out',
      {
        network: { width: 16, inputWidth: 10, outputWidth: 1, activation: 'relu', architecture: 'resnet' },
        loss: 'squared',
        data: {
          samples: 1,
          input: { law: 'normal', scale: 1, normalize: 'none' },
          target: { law: 'normal' },
        },
        step: { kind: 'update', size: 0.001, train: 'hidden', count: 1 },
        draws: 1,
        seed: 1,
        record: { layers: 'all', quantities: ['loss', 'bfa_rad'] },
      },
    ],
  ])('%s', (_, changes) => {
    expect(digest(changes)).toBe(digest());
  });

  test('its name', () => {
    expect(digest({}, 'other')).toBe(digest());
  });
});

describe('the digest of an experiment is changed by', () => {
  test.each<[string, Partial<ExperimentFile>]>([
    ['a depth', { sweep: { depth: [4, 17], branchScale: ['1/L', 0.5] } }],
    ['a branch scale', { sweep: { depth: [4, 16], branchScale: ['1/L', 0.25] } }],
    ['a width', { network: { width: 17 } }],
    ['an input width', { network: { width: 16, inputWidth: 9 } }],
    ['an activation', { network: { width: 16, activation: 'tanh' } }],
    ['a scaling', { scaling: 'NTK' }],
    ['a formula of a scaling', { scaling: { name: 'FSC', sigmaOutput: '2/m' } }],
    ['a loss', { loss: 'linear' }],
    ['a number of samples', { data: { samples: 2 } }],
    ['a target', { data: { target: { law: 'constant', value: 1 } } }],
    ['a step size', { step: { size: 0.01 } }],
    ['the layers that learn', { step: { train: 'all' } }],
    ['common random numbers', { commonRandomNumbers: ['depth'] }],
    ['a number of draws', { draws: 2 }],
    ['a seed', { seed: 2 }],
    ['a quantity', { record: { quantities: ['loss', 'bfa_rad', 'feature_rms'] } }],
    ['the layers that are recorded', { record: { layers: 'output', quantities: ['loss', 'bfa_rad'] } }],
  ])('%s', (_, changes) => {
    expect(digest(changes)).not.toBe(digest());
  });

  test('the choice of weights', () => {
    expect(digest({}, 'test', 'dense')).not.toBe(digest());
  });
});
