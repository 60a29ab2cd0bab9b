/** A batch of cells in, their measurements out: the one function of the core that the program calls. */
import type { QuantityName } from '../quantities.js';
import { ACTIVATIONS, type ActivationName } from './activation.js';
import type { Lane, Shape } from './lane.js';
import { backwardFeatureAngle, layerNorms } from './measure.js';
import { type GaussianSampler, ROLE, type Seed } from './random.js';
import { type FinishedLayer, takeStep, type WeightsName } from './step.js';
import type { Source } from './weights.js';

/** The law of the data (x, y). */
interface DataLaw {
  readonly input: { readonly scale: number; readonly normalize: 'none' | 'unit-norm' };
  /** y ~ N(0, 1); or a constant; or y_i = cos(pi x_i) for i = 1 .. k. */
  readonly target:
    | { readonly law: 'normal' }
    | { readonly law: 'constant'; readonly value: number }
    | { readonly law: 'cosine' };
}

/** One network: what differs between the cells of a batch. */
export type BatchCell = Omit<Lane, 'input' | 'target'> & { readonly data: DataLaw };

export interface BatchSettings {
  readonly shape: Shape;
  readonly activation: ActivationName;
  readonly weights: WeightsName;
  readonly kind: 'update' | 'velocity';
  readonly layers: 'all' | 'output';
}

/** Quantities that a step measures; the theory columns are not among them. */
export type MeasuredQuantity = Exclude<QuantityName, `${string}_theory${string}`>;

export interface CellMeasurement {
  /** Layers v that are recorded, rising. */
  readonly layers: readonly number[];
  /** By quantity, a number for each recorded layer; NaN where it does not exist. */
  readonly values: Readonly<Record<MeasuredQuantity, Float64Array>>;
  /** First layer where features, backward pass or change left the range of float32. */
  readonly divergedAt: number | undefined;
}

/**
 * Takes one gradient step of every cell and measures it.
 *
 * @param cells in any order, of any depths; the result is in their order.
 */
export function measureBatch(
  source: Source,
  cells: readonly BatchCell[],
  settings: BatchSettings,
): CellMeasurement[] {
  const { shape, kind } = settings;
  const order = cells.map((_, i) => i).sort((i, j) => cells[j]!.depth - cells[i]!.depth || i - j);
  const lanes = order.map((i) => ({ ...cells[i]!, ...drawData(source.sampler, cells[i]!, shape) }));
  const drafts = lanes.map(
    (lane) => new Draft(lane.depth, settings.layers, kind === 'update' ? lane.stepSize : null),
  );

  const step = takeStep(
    source,
    shape,
    lanes,
    {
      activation: ACTIVATIONS[settings.activation],
      weights: settings.weights,
      kind,
    },
    (layer) => {
      if (settings.layers === 'output' && layer.distance !== 1) return;
      readLayer(layer, shape.samples * shape.width, drafts);
    },
  );

  const results: CellMeasurement[] = new Array(cells.length);
  order.forEach((cell, i) => {
    results[cell] = drafts[i]!.finish(
      step.contributions[i]!,
      step.loss[i]!,
      step.lossChange[i]!,
      step.overflow[i],
    );
  });
  return results;
}

/** Reads f, b and the change of one layer and notes them in the draft of each active lane. */
function readLayer(layer: FinishedLayer, size: number, drafts: readonly Draft[]): void {
  const [f, b, change] = [layer.features, layer.backward, layer.change].map(
    (tensor) => tensor.dataSync() as Float32Array,
  ) as [Float32Array, Float32Array, Float32Array];
  for (let i = 0; i < layer.active; i++) {
    const own = (state: Float32Array) => state.subarray(i * size, (i + 1) * size);
    drafts[i]!.note(layer.distance, own(f), own(b), own(change));
  }
}

/** The measurement of one cell in the making. */
class Draft {
  private readonly first: number;
  private readonly values: Record<MeasuredQuantity, Float64Array>;
  private divergedAt: number | undefined;

  constructor(
    private readonly depth: number,
    layers: 'all' | 'output',
    /** dt of an update; null for a velocity. */
    private readonly stepSize: number | null,
  ) {
    this.first = layers === 'all' ? 1 : depth - 1;
    const column = () => new Float64Array(depth - this.first).fill(Number.NaN);
    this.values = {
      bfa_rad: column(),
      sensitivity: column(),
      sensitivity_finite: column(),
      feature_rms: column(),
      backward_rms: column(),
      feature_speed_rms: column(),
      contribution: column(),
      loss: column(),
      loss_change: column(),
      speed_formula_residual: column(),
    };
  }

  note(distance: number, f: Float32Array, b: Float32Array, change: Float32Array): void {
    const layer = this.depth - distance;
    const at = layer - this.first;
    const norms = layerNorms(f, b, change);
    const rms = 1 / Math.sqrt(f.length);
    const stepSize = this.stepSize ?? 1;
    this.values.feature_rms[at] = rms * norms.features;
    this.values.backward_rms[at] = rms * norms.backward;
    this.values.feature_speed_rms[at] = (rms * norms.change) / stepSize;
    this.values.bfa_rad[at] = backwardFeatureAngle(b, change, norms);
    this.values.speed_formula_residual[at] = norms.overlap / stepSize; // completed in `finish`
    const finite = Number.isFinite(norms.features + norms.backward + norms.change);
    if (!finite) this.divergedAt ??= layer;
  }

  finish(
    contributions: Float64Array,
    loss: number,
    lossChange: number,
    overflow: number | undefined,
  ): CellMeasurement {
    const { values, first, depth, stepSize } = this;
    let decay = 0; // sum_{l <= v} C_l
    for (let v = 1; v < depth; v++) {
      decay += contributions[v]!;
      const at = v - first;
      if (at < 0) continue;
      const speed = values.feature_speed_rms[at]!;
      values.contribution[at] = contributions[v]!;
      values.sensitivity[at] = speed / decay;
      if (stepSize !== null) values.sensitivity_finite[at] = (speed * stepSize) / Math.abs(lossChange);
      values.speed_formula_residual[at] = Math.abs(-values.speed_formula_residual[at]! / decay - 1);
    }
    values.loss.fill(loss);
    values.loss_change.fill(lossChange);
    const layers = Array.from({ length: depth - first }, (_, i) => first + i);
    return { layers, values, divergedAt: overflow ?? this.divergedAt };
  }
}

/** x with iid entries N(0, scale^2), rows scaled to norm 1 if asked, and y; float32, a row for each sample. */
function drawData(
  sampler: GaussianSampler,
  { seed, data }: { readonly seed: Seed; readonly data: DataLaw },
  { samples, inputWidth: d, outputWidth: k }: Shape,
): { input: Float32Array; target: Float32Array } {
  const draw = (role: number, count: number, scale: number) =>
    sampler.draw([{ seed, role, layer: 0 }], count, [scale]).slice();
  const input = draw(ROLE.INPUT, samples * d, data.input.scale);
  if (data.input.normalize === 'unit-norm') {
    for (let i = 0; i < samples; i++) {
      const row = input.subarray(i * d, (i + 1) * d);
      const norm = Math.hypot(...row);
      row.forEach((x, j) => {
        row[j] = x / norm;
      });
    }
  }
  const { target: law } = data;
  const target =
    law.law === 'normal'
      ? draw(ROLE.TARGET, samples * k, 1)
      : Float32Array.from({ length: samples * k }, (_, i) =>
          law.law === 'constant' ? law.value : Math.cos(Math.PI * input[Math.floor(i / k) * d + (i % k)]!),
        );
  return { input, target };
}
