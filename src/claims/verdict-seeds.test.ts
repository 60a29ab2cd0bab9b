import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Check, Examined, Verdict } from './claim.js';
import { CLAIMS } from './claims.js';
import { readVerdicts } from './record.js';
import { isStable, readVerdictSeeds, summaryOf, verdictSeedsText } from './verdict-seeds.js';

const read = (name: string) => readFileSync(new URL(`../../results/${name}`, import.meta.url), 'utf8');
/** The measurement takes half an hour of processor time, and is made again when claims have changed. */
const MEASURED = readVerdictSeeds(read('verdict-seeds.json'));
const COMMAND = 'npm run build && node scripts/verdict-seeds.mjs --claims';

describe('results/verdict-seeds.json', () => {
  test('has every claim and every mutation, of 24 seeds', () => {
    const missing = CLAIMS.filter(({ id, mutations }) => {
      const names = Object.keys(MEASURED[id]?.mutations ?? {});
      return MEASURED[id]?.seeds.length !== 24 || names.join('\n') !== Object.keys(mutations).join('\n');
    }).map(({ id }) => id);
    expect(missing, `to measure them: ${COMMAND} ${missing.join(',')}`).toEqual([]);
    expect(Object.keys(MEASURED)).toEqual(CLAIMS.map(({ id }) => id));
  });

  test('has one verdict at all seeds, which each mutation turns at 23 of them or more', () => {
    expect(Object.keys(MEASURED).filter((id) => !isStable(MEASURED[id]!))).toEqual([]);
  });

  test('has the verdicts of the record', () => {
    for (const { id, verdict } of readVerdicts(read('claims.json'))) {
      expect([id, MEASURED[id]?.verdict]).toEqual([id, verdict]);
    }
  });

  test('gives another verdict a chance of 0.001, and a mutation one of 0.01, at yet other seeds', () => {
    for (const [id, { other, mutations }] of Object.entries(MEASURED)) {
      expect([id, (other ?? 0) <= 1e-3]).toEqual([id, true]);
      for (const [name, { missed }] of Object.entries(mutations)) {
        expect([id, name, (missed ?? 0) <= 0.01]).toEqual([id, name, true]);
      }
    }
  });
});

describe('the summary of a claim over seeds', () => {
  const check = (reserve?: number): Check => ({
    what: '',
    measured: 0,
    low: reserve === undefined ? null : -1,
    high: reserve === undefined ? null : 1,
    expected: '',
    holds: (reserve ?? 1) > 0,
    ...(reserve !== undefined && { reserve }),
  });
  const verdict = (...checks: Check[]): Verdict => ({
    id: 'a',
    title: '',
    where: '',
    statement: '',
    verdict: checks.every(({ holds }) => holds) ? 'holds' : 'fails',
    note: null,
    checks,
  });
  /** Reserves of the claim and of one mutation at each seed. */
  const at = (...reserves: [number, number][]): Examined[] =>
    reserves.map(([own, mutant]) => ({
      verdict: verdict(check(own), check()),
      mutants: { wrong: verdict(check(mutant)) },
    }));
  const summary = (...reserves: [number, number][]) =>
    summaryOf(
      reserves.map((_, i) => i),
      at(...reserves),
    );

  test('counts seeds that agree, and seeds at which a mutation has the other verdict', () => {
    const stable = summary([4, -9], [6, -11]);
    expect(stable).toMatchObject({ verdict: 'holds', agreeing: 2, mutations: { wrong: { turned: 2 } } });
    expect(isStable(stable)).toBe(true);
    expect(isStable(summary([4, -9], [-1, -11]))).toBe(false);
    expect(isStable(summary([4, -9], [6, 1]))).toBe(false);
  });

  test('estimates what other seeds would say by how far from turning they are', () => {
    // Reserves, of intervals of one length, of mean 5 and standard deviation sqrt(2), and of -10: 3.54 and 7.07 standard deviations.
    const { other, mutations } = summary([4, -9], [6, -11]);
    expect(other).toBeCloseTo(2.035e-4, 6);
    expect(mutations.wrong!.missed).toBeCloseTo(7.7e-13, 13);
  });

  test('is read as it was written, but for digits', () => {
    const claims = { a: summary([4, -9], [6, -11]) };
    const again = readVerdictSeeds(verdictSeedsText(claims));
    expect(again.a).toMatchObject({ verdict: 'holds', agreeing: 2, seeds: [0, 1] });
    expect(again.a!.other).toBe(2e-4);
  });
});
