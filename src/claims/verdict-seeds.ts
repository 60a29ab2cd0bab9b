/** verdict-seeds.json: what claims and their mutations are told to be on the draws of many seeds. */
import jStat from 'jstat';
import { mean, sampleStandardDeviation } from 'simple-statistics';
import { z } from 'zod';
import type { Check, Examined, Verdict } from './claim.js';

const SUMMARY = z.object({
  /** The verdict at the first seed, and the number of seeds that agree with it. */
  verdict: z.enum(['holds', 'fails']),
  agreeing: z.number(),
  seeds: z.array(z.number()),
  /** Probability of the other verdict at yet another seed; null where no check that decides it is an estimate. */
  other: z.number().nullable(),
  mutations: z.record(
    z.string(),
    z.object({
      /** Seeds at which the mutation has the other verdict than the claim. */
      turned: z.number(),
      /** Probability that it has not, at yet another seed. */
      missed: z.number().nullable(),
    }),
  ),
});

export type SeedsSummary = z.infer<typeof SUMMARY>;

/** Of 24 seeds a mutation may go unnoticed at one. */
const LEAST_TURNED = 23 / 24;

/** Whether a claim has one verdict at all seeds, which its mutations turn. */
export function isStable({ agreeing, seeds, mutations }: SeedsSummary): boolean {
  const turned = Object.values(mutations).map((each) => each.turned);
  return agreeing === seeds.length && turned.every((count) => count >= LEAST_TURNED * seeds.length);
}

/** @param examined a claim at each of the seeds. */
export function summaryOf(seeds: readonly number[], examined: readonly Examined[]): SeedsSummary {
  const verdicts = examined.map(({ verdict }) => verdict);
  const { verdict } = verdicts[0]!;
  const names = Object.keys(examined[0]!.mutants);
  const mutations = names.map((name) => {
    const mutants = examined.map(({ mutants }) => mutants[name]!);
    const turned = mutants.filter((mutant, i) => mutant.verdict !== verdicts[i]!.verdict).length;
    return [name, { turned, missed: chanceOf(verdict, mutants) }] as const;
  });
  return {
    verdict,
    agreeing: verdicts.filter((each) => each.verdict === verdict).length,
    seeds: [...seeds],
    other: chanceOf(verdict === 'holds' ? 'fails' : 'holds', verdicts),
    mutations: Object.fromEntries(mutations),
  };
}

/**
 * The probability of a verdict at yet another seed: of a failure the sum over the checks, of success the least of them. What
 * decides a check, at several seeds, is taken to be normal numbers; other checks do not count.
 */
function chanceOf(verdict: Verdict['verdict'], seen: readonly Verdict[]): number | null {
  const chances = seen[0]!.checks.flatMap((_, i) => {
    const distances = distancesOf(seen.map(({ checks }) => checks[i]!));
    if (!distances) return [];
    const score = mean(distances) / sampleStandardDeviation(distances);
    return [(1 + jStat.erf((verdict === 'fails' ? -score : score) / Math.SQRT2)) / 2];
  });
  if (verdict === 'fails') {
    return chances.length === 0
      ? null
      : Math.min(
          1,
          chances.reduce((sum, chance) => sum + chance, 0),
        );
  }
  // A check that is no estimate and never holds decides too.
  const isDecided = seen[0]!.checks.some((_, i) =>
    seen.every(({ checks }) => checks[i]!.reserve === undefined && !checks[i]!.holds),
  );
  return chances.length === 0 || isDecided ? null : Math.min(...chances);
}

/**
 * How far a check is from turning at each seed, up to a factor: its reserve times the length of its interval, which is a fixed
 * number of standard errors. Not the reserve itself, whose tail is that of the standard error that it is divided by.
 * Undefined where they are not known at all seeds, or do not differ.
 */
function distancesOf(checks: readonly Check[]): number[] | undefined {
  const distances = checks.map(({ reserve, low, high }) =>
    reserve === undefined || low === null || high === null ? undefined : reserve * (high - low),
  );
  if (checks.length < 2 || distances.includes(undefined) || new Set(distances).size < 2) return undefined;
  return distances as number[];
}

/** The text of verdict-seeds.json, a line for each claim and mutation. */
export function verdictSeedsText(claims: Readonly<Record<string, SeedsSummary>>): string {
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(2)) : value;
  const blocks = Object.entries(claims).map(([id, { mutations, ...rest }]) => {
    const head = JSON.stringify(rest, rounded).slice(0, -1);
    const lines = Object.entries(mutations).map(
      ([name, each]) => `\n      ${JSON.stringify(name)}: ${JSON.stringify(each, rounded)}`,
    );
    return `    ${JSON.stringify(id)}: ${head},"mutations":{${lines.join(',')}\n    }}`;
  });
  return `{\n  "claims": {\n${blocks.join(',\n')}\n  }\n}\n`;
}

export function readVerdictSeeds(text: string): Record<string, SeedsSummary> {
  return z.object({ claims: z.record(z.string(), SUMMARY) }).parse(JSON.parse(text)).claims;
}
