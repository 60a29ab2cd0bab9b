/**
 * The steps of one cell by brute force, for tests: full matrices in float64, gradients as matrices, nothing shared with the
 * recursions that are tested, on the very weights and data that dense weights draw. With W_l = beta V_l inside,
 *
 *     a_l = W_l q_{l-1},   f_l = a f_{l-1} + a_l,   q_l = phi(f_l)              f_1 = a_1, f_L = a_L; the skips a f are a ResNet's
 *     z_l = W_{l+1}^T b_{l+1},   b_l = a b_{l+1} + phi'(f_l) * z_l               q_{L-1} = f_{L-1} and b_{L-1} = z_{L-1} of a ResNet
 *     dloss / dV_l = beta sum b_l q_{l-1}^T,   Wdot_l = -beta eta_l dloss / dV_l
 *
 * The velocity is the tangent of the forward pass along Wdot. The update is that of the matrices W + dt Wdot, written as a
 * difference, df_l = a df_{l-1} + W_l dq + dt Wdot_l (q + dq): two passes of 16 digits subtracted leave none of a step of
 * 1e-16.
 *
 * What float32 can do to the numbers is measured, not guessed: with a `Rounding` every sum is wrong by about as much as
 * float32 would have it, and gates that are that near to zero are moved over it.
 */
import type { BatchCell, BatchSettings } from '../experiment.js';
import { learns } from '../step/lane.js';
import { Arithmetic, dot, isZero, norm, OutOfReach, rms, type State } from './arithmetic.js';
import { ACTIVATIONS, LOSSES } from './functions.js';

/** W_1 .. W_L at index 1 .. L, and x and y. */
export interface Drawn {
  readonly weights: readonly State[];
  readonly input: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/** What a step was found to do; states and contributions at index l. */
export interface TakenStep {
  /** f_l. */
  readonly preactivations: readonly State[];
  /** f_l; g_l of an MLP. */
  readonly features: readonly State[];
  /** b_l; z_l of an MLP. */
  readonly backward: readonly State[];
  /** Velocity or update of the features. */
  readonly change: readonly State[];
  /** Features less those before the first step. */
  readonly displacement: readonly State[];
  /** The velocity of b_l, where it is measured. */
  readonly backwardVelocity: readonly State[] | undefined;
  readonly contributions: Float64Array;
  /** |G_l|_F; NaN where it is not asked for. */
  readonly gradientNorms: Float64Array;
  readonly loss: number;
  readonly lossChange: number;
}

export interface Run {
  readonly steps: readonly TakenStep[];
  /** Sizes of the smallest and the largest state. */
  readonly smallest: number;
  readonly largest: number;
}

/** Float32, as a model. */
export interface Rounding {
  /** Standard normal numbers. */
  readonly normal: () => number;
  /** The run without rounding. */
  readonly exact: Run;
  /** How far gates are moved, and to which side: in units of how far rounding has moved the features. */
  readonly gateShift: number;
}

/**
 * @param rounding none for the numbers that are right.
 * @throws OutOfReach
 */
export function bruteForce(cell: BatchCell, settings: BatchSettings, drawn: Drawn, rounding?: Rounding): Run {
  const arithmetic = new Arithmetic(rounding?.normal);
  let weights = drawn.weights;
  let displacement: readonly State[] | undefined;
  const steps = Array.from({ length: settings.steps }, (_, t): TakenStep => {
    const step = new BruteForceStep(cell, settings, { ...drawn, weights }, arithmetic, (f, l) => {
      if (!rounding) return 0;
      const right = rounding.exact.steps[t]!.preactivations[l]!;
      return rounding.gateShift * rms(f.map((value, i) => value - right[i]!));
    });
    displacement ??= step.features.map((f) => f.map(() => 0));
    const taken = step.taken(displacement);
    if (t + 1 < settings.steps) {
      const update = step.changes('update');
      displacement = displacement.map((total, l) => arithmetic.sum(total, step.ofFeatures(update)[l]!));
      weights = weights.map((W, l) => (l === 0 ? W : arithmetic.sum(W, step.velocity[l]!, cell.stepSize)));
    }
    return taken;
  });
  return { steps, smallest: arithmetic.smallest, largest: arithmetic.largest };
}

class BruteForceStep {
  /** f_l and q_l; at index 0 x. */
  private readonly f: State[];
  private readonly q: State[];
  /** phi'(f_l). */
  private readonly gates: State[] = [];
  private readonly b: State[] = [];
  private readonly z: State[] = [];
  /** m_l at index 0 .. L, from d on. */
  private readonly rows: number[];
  /** Wdot_l. */
  readonly velocity: State[] = [];
  private readonly contributions: Float64Array;
  private readonly gradientNorms: Float64Array;

  constructor(
    private readonly cell: BatchCell,
    private readonly settings: BatchSettings,
    private readonly drawn: Drawn,
    private readonly arithmetic: Arithmetic,
    gateShift: (f: State, l: number) => number,
  ) {
    const x = Float64Array.from(drawn.input);
    this.rows = [x.length / settings.shape.samples];
    for (const W of drawn.weights.slice(1)) this.rows.push(W.length / this.rows.at(-1)!);
    this.f = [x];
    this.q = [x];
    this.contributions = new Float64Array(cell.depth + 1);
    this.gradientNorms = new Float64Array(cell.depth + 1).fill(Number.NaN);
    this.forward(gateShift);
    this.backward();
    this.descend();
  }

  get features(): readonly State[] {
    return this.isMlp ? this.q : this.f.slice(0, -1);
  }

  taken(displacement: readonly State[]): TakenStep {
    const { kind, shape, needs } = this.settings;
    const { f, b } = this;
    const L = this.cell.depth;
    const changes = this.changes(kind);
    const loss = LOSSES[this.settings.loss];
    const { target } = this.drawn;
    return {
      preactivations: f,
      features: this.features,
      backward: this.isMlp ? this.z : b,
      change: this.ofFeatures(changes),
      displacement,
      backwardVelocity: needs?.has('backward velocity') ? this.backwardVelocity(changes.df[L]!) : undefined,
      contributions: this.contributions,
      gradientNorms: this.gradientNorms,
      loss: loss.value(f[L]!, target, shape),
      lossChange:
        kind === 'velocity' ? dot(b[L]!, changes.df[L]!) : loss.change(f[L]!, changes.df[L]!, target, shape),
    };
  }

  ofFeatures({ df, dq }: { df: State[]; dq: State[] }): State[] {
    return this.isMlp ? dq : df;
  }

  private forward(gateShift: (f: State, l: number) => number): void {
    const { arithmetic, f, q } = this;
    const phi = ACTIVATIONS[this.settings.activation];
    for (let l = 1; l <= this.cell.depth; l++) {
      f[l] = this.withSkip(this.times(l, q[l - 1]!), f[l - 1]!, this.isHidden(l));
      if (l === this.cell.depth) return;
      q[l] = this.isTaken(l) ? this.activated(arithmetic.entrywise(f[l]!, phi.value), f[l]!) : f[l]!;
      // The bend of a smooth one is a kink too, seen from features that are known to no more than its width.
      const shift = gateShift(f[l]!, l);
      const isKink = phi.hasKink || Math.abs(shift) > 0.1;
      this.gates[l] = f[l]!.map((value) => phi.slope(isKink ? value + shift : value));
    }
  }

  private backward(): void {
    const { arithmetic, b, z, f } = this;
    const { loss, shape } = this.settings;
    const L = this.cell.depth;
    b[L] = arithmetic.within(
      arithmetic.entrywise(LOSSES[loss].slope(f[L]!, this.drawn.target, shape), (value) => value),
    );
    if (loss === 'cross-entropy' && shape.outputWidth > 1 && isZero(b[L])) {
      throw new OutOfReach('1 - p underflows');
    }
    for (let l = L - 1; l >= 1; l--) {
      z[l] = arithmetic.within(this.transposeTimes(l + 1, b[l + 1]!));
      b[l] = this.withSkip(this.gated(l, z[l]!), b[l + 1]!, l < L - 1);
    }
  }

  /** Wdot_l and C_l = eta_l |dloss / dV_l|^2; with Eq. 8 both without the square. */
  private descend(): void {
    const { cell, settings, arithmetic, b, q, velocity } = this;
    const L = cell.depth;
    for (let l = 1; l <= L; l++) {
      const factor = this.isHidden(l) ? cell.branchScale : 1;
      const G = arithmetic.outerProducts(b[l]!, q[l - 1]!, settings.shape.samples).map((g) => factor * g);
      const size = norm(G);
      let descent = (_: number) => 0;
      if (settings.needs?.has('all gradients') || learns(settings.train, l, L)) this.gradientNorms[l] = size;
      if (size > 0 && learns(settings.train, l, L)) {
        const eta = typeof cell.learningRate === 'string' ? undefined : cell.learningRate[l]!;
        this.contributions[l] = eta === undefined ? 1 / L : eta * size * size;
        descent = eta === undefined ? (g) => (factor / (L * size)) * (g / size) : (g) => factor * eta * g;
      }
      velocity[l] = G.map((g) => -descent(g));
    }
  }

  /** Changes of f_l and q_l along Wdot, infinitesimal ones or those of the step dt. */
  changes(kind: 'velocity' | 'update'): { df: State[]; dq: State[] } {
    const { arithmetic, f, q } = this;
    const phi = ACTIVATIONS[this.settings.activation];
    const still = q[0]!.map(() => 0);
    const df: State[] = [still];
    const dq: State[] = [still];
    for (let l = 1; l <= this.cell.depth; l++) {
      const isUpdate = kind === 'update';
      const moved = isUpdate ? arithmetic.sum(q[l - 1]!, dq[l - 1]!) : q[l - 1]!;
      const push = this.velocityTimes(l, moved, isUpdate ? this.cell.stepSize : 1);
      df[l] = this.withSkip(arithmetic.sum(this.times(l, dq[l - 1]!), push), df[l - 1]!, this.isHidden(l));
      if (l === this.cell.depth) break;
      if (!isUpdate || !this.isTaken(l)) dq[l] = arithmetic.within(this.gated(l, df[l]!));
      else {
        const difference = arithmetic.entrywise(df[l]!, (change, i) => phi.difference(f[l]![i]!, change));
        dq[l] = this.activated(difference, df[l]!);
      }
    }
    return { df, dq };
  }

  /** The derivative in time of the backward pass where phi'' = 0. */
  private backwardVelocity(outputVelocity: State): State[] {
    const { arithmetic, b, settings, f } = this;
    const L = this.cell.depth;
    const bdot: State[] = [];
    bdot[L] = LOSSES[settings.loss].curvature(f[L]!, outputVelocity, settings.shape);
    // Samples beyond doubt: what moves b_L is below all numbers, and may be told.
    const isCurved = settings.loss === 'cross-entropy' && settings.shape.outputWidth > 1;
    if (isCurved && isZero(bdot[L]) && !isZero(outputVelocity)) arithmetic.smallest = 0;
    for (let l = L - 1; l >= 1; l--) {
      const push = arithmetic.transposeTimes(this.velocity[l + 1]!, this.rowsOf(l + 1), b[l + 1]!);
      const zdot = arithmetic.sum(this.transposeTimes(l + 1, bdot[l + 1]!), push);
      bdot[l] = this.withSkip(this.gated(l, zdot), bdot[l + 1]!, l < L - 1);
    }
    return bdot;
  }

  private get isMlp(): boolean {
    return this.settings.architecture === 'mlp';
  }
  private isHidden(l: number): boolean {
    return l > 1 && l < this.cell.depth;
  }
  /** Whether phi(f_l), and not f_l, is what the next matrix takes. */
  private isTaken(l: number): boolean {
    return this.isMlp || l < this.cell.depth - 1;
  }
  private rowsOf(l: number): number {
    return this.rows[l]!;
  }
  private times(l: number, v: State): State {
    return this.arithmetic.times(this.drawn.weights[l]!, this.rowsOf(l), v);
  }
  private transposeTimes(l: number, v: State): State {
    return this.arithmetic.transposeTimes(this.drawn.weights[l]!, this.rowsOf(l), v);
  }
  private velocityTimes(l: number, v: State, dt: number): State {
    return this.arithmetic.times(
      this.velocity[l]!.map((w) => dt * w),
      this.rowsOf(l),
      v,
    );
  }
  private withSkip(s: State, carried: State, isSkipped: boolean): State {
    const { arithmetic } = this;
    if (this.isMlp || !isSkipped) return arithmetic.within(s);
    return arithmetic.within(arithmetic.sum(s, carried, Math.sqrt(1 - this.cell.branchScale ** 2)));
  }
  private gated(l: number, t: State): State {
    if (!this.isTaken(l)) return t;
    const passed = this.arithmetic.entrywise(t, (value, i) => this.gates[l]![i]! * value);
    if (this.isUnderflow(passed, t)) throw new OutOfReach('a slope underflows');
    return passed;
  }
  /** phi of a state, or a change of it. */
  private activated(result: State, of: State): State {
    if (this.isUnderflow(result, of)) throw new OutOfReach('an activation underflows');
    return this.arithmetic.within(result);
  }
  /** Nothing smooth is zero throughout. */
  private isUnderflow(result: State, of: State): boolean {
    return ACTIVATIONS[this.settings.activation].isSmooth && isZero(result) && !isZero(of);
  }
}
