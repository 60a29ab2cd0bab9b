/**
 * Judges every claim, and every mutation of its law, on the draws of many seeds, and writes results/verdict-seeds.json.
 *
 *     node scripts/verdict-seeds.mjs [--seeds 0..23] [--claims id,id] [--workers n]        after npm run build
 *
 * An interrupted run goes on where it was: answers are kept, a line each, in results/verdict-seeds.partial.jsonl, as long as the
 * sources that decide them are the same. Exit code 1 where a verdict changes with the seed, or a mutation turns it at
 * fewer than 23 of 24 seeds.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CLAIMS } from '../dist/claims/claims.js';
import { isStable, summaryOf, verdictSeedsText } from '../dist/claims/verdict-seeds.js';
import { examineClaims } from '../dist/claims/verify.js';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const RESULT = at('results/verdict-seeds.json');
const PARTIAL = at('results/verdict-seeds.partial.jsonl');

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '0..23' },
    claims: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
});
const range = /^(\d+)\.\.(\d+)$/.exec(options.seeds);
const ids = options.claims?.split(',') ?? CLAIMS.map(({ id }) => id);
const unknown = ids.filter((id) => !CLAIMS.some((claim) => claim.id === id));
if (!range || Number(range[1]) > Number(range[2])) fail(`--seeds: expected a..b, got ${options.seeds}`);
if (unknown.length > 0) fail(`--claims: no claim has the name ${unknown.join(', ')}`);
if (!/^[1-9]\d*$/.test(options.workers))
  fail(`--workers: expected an integer from 1, got ${options.workers}`);

function fail(message) {
  console.error(message);
  process.exit(2);
}

const [first, last] = [Number(range[1]), Number(range[2])];
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** What decides the answers. */
const OF_ANSWERS = /^(activations|architectures|claims|core|theory|config|results)\b/;
const sources = readdirSync(at('dist'), { recursive: true })
  .filter((name) => OF_ANSWERS.test(name) && name.endsWith('.js') && !name.endsWith('.test.js'))
  .sort()
  .map((name) => readFileSync(at(`dist/${name}`)));
const digest = sources
  .reduce((hash, text) => hash.update(text), createHash('sha256'))
  .digest('hex')
  .slice(0, 16);

const answers = new Map();
const keyOf = (seed, id) => `${seed} ${id}`;
if (existsSync(PARTIAL)) {
  // The last line is cut where the run was killed while it wrote.
  for (const line of readFileSync(PARTIAL, 'utf8').split('\n').slice(0, -1)) {
    const { digest: of, seed, id, examined } = JSON.parse(line);
    if (of === digest) answers.set(keyOf(seed, id), examined);
  }
  writeFileSync(
    PARTIAL,
    [...answers]
      .map(([key, examined]) => {
        const [seed, id] = key.split(' ');
        return `${JSON.stringify({ digest, seed: Number(seed), id, examined })}\n`;
      })
      .join(''),
  );
}

const open = seeds
  .flatMap((seed) => ids.map((id) => ({ id, seed })))
  .filter(({ id, seed }) => !answers.has(keyOf(seed, id)));
let done = 0;
await examineClaims(open, Number(options.workers), (examined, { id, seed }) => {
  answers.set(keyOf(seed, id), examined);
  appendFileSync(PARTIAL, `${JSON.stringify({ digest, seed, id, examined })}\n`);
  done++;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${done} of ${open.length}: ${id}, seed ${seed}`);
});
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');

const before = existsSync(RESULT) ? JSON.parse(readFileSync(RESULT, 'utf8')).claims : {};
const now = Object.fromEntries(
  ids.map((id) => [
    id,
    summaryOf(
      seeds,
      seeds.map((seed) => answers.get(keyOf(seed, id))),
    ),
  ]),
);
const all = CLAIMS.flatMap(({ id }) => ((now[id] ?? before[id]) ? [[id, now[id] ?? before[id]]] : []));
writeFileSync(RESULT, verdictSeedsText(Object.fromEntries(all)));
rmSync(PARTIAL, { force: true });

const percent = (probability) =>
  probability === null ? '-' : probability < 1e-6 ? '< 1e-6' : probability.toExponential(0);
console.log(
  `claim                  verdict  seeds  by chance another  mutations told wrong (missed by chance)`,
);
for (const [id, summary] of Object.entries(now)) {
  const mutations = Object.values(summary.mutations).map(
    ({ turned, missed }) => `${turned} (${percent(missed)})`,
  );
  const verdict = `${summary.verdict}  ${String(summary.agreeing).padStart(2)}/${seeds.length}`;
  const mark = isStable(summary) ? ' ' : '!';
  console.log(
    `${mark} ${id.padEnd(21)} ${verdict.padEnd(16)} ${percent(summary.other).padEnd(17)}  ${mutations.join(', ')}`,
  );
}
const unstable = Object.entries(now).filter(([, summary]) => !isStable(summary));
if (unstable.length > 0) console.error(`hang on their draws: ${unstable.map(([id]) => id).join(', ')}`);
process.exitCode = unstable.length > 0 ? 1 : 0;
