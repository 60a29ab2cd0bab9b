import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readVerdicts } from './record.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the README has every claim with the recorded verdict', () => {
  const rows = read('README.md').matchAll(
    /^\| `([^`]+)` \| .* \| (holds|fails)(?:, \d+ of \d+ checks)? \|$/gm,
  );
  const verdicts = readVerdicts(read('results/claims.json'));
  expect(Array.from(rows, ([, id, verdict]) => [id, verdict])).toEqual(
    verdicts.map(({ id, verdict }) => [id, verdict]),
  );
});
