/** Whether a measured cell is right, for tests: against the brute force, within what float32 can do to it. */

import { drawData } from '../data.js';
import type { BatchCell, BatchSettings, CellMeasurement } from '../experiment.js';
import { ROLE } from '../random.js';
import { widthAt } from '../step/lane.js';
import type { Source } from '../weights/weights.js';
import { EPSILON, reached } from './arithmetic.js';
import { bruteForce, type Drawn, type Run } from './brute-force.js';
import { normalizations, normalizeForward, scaled } from './normalization.js';
import { type Quantities, quantitiesOf, type StepQuantity } from './quantities.js';

/** Whether the cell itself says that it is no result. */
export const isReported = ({ divergedAt, inexact }: CellMeasurement) =>
  divergedAt !== undefined || inexact !== undefined;

/** A quantity that is not what it should be. */
interface Wrong {
  readonly quantity: StepQuantity;
  readonly step: number;
  readonly layer: number;
  readonly measured: number;
  readonly expected: number;
  readonly tolerance: number;
}

/** What a cell should be: numbers; or a report, for the reason. */
export type Judgement =
  | {
      /** None where the cell is right. */
      readonly wrong: readonly Wrong[];
      /** The largest tolerance of an angle, in rad, or a speed, as a share; infinite where float32, or Eq. 7, decides nothing. */
      readonly condition: number;
      /** Sizes of the smallest and the largest state. */
      readonly smallest: number;
      readonly largest: number;
    }
  | { readonly mustReport: string };

/** Angles and residuals are compared as they are, all else relative to what is expected. */
const ABSOLUTE: readonly StepQuantity[] = ['bfa_rad', 'fba_rad', 'speed_formula_residual', 'step_number'];

/** The runs with rounding: gates that rounding leaves undecided are opened in one and closed in another. */
const GATE_SHIFTS = [6, -6, 0];

/**
 * How far a measured number may be from the right one, in units of the largest deviation that the runs with rounding
 * have in any layer, and of one rounding a layer. Of 2,000 experiments the worst that is right has 9, where gates are at stake; all others are below 3.
 */
const SAFETY = 16;

/**
 * Tolerance of an angle in rad, or of a speed as a share, from which on float32 does not decide the cell: gates or cancelling
 * samples are at stake, and three runs do not show all that can come of it.
 */
const CHAOS = 0.1;
const DECISIVE: readonly StepQuantity[] = ['bfa_rad', 'feature_speed_rms'];

const UNDECIDED = { wrong: [], condition: Number.POSITIVE_INFINITY, smallest: 0, largest: 0 };

/** How far the scale of W_L may be from the root of Eq. 7, times SAFETY: Eq. 7 holds to 1e-4. */
const ROOT_ERROR = 5e-6;

/** The weights and data of a cell as dense weights draw them. */
function drawnBy({ sampler }: Source, cell: BatchCell, { shape }: BatchSettings): Drawn {
  const { inputWidth: d, outputWidth: k } = shape;
  const { input, hidden, output, hiddenLayers } = cell.sigma;
  const m = (l: number) => widthAt(shape, cell.depth - l);
  const draw = (layer: number, count: number, sigma: number) =>
    Float64Array.from(sampler.draw([{ seed: cell.seed, layer, role: ROLE.DENSE }], count, [sigma]));
  const weights = Array.from({ length: cell.depth + 1 }, (_, l) => {
    if (l === 0) return new Float64Array();
    if (l === 1) return draw(l, m(1) * d, input);
    if (l === cell.depth) return draw(l, k * m(l - 1), output);
    return draw(l, m(l) * m(l - 1), cell.branchScale * (hiddenLayers?.[l] ?? hidden));
  });
  return { weights, ...drawData(sampler, cell.seed, cell.data, shape) };
}

/** Judges what dense weights measured. Of several solutions of Eq. 7 any will do. */
export function judge(
  source: Source,
  cell: BatchCell,
  settings: BatchSettings,
  measured: CellMeasurement,
): Judgement {
  const drawn = drawnBy(source, cell, settings);
  const isReached = !settings.isNormalized || reached(() => normalizeForward(cell, settings, drawn));
  if (!isReached) return { mustReport: 'out of reach' };
  const solutions = settings.isNormalized ? normalizations(cell, settings, drawn) : [drawn];
  if (!solutions) return UNDECIDED;
  const judgements = solutions
    .map((solution) => against(solution, cell, settings, measured))
    .filter((judgement) => judgement !== undefined)
    .sort((a, b) => a.wrong.length - b.wrong.length);
  return judgements[0] ?? { mustReport: solutions.length === 0 ? 'Eq. 7 has no solution' : 'out of reach' };
}

function against(drawn: Drawn, cell: BatchCell, settings: BatchSettings, measured: CellMeasurement) {
  const exact = reached(() => bruteForce(cell, settings, drawn));
  if (!exact) return undefined;
  const normal = normals(cell.seed[0]);
  const runs = GATE_SHIFTS.map((gateShift, i) => {
    const off = settings.isNormalized ? 1 + (i - 1) * ROOT_ERROR : 1;
    const weights = drawn.weights.map((W, l) => (l === cell.depth ? scaled(W, off) : W));
    return reached(() => bruteForce(cell, settings, { ...drawn, weights }, { normal, exact, gateShift }));
  });
  // Rounding decides whether there is a gradient at all: samples that cancel.
  if (runs.some((run) => run === undefined)) return UNDECIDED;
  const quantities = (run: Run) =>
    run.steps.map((step, t) =>
      quantitiesOf(step, {
        number: t + 1,
        count: settings.steps,
        train: settings.train,
        dt: settings.kind === 'update' ? cell.stepSize : 1,
        isUpdate: settings.kind === 'update',
      }),
    );
  const rounded = runs.map((run) => quantities(run!));
  const first = settings.layers === 'all' ? 1 : cell.depth - 1;
  const rows = cell.depth - first;
  const wrong: Wrong[] = [];
  let condition = 0;
  quantities(exact).forEach((expected, t) => {
    for (const quantity of Object.keys(expected) as StepQuantity[]) {
      const others = rounded.map((steps) => steps[t]!);
      const tolerance = SAFETY * (deviation(quantity, expected, others) + EPSILON * cell.depth);
      if (DECISIVE.includes(quantity)) condition = Math.max(condition, tolerance);
      for (let layer = first; layer < cell.depth; layer++) {
        const value = measured.values[quantity][t * rows + layer - first]!;
        const right = expected[quantity][layer - 1]!;
        if (distance(quantity, value, right) > tolerance) {
          wrong.push({ quantity, step: t + 1, layer, measured: value, expected: right, tolerance });
        }
      }
    }
  });
  const { smallest, largest } = exact;
  return condition < CHAOS ? { wrong, condition, smallest, largest } : UNDECIDED;
}

/** The largest distance of the runs from what is right, over the layers of a step. */
function deviation(quantity: StepQuantity, exact: Quantities, runs: readonly Quantities[]): number {
  return Math.max(
    ...runs.flatMap((run) => exact[quantity].map((right, i) => distance(quantity, run[quantity][i]!, right))),
  );
}

/** What is not finite is missing from a table, so that one missing number is as good as another, and as bad as any. */
function distance(quantity: StepQuantity, value: number, right: number): number {
  if (value === right || !(Number.isFinite(value) || Number.isFinite(right))) return 0;
  const error = Math.abs(value - right) / (ABSOLUTE.includes(quantity) ? 1 : Math.abs(right));
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** Standard normal numbers from a seed: mulberry32, and the transform of Box and Muller. */
function normals(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
