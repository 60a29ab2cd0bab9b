/** `run --from`: run an experiment again as its manifest has it, and compare. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BACKEND_CHOICES, type BackendChoice } from '../../plan/backend.js';
import { digestOf } from '../../plan/digest.js';
import { parseShard } from '../../plan/shard.js';
import { MANIFEST, TABLE } from '../../results/file-names.js';
import { type Table, toCsv } from '../../results/table.js';
import { withLabels } from '../../run/earlier-table.js';
import { shown } from '../../store/files.js';
import { readResults } from '../../store/results-folder.js';
import { UserError } from '../../store/user-error.js';
import { type Effects, quietly } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { experimentOf } from '../experiments.js';
import { measure } from './run.js';

export interface RerunCommand {
  /** Where the new results stay; without it they are compared and removed. */
  readonly out?: string | undefined;
  /** Without it, that of the manifest. */
  readonly backend?: BackendChoice | undefined;
  readonly workers?: number | undefined;
  readonly fresh?: boolean | undefined;
  readonly takeOver?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/**
 * Runs the experiment of a results folder with its seed, weights, shard and backend, and compares the tables byte by byte.
 *
 * @returns 0 when they are the same, 1 when they differ.
 */
export async function rerun(folder: string, command: RerunCommand, effects: Effects): Promise<number> {
  const { write, tell } = quietly(effects, command.quiet);
  const before = readResults(folder);
  const { manifest } = before;
  const experiment = experimentOf(manifest, join(folder, MANIFEST));
  const { name } = experiment;
  if (command.out !== undefined && resolve(command.out, name) === resolve(folder)) {
    throw new UserError(`${folder}: would be overwritten by what is compared with it; choose another --out`);
  }
  before.changes.forEach(tell);
  if (digestOf(experiment, manifest.weights_choice) !== manifest.digest) {
    tell(`${folder}: of another version of feature-speed; numbers may differ`);
  }
  const scratch = command.out === undefined ? mkdtempSync(join(tmpdir(), 'feature-speed-')) : undefined;
  const out = command.out ?? scratch!;
  try {
    const again = {
      ...command,
      out,
      backend: command.backend ?? backendOf(manifest.backend),
      weights: manifest.weights_choice,
      shard: parseShard(manifest.shard ?? ''),
      json: false,
      quiet: true,
    };
    const code = await measure([experiment], again, effects);
    if (code !== EXIT.fine && code !== EXIT.incomplete) return code;
    const after = readResults(join(out, name));
    const [old, now] = [folder, join(out, name)].map((path) => readFileSync(join(path, TABLE)));
    const labelled = withLabels(experiment, before.table);
    // A table of an earlier version is the same where it is with the labels that came later.
    const isSame = labelled === before.table ? old!.equals(now!) : now!.equals(Buffer.from(toCsv(labelled)));
    const difference = isSame ? null : firstDifference(labelled, after.table);
    const [cells, rows] = [after.manifest.counts.cells, after.table.rows.length];
    if (command.json) {
      effects.write(
        `${JSON.stringify({ name, same: difference === null, difference, cells, rows, warnings: before.changes }, null, 2)}\n`,
      );
    } else {
      const verdict = difference === null ? `same, ${cells} cells, ${rows} rows` : `different: ${difference}`;
      write(`${shown(folder)}: ${verdict}\n`);
    }
    return difference === null ? EXIT.fine : EXIT.different;
  } finally {
    if (scratch) rmSync(scratch, { recursive: true, force: true });
  }
}

function backendOf(name: string): BackendChoice {
  const known = BACKEND_CHOICES.find((choice) => choice === name);
  if (known) return known;
  throw new UserError(
    `the manifest names the backend ${name}; expected ${BACKEND_CHOICES.join(', ')}; give --backend`,
  );
}

/** Where two tables part, in words. */
function firstDifference(before: Table, after: Table): string {
  if (before.columns.join() !== after.columns.join()) {
    return `line 1: columns ${before.columns.join()} before, ${after.columns.join()} now`;
  }
  for (const [i, row] of after.rows.entries()) {
    const other = before.rows[i];
    const at = row.findIndex((value, j) => value !== other?.[j]);
    if (!other || at === -1) continue;
    return `line ${i + 2}, column ${after.columns[at]}: ${other[at] ?? 'empty'} before, ${row[at] ?? 'empty'} now`;
  }
  const [had, has] = [before.rows.length, after.rows.length];
  return had === has ? 'the same numbers, written otherwise' : `${had} rows before, ${has} now`;
}
