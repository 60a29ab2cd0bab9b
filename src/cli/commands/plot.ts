/** `plot`: draw the chart of a table. */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { renderChart, type VegaLiteSpec } from '../../charts/render.js';
import { decodeText } from '../../results/read-text.js';
import { fromCsv } from '../../results/table.js';
import { configDirectories, readText, readWith, shown, writeFile } from '../../store/files.js';
import { UserError } from '../../store/user-error.js';
import { EXIT } from '../exit-code.js';
import { specName } from '../experiments.js';

export interface PlotCommand {
  readonly out: string;
  readonly spec?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/** Draws the results that are named, by experiment or by folder. */
export async function plot(names: readonly string[], command: PlotCommand): Promise<number> {
  const folders = names.map((name) => resultsFolder(name, command.out));
  for (const folder of folders) await plotFolder(folder, command);
  return EXIT.fine;
}

/**
 * Draws one folder: table.csv -> chart.vl.json, chart.svg, chart.png, chart.html.
 *
 * @throws UserError when there is no table, no specification, or the two do not fit.
 */
export async function plotFolder(folder: string, command: PlotCommand): Promise<void> {
  const table = readWith(join(folder, 'table.csv'), checkedTable);
  const specPath = command.spec ?? findSpec(folder);
  let chart: Awaited<ReturnType<typeof renderChart>>;
  try {
    const spec = JSON.parse(readText(specPath)) as VegaLiteSpec;
    chart = await renderChart(spec, table, {
      title: basename(resolve(folder)),
      onWarning: (message) => process.stderr.write(`${specPath}: ${message}\n`),
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${specPath} with ${join(folder, 'table.csv')}: ${(error as Error).message}`);
  }
  writeFile(join(folder, 'chart.vl.json'), chart.specWithUrl);
  writeFile(join(folder, 'chart.svg'), chart.svg);
  writeFile(join(folder, 'chart.png'), chart.png);
  writeFile(join(folder, 'chart.html'), chart.html);
  if (!command.quiet)
    process.stdout.write(`${basename(resolve(folder))}: ${shown(join(folder, 'chart.{svg,png,html}'))}\n`);
}

/**
 * The text of a table, which the chart reads once more: what is cut off or no number would be drawn as if it were missing.
 *
 * @throws ReadError
 */
function checkedTable(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  fromCsv(text);
  return text;
}

function resultsFolder(name: string, out: string): string {
  const candidates = [name, join(out, name)];
  const found = candidates.find((path) => existsSync(path) && statSync(path).isDirectory());
  if (!found) {
    throw new UserError(
      `${name}: expected a folder with results or the name of one in ${out}; found neither`,
    );
  }
  return found;
}

function findSpec(folder: string): string {
  const name = specName(basename(resolve(folder)));
  const candidates = [
    ...configDirectories().map((directory) => join(directory, name)),
    join(folder, 'chart.vl.json'),
  ];
  const found = candidates.find((path) => existsSync(path));
  if (!found)
    throw new UserError(`${folder}: no chart is specified; expected configs/${name}, or --spec FILE`);
  return found;
}
