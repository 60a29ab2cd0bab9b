/** The output end of a step: f_L, b_L and the change of f_L of every lane, and the losses that they make. */
import type { Loss } from '../loss.js';
import { SMALLEST } from '../weights/trained-weights.js';
import type { ChangeKind } from './chain.js';
import type { Network } from './network.js';
import type { Proof } from './proof.js';

export class Output {
  /** f_L, b_L and the change of f_L, [lanes x n x k]. */
  values: Float32Array = new Float32Array();
  slope: Float64Array = new Float64Array();
  change: Float32Array = new Float32Array();
  private lossBefore: Float64Array | undefined;

  constructor(
    private readonly network: Network,
    private readonly ofLoss: Loss,
    private readonly proof: Proof,
  ) {}

  /** The loss of each lane, before the step. */
  loss(): Float64Array {
    const { shape } = this.network;
    this.lossBefore ??= this.eachLane((loss, y, own) => [loss.value(own(this.values), y, shape)]);
    return this.lossBefore;
  }

  /** Its change in an update; of a velocity <b_L, fdot_L>. */
  lossChange(kind: ChangeKind): Float64Array {
    const { shape } = this.network;
    return this.eachLane((loss, y, own) => {
      const df = own(this.change);
      if (kind === 'update') return [loss.change(own(this.values), df, y, shape)];
      const b = own(this.slope);
      let rate = 0;
      for (let i = 0; i < b.length; i++) rate += b[i]! * df[i]!;
      return [rate];
    });
  }

  /** b_L of the loss at f_L, or a given one. */
  descendAlong(given?: Float64Array): void {
    const { shape } = this.network;
    this.slope = given ?? this.eachLane((loss, y, own) => loss.slope(own(this.values), y, shape));
    this.checkRange(this.slope);
  }

  /**
   * b_L, and its velocity, are computed in float64: what float32 makes of them must have its digits.
   *
   * @param matters whether something hangs on it in a lane, and is lost with it.
   */
  checkRange(slope: Float64Array, matters: (lane: number) => boolean = () => true): void {
    const { samples, outputWidth } = this.network.shape;
    const size = samples * outputWidth;
    const vanishes = this.ofLoss.vanishes || outputWidth === 1;
    this.network.lanes.forEach((_, lane) => {
      const own = slope.subarray(lane * size, (lane + 1) * size);
      const rms = Math.sqrt(own.reduce((sum, b) => sum + b * b, 0) / size);
      if (rms < SMALLEST && (rms > 0 || !vanishes) && matters(lane)) this.proof.lose(lane, 0, rms);
    });
  }

  /** Numbers of each lane, one after the other; `own` is a lane's part of numbers of all, [lanes x n x k]. */
  eachLane(
    of: (
      loss: Loss,
      target: Float32Array,
      own: (all: Float32Array | Float64Array) => ArrayLike<number>,
    ) => ArrayLike<number>,
  ): Float64Array {
    const { lanes, shape } = this.network;
    const size = shape.samples * shape.outputWidth;
    const parts = lanes.map(({ target }, i) =>
      of(this.ofLoss, target, (all) => all.subarray(i * size, (i + 1) * size)),
    );
    const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
