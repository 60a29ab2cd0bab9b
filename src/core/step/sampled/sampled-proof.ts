/** What the sums of whole passes prove of the layers that they have gone through (see `proof.ts`). */
import { type LayerForm, SUM, SUMS } from '../../wasm/sampled/kernels.js';
import { normBoundOf, smallestOf } from '../../weights/trained-weights.js';
import type { ChangeKind } from '../chain.js';
import type { Learning } from '../learning.js';
import type { Network, Place } from '../network.js';
import type { Proof } from '../proof.js';

/** The sums of a layer, of the first `count` lanes: one of them of each. */
export function column(sums: Float64Array, which: number, count: number): Float64Array {
  const column = new Float64Array(count);
  for (let lane = 0, at = which; lane < count; lane++, at += SUMS) column[lane] = sums[at]!;
  return column;
}

export class SampledProof {
  // Of each lane: bounds on the norms of its matrices, what their entries are like, and the factors of its skip connections.
  private readonly normBounds: Float64Array;
  private readonly sigmas: Float64Array;
  private readonly skips: Float64Array;

  constructor(
    private readonly network: Network,
    private readonly proof: Proof,
    private readonly form: LayerForm,
  ) {
    const { lanes, shape } = network;
    const numbers = () => new Float64Array(lanes.length);
    [this.sigmas, this.normBounds, this.skips] = [numbers(), numbers(), numbers()];
    lanes.forEach(({ branchScale, sigma }, lane) => {
      this.sigmas[lane] = branchScale * sigma.hidden;
      this.normBounds[lane] = normBoundOf(this.sigmas[lane]!, shape.width, shape.width);
      this.skips[lane] = network.skipOf(lane);
    });
  }

  /**
   * Of the change of a layer.
   *
   * @param before the sums of the layer before, and `own` those of the layer.
   */
  change(kind: ChangeKind, place: Place, learned: Learning, before: Float64Array, own: Float64Array): void {
    const { proof, network, sigmas, normBounds, skips } = this;
    const size = network.shape.width;
    const count = place.lanes.length;
    const [b, q] = [column(own, SUM.backward, count), column(before, SUM.input, count)];
    const dq = column(before, SUM.inputChange, count);
    const matrix = {
      rates: learned.rates,
      steps: learned.steps,
      contributions: learned.contributions,
      place,
      inner: size,
      squares: { backward: b, input: q, inputChange: dq },
      weights: {
        normBound: (lane: number) => normBounds[lane]!,
        smallestProduct: (lane: number) => {
          const sigma = sigmas[lane]!;
          const [ofQ, ofB] = [smallestOf(q[lane]!, size, sigma), smallestOf(b[lane]!, size, sigma)];
          return Math.min(ofQ, ofB, smallestOf(dq[lane]!, size, sigma));
        },
      },
    };
    proof.range(matrix);
    if (!network.settings.activation.closes) this.lose(place, before, own);
    if (kind === 'velocity') {
      proof.contribute(matrix, column(before, SUM.change, count), (lane) => skips[lane]!);
    } else {
      proof.updateWhole(matrix, column(before, SUM.transposed, count), column(own, SUM.fallen, count));
    }
  }

  /** An activation that never closes makes zero only of what float32 has rounded to it. */
  private lose(place: Place, before: Float64Array, own: Float64Array): void {
    const { isInner } = this.form;
    const pairs = isInner
      ? ([
          [before, SUM.features, SUM.input],
          [before, SUM.change, SUM.inputChange],
        ] as const)
      : ([
          [own, SUM.image, SUM.features],
          [own, SUM.featuresBackward, SUM.backward],
        ] as const);
    for (const [sums, given, made] of pairs) {
      place.lanes.forEach((_, lane) => {
        const at = lane * SUMS;
        const distance = place.distance + (isInner ? 1 : 0);
        if (sums[at + made] === 0 && sums[at + given]! > 0) this.proof.lose(lane, distance, 0);
      });
    }
  }
}
