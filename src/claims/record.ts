/** claims.json: verdicts as they were recorded. */
import { z } from 'zod';
import type { Verdict } from './claim.js';

const SCHEMA = z.object({
  claims: z.array(
    z.object({
      id: z.string().min(1),
      title: z.string(),
      where: z.string(),
      statement: z.string(),
      verdict: z.enum(['holds', 'fails']),
      note: z.string().nullable(),
      checks: z.array(
        z.object({
          what: z.string(),
          measured: z.number(),
          low: z.number().nullable(),
          high: z.number().nullable(),
          expected: z.string(),
          holds: z.boolean(),
          reserve: z.number().exactOptional(),
        }),
      ),
    }),
  ),
});

/** The text of claims.json. */
export function verdictsText(claims: readonly Verdict[]): string {
  return `${JSON.stringify({ claims }, null, 2)}\n`;
}

/**
 * Reads the text of claims.json.
 *
 * @throws Error whose message names each place that is not as expected.
 */
export function readVerdicts(text: string): readonly Verdict[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`);
  }
  const parsed = SCHEMA.safeParse(value);
  if (parsed.success) return parsed.data.claims;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
  );
  throw new Error(problems.join('\n'));
}
