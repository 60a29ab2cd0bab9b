/** `report`: one page of the figures, claims, scalings and where they come from. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Experiment } from '../../config/resolve.js';
import { digestOf } from '../../plan/digest.js';
import type { OtherResults } from '../../report/experiments-section.js';
import { FIGURE_NAMES, type FigureResults, renderReport } from '../../report/report.js';
import { ReportError } from '../../report/report-error.js';
import { CHART, MANIFEST, REPORT, TABLE } from '../../results/file-names.js';
import { withLabels } from '../../run/earlier-table.js';
import { configDirectories, ensureWritableDirectory, isThere, readJson, shown } from '../../store/files.js';
import { readResults } from '../../store/results-folder.js';
import { UserError } from '../../store/user-error.js';
import { writeFile } from '../../store/write-file.js';
import { type Effects, quietly } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { experimentOf, figurePaths, readExperiments, specName } from '../experiments.js';
import { readRecord, recordPath, SHIPPED_RECORD } from '../recorded-claims.js';
import { chartChange } from './plot.js';

export interface ReportCommand {
  readonly out: string;
  /** Default: report.html in `out`. */
  readonly file?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/**
 * Writes the page and prints its path and size.
 *
 * @throws UserError when results are missing or cannot be read, all of them at once.
 */
export async function report(
  { out, file = join(out, REPORT), quiet }: ReportCommand,
  effects: Effects,
): Promise<number> {
  const missing = FIGURE_NAMES.flatMap((name) => [join(out, name, TABLE), join(out, name, MANIFEST)])
    .filter((path) => !isThere(path))
    .map((path) => `${path}: no such file`);
  if (missing.length > 0) {
    throw new UserError([...missing, 'feature-speed figures measures all that a report needs'].join('\n'));
  }
  const { write, tell } = quietly(effects, quiet);
  const figures = Object.fromEntries(
    FIGURE_NAMES.map((name) => [name, readFigure(join(out, name), name, tell)]),
  );
  const others = otherNames(out).map((name) => readOther(join(out, name), name, tell));
  const claims = readRecord(recordPath(out)) ?? readRecord(SHIPPED_RECORD) ?? null;
  if (!isThere(recordPath(out))) {
    tell(
      claims === null
        ? `${recordPath(out)}: no such file; the page is without claims, feature-speed verify --record writes them`
        : `the claims are those that come with the program; feature-speed verify --record writes ${recordPath(out)}`,
    );
  }
  let page: string;
  try {
    page = await renderReport({ figures, others, claims });
  } catch (error) {
    throw error instanceof ReportError ? new UserError(`${out}: ${error.message}`) : error;
  }
  ensureWritableDirectory(dirname(file));
  writeFile(file, page);
  write(`${shown(file)}: ${(Buffer.byteLength(page) / 1e6).toFixed(1)} MB, opens without a network\n`);
  return EXIT.fine;
}

/** Reads a figure, and tells what is odd about it. */
function readFigure(folder: string, name: string, tell: (line: string) => void): FigureResults {
  const { table, manifest, sha256, changes } = readResults(folder);
  const chart = chartChange(folder, sha256);
  for (const line of [...changes, ...(chart ? [chart] : [])]) tell(line);
  const experiment = experimentOf(manifest, join(folder, MANIFEST));
  const paper = shipped(name);
  // Other draws are of the same networks, and what else is recorded changes nothing that is compared.
  const { seed, draws, record } = paper;
  const isAltered = digestOf({ ...experiment, seed, draws, record }, 'auto') !== digestOf(paper, 'auto');
  if (isAltered) tell(`${folder} is of other settings than the paper's; its values are left out`);
  return { table: withLabels(experiment, table), manifest, spec: readSpec(name), isAltered };
}

/** The experiment that comes with the program, of the settings of the paper. */
const shipped = (name: string): Experiment =>
  readExperiments([figurePaths().find((path) => basename(path, '.json') === name)!], [])[0]!;

/** Folders with results that are no figures, by name. */
function otherNames(out: string): readonly string[] {
  return readdirSync(out, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !FIGURE_NAMES.includes(entry.name))
    .map(({ name }) => name)
    .filter((name) => [TABLE, MANIFEST].every((file) => isThere(join(out, name, file))))
    .sort();
}

/** Reads what another experiment has beside its table. */
function readOther(folder: string, name: string, tell: (line: string) => void): OtherResults {
  const { manifest, sha256, changes } = readResults(folder);
  const change = chartChange(folder, sha256);
  for (const line of [...changes, ...(change ? [change] : [])]) tell(line);
  const [spec, png] = [CHART.spec, CHART.png].map((file) => join(folder, file)) as [string, string];
  if (!isThere(png)) tell(`${folder} is not drawn; feature-speed plot ${name} does it`);
  const { description } = (isThere(spec) ? readJson(spec) : {}) as { readonly description?: unknown };
  return {
    manifest,
    description: typeof description === 'string' ? description.replace(/\.$/, '') : undefined,
    png: isThere(png) ? readFileSync(png) : undefined,
  };
}

function readSpec(name: string): FigureResults['spec'] {
  const paths = configDirectories().map((directory) => join(directory, specName(name)));
  const path = paths.find((each) => isThere(each));
  if (path === undefined)
    throw new UserError(`${name}: no chart is specified; expected configs/${specName(name)}`);
  return readJson(path) as FigureResults['spec'];
}
