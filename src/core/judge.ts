/** Whether a measured cell is right, for tests: against the brute force, within what float32 can do to it. */
import { bruteForce, type Drawn, OutOfReach, type Reference, type ReferenceStep } from './brute-force.js';
import { drawData } from './data.js';
import type { BatchCell, BatchSettings, CellMeasurement, MeasuredQuantity } from './experiment.js';
import { ROLE } from './random.js';
import type { Source } from './weights.js';

/** What a cell that is not right must carry. */
export const isReported = (cell: CellMeasurement) =>
  cell.divergedAt !== undefined || (cell as { inexact?: unknown }).inexact !== undefined;

/** A quantity that is not what it should be. */
export interface Wrong {
  readonly quantity: MeasuredQuantity;
  readonly step: number;
  readonly layer: number;
  readonly measured: number;
  readonly expected: number;
  readonly tolerance: number;
}

export interface Judgement {
  /** None where the cell is right. */
  readonly wrong: readonly Wrong[];
  /** Whether a state is so large or small that no float32 holds it. */
  readonly isOutOfReach: boolean;
  /** The largest tolerance of an angle, in rad: what float32 leaves undecided. */
  readonly condition: number;
}

/** Angles and residuals are compared as they are, all else relative to what is expected. */
const ABSOLUTE: readonly MeasuredQuantity[] = ['bfa_rad', 'fba_rad', 'speed_formula_residual', 'step_number'];

/** Runs of the reference with the rounding of float32. Their gates are moved to either side. */
const GATE_SHIFTS = [6, -6, 0];

/**
 * How often the deviation of the worst of the runs with rounding a measured one may be off.
 *
 * The deviation of one run is that of a normal number of the same scale as the measured one, where the model is right. The
 * largest of three, over all layers, is below a tenth of its scale once in 2,000 (P(|g| < 0.1)^3 = 5e-4 for one layer), and
 * the measured one above four of them once in 16,000.
 */
const SAFETY = 40;

/** What every quantity may be off by without any cancellation: some roundings a layer. */
const FLOOR = 16 * 2 ** -24;

/** The weights and data of a cell as dense weights draw them. */
export function drawnBy({ sampler }: Source, cell: BatchCell, { shape }: BatchSettings): Drawn {
  const { samples: _, width: m, inputWidth: d, outputWidth: k } = shape;
  const weights = Array.from({ length: cell.depth + 1 }, (_, layer) => {
    if (layer === 0) return new Float64Array();
    const isFirst = layer === 1;
    const isLast = layer === cell.depth;
    const sigma = isFirst
      ? cell.sigma.input
      : isLast
        ? cell.sigma.output
        : cell.branchScale * cell.sigma.hidden;
    const count = (isLast ? k : m) * (isFirst ? d : m);
    return Float64Array.from(sampler.draw([{ seed: cell.seed, layer, role: ROLE.DENSE }], count, [sigma]));
  });
  return { weights, ...drawData(sampler, cell.seed, cell.data, shape) };
}

/** Judges what dense weights measured. */
export function judge(
  source: Source,
  cell: BatchCell,
  settings: BatchSettings,
  measured: CellMeasurement,
): Judgement {
  let exact: Reference;
  let runs: Reference[];
  const drawn = drawnBy(source, cell, settings);
  try {
    exact = bruteForce(cell, settings, drawn);
    const normal = normals(cell.seed[0]);
    runs = GATE_SHIFTS.map((gateShift) => bruteForce(cell, settings, drawn, { normal, exact, gateShift }));
  } catch (error) {
    if (!(error instanceof OutOfReach)) throw error;
    return { wrong: [], isOutOfReach: true, condition: Number.POSITIVE_INFINITY };
  }
  const first = settings.layers === 'all' ? 1 : cell.depth - 1;
  const rows = cell.depth - first;
  const wrong: Wrong[] = [];
  let condition = 0;
  exact.steps.forEach((expected, step) => {
    for (const quantity of Object.keys(expected) as MeasuredQuantity[]) {
      const tolerance = toleranceOf(
        quantity,
        expected,
        runs.map(({ steps }) => steps[step]!),
        cell.depth,
      );
      if (quantity === 'bfa_rad') condition = Math.max(condition, tolerance);
      for (let layer = first; layer < cell.depth; layer++) {
        const value = measured.values[quantity][step * rows + layer - first]!;
        const right = expected[quantity][layer - 1]!;
        if (Object.is(value, right) || !(tolerance < Number.POSITIVE_INFINITY)) continue;
        const scale = ABSOLUTE.includes(quantity) ? 1 : Math.abs(right);
        if (Math.abs(value - right) <= tolerance * scale) continue;
        if (!Number.isFinite(value) && !Number.isFinite(right)) continue;
        wrong.push({ quantity, step: step + 1, layer, measured: value, expected: right, tolerance });
      }
    }
  });
  return { wrong, isOutOfReach: false, condition };
}

/** The largest deviation of the runs from what is right, over the layers of a step. */
function toleranceOf(
  quantity: MeasuredQuantity,
  exact: ReferenceStep,
  runs: readonly ReferenceStep[],
  depth: number,
): number {
  const deviations = runs.flatMap((run) =>
    Array.from(exact[quantity], (right, i) => {
      const value = run[quantity][i]!;
      if (Object.is(value, right)) return 0;
      const scale = ABSOLUTE.includes(quantity) ? 1 : Math.abs(right);
      const deviation = Math.abs(value - right) / scale;
      return Number.isNaN(deviation) ? Number.POSITIVE_INFINITY : deviation;
    }),
  );
  return SAFETY * Math.max(...deviations) + FLOOR * depth;
}

/** Standard normal numbers from a seed: mulberry32 and the polar form of Box and Muller. */
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
