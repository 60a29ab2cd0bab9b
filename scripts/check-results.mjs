// Committed results still reproduce: node scripts/check-results.mjs [--results DIR] [NAME...]
//
// Measures each experiment that has results again, with the built program and the backend that its manifest names, and
// compares table.csv byte for byte; of those that take long, a part of the cells. Draws the table that is there again and
// compares chart.svg. Writes to a temporary folder only. Ends with `N passed, N failed`; the exit code is 1 when something differs, 2 on a mistake.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fromCsv } from '../dist/results/table.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/main.js');

/** Exit code 3 is fine where the committed run had it too: cells that diverge do so again. */
function call(...words) {
  try {
    execFileSync(process.execPath, [PROGRAM, ...words], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    if (error.status !== 3) throw new Error(`feature-speed ${words[0]}: ${String(error.stderr).trim()}`);
  }
}

/** What differs between two tables: how many rows, and where the first does; undefined when no byte does. */
function tableDifference(before, after) {
  if (before === after) return undefined;
  const [old, now] = [fromCsv(before), fromCsv(after)];
  if (old.columns.join() !== now.columns.join()) return `columns ${old.columns} are now ${now.columns}`;
  const count = Math.max(old.rows.length, now.rows.length);
  const isSame = (i) => {
    const [a, b] = [old.rows[i], now.rows[i]];
    return a !== undefined && b !== undefined && a.every((value, j) => value === b[j]);
  };
  const different = Array.from({ length: count }, (_, i) => i).filter((i) => !isSame(i));
  if (different.length === 0) return 'the same values, written otherwise';
  const [first] = different;
  const [a, b] = [old.rows[first], now.rows[first]];
  const row = `row ${first + 1}`;
  const place =
    a === undefined || b === undefined
      ? `${row} is ${a === undefined ? 'new' : 'gone'}`
      : old.columns
          .map((column, j) => ({ column, was: a[j], is: b[j] }))
          .filter(({ was, is }) => was !== is)
          .slice(0, 1)
          .map(({ column, was, is }) => `${row}, column ${column}: ${was ?? 'empty'} -> ${is ?? 'empty'}`)
          .join();
  return `${different.length} of ${count} rows differ, first ${place}`;
}

/** Work on one experiment, of as many parts as it takes, ms; and the fewest cells of a part. Few cells of many steps take fewer. */
const LONG_MS = 8_000;
const FEW_CELLS = 4;

/** What differs between a table and some rows of it, measured again; undefined when every line of them stands there. */
function partDifference(whole, part) {
  const lines = new Set(whole.split('\n'));
  const others = part.split('\n').filter((line) => !lines.has(line));
  return others.length === 0 ? undefined : `${others.length} rows are not in the table, first ${others[0]}`;
}

function checkTable(folder, name, scratch) {
  const manifest = (from) => JSON.parse(readFileSync(join(from, 'manifest.json'), 'utf8'));
  const table = (from) => readFileSync(join(from, 'table.csv'), 'utf8');
  const { backend, digest, elapsed_ms: work, counts: of, experiment } = manifest(folder);
  const again = join(scratch, name);
  const parts = Math.max(1, Math.min(Math.ceil(work / LONG_MS), Math.floor(of.cells / FEW_CELLS)));
  const steps = Math.max(2, Math.floor(((experiment.step?.count ?? 1) * LONG_MS) / work));
  const isCut = parts === 1 && work > 2 * LONG_MS && experiment.step?.count > steps;
  const less = isCut ? ['--set', `step.count=${steps}`] : parts > 1 ? ['--shard', `1/${parts}`] : [];
  call('run', join('configs', `${name}.json`), '--backend', backend, '--out', scratch, '--quiet', ...less);
  if (less.length > 0) return partDifference(table(folder), table(again));
  const difference = tableDifference(table(folder), table(again));
  const isOther = manifest(again).digest !== digest;
  return difference && isOther
    ? `${difference}; the config, the weights or the numerics are others`
    : difference;
}

function checkChart(folder, name, scratch) {
  const drawn = join(scratch, 'drawn', name);
  mkdirSync(drawn, { recursive: true });
  // Charts of optima are drawn over what the manifest says is sought.
  for (const name of readdirSync(folder).filter((file) => /\.csv$|^manifest\.json$/.test(file)))
    copyFileSync(join(folder, name), join(drawn, name));
  call('plot', drawn, '--quiet');
  const [before, after] = [folder, drawn].map((from) => readFileSync(join(from, 'chart.svg')));
  if (before.equals(after)) return undefined;
  const at = before.findIndex((byte, i) => byte !== after[i]);
  return `the drawing differs from byte ${at === -1 ? before.length : at} on`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { results: { type: 'string', default: join(ROOT, 'results') } },
});
const results = resolve(values.results);
const present = (existsSync(results) ? readdirSync(results) : []).filter(
  (name) => existsSync(join(results, name, 'table.csv')) || existsSync(join(results, name, 'manifest.json')),
);
const names = positionals.length > 0 ? positionals : present.sort();
const missing = names.filter((name) => !present.includes(name));
if (names.length === 0 || missing.length > 0) {
  console.error(`${results}: expected results of ${missing.join(', ') || 'an experiment'}, found none`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'feature-speed-'));
const counts = { passed: 0, failed: 0 };
try {
  for (const name of names) {
    const hasChart = [join(results, name, 'chart.svg'), join(ROOT, 'configs', `${name}.vl.json`)].some(
      existsSync,
    );
    const checks = { 'table.csv': checkTable, ...(hasChart && { 'chart.svg': checkChart }) };
    for (const [file, check] of Object.entries(checks)) {
      let difference;
      try {
        difference = check(join(results, name), name, scratch);
      } catch (error) {
        difference = error.message;
      }
      counts[difference === undefined ? 'passed' : 'failed'] += 1;
      console.log(`${name}/${file}: ${difference ?? 'the same bytes'}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;
