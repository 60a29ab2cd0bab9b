/** How far the weights of the layers have come in training, and where the next update leads. */
import type { Chain } from './chain.js';
import type { Step } from './step.js';

/** Of the trained matrices of a layer as one vector w, before the step dw. */
export interface Displacement {
  /** cos(dw, w - w(0)); NaN where one of the two is zero. */
  readonly updateCosine: number;
  /** |w - w(0)| / |w(0)|; NaN where w(0) is zero, or never formed. */
  readonly weightDisplacement: number;
}

/**
 * Shows what became of every layer l = 1 .. L-1 to `visit`.
 *
 * @param step that was taken, with its states kept, and its weights not moved yet.
 * @param isVisited whether the layers at a distance are asked for.
 */
export function displacements(
  step: Step,
  isVisited: (distance: number) => boolean,
  visit: (lane: number, layer: number, displacement: Displacement) => void,
): void {
  step.layers.forEach(({ block, embedding }, distance) => {
    if (!isVisited(distance)) return;
    for (const chain of [block, embedding]) {
      if (!chain) continue;
      displacementsOf(chain).forEach((displacement, i) => {
        const { first, lanes } = chain.place;
        visit(first + i, lanes[i]!.depth - distance, displacement);
      });
    }
  });
}

function displacementsOf({ network, place, descents }: Chain): Displacement[] {
  const matrices = descents.map(({ weights, ...descent }) => ({
    isBranch: network.isBranch(descent.matrix),
    found: weights.displacement(descent),
  }));
  return place.lanes.map(({ branchScale }, lane) => {
    let [step, displaced, first, overlap] = [0, 0, 0, 0];
    for (const { isBranch, found } of matrices) {
      // What is trained is V, and what is there is beta V.
      const share = isBranch ? 1 / branchScale ** 2 : 1;
      step += share * found.step[lane]!;
      displaced += share * found.displaced[lane]!;
      first += share * found.first[lane]!;
      overlap += share * found.overlap[lane]!;
    }
    const sizes = Math.sqrt(step) * Math.sqrt(displaced);
    return {
      updateCosine: Math.max(-1, Math.min(1, overlap / sizes)),
      weightDisplacement: Math.sqrt(displaced / first),
    };
  });
}
