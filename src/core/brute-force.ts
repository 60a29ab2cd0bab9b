/**
 * The steps of one cell by brute force, for tests: full matrices in float64, gradients as matrices, nothing shared with the
 * recursions that are tested, on the very weights and data that dense weights draw.
 *
 *     a_l = W_l q_{l-1},   f_1 = a_1,   f_l = a f_{l-1} + a_l,   q_l = phi(f_l)          the matrix W_l is beta V_l inside
 *     b_{l-1} = a b_l + phi'(f_{l-1}) * W_l^T b_l,   dloss / dV_l = beta b_l q_{l-1}^T,   Wdot_l = -beta eta_l dloss / dV_l
 *
 * The velocity is the tangent of the forward pass along Wdot. The update is the same with W + dt Wdot formed as a matrix,
 * written as a difference, df_l = a df_{l-1} + W_l dq + dt Wdot_l (q + dq), since two passes of 16 digits subtracted leave
 * none of a step of 1e-16.
 *
 * What float32 can do to it is measured, not guessed: given a `Rounding`, every sum of products is wrong by a normal number
 * as large as float32 makes it, and gates within that of zero are moved over it.
 */
import type { ActivationName } from './activation.js';
import type { BatchCell, BatchSettings, MeasuredQuantity } from './experiment.js';
import { learns } from './lane.js';
import { REFERENCE_ACTIVATIONS, REFERENCE_LOSSES } from './reference-functions.js';

/** n rows, one after the other. */
type State = Float64Array<ArrayBufferLike>;

/** W_1 .. W_L at index 1 .. L, row major, with beta in the hidden ones; x and y. */
export interface Drawn {
  readonly weights: readonly Float64Array[];
  readonly input: ArrayLike<number>;
  readonly target: ArrayLike<number>;
}

/** Quantities of one step by layer v = 1 .. L-1; index 0 is v = 1. */
export type ReferenceStep = Readonly<Record<MeasuredQuantity, Float64Array>>;

export interface Reference {
  readonly steps: readonly ReferenceStep[];
  /** f_l of each step, which tell how far rounding has moved them. */
  readonly features: readonly (readonly State[])[];
}

/** The model of float32: standard normal numbers, and the run without rounding, for the gates. */
export interface Rounding {
  readonly normal: () => number;
  readonly exact: Reference;
  /** Standard deviations by which gates are moved; its sign says to which side. */
  readonly gateShift: number;
}

/** A state that float64 with squares cannot hold, and float32 even less: such a cell must be reported. */
export class OutOfReach extends Error {}

const REACH = 1e140;
/** Half an ulp of float32. */
const EPSILON = 2 ** -24;

/**
 * @param rounding none for the numbers that are right; else a run as float32 could have it.
 * @throws OutOfReach
 */
export function bruteForce(
  cell: BatchCell,
  settings: BatchSettings,
  { weights: initial, input, target }: Drawn,
  rounding?: Rounding,
): Reference {
  const { shape, kind } = settings;
  const { samples: n, width: m, inputWidth: d, outputWidth: k } = shape;
  const L = cell.depth;
  const beta = cell.branchScale;
  const isMlp = settings.architecture === 'mlp';
  const skip = isMlp ? 0 : Math.sqrt(1 - beta ** 2);
  const phi = REFERENCE_ACTIVATIONS[settings.activation];
  const loss = REFERENCE_LOSSES[settings.loss];
  const dt = cell.stepSize;
  const x = Float64Array.from(input);

  const isHidden = (l: number) => l > 1 && l < L;
  const rowsOf = (l: number) => (l === L ? k : m);
  const columnsOf = (l: number) => (l === 1 ? d : m);
  /** `value`, a sum of `terms` products with that root of their squares, as float32 could have it. */
  const rounded = (value: number, root: number, terms: number) =>
    rounding ? value + EPSILON * Math.sqrt(1 + terms / 4) * root * rounding.normal() : value;
  const entrywise = (s: State, of: (value: number, i: number) => number): State =>
    s.map((value, i) => {
      const result = of(value, i);
      return rounded(result, Math.abs(result), 1);
    });
  const sum = (s: State, t: State, factor = 1): State =>
    s.map((value, i) => rounded(value + factor * t[i]!, Math.hypot(value, factor * t[i]!), 1));

  /** M v of each row, M [rows x columns]. */
  const times = (M: State, rows: number, columns: number, v: State): State => {
    const out = new Float64Array(n * rows);
    for (let t = 0; t < n; t++)
      for (let i = 0; i < rows; i++) {
        let [total, squares] = [0, 0];
        for (let j = 0; j < columns; j++) {
          const term = M[i * columns + j]! * v[t * columns + j]!;
          total += term;
          squares += term * term;
        }
        out[t * rows + i] = rounded(total, Math.sqrt(squares), columns);
      }
    return out;
  };
  const transpose = (M: State, rows: number, columns: number): State =>
    M.map((_, at) => M[(at % rows) * columns + Math.floor(at / rows)]!);
  const apply = (M: State, l: number, v: State) => times(M, rowsOf(l), columnsOf(l), v);
  const applyTransposed = (M: State, l: number, v: State) =>
    times(transpose(M, rowsOf(l), columnsOf(l)), columnsOf(l), rowsOf(l), v);
  /** sum over samples of b q^T. */
  const outer = (b: State, q: State, l: number): State => {
    const [rows, columns] = [rowsOf(l), columnsOf(l)];
    const G = new Float64Array(rows * columns);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let [total, squares] = [0, 0];
        for (let t = 0; t < n; t++) {
          const term = b[t * rows + i]! * q[t * columns + j]!;
          total += term;
          squares += term * term;
        }
        G[i * columns + j] = rounded(total, Math.sqrt(squares), n);
      }
    return G;
  };
  /** phi of a state, or phi' or a change of it: what is smooth has no zeros, so a state of zeros is an underflow. */
  const activated = (result: State, of: State): State => {
    if (!phi.hasKink && settings.activation !== 'linear' && isZero(result) && !isZero(of)) {
      throw new OutOfReach('an activation underflows');
    }
    return within(result);
  };
  const tangent = (gates: State, t: State) =>
    activated(
      entrywise(t, (v, i) => gates[i]! * v),
      t,
    );

  let W: State[] = initial.map((matrix) => matrix.slice());
  const displacement: State[] = Array.from({ length: L }, () => new Float64Array(n * m));
  const features: State[][] = [];
  const steps = Array.from({ length: settings.steps }, (_, step): ReferenceStep => {
    // Forward. q_l is what the matrix of layer l + 1 takes: x, phi(f_l), and f_L-1 itself before the readout of a ResNet.
    const f: State[] = [x];
    const q: State[] = [x];
    for (let l = 1; l <= L; l++) {
      const arriving = apply(W[l]!, l, q[l - 1]!);
      f[l] = within(isHidden(l) ? sum(arriving, f[l - 1]!, skip) : arriving);
      if (l === L) break;
      q[l] = l === L - 1 && !isMlp ? f[l]! : activated(entrywise(f[l]!, phi.value), f[l]!);
    }
    features.push(f);
    const gates = f.map((state, l) => {
      if (l === 0 || l === L) return state;
      const shift =
        rounding && phi.hasKink
          ? rounding.gateShift * distance(state, rounding.exact.features[step]![l]!)
          : 0;
      return state.map((value) => phi.slope(value + shift));
    });
    // Backward: b_l = dloss / df_l, and z_l = dloss / dg_l, the backward pass of an MLP's features g_l = phi(f_l).
    const b: State[] = [];
    const z: State[] = [];
    b[L] = within(entrywise(loss.slope(f[L]!, target, shape), (value) => value));
    if (isZero(b[L]) && settings.loss === 'cross-entropy' && k > 1) throw new OutOfReach('1 - p underflows');
    for (let l = L - 1; l >= 1; l--) {
      z[l] = within(applyTransposed(W[l + 1]!, l + 1, b[l + 1]!));
      if (l === L - 1) b[l] = isMlp ? tangent(gates[l]!, z[l]!) : z[l]!;
      else b[l] = within(sum(tangent(gates[l]!, z[l]!), b[l + 1]!, skip));
    }
    // Wdot_l and C_l = eta_l |dloss / dV_l|^2.
    const contributions = new Float64Array(L + 1);
    const Wdot = W.map((matrix, l) => {
      if (l === 0 || !learns(settings.train, l, L)) return matrix.map(() => 0);
      const factor = isHidden(l) ? beta : 1;
      const G = outer(b[l]!, q[l - 1]!, l).map((g) => factor * g);
      const size = norm(G);
      if (size === 0) return G;
      if (cell.learningRate === 'scale-invariant') {
        contributions[l] = 1 / L;
        return G.map((g) => -(factor / (L * size)) * (g / size));
      }
      const eta = cell.learningRate[l]!;
      contributions[l] = eta * size * size;
      return G.map((g) => -factor * eta * g);
    });

    /** Changes of f_l and of q_l along Wdot: infinitesimal ones, or those of the step dt. */
    const changes = (isUpdate: boolean) => {
      const df: State[] = [x.map(() => 0)];
      const dq: State[] = [x.map(() => 0)];
      for (let l = 1; l <= L; l++) {
        const carried = apply(W[l]!, l, dq[l - 1]!);
        const push = isUpdate
          ? apply(
              Wdot[l]!.map((w) => dt * w),
              l,
              sum(q[l - 1]!, dq[l - 1]!),
            )
          : apply(Wdot[l]!, l, q[l - 1]!);
        const moved = sum(carried, push);
        df[l] = within(isHidden(l) ? sum(moved, df[l - 1]!, skip) : moved);
        if (l === L) break;
        if (l === L - 1 && !isMlp) dq[l] = df[l]!;
        else if (isUpdate)
          dq[l] = activated(
            entrywise(df[l]!, (v, i) => phi.difference(f[l]![i]!, v)),
            df[l]!,
          );
        else dq[l] = tangent(gates[l]!, df[l]!);
      }
      return { df, dq };
    };
    const isVelocity = kind === 'velocity';
    const { df, dq } = changes(!isVelocity);
    const change = isMlp ? dq : df;
    const backward = isMlp ? z : b;
    const lossChange = isVelocity ? dot(b[L]!, df[L]!) : loss.change(f[L]!, df[L]!, target, shape);
    const bdot = settings.measuresBackward ? backwardVelocity() : undefined;

    /** bdot_l, also of an MLP: the derivative in time of the backward pass, phi'' = 0. */
    function backwardVelocity(): State[] {
      const bdot: State[] = [];
      const zdot: State[] = [];
      bdot[L] = loss.curvature(f[L]!, df[L]!, shape);
      for (let l = L - 1; l >= 1; l--) {
        const carried = applyTransposed(W[l + 1]!, l + 1, bdot[l + 1]!);
        const push = applyTransposed(Wdot[l + 1]!, l + 1, b[l + 1]!);
        zdot[l] = within(sum(carried, push));
        if (l === L - 1 && !isMlp) bdot[l] = zdot[l]!;
        else bdot[l] = tangent(gates[l]!, zdot[l]!);
        if (l < L - 1 && !isMlp) bdot[l] = within(sum(bdot[l]!, bdot[l + 1]!, skip));
      }
      return bdot;
    }

    const quantities = empty(L - 1);
    const learning = Array.from(contributions).filter((_, l) => l > 0 && learns(settings.train, l, L));
    let decay = 0;
    for (let v = 1; v < L; v++) {
      const at = v - 1;
      const root = Math.sqrt(n * m);
      const own = isMlp ? q[v]! : f[v]!;
      decay += contributions[v]!;
      const duration = isVelocity ? 1 : dt;
      const speed = norm(change[v]!) / duration / root;
      quantities.step_number[at] = step + 1;
      quantities.bfa_rad[at] = Math.PI - angle(backward[v]!, change[v]!);
      quantities.feature_rms[at] = norm(own) / root;
      quantities.backward_rms[at] = norm(backward[v]!) / root;
      quantities.feature_speed_rms[at] = speed;
      quantities.sensitivity[at] = speed / decay;
      if (!isVelocity) quantities.sensitivity_finite[at] = norm(change[v]!) / root / Math.abs(lossChange);
      if (settings.steps > 1) quantities.feature_displacement_rms[at] = norm(displacement[v]!) / root;
      if (bdot) {
        quantities.backward_speed_rms[at] = norm(bdot[v]!) / root;
        quantities.fba_rad[at] = Math.PI - angle(f[v]!, bdot[v]!);
      }
      quantities.contribution[at] = contributions[v]!;
      quantities.contribution_balance[at] = Math.max(...learning) / Math.min(...learning);
      quantities.loss[at] = loss.value(f[L]!, target, shape);
      quantities.loss_change[at] = lossChange;
      const overlap = dot(unit(backward[v]!), unit(change[v]!)) * norm(backward[v]!);
      quantities.speed_formula_residual[at] = Math.abs(
        (-overlap * (norm(change[v]!) / duration)) / decay - 1,
      );
    }

    if (step + 1 < settings.steps) {
      const moved = isVelocity ? changes(true) : { df, dq };
      displacement.forEach((total, v) => {
        const own = (isMlp ? moved.dq : moved.df)[v]!;
        if (v > 0) displacement[v] = sum(total, own);
      });
      W = W.map((matrix, l) => sum(matrix, Wdot[l]!, dt));
    }
    return quantities;
  });
  return { steps, features };
}

function empty(length: number): Record<MeasuredQuantity, Float64Array> {
  const column = () => new Float64Array(length).fill(Number.NaN);
  return {
    step_number: column(),
    bfa_rad: column(),
    sensitivity: column(),
    sensitivity_finite: column(),
    feature_rms: column(),
    backward_rms: column(),
    feature_speed_rms: column(),
    feature_displacement_rms: column(),
    backward_speed_rms: column(),
    fba_rad: column(),
    contribution: column(),
    contribution_balance: column(),
    loss: column(),
    loss_change: column(),
    speed_formula_residual: column(),
  };
}

const largest = (s: State) => s.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const isZero = (s: State) => s.every((value) => value === 0);

/** The state itself. */
function within(s: State): State {
  const size = largest(s);
  if (!(size < REACH) || (size > 0 && size < 1 / REACH)) throw new OutOfReach(`a state of size ${size}`);
  return s;
}

/** |s|_2 of states of any size. */
function norm(s: State): number {
  const size = largest(s);
  return size === 0 ? 0 : size * Math.sqrt(s.reduce((total, value) => total + (value / size) ** 2, 0));
}

function unit(s: State): State {
  const size = norm(s);
  return s.map((value) => value / size);
}

const dot = (s: State, t: State) => s.reduce((total, value, i) => total + value * t[i]!, 0);

/** Kahan's; NaN where there is none. */
function angle(s: State, t: State): number {
  const [u, w] = [unit(s), unit(t)];
  return 2 * Math.atan2(norm(u.map((value, i) => value - w[i]!)), norm(u.map((value, i) => value + w[i]!)));
}

/** Root of the mean squared difference of two states. */
const distance = (s: State, t: State) => norm(s.map((value, i) => value - t[i]!)) / Math.sqrt(s.length);

export type { ActivationName };
