/** What section 4.2 wants of a network: the output multiplier for Eq. 7, and which contributions are out of balance. */
import { add, mul, scalar, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { norm } from '../core/measurements/measure.js';
import { derivativesOf, inner, scoped, velocitiesOf } from './derivatives/derivatives.js';
import { descentOf, optionsOf, type Problem, problemLoss, scaleInvariant, squaredNorm } from './descent.js';
import { forward, type Graph } from './graph.js';

/** Where Eq. 7 stands: m |b_{L-1}|_rms cos(theta_{L-1}), which is to be 1. */
export interface OutputMultiplier {
  /** What f_{L-1} is to be multiplied with. */
  readonly factor: number;
  /** The left side of Eq. 7 now, and with the factor: 1, or the most that was found where there is no solution. */
  readonly now: number;
  readonly reached: number;
}

/**
 * The call that makes f_{L-1}: the last that all trained weights lie before, or all behind, with weights behind it, trained or not;
 * undefined in a network without one.
 */
export function lastFeatures({ calls, groups, cuts }: Graph): number | undefined {
  const hasReadout = (i: number) => [...cuts.behind[i]!].some((j) => calls[j]!.layer.weights.length > 0);
  return calls
    .map((_, i) => i)
    .filter((i) => cuts.isGlobal[i] && cuts.before[i]!.length > 0 && hasReadout(i) && groups.length > 0)
    .at(-1);
}

/** Eq. 7 may be missed by this share: it is an order of magnitude, and each digit is another velocity. */
const CLOSE = 0.01;
const MOST_PILOTS = 8;
/** Within this factor, in logarithms, rho is taken to go on as it went; farther, to stay. */
const NEAR = 0.5;
/** Multipliers that are tried. */
const [SMALLEST, LARGEST] = [1e-12, 1e12];

/**
 * Finds the smallest multiplier s of f_{L-1} for which Eq. 7 holds under rates of Eq. 8.
 *
 * Features do not depend on s, and b_{L-1} = s c(s) with c(s) the derivative of the loss by what the readout is given, s f_{L-1}. Under
 * rates of Eq. 8 the angle depends on the direction u of c(s) alone. So the left side is H(s) = s |c(s)|_2 rho(u(s)) with
 * rho(u) = sqrt(m) cos theta(u), which only a velocity tells, and which changes slowly: s is solved for with the last rho that is known,
 * and rho is measured there, until it agrees.
 */
export function findOutputMultiplier(problem: Problem, call: number): OutputMultiplier {
  return scoped(() => {
    const known = forward(problem.graph, problem.inputs, optionsOf(problem)).features;
    const slope = (s: number) => scoped(() => slopeAt(problem, call, known, s));
    const size = (s: number) => s * norm(slope(s));
    const pilotAt = (factor: number) => {
      const rho = rhoOf(problem, call, known[call]!, slope(factor));
      return { factor, rho, reached: size(factor) * rho };
    };
    const first = pilotAt(1);
    let [before, best] = [first, first];
    for (let pilots = 1; pilots < MOST_PILOTS && Math.abs(Math.log(best.reached)) > CLOSE; pilots++) {
      const turning = Math.log(best.rho / before.rho) / Math.log(best.factor / before.factor) || 0;
      const rho = (s: number) => best.rho * Math.exp(turning * Math.log(s / best.factor));
      const near = Math.abs(Math.log(best.reached)) < NEAR;
      const next = pilotAt(firstCrossing((s) => size(s) * (near ? rho(s) : best.rho)));
      [before, best] = [best, next];
      if (!Number.isFinite(best.reached)) break;
    }
    return { factor: best.factor, reached: best.reached, now: first.reached };
  });
}

/** The first s, to six digits, where h comes up to 1; where it nowhere does, that of the largest. */
function firstCrossing(h: (s: number) => number): number {
  let best = { s: 1, value: 0 };
  let low = 0;
  for (let s = SMALLEST; s <= LARGEST; ) {
    const value = h(s);
    if (value >= 1) {
      let high = s;
      while (low > 0 && high > low * (1 + 1e-6)) {
        const middle = Math.sqrt(low * high);
        if (h(middle) >= 1) high = middle;
        else low = middle;
      }
      return high;
    }
    if (Number.isNaN(value)) break;
    if (value > best.value) best = { s, value };
    low = s;
    s *= value > 0.1 ? 1.1 : 4;
  }
  return best.s;
}

/** c(s), in float64. */
function slopeAt(
  problem: Problem,
  call: number,
  known: readonly (readonly Tensor[])[],
  s: number,
): Float64Array {
  const { graph, inputs } = problem;
  const before = new Map(
    [...known.entries()].filter(([i]) => i !== call && !graph.cuts.behind[call]!.has(i)),
  );
  const scaled = known[call]!.map((output) => mul(output, scalar(s)));
  const slopes = derivativesOf(
    () =>
      problemLoss(
        problem,
        forward(graph, inputs, { ...optionsOf(problem), known: new Map([...before, [call, scaled]]) }),
      ),
    scaled,
  );
  return Float64Array.from(
    scaled.flatMap((x, i) => [...(slopes[i]?.dataSync() ?? new Float32Array(x.size))]),
  );
}

/** rho(u): sqrt(m) cos theta when the backward pass has the direction u and the rates are those of Eq. 8. */
function rhoOf(problem: Problem, call: number, known: readonly Tensor[], slope: Float64Array): number {
  return scoped(() => {
    const { graph, inputs } = problem;
    const before = graph.cuts.before[call]!.map((group) => graph.groups[group]!);
    const weights = before.flatMap((group) => group.weights);
    const options = { ...optionsOf(problem), last: call };
    const features = () => forward(graph, inputs, options).features[call]!;
    const length = norm(slope);
    let at = 0;
    const direction = known.map(({ shape, size }) =>
      tensor(
        Float32Array.from({ length: size }, () => slope[at++]! / length),
        shape,
      ),
    );
    const derivatives = derivativesOf(
      () =>
        features()
          .map((output, i) => inner(output, direction[i]!))
          .reduce((a, b) => add(a, b)),
      weights,
    );
    const gradients = before.map((group) =>
      group.weights.map((weight) => derivatives[weights.indexOf(weight)]),
    );
    const squares = gradients.map(squaredNorm);
    const rates = scaleInvariant({ squares, learning: squares.length, loss: Number.NaN });
    const { velocities, scale } = descentOf(gradients, before, rates);
    const zeros = direction.map((each) => mul(each, scalar(0)));
    const change = velocitiesOf(features, zeros, weights, velocities);
    const speed = scale * Math.sqrt(squaredNorm(change));
    // By Thm 2.1 -<u, fdot> is the sum of contributions.
    const decay = squares.reduce((sum, square, l) => sum + rates[l]! * square, 0);
    return (Math.sqrt(slope.length) * decay) / speed;
  });
}
