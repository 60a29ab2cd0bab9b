/** The result that stands in a folder, and what becomes of it when the experiment has been measured again. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { compareRows, varyingColumns } from '../compare/rows.js';
import { FITS, MANIFEST, TABLE } from '../results/file-names.js';
import { changeSince, type Manifest, readManifest } from '../results/manifest.js';
import { otherResult, type ResultIdentity } from '../results/other-result.js';
import { ReadError } from '../results/read-text.js';
import { readTable, type Table } from '../results/table.js';
import { asUserError } from './files.js';
import { isCommitted } from './git.js';
import { UserError } from './user-error.js';

export interface StandingResult {
  readonly folder: string;
  readonly table: Buffer;
  /** Bytes of those of `FITS` that are there. */
  readonly fits: Readonly<Partial<Record<(typeof FITS)[number], Buffer>>>;
  /** Undefined where there is none, or none that can be read. */
  readonly manifest: Manifest | undefined;
  /** Whether the manifest is of these files, as far as it says; a run that is killed between two renames parts them. */
  readonly isOneUnit: boolean;
}

/**
 * What stands in a folder; undefined where there is no table.
 *
 * @throws UserError when the disk does not read.
 */
export function readStanding(folder: string): StandingResult | undefined {
  const table = bytesAt(join(folder, TABLE));
  if (!table) return undefined;
  const fits = Object.fromEntries(
    FITS.flatMap((name) => {
      const bytes = bytesAt(join(folder, name));
      return bytes ? [[name, bytes]] : [];
    }),
  ) as StandingResult['fits'];
  const manifest = manifestIn(bytesAt(join(folder, MANIFEST)));
  const isOneUnit =
    manifest !== undefined &&
    changeSince(manifest, TABLE, table) === undefined &&
    FITS.every((name) => changeSince(manifest, name, fits[name]) === undefined);
  return { folder, table, fits, manifest, isOneUnit };
}

/**
 * What is to be said of the bytes of a folder's table, where its manifest vouches for others.
 *
 * @param table its bytes.
 */
export function tableChange(folder: string, table: Uint8Array): string | undefined {
  const manifest = manifestIn(bytesAt(join(folder, MANIFEST)));
  const change = manifest && changeSince(manifest, TABLE, table);
  return change && `${join(folder, TABLE)} ${change}`;
}

function bytesAt(path: string): Buffer | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined;
  } catch (error) {
    throw asUserError(path, error);
  }
}

function manifestIn(bytes: Buffer | undefined): Manifest | undefined {
  try {
    return bytes && readManifest(bytes);
  } catch (error) {
    if (error instanceof ReadError) return undefined;
    throw error;
  }
}

/**
 * Makes sure that a result may take the place of the one that stands: it is the same one measured again, or git has the
 * old one.
 *
 * @returns in one line what the new one has otherwise; undefined for the same.
 * @throws UserError when the old one would be lost.
 */
export async function checkReplacement(
  { folder, manifest, isOneUnit }: StandingResult,
  next: ResultIdentity,
): Promise<string | undefined> {
  const other = manifest ? otherResult(manifest, next) : 'no manifest says what it is of';
  if (other === undefined) return undefined;
  const path = join(folder, TABLE);
  if (await isCommitted(path)) return other;
  const what = isOneUnit ? `holds another result (${other})` : `is no table of this run (${other})`;
  throw new UserError(
    `${path}: ${what}, and git does not have it; --fresh replaces it, or choose another --out`,
  );
}

/** Whether two manifests say the same of a result, whatever they say of the run that measured it. */
export function sayTheSame(before: Manifest, after: Manifest): boolean {
  const [old, now] = [before, after].map((manifest) => {
    const { commit, dirty, commit_problem, versions, workers, started, elapsed_ms, ...result } = manifest;
    const { batches, ...counts } = result.counts;
    return JSON.parse(JSON.stringify({ ...result, counts }));
  });
  return isDeepStrictEqual(old, now);
}

/** In one line what moved between the table that stood and the new one of the same experiment. */
export function whatMoved(before: Buffer, table: Table): string {
  let old: Table;
  try {
    old = readTable(before);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    return `the table that stood there was none (${error.message.split('\n')[0]})`;
  }
  const { changed, common, added, removed, quantities } = compareRows(
    old,
    table,
    varyingColumns(old, table),
    { atol: 0, rtol: 0 },
  );
  const sizes = quantities.map(({ quantity, largest }) => ({
    quantity,
    size: Math.abs((largest?.after ?? Number.NaN) - (largest?.before ?? Number.NaN)),
  }));
  const [most] = sizes.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
  const parts = [
    ...(changed > 0 ? [`${changed} of ${common} rows moved`] : []),
    ...(added > 0 ? [`${added} rows added`] : []),
    ...(removed > 0 ? [`${removed} rows removed`] : []),
    ...(most ? [`the largest change is ${Number(most.size.toPrecision(2))} in ${most.quantity}`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'the same numbers, written otherwise';
}
