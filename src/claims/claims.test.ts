import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from '../core/backend.js';
import { GaussianSampler } from '../core/random.js';
import { defineClaim, examine } from './claim.js';
import { CLAIMS } from './claims.js';
import { Lab } from './lab.js';
import { readVerdicts, verdictsText } from './record.js';

let lab: Lab;
beforeAll(async () => {
  lab = new Lab({ backend: await openBackend('wasm'), sampler: new GaussianSampler() });
});

const RECORD = readFileSync(new URL('../../results/claims.json', import.meta.url), 'utf8');

/** Claims that take seconds; the long run has them. */
const SLOW = [
  'section-1-lazy',
  'thm-3.2-limit',
  'lemma-a.1',
  'prop-4.1',
  'prop-5.1',
  'prop-5.2',
  'prop-5.3-i',
  'prop-5.3-ii',
  'prop-5.3-iii',
  'prop-5.4',
  'conjecture',
  'conjecture-printed',
  'zero-output',
  'fig-2a',
  'fig-2a-caption',
  'fig-2b',
  'thm-6.3',
  'fig-1a-caption',
  'fig-1b',
  'section-5.1-step',
  'section-5.2-two-inputs',
  'fig-2b-caption',
  'table-2-sparse',
  'section-6.1-printed',
  'section-6.1-s',
  'prop-6.2-training',
  'footnote-5',
  'lemma-a.1-spectra',
  'proof-5.2-jacobians',
];

describe('every claim has the recorded verdict, and each mutation of its law turns it', () => {
  const chosen = CLAIMS.filter(({ id }) => process.env.FEATURE_SPEED_SLOW || !SLOW.includes(id));
  test.for(chosen.map((claim) => [claim.id, claim] as const))('%s', { timeout: 240_000 }, ([id, claim]) => {
    const { verdict, mutants } = examine(claim, lab);
    const recorded = readVerdicts(RECORD).find((each) => each.id === id)!;
    expect(verdict.verdict).toBe(recorded.verdict);
    expect(verdict.checks.map(({ what, expected }) => [what, expected])).toEqual(
      recorded.checks.map(({ what, expected }) => [what, expected]),
    );
    expect(Object.keys(mutants).length).toBeGreaterThan(0);
    for (const [mutation, mutant] of Object.entries(mutants)) {
      expect([mutation, mutant.verdict]).not.toEqual([mutation, verdict.verdict]);
    }
  });
});

test('the record has every claim once, in the order of the paper', () => {
  const ids = CLAIMS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(readVerdicts(RECORD).map(({ id }) => id)).toEqual(ids);
});

test('a claim that fails says why', () => {
  for (const { id, verdict, note } of readVerdicts(RECORD)) {
    if (verdict === 'fails') expect([id, note]).toEqual([id, expect.stringMatching(/\w{3}/)]);
  }
});

test('every number of the record is finite', () => {
  for (const { measured } of readVerdicts(RECORD).flatMap(({ checks }) => checks)) {
    expect(Number.isFinite(measured)).toBe(true);
  }
});

test('a claim that checks nothing is a bug, and no verdict', () => {
  const empty = defineClaim<null, object>({
    id: 'empty',
    title: '',
    where: '',
    statement: '',
    law: {},
    measure: () => null,
    judge: () => [],
    mutations: {},
  });
  expect(() => examine(empty, lab)).toThrow('empty: nothing was checked');
});

describe('the reader of a record', () => {
  test('reads what was written', () => {
    const verdicts = readVerdicts(RECORD);
    expect(readVerdicts(verdictsText(verdicts))).toEqual(verdicts);
  });

  test.each([
    ['', 'not JSON'],
    ['[]', 'the file: '],
    ['{"claims": [{"id": "a", "verdict": "perhaps"}]}', 'claims.0.verdict: '],
  ])('says where %j is not one', (text, message) => {
    expect(() => readVerdicts(text)).toThrow(message);
  });
});
