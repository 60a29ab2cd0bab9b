/** The verdicts that are on record: those of a folder of results, and those that come with the program. */
import { join } from 'node:path';
import type { Verdict } from '../claims/claim.js';
import { readVerdicts } from '../claims/record.js';
import { CLAIMS } from '../results/file-names.js';
import { isThere, PACKAGE_ROOT, readText, shown } from '../store/files.js';
import { UserError } from '../store/user-error.js';

export const recordPath = (out: string): string => join(out, CLAIMS);

export const SHIPPED_RECORD = recordPath(join(PACKAGE_ROOT, 'results'));

/**
 * The verdicts of a record; undefined where there is no file.
 *
 * @throws UserError for a file that is no record.
 */
export function readRecord(path: string): readonly Verdict[] | undefined {
  if (!isThere(path)) return undefined;
  const text = readText(path);
  try {
    return readVerdicts(text);
  } catch (error) {
    throw new UserError(
      `${shown(path)}: ${(error as Error).message}\nremove it, and verify --record writes it anew`,
    );
  }
}
