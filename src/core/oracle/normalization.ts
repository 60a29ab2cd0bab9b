/** The scales of section 4.2 by search, for tests: layers are scaled one after the other, and Eq. 7 is tried at many scales. */
import type { BatchCell, BatchSettings } from '../experiment.js';
import { widthAt } from '../step/lane.js';
import { angle, norm, reached, rms, type State } from './arithmetic.js';
import { bruteForce, type Drawn } from './brute-force.js';

/** Scales of W_L that are tried, from 1e-8 to 1e8; two roots between neighbours are not found. */
const TRIED = Array.from({ length: 161 }, (_, i) => 10 ** (i / 10 - 8));

/** W_1 and W_l so that |f_1|_rms = 1 and |W_l q_{l-1}|_rms = beta. */
export function normalizeForward(cell: BatchCell, settings: BatchSettings, drawn: Drawn): Drawn {
  const weights = [...drawn.weights];
  const { shape } = settings;
  const k = shape.outputWidth;
  const skip = settings.architecture === 'mlp' ? 0 : Math.sqrt(1 - cell.branchScale ** 2);
  for (let l = 1; l < cell.depth; l++) {
    // The layers behind are not scaled yet: only those before count.
    const W = weights[cell.depth]!;
    const readout = Float64Array.from(
      { length: k * widthAt(shape, cell.depth - l) },
      (_, i) => W[i % W.length]!,
    );
    const until = [...weights.slice(0, l + 1), readout];
    const { preactivations: f } = firstStep({ ...cell, depth: l + 1 }, settings, {
      ...drawn,
      weights: until,
    });
    const arriving = l === 1 || skip === 0 ? f[l]! : f[l]!.map((value, i) => value - skip * f[l - 1]![i]!);
    const size = rms(arriving);
    if (size > 0) weights[l] = scaled(weights[l]!, (l === 1 ? 1 : cell.branchScale) / size);
  }
  return { ...drawn, weights };
}

/**
 * The cell with each scale of W_L that solves Eq. 7, n m |b_{L-1}|_rms cos(theta_{L-1}) = 1.
 *
 * @returns undefined where no feature moves, and Eq. 7 means nothing.
 */
export function normalizations(cell: BatchCell, settings: BatchSettings, drawn: Drawn): Drawn[] | undefined {
  const forward = normalizeForward(cell, settings, drawn);
  const at = (s: number) => ({
    ...forward,
    weights: forward.weights.map((W, l) => (l === cell.depth ? scaled(W, s) : W)),
  });
  /** log of the product; NaN where a network so scaled is out of reach. */
  const excess = (s: number) => {
    const step = reached(() => firstStep(cell, settings, at(s)));
    if (!step) return Number.NaN;
    const { backward, change } = step;
    const b = backward[cell.depth - 1]!;
    const cosine = -Math.cos(angle(b, change[cell.depth - 1]!));
    return Math.log(Math.sqrt(b.length) * norm(b) * cosine);
  };
  const tried = TRIED.map(excess);
  if (tried.every(Number.isNaN)) return undefined;
  return TRIED.flatMap((s, i) => {
    const isRoot = i > 0 && tried[i - 1]! < 0 !== tried[i]! < 0 && Number.isFinite(tried[i - 1]! + tried[i]!);
    return isRoot ? [at(root(excess, TRIED[i - 1]!, s))] : [];
  });
}

function root(excess: (s: number) => number, from: number, to: number): number {
  let [below, above] = [from, to];
  const isNegative = excess(below) < 0;
  for (let i = 0; i < 40; i++) {
    const middle = Math.sqrt(below * above);
    if (excess(middle) < 0 === isNegative) below = middle;
    else above = middle;
  }
  return above;
}

const firstStep = (cell: BatchCell, settings: BatchSettings, drawn: Drawn) =>
  bruteForce(cell, { ...settings, kind: 'velocity', steps: 1, needs: new Set() }, drawn).steps[0]!;

export const scaled = (W: State, factor: number): State => W.map((w) => factor * w);
