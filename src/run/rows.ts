/** Measurements and theory of an experiment as the rows of its table. */
import { AXIS_NAMES, entryOf } from '../config/axes.js';
import { LAYER_NAME, rowColumns } from '../config/columns.js';
import { limitCaseOf, typicalSize } from '../config/limit-case.js';
import type { Experiment } from '../config/resolve.js';
import { axisValue, type Setting, toldAxes, toldFormulas, writtenAxisValue } from '../config/settings.js';
import { drawData } from '../core/data.js';
import { norm } from '../core/measurements/measure.js';
import { GaussianSampler } from '../core/random.js';
import type { Cell } from '../plan/cell.js';
import { isTheory, QUANTITY_NAMES, type TheoryQuantity, twelveDigits } from '../quantities.js';
import type { Table, Value } from '../results/table.js';
import type { RecordedCell } from '../store/cell-file.js';
import {
  angleLimits,
  type DataSize,
  type LimitCase,
  sensitivityAt,
  typicalFeatureRms,
} from '../theory/limits.js';

/** A cell with what became of it. */
export interface FinishedCell {
  readonly cell: Cell;
  readonly weights: string;
  readonly measured: RecordedCell;
}

/** The columns of an experiment's table. */
export function columnsOf(experiment: Experiment): string[] {
  const named = experiment.model ? [LAYER_NAME] : [];
  return [...identityColumnsOf(experiment), ...named, ...quantitiesOf(experiment.record)];
}

const identityColumnsOf = (experiment: Experiment) =>
  rowColumns([...toldAxes(experiment), ...toldFormulas(experiment)], Object.keys(experiment.parameters));

const quantitiesOf = ({ quantities }: Experiment['record']) =>
  QUANTITY_NAMES.filter((name) => quantities.includes(name));

/** What the rows of cells have in the columns before the layer, which is the last that says which row it is. */
export function identitiesOf(experiment: Experiment): (cell: Cell, weights: string) => Value[] {
  const { name, step, axes } = experiment;
  const columns = identityColumnsOf(experiment).slice(0, -1);
  const hasStepSize = step.kind === 'update' || axes.stepSize.length > 1;
  return ({ setting, draw }, weights) => {
    const values: Record<string, Value> = { experiment: name, draw, weights, step: step.kind };
    for (const axis of AXIS_NAMES) {
      const { column, formulaColumn } = entryOf(axis);
      values[column] = axis === 'stepSize' && !hasStepSize ? null : axisValue(axis, setting);
      if (formulaColumn) values[formulaColumn] = writtenAxisValue(axis, setting);
    }
    return columns.map((column) => values[column] ?? setting.parameters[column] ?? null);
  };
}

/**
 * The table of an experiment: cells in plan order, layers rising; only the quantities that it records. A cell that breaks an
 * identity is no result, and has no rows.
 */
export function tableOf(experiment: Experiment, finished: readonly FinishedCell[]): Table {
  const quantities = quantitiesOf(experiment.record);
  const theory = new TheoryColumns(experiment);
  const identityOf = identitiesOf(experiment);
  return {
    columns: columnsOf(experiment),
    rows: finished.flatMap((each) => {
      const { cell, weights, measured } = each;
      if (measured.inexact) return [];
      const identity = identityOf(cell, weights);
      return measured.layers.map((layer, at) => [
        ...identity,
        layer,
        ...(measured.names ? [measured.names[at]!] : []),
        ...quantities.map((name) => {
          const value = isTheory(name)
            ? twelveDigits(theory.value(name, each, at))
            : measured.values[name]![at]!;
          return Number.isFinite(value) ? value : null;
        }),
      ]);
    }),
  };
}

/** What theory has for the cells of an experiment; what is of a setting is computed once. */
class TheoryColumns {
  private readonly settings = new Map<Setting, { readonly limitCase: LimitCase; angles?: Float64Array }>();
  private sampler: GaussianSampler | undefined;
  private features: { readonly cell: Cell; readonly typical: Float64Array } | undefined;

  constructor(private readonly experiment: Experiment) {}

  /** NaN where no limit is known (`theory/limits.ts`), and where the cell has no angle to compare it with. */
  value(name: TheoryQuantity, { cell, measured }: FinishedCell, at: number): number {
    const { setting } = cell;
    const layer = measured.layers[at]!;
    const known = this.settings.get(setting) ?? { limitCase: limitCaseOf(this.experiment, setting) };
    this.settings.set(setting, known);
    const { limitCase } = known;
    if (name === 'feature_rms_theory') return this.featuresOf(cell, limitCase)[layer]!;
    if (Number.isNaN(measured.values.bfa_rad?.[at])) return Number.NaN;
    known.angles ??= angleLimits(limitCase, typicalSize(this.experiment, setting));
    const { angles } = known;
    if (name === 'bfa_theory_rad') return angles[layer]!;
    return layer === setting.depth - 1 ? sensitivityAt(limitCase, angles, this.sizeOf(cell)) : Number.NaN;
  }

  /** Of the cell of which a layer was asked for last: its layers come one after the other. */
  private featuresOf(cell: Cell, limitCase: LimitCase): Float64Array {
    if (this.features?.cell !== cell) {
      this.features = { cell, typical: typicalFeatureRms(limitCase, this.sizeOf(cell).input) };
    }
    return this.features.typical;
  }

  /** |x| and |y| as the cell draws them. */
  private sizeOf({ seed, setting }: Cell): DataSize {
    const { data } = this.experiment;
    this.sampler ??= new GaussianSampler();
    const law = { input: { ...data.input, scale: setting.inputScale }, target: data.target };
    const { input, target } = drawData(this.sampler, seed, law, setting);
    return { input: norm(input), target: norm(target) };
  }
}
