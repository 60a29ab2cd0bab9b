/** Measurements and theory of an experiment as the rows of its table. */
import type { Experiment } from '../config/resolve.js';
import type { Setting } from '../config/settings.js';
import type { MeasuredQuantity } from '../core/experiment.js';
import type { Cell } from '../plan/cell.js';
import { QUANTITY_NAMES, type QuantityName, twelveDigits } from '../quantities.js';
import { IDENTITY_COLUMNS, type Table, type Value } from '../results/table.js';
import type { RecordedCell } from '../store/cell-file.js';
import { bfaLimit, sensitivityLimit } from '../theory/bfa.js';

/** A cell with what became of it. */
export interface FinishedCell {
  readonly cell: Cell;
  readonly weights: string;
  readonly measured: RecordedCell;
}

/** The columns of an experiment's table. */
export function columnsOf({ record }: Experiment): string[] {
  return [...IDENTITY_COLUMNS, ...quantitiesOf(record)];
}

const quantitiesOf = ({ quantities }: Experiment['record']) =>
  QUANTITY_NAMES.filter((name) => quantities.includes(name));

/** What the rows of a cell have in the identity columns, but for the layer, which is the last of them. */
export function identityOf(
  { name, network, data, step }: Experiment,
  { setting, draw }: Cell,
  weights: string,
): Value[] {
  return [
    name,
    draw,
    setting.architecture,
    setting.activation,
    setting.depth,
    setting.width,
    network.inputWidth,
    network.outputWidth,
    data.samples,
    setting.branchScale,
    setting.scaling.name,
    weights,
    step.kind,
    step.kind === 'update' ? setting.stepSize : null,
  ];
}

/**
 * The table of an experiment: cells in plan order, layers rising; only the quantities that it records. A cell that breaks an
 * identity is no result, and has no rows.
 */
export function tableOf(experiment: Experiment, finished: readonly FinishedCell[]): Table {
  const quantities = quantitiesOf(experiment.record);
  const theory = new TheoryColumns(experiment);
  return {
    columns: columnsOf(experiment),
    rows: finished.flatMap(({ cell, weights, measured }) => {
      if (measured.inexact) return [];
      const identity = identityOf(experiment, cell, weights);
      return measured.layers.map((layer, at) => [
        ...identity,
        layer,
        ...quantities.map((name) => {
          const value = isTheory(name)
            ? twelveDigits(theory.value(name, cell.setting, layer))
            : measured.values[name]![at]!;
          return Number.isFinite(value) ? value : null;
        }),
      ]);
    }),
  };
}

function isTheory(name: QuantityName): name is Exclude<QuantityName, MeasuredQuantity> {
  return name === 'bfa_theory_rad' || name === 'sensitivity_theory';
}

/** The infinite-width limits of the settings of an experiment, each computed once. */
class TheoryColumns {
  private readonly angles = new Map<string, Float64Array>();

  constructor(private readonly experiment: Experiment) {}

  /**
   * NaN where no limit is known: several samples or a later step, rates that are not Eq. 8, hidden weights that let the
   * features grow or shrink, an activation that is neither linear nor ReLU; for the sensitivity also several outputs, and
   * another layer than the last.
   */
  value(name: 'bfa_theory_rad' | 'sensitivity_theory', setting: Setting, layer: number): number {
    const { data, network, step } = this.experiment;
    const { learningRate, sigmaHidden, sigmaOutput, isNormalized } = setting.scaling;
    const { activation } = setting;
    if (activation !== 'relu' && activation !== 'linear') return Number.NaN;
    if (typeof step.train !== 'string' || step.count > 1) return Number.NaN;
    const critical = Math.sqrt((activation === 'relu' ? 2 : 1) / setting.width);
    const isCritical = isNormalized || Math.abs(sigmaHidden / critical - 1) < 1e-9;
    if (data.samples !== 1 || learningRate !== 'scale-invariant' || !isCritical) return Number.NaN;
    const angle = this.anglesOf(setting, activation, step.train === 'all')[layer]!;
    if (name === 'bfa_theory_rad') return angle;
    if (network.outputWidth !== 1 || layer !== setting.depth - 1) return Number.NaN;
    return isNormalized ? 1 : sensitivityLimit(angle, setting.width, sigmaOutput);
  }

  private anglesOf(
    { architecture, depth, branchScale }: Setting,
    activation: 'relu' | 'linear',
    trainsInput: boolean,
  ): Float64Array {
    const key = `${architecture} ${activation} ${depth} ${branchScale}`;
    const known =
      this.angles.get(key) ?? bfaLimit({ architecture, activation, depth, branchScale, trainsInput });
    this.angles.set(key, known);
    return known;
  }
}
