import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { experimentJsonSchema } from './file/experiment.js';
import { parseExperiment } from './file/load.js';
import { formatProblems } from './file/problem.js';
import { countSettings, expandAxes } from './settings.js';

const CONFIGS = new URL('../../configs/', import.meta.url);

function read(name: string): string {
  return readFileSync(new URL(name, CONFIGS), 'utf8');
}

function experiment(name: string) {
  const parsed = parseExperiment(read(`${name}.json`), `configs/${name}.json`);
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.experiment;
}

const NAMES = readdirSync(CONFIGS)
  .filter((file) => file.endsWith('.json') && !file.endsWith('.vl.json') && file !== 'schema.json')
  .map((file) => file.replace('.json', ''));

describe('configs', () => {
  it.each(NAMES)('%s is valid and names the schema', (name) => {
    expect(expandAxes(experiment(name)).length).toBeGreaterThan(0);
    expect(JSON.parse(read(`${name}.json`)).$schema).toBe('./schema.json');
  });

  it('schema.json is what the validator says: node scripts/schema.mjs', () => {
    expect(JSON.parse(read('schema.json'))).toEqual(JSON.parse(JSON.stringify(experimentJsonSchema())));
  });

  it.each([
    // name, settings, draws, width, samples, dt
    ['figure-1a', 5, 5, 200, 1, 0.001],
    ['figure-1b', 5 * 191, 1, 200, 1, 0.001],
    ['figure-1c', 3 * 20, 5, 500, 1, 0.001],
    ['figure-2a', 3 * 36, 2, 400, 1, 0.01],
    ['figure-2b', 2 * 81, 2, 50, 200, '0.01*beta'],
  ])('%s has the settings of the published figure', (name, settings, draws, width, samples, dt) => {
    const figure = experiment(name);
    expect(figure.name).toBe(name);
    expect(figure.figure).toBe(name.replace('figure-', ''));
    expect(countSettings(figure)).toBe(settings);
    expect(figure).toMatchObject({
      draws,
      axes: { width: [width], samples: [samples], stepSize: [dt] },
      step: { kind: 'update' },
    });
  });

  it('figure-1c runs over 10^(-3 .. 0), 20 log-spaced', () => {
    const { branchScale } = experiment('figure-1c').axes;
    branchScale.forEach((beta, i) => {
      expect(beta).toBeCloseTo(10 ** (-3 + (3 * i) / 19), 11);
    });
  });

  it('figure-2a differs by the output scale only', () => {
    const atDepth9 = expandAxes(experiment('figure-2a')).filter(({ depth }) => depth === 9);
    expect(atDepth9.map(({ scaling }) => [scaling.name, scaling.sigmaOutput])).toEqual([
      ['NTK', 1 / 20],
      ['MF+muP', 1 / 400],
      ['FSC', 3 / 400],
    ]);
  });
});
