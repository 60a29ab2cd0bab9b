/** `plot`: draw the chart of a table. */
import { statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { VegaLiteSpec } from '../../charts/render.js';
import { isObject, isOver, withCurves } from '../../charts/spec.js';
import { isLabelColumn, REQUIRED_COLUMNS } from '../../config/columns.js';
import { CHART, MANIFEST, TABLE } from '../../results/file-names.js';
import { digestOfBytes, readManifest } from '../../results/manifest.js';
import { decodeText } from '../../results/read-text.js';
import { fromCsv, toCsv } from '../../results/table.js';
import { withLabels } from '../../run/earlier-table.js';
import { curvesOf } from '../../run/optima.js';
import { asUserError, isThere, readJson, readWith, removeFile, shown } from '../../store/files.js';
import { tableChange } from '../../store/standing-result.js';
import { UserError } from '../../store/user-error.js';
import { writeFiles } from '../../store/write-file.js';
import { chartSpec, IS_DEFAULT } from '../chart-spec.js';
import { type Effects, quietly } from '../effects.js';
import { EXIT } from '../exit-code.js';
import { experimentOf } from '../experiments.js';

export interface PlotCommand {
  readonly out: string;
  readonly spec?: string | undefined;
  readonly quiet?: boolean | undefined;
  /** The config whose results these are, where it was named: its spec lies beside it. */
  readonly config?: string | undefined;
}

/**
 * Draws the results that are named, by experiment or by folder.
 *
 * @throws UserError for those that cannot be drawn, when the others are.
 */
export async function plot(
  names: readonly string[],
  command: PlotCommand,
  effects: Effects,
): Promise<number> {
  const problems: string[] = [];
  for (const name of names) {
    try {
      await plotFolder(resultsFolder(name, command.out), { ...command, config: configOf(name) }, effects);
    } catch (error) {
      const told = asUserError(undefined, error);
      if (!(told instanceof UserError)) throw error;
      problems.push(told.message);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return EXIT.fine;
}

/**
 * Draws one folder: table.csv -> chart.vl.json, chart.svg, chart.png, chart.html.
 *
 * @param stop ends the drawing.
 * @throws UserError when there is no table, nothing to draw in it, or spec and table do not fit; when it is stopped; and for a picture that is too
 * large for a PNG, when the rest is written.
 */
export async function plotFolder(
  folder: string,
  command: PlotCommand,
  effects: Effects,
  stop?: AbortSignal,
): Promise<void> {
  const { write, tell } = quietly(effects, command.quiet);
  const { table, sha256, change } = readWith(join(folder, TABLE), (bytes) => ({
    table: labelledTable(folder, bytes),
    sha256: digestOfBytes(bytes),
    change: tableChange(folder, bytes),
  }));
  if (change) tell(change);
  const { spec: chosen, place: from, isDefault } = chartSpec(folder, table, command);
  const spec = withOwnCurves(chosen, folder, table);
  const place = `${from} with ${join(folder, TABLE)}`;
  const options = {
    title: basename(resolve(folder)),
    onWarning: (message: string) => effects.tell(`${place}: ${message}`),
  };
  const chart = await effects.drawChart(spec, table, options, stop).catch((error: Error) => {
    throw new UserError(`${place}: ${error.message}`);
  });
  const png = join(folder, CHART.png);
  const hasPng = chart.pngProblem === undefined;
  writeFiles([
    { path: join(folder, CHART.spec), content: signed(chart.specWithUrl, sha256, isDefault) },
    { path: join(folder, CHART.svg), content: chart.svg },
    ...(hasPng ? [{ path: png, content: chart.png }] : []),
    { path: join(folder, CHART.html), content: chart.html },
  ]);
  // That of an earlier table would be taken for one of this.
  if (!hasPng) removeFile(png);
  const written = hasPng ? 'chart.{svg,png,html}' : 'chart.{svg,html}';
  write(`${basename(resolve(folder))}: ${shown(join(folder, written))}\n`);
  if (!hasPng) throw new UserError(`${shown(png)}: ${chart.pngProblem}`);
}

/** A spec over curves with those of the folder, where its experiment seeks optima on some. */
function withOwnCurves(spec: VegaLiteSpec, folder: string, table: string): VegaLiteSpec {
  const path = join(folder, MANIFEST);
  if (!isObject(spec) || !isOver(spec, 'curves') || !isThere(path)) return spec;
  const experiment = experimentOf(readWith(path, readManifest), path);
  return experiment.optima ? withCurves(spec, toCsv(curvesOf(experiment, fromCsv(table)))) : spec;
}

/** Where a chart keeps the SHA-256 of the table that it was drawn from: a place that Vega leaves to others. */
const DRAWN_FROM = 'table_sha256';

function signed(spec: string, sha256: string, isDefault: boolean): string {
  const usermeta = { [DRAWN_FROM]: sha256, ...(isDefault && { [IS_DEFAULT]: true }) };
  return `${JSON.stringify({ ...JSON.parse(spec), usermeta }, null, 2)}\n`;
}

/** What is to be said of the chart in a folder that was drawn from another table; undefined where there is none. */
export function chartChange(folder: string, sha256: string): string | undefined {
  const path = join(folder, CHART.spec);
  if (!isThere(path)) return undefined;
  let drawnFrom: unknown;
  try {
    drawnFrom = (readJson(path) as { usermeta?: Record<string, unknown> }).usermeta?.[DRAWN_FROM];
  } catch {
    // What is no chart of ours says nothing.
  }
  if (drawnFrom === undefined || drawnFrom === sha256) return undefined;
  return `${join(folder, CHART.svg)} is drawn from another table; feature-speed plot ${basename(resolve(folder))} draws it again`;
}

/**
 * The text of a table, which the chart reads once more: what is cut off or no number would be drawn as if it were missing. One
 * of an earlier version has the labels that its manifest knows.
 *
 * @throws ReadError
 */
function labelledTable(folder: string, bytes: Uint8Array): string {
  const text = decodeText(bytes);
  const table = fromCsv(text);
  const path = join(folder, MANIFEST);
  const isOfBefore =
    REQUIRED_COLUMNS.every((column) => table.columns.includes(column)) && !table.columns.some(isLabelColumn);
  if (!isOfBefore || !isThere(path)) return text;
  try {
    return toCsv(withLabels(experimentOf(readWith(path, readManifest), path), table));
  } catch (error) {
    // Then the chart is without them, and says so where it needs them.
    if (error instanceof UserError) return text;
    throw error;
  }
}

const configOf = (word: string): string | undefined => (word.endsWith('.json') ? word : undefined);

/** The folder of results that a word names: by its path, by the name of the experiment, or by its config. */
function resultsFolder(word: string, out: string): string {
  const candidates = [word, join(out, word), join(out, basename(word, '.json'))];
  const found = candidates.find((path) => isThere(path) && statSync(path).isDirectory());
  if (!found) {
    throw new UserError(
      `${word}: expected a folder with results or the name of one in ${out}; found neither`,
    );
  }
  return found;
}
