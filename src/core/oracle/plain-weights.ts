/**
 * Weights that are never formed, of one lane, by plain arithmetic in float64, for tests: the method of
 * `matrix-free-weights.ts` as one writes it down, with the faults that it can have.
 */
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { ROLE } from '../random.js';
import type { Source, Weights, WeightsLaw } from '../weights/weights.js';

export interface PlainSettings {
  /** Squared norm up to which a direction counts as none; 0 is right. */
  readonly threshold: number;
  /** Whether a new direction is made orthogonal to the known ones; true is right. */
  readonly orthogonalizes: boolean;
}

type Row = readonly number[];
interface Seen {
  readonly direction: Row;
  readonly image: Row;
}

const dot = (a: Row, b: Row) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const plus = (a: Row, factor: number, b: Row) => a.map((value, i) => value + factor * b[i]!);

export class PlainWeights implements Weights {
  private readonly inputSide: Seen[] = [];
  private readonly outputSide: Seen[] = [];
  private products = 0;

  constructor(
    private readonly source: Source,
    private readonly law: WeightsLaw,
    private readonly settings: PlainSettings,
  ) {}

  times(q: Tensor3D): Tensor3D {
    return this.rowByRow(q, this.law.outputs, this.inputSide, this.outputSide);
  }

  transposeTimes(b: Tensor3D): Tensor3D {
    return this.rowByRow(b, this.law.inputs, this.outputSide, this.inputSide);
  }

  dispose(): void {}

  private rowByRow(x: Tensor3D, size: number, near: Seen[], far: readonly Seen[]): Tensor3D {
    const [, n, length] = x.shape;
    const values = Array.from(x.dataSync<'float32'>());
    const products = Array.from({ length: n }, (_, t) =>
      this.product(values.slice(t * length, (t + 1) * length), size, near, far),
    );
    return this.source.backend.upload(Float32Array.from(products.flat()), [1, n, size]);
  }

  private product(x: Row, size: number, near: Seen[], far: readonly Seen[]): Row {
    let residual = x;
    let known: Row = new Array<number>(size).fill(0);
    // Twice is enough.
    const passes = this.settings.orthogonalizes ? [...near, ...near] : [];
    for (const { direction, image } of passes) {
      const share = this.over(dot(residual, direction), direction);
      residual = plus(residual, -share, direction);
      known = plus(known, share, image);
    }
    if (dot(residual, residual) <= 1e-12 * dot(x, x)) return known;
    const { seed, layer, sigma } = this.law.lanes[0]!;
    const normals = this.source.sampler.draw(
      [{ seed, layer, role: ROLE.PRODUCT + this.products++ }],
      size,
      [1],
    );
    const scale = sigma * Math.sqrt(dot(residual, residual));
    let fresh: Row = Array.from(normals, (normal) => scale * normal);
    for (const { direction, image } of far) {
      fresh = plus(fresh, this.over(dot(image, residual) - dot(direction, fresh), direction), direction);
    }
    near.push({ direction: residual, image: fresh });
    return plus(known, 1, fresh);
  }

  private over(value: number, direction: Row): number {
    const square = dot(direction, direction);
    return square <= this.settings.threshold ? 0 : value / square;
  }
}
