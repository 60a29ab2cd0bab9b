/** The spec that a folder of results is drawn with. */
import { basename, dirname, join, resolve } from 'node:path';
import { type Axis, defaultChart } from '../charts/default-chart.js';
import type { VegaLiteSpec } from '../charts/render.js';
import { AXES, type AxisName, entryOf } from '../config/axes.js';
import { axisOfColumn, identityColumns } from '../config/columns.js';
import type { Experiment } from '../config/resolve.js';
import { CHART, MANIFEST } from '../results/file-names.js';
import { readManifest } from '../results/manifest.js';
import { fromCsv, STEP_NUMBER } from '../results/table.js';
import { configDirectories, isThere, readJson, readWith } from '../store/files.js';
import { UserError } from '../store/user-error.js';
import { experimentOf, specName } from './experiments.js';

/** Where a chart says that nobody has specified it: a place that Vega leaves to others. */
export const IS_DEFAULT = 'is_default';

interface ChartSpec {
  readonly spec: VegaLiteSpec;
  /** What messages call it. */
  readonly place: string;
  readonly isDefault: boolean;
}

/**
 * The spec that is given, else the one beside the config, in `configs/` or in the working directory, else what the folder was drawn
 * with before, else the default chart.
 *
 * @throws UserError when a spec is no JSON, or there is nothing to draw.
 */
export function chartSpec(
  folder: string,
  table: string,
  { spec: given, config }: { readonly spec?: string | undefined; readonly config?: string | undefined },
): ChartSpec {
  const name = specName(basename(resolve(folder)));
  const directories = [...(config === undefined ? [] : [dirname(config)]), ...configDirectories(), '.'];
  const paths = [...directories.map((directory) => join(directory, name)), join(folder, CHART.spec)];
  for (const place of given === undefined ? paths.filter((path) => isThere(path)) : [given]) {
    const spec = readJson(place) as VegaLiteSpec;
    const usermeta = spec?.usermeta as Readonly<Record<string, unknown>> | undefined;
    if (usermeta?.[IS_DEFAULT] !== true) return { spec, place, isDefault: false };
  }
  const read = fromCsv(table);
  const path = join(folder, MANIFEST);
  const experiment = isThere(path) ? experimentOf(readWith(path, readManifest), path) : undefined;
  const spec = defaultChart(read, axesOf(experiment, read.columns), experiment?.record.quantities);
  if (spec === undefined) {
    throw new UserError(
      `${folder}: no chart is specified, and the table has no quantity for a default one; write configs/${name}, or --spec FILE`,
    );
  }
  return { spec, place: `the default chart, without a configs/${name},`, isDefault: true };
}

/** What the rows of a table vary along: the step, the layer, the sweep from outside in, and all else. */
function axesOf(experiment: Experiment | undefined, columns: readonly string[]): readonly Axis[] {
  const swept = experiment ? sweptColumns(experiment) : [];
  // Where the last layer alone is recorded, it says again what the depth does.
  const layer = experiment?.record.layers === 'output' ? [] : ['layer'];
  const isTold = (column: string) =>
    NO_AXES.has(column) || swept.some((each) => formulaOf(column) === each || each === column);
  const others = identityColumns(columns).filter((column) => !isTold(column));
  return [STEP_NUMBER, ...layer, ...swept, ...others]
    .filter((column) => columns.includes(column))
    .map((column) => ({ column, title: titleOf(column) }));
}

/** Columns that tell rows apart and are no axis of a chart, unless they are put in front. */
const NO_AXES: ReadonlySet<string> = new Set(['experiment', 'draw', 'weights', 'layer', STEP_NUMBER]);

/** The columns of a sweep, in its order; of formulas, which come to another number at every depth, their own. */
function sweptColumns({ nesting, axes, file }: Experiment): readonly string[] {
  const swept = Object.keys(file.sweep ?? {});
  return nesting
    .filter((name) => swept.includes(name))
    .map((name) => {
      if (!Object.hasOwn(AXES, name)) return name;
      const { column, formulaColumn } = entryOf(name as AxisName);
      const isFormula = axes[name as AxisName].some((value) => typeof value === 'string');
      return isFormula && formulaColumn !== undefined ? formulaColumn : column;
    });
}

const formulaOf = (column: string): string | undefined => {
  const axis = axisOfColumn(column);
  return axis === undefined ? undefined : entryOf(axis).formulaColumn;
};

/** The title of a column: of a formula that of its axis, of a parameter its name. */
function titleOf(column: string): string {
  if (column === 'layer') return 'layer v';
  if (column === STEP_NUMBER) return 'step';
  const axis = (Object.keys(AXES) as AxisName[]).find((name) => {
    const { column: own, formulaColumn } = entryOf(name);
    return column === own || column === formulaColumn;
  });
  return axis === undefined ? column : entryOf(axis).title;
}
