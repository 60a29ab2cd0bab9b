/**
 * A claim: one statement of the paper, what is measured to check it, and the verdict.
 *
 * What a statement says is its `law`, apart from the evidence, so that a law with a wrong exponent or without a factor can
 * be held against the same evidence: such `mutations` must turn the verdict, or the measurement would show nothing.
 */
import type { Lab } from './lab.js';

/** One number against what the statement says of it. */
export interface Check {
  readonly what: string;
  readonly measured: number;
  /** 95 % interval of `measured`; null where it is exact, or an extreme. */
  readonly low: number | null;
  readonly high: number | null;
  /** What the statement says, in words: `-0.5 +- 0.1`, `< 1e-5`. */
  readonly expected: string;
  readonly holds: boolean;
  /** Of an estimate: by how many standard errors the check holds, beyond those that it asks for; negative where it fails. */
  readonly reserve?: number;
}

export interface Claim<Evidence, Law> {
  /** Name on the command line: `thm-2.1`. */
  readonly id: string;
  readonly title: string;
  /** Where the paper has it. */
  readonly where: string;
  /** In one sentence. */
  readonly statement: string;
  /** Why it fails as printed, or what was corrected or assumed; null where nothing is to be said. */
  readonly note?: string;
  /** Evidence that it shares with other claims (`Lab.once`), so that one worker measures it for all of them. */
  readonly shares?: string;
  readonly law: Law;
  measure(lab: Lab): Evidence;
  judge(evidence: Evidence, law: Law): readonly Check[];
  /** Laws that are wrong, by what is wrong with them. */
  readonly mutations: Readonly<Record<string, Partial<Law>>>;
}

/** The verdict on one claim; `results/claims.json` is a list of these. */
export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly where: string;
  readonly statement: string;
  /** Whether every check holds. */
  readonly verdict: 'holds' | 'fails';
  readonly note: string | null;
  readonly checks: readonly Check[];
}

/** A claim whose types are its own affair. */
export type AnyClaim = Claim<never, never>;

/** Types a claim by what it measures. */
export function defineClaim<Evidence, Law>(claim: Claim<Evidence, Law>): AnyClaim {
  return claim as unknown as AnyClaim;
}

/** A verdict, and those of each mutation of the law on the same evidence. */
export interface Examined {
  readonly verdict: Verdict;
  readonly mutants: Readonly<Record<string, Verdict>>;
}

/** Measures a claim with draws of its own and judges it by its law and by the mutations. */
export function examine(claim: AnyClaim, lab: Lab): Examined {
  const { id, title, where, statement, note = null, law, mutations } = claim as Claim<unknown, object>;
  const evidence = claim.measure(lab.drawing(id)) as unknown;
  const verdictOf = (checks: readonly Check[]): Verdict => ({
    id,
    title,
    where,
    statement,
    verdict: checks.every(({ holds }) => holds) ? 'holds' : 'fails',
    note,
    checks,
  });
  const judge = (change: object) => {
    const checks = (claim as Claim<unknown, object>).judge(evidence, { ...law, ...change });
    if (checks.length === 0) throw new Error(`${id}: nothing was checked`);
    return verdictOf(checks);
  };
  const mutants = Object.entries(mutations).map(([name, change]) => [name, judge(change ?? {})] as const);
  return { verdict: judge({}), mutants: Object.fromEntries(mutants) };
}
