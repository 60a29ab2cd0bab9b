/** One side of a comparison: a folder, a CSV file or a git revision, read into the results of its experiments. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Results } from '../../compare/diff.js';
import { MANIFEST, TABLE } from '../../results/file-names.js';
import { changeSince, readManifest } from '../../results/manifest.js';
import { ReadError } from '../../results/read-text.js';
import { column, readTable, type Table } from '../../results/table.js';
import { asUserError, isThere, readBytes, shown } from '../../store/files.js';
import { isShallow, listRevision, repositoryProblem, resolveRevision } from '../../store/git.js';
import { UserError } from '../../store/user-error.js';

export interface Side {
  /** What was asked for, and for a revision its commit. */
  readonly label: string;
  /** Whether one experiment was asked for, not a folder of them. */
  readonly isSingle: boolean;
  readonly results: readonly Results[];
  /** What is odd, in sentences. */
  readonly warnings: readonly string[];
}

/** Where the bytes of a file are; the path is for messages. */
interface Source {
  readonly path: string;
  read(): Promise<Uint8Array> | Uint8Array;
}

/**
 * Reads what an argument names: a path if there is one, else a revision.
 *
 * @param out folder of the results, in the working tree and at the revision
 * @param only names of the experiments to read; empty for all
 * @throws UserError when it is neither, and for what cannot be read, all of it at once.
 */
export async function readSide(argument: string, out: string, only: readonly string[]): Promise<Side> {
  if (isThere(argument)) return readPath(argument, only);
  const problem = await told('git', () => repositoryProblem('.'));
  const commit = problem === null ? await told('git', () => resolveRevision(argument, '.')) : null;
  if (commit === null) {
    const depth =
      problem === null && (await isShallow('.'))
        ? '; the clone is shallow, git fetch --unshallow brings the rest'
        : '';
    const reason = problem ?? `git knows no such commit${depth}`;
    throw new UserError(
      `${argument}: expected a results folder, a CSV file or a git revision; there is no such file, and ${reason}`,
    );
  }
  const label = commit.startsWith(argument) ? commit.slice(0, 7) : `${argument} (${commit.slice(0, 7)})`;
  const files = await told(argument, () => listRevision(commit, out, '.'));
  const source = (path: string): Source | undefined => {
    const file = files.find((each) => each.path === path);
    return file && { path: `${argument}:${join(out, path)}`, read: file.read };
  };
  const tables = files.map(({ path }) => path).filter((path) => /^[^/]+\/table\.csv$/.test(path));
  const folders = tables.map((path) => dirname(path)).filter(isWanted(only));
  return gather(label, false, folders, (folder) => ({
    table: source(`${folder}/${TABLE}`)!,
    manifest: source(`${folder}/${MANIFEST}`),
  }));
}

async function readPath(path: string, only: readonly string[]): Promise<Side> {
  const label = shown(resolve(path));
  const isFolder = statSync(path).isDirectory();
  if (!isFolder || isThere(join(path, TABLE))) {
    const table = isFolder ? join(path, TABLE) : path;
    const name = basename(resolve(isFolder || basename(path) === TABLE ? dirname(table) : path), '.csv');
    const manifest = join(dirname(table), MANIFEST);
    const hasManifest = basename(table) === TABLE && isThere(manifest);
    return gather(label, true, [name], () => ({
      table: fileAt(table),
      manifest: hasManifest ? fileAt(manifest) : undefined,
    }));
  }
  const folders = readdirSync(path)
    // In a file there is no table, and to look for one there is an error.
    .filter((name) => statSync(join(path, name), { throwIfNoEntry: false })?.isDirectory())
    .filter((name) => isThere(join(path, name, TABLE)))
    .sort();
  if (folders.length === 0) {
    throw new UserError(`${path}: expected a folder with NAME/table.csv; feature-speed run writes one`);
  }
  return gather(label, false, folders.filter(isWanted(only)), (folder) => ({
    table: fileAt(join(path, folder, TABLE)),
    manifest: isThere(join(path, folder, MANIFEST)) ? fileAt(join(path, folder, MANIFEST)) : undefined,
  }));
}

const isWanted = (only: readonly string[]) => (name: string) => only.length === 0 || only.includes(name);

function fileAt(path: string): Source {
  return {
    path: shown(resolve(path)),
    read: () => readBytes(path),
  };
}

/** Reads every experiment; their problems are told at once. */
async function gather(
  label: string,
  isSingle: boolean,
  names: readonly string[],
  sources: (name: string) => { readonly table: Source; readonly manifest: Source | undefined },
): Promise<Side> {
  const results: Results[] = [];
  const warnings: string[] = [];
  const problems: string[] = [];
  for (const name of names) {
    const { table: tableSource, manifest: manifestSource } = sources(name);
    try {
      const bytes = await told(tableSource.path, async () => tableSource.read());
      const table = await told(tableSource.path, async () => readTable(bytes));
      const manifest = manifestSource
        ? await told(manifestSource.path, async () => readManifest(await manifestSource.read()))
        : null;
      const change = manifest && changeSince(manifest, TABLE, bytes);
      if (change) warnings.push(`${tableSource.path} ${change}`);
      else if (manifest && manifest.counts.rows !== table.rows.length) {
        warnings.push(
          `${tableSource.path}: ${table.rows.length} rows, where its manifest has ${manifest.counts.rows}; cut off or edited`,
        );
      }
      for (const [of, part] of byExperiment(table, manifest?.name ?? name))
        results.push({ name: of, table: part, manifest });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return { label, isSingle: isSingle && results.length === 1, results, warnings };
}

/** The experiments of a table, which has one as a rule; a file that somebody put together may have several. */
function byExperiment(table: Table, name: string): Map<string, Table> {
  const experiments = column(table, 'experiment') ?? [];
  const names = new Set(experiments);
  if (names.size < 2) return new Map([[String([...names][0] ?? name), table]]);
  return new Map(
    Array.from(names, (each) => [
      String(each ?? name),
      { columns: table.columns, rows: table.rows.filter((_, i) => experiments[i] === each) },
    ]),
  );
}

/** What the user can mend, as a UserError that begins with the place; each line of it. */
async function told<T>(place: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ReadError)) throw asUserError(place, error);
    throw new UserError(
      error.message
        .split('\n')
        .map((line) => `${place}: ${line}`)
        .join('\n'),
    );
  }
}
