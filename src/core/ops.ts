/**
 * The operations of one step on the backend, on tensors [lanes, rows, columns].
 *
 * They call the kernels directly: the public functions of the library convert and check their arguments on each of
 * some thirty calls a layer, which is half the overhead of a call.
 */
import {
  engine,
  getBackend,
  getKernel,
  type NamedTensorMap,
  slice,
  type Tensor3D,
  tensor3d,
} from '@tensorflow/tfjs-core';
import type { ActivationOperation } from './wasm/fused-kernels.js';

const run = (kernel: string, inputs: NamedTensorMap, attributes = {}): Tensor3D =>
  engine().runKernel(kernel, inputs, attributes);

/** a + b, with broadcasting, as the next two. */
export const add = (a: Tensor3D, b: Tensor3D) => run('Add', { a, b });
/** a - b. */
export const sub = (a: Tensor3D, b: Tensor3D) => run('Sub', { a, b });
/** a * b. */
export const mul = (a: Tensor3D, b: Tensor3D) => run('Multiply', { a, b });
/** max(x, 0). */
export const relu = (x: Tensor3D) => run('Relu', { x });
/** 1 where x > 0, else 0. */
const step = (x: Tensor3D) => run('Step', { x }, { alpha: 0 });

/** Whether the current backend has a kernel of ours; the others compose it of theirs. */
const has = (kernel: string) => getKernel(kernel, getBackend()) !== undefined;

/** y + a x, with one factor a for each lane: a is [lanes, 1, 1]. */
export function addScaled(y: Tensor3D, a: Tensor3D, x: Tensor3D): Tensor3D {
  return has('AddScaled') ? run('AddScaled', { y, a, x }) : add(y, mul(a, x));
}

/** relu'(f) * t. */
export function reluTangent(f: Tensor3D, t: Tensor3D): Tensor3D {
  return has('ReluTangent') ? run('ReluTangent', { f, t }) : mul(step(f), t);
}

/**
 * relu(f + df) - relu(f) without cancellation: g' df + (g' - g) f with the gates g before and g' after, which is df
 * itself where the gate stays open.
 */
export function reluDifference(f: Tensor3D, df: Tensor3D): Tensor3D {
  if (has('ReluDifference')) return run('ReluDifference', { f, df });
  const after = step(add(f, df));
  return add(mul(after, df), mul(sub(after, step(f)), f));
}

/** phi'(f) * t of a phi that is f where f > 0 and slope f elsewhere; undefined where the backend has no kernel for it. */
export function kinkedTangent(f: Tensor3D, t: Tensor3D, slope: number): Tensor3D | undefined {
  return has('KinkedTangent') ? run('KinkedTangent', { f, t }, { slope }) : undefined;
}

/** phi(f + df) - phi(f) of the same, without cancellation; undefined likewise. */
export function kinkedDifference(f: Tensor3D, df: Tensor3D, slope: number): Tensor3D | undefined {
  return has('KinkedDifference') ? run('KinkedDifference', { f, df }, { slope }) : undefined;
}

/** phi(f), phi'(f) t, phi''(f) t or phi(f + t) - phi(f) of the activation of a name; undefined where the backend has no kernel for it. */
export function ofActivation(
  name: string,
  operation: ActivationOperation,
  f: Tensor3D,
  t = f,
): Tensor3D | undefined {
  const kernel = `Activation.${name}`;
  return has(kernel) ? run(kernel, { f, t }, { operation }) : undefined;
}

/** a b of each lane: [lanes, n, p] x [lanes, p, m] -> [lanes, n, m]. */
export function product(a: Tensor3D, b: Tensor3D): Tensor3D {
  return has('Product') ? run('Product', { a, b }) : matMul(a, b, false, false);
}

/** a^T b of each lane: [lanes, n, p] x [lanes, n, m] -> [lanes, p, m]. */
export function outerProducts(a: Tensor3D, b: Tensor3D): Tensor3D {
  return has('Product') ? run('Product', { a, b }, { transposed: true }) : matMul(a, b, true, false);
}

/** a b^T of each lane: [lanes, n, m] x [lanes, p, m] -> [lanes, n, p]. */
export function innerProducts(a: Tensor3D, b: Tensor3D): Tensor3D {
  return has('InnerProducts') ? run('InnerProducts', { a, b }) : matMul(a, b, false, true);
}

/** A tensor whose numbers `fill` writes; it must make no other tensor. */
export function filled(shape: [number, number, number], fill: (values: Float32Array) => void): Tensor3D {
  if (has('Filled')) return run('Filled', {}, { shape, fill });
  const values = new Float32Array(shape[0] * shape[1] * shape[2]);
  fill(values);
  return tensor3d(values, shape);
}

/** phi of every entry, on the host in float64. */
export function mapped(x: Tensor3D, phi: (x: number) => number): Tensor3D {
  return tensor3d(x.dataSync<'float32'>().map(phi), x.shape);
}

/** phi of every pair of entries of two states of one shape, on the host in float64. */
export function mappedPair(x: Tensor3D, y: Tensor3D, phi: (x: number, y: number) => number): Tensor3D {
  const others = y.dataSync<'float32'>();
  return tensor3d(
    x.dataSync<'float32'>().map((value, i) => phi(value, others[i]!)),
    x.shape,
  );
}

const matMul = (a: Tensor3D, b: Tensor3D, transposeA: boolean, transposeB: boolean) =>
  run('BatchMatMul', { a, b }, { transposeA, transposeB });

/** a^T of each lane. */
export function transpose(x: Tensor3D): Tensor3D {
  return has('TransposedLanes')
    ? run('TransposedLanes', { x })
    : run('Transpose', { x }, { perm: [0, 2, 1] });
}

/**
 * <a, b> of each lane, [lanes, n, m] both, on the host, where numbers of a lane live. Products and sum are float64, so
 * that no state of float32 has a square that is zero, or infinite, unless its own is.
 */
export function dots(a: Tensor3D & Known, b: Tensor3D): Float64Array {
  if (a[PRODUCTS]?.other === b) return a[PRODUCTS].products;
  const [lanes, n, m] = a.shape;
  if (has('Dots')) return doubles(run('Dots', { a, b }));
  const [x, y] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()];
  return Float64Array.from({ length: lanes }, (_, lane) => {
    let sum = 0;
    for (let i = lane * n * m; i < (lane + 1) * n * m; i++) sum += x[i]! * y[i]!;
    return sum;
  });
}

/** float64 numbers, which kernels of ours hand over as the bits of two float32 each. */
function doubles(tensor: Tensor3D): Float64Array {
  const { buffer, byteOffset, length } = read(tensor);
  return new Float64Array(buffer, byteOffset, length / 2);
}

/** Rows whose products cancel: |sum_i a_i b_i^T|^2 below this share of |A|^2 |B|^2 has lost 3 digits of 7 as Gram products of float32. */
const CANCELLING = 1e-3;

/**
 * <A A^T, B B^T> of each lane, on the host: |sum_i a_i b_i^T|^2 of rows a_i and b_i. In float64 with our kernel, since the
 * Gram matrices may nearly cancel; else, where they do, by the matrix, whose rounding is the root of theirs.
 */
export function gramProducts(a: Tensor3D, b: Tensor3D): Float64Array {
  if (has('GramProduct')) return doubles(run('GramProduct', { a, b }));
  const squares = dots(innerProducts(a, a), innerProducts(b, b));
  const [sizes, others] = [squaredNorms(a), squaredNorms(b)];
  const isLost = (lane: number) => squares[lane]! < CANCELLING * sizes[lane]! * others[lane]!;
  if (!squares.some((_, lane) => isLost(lane))) return squares;
  const formed = squaredNorms(outerProducts(a, b));
  return squares.map((square, lane) => (isLost(lane) ? formed[lane]! : square));
}

const SQUARES = Symbol('squared norms');
const PRODUCTS = Symbol('dot products');

/** What is known of a state, on the state: maps of many thousand tensors are what the garbage collector has most work with. */
interface Known {
  [SQUARES]?: Float64Array;
  [PRODUCTS]?: { readonly other: Tensor3D; readonly products: Float64Array };
}

/** Remembers |a|^2 of each lane, of a state that came with it. */
export function rememberSquares(a: Tensor3D & Known, squares: Float64Array): void {
  a[SQUARES] = squares;
}

/** Remembers <a, b> of each lane, of states that came with it: the last of a. */
export function rememberDots(a: Tensor3D & Known, other: Tensor3D, products: Float64Array): void {
  a[PRODUCTS] = { other, products };
}

/**
 * The lanes of a state from `first` on, before `end`; with their squared norms, if those of the state are known: a norm that is
 * summed again may differ in its last digit, and with it what a cell measures, by the lanes beside it.
 */
export function lanesOf(state: Tensor3D, first: number, end = state.shape[0]): Tensor3D {
  if (first === 0 && end === state.shape[0]) return state;
  const part = slice(state, [first, 0, 0], [end - first, state.shape[1], state.shape[2]]);
  const squares = (state as Known)[SQUARES];
  if (squares) rememberSquares(part, squares.slice(first, end));
  return part;
}

/** The state of all lanes, from those of the first and of the others; with its squared norms, if those of the first are known. */
export function joined(parts: readonly Tensor3D[]): Tensor3D {
  if (parts.length === 1) return parts[0]!;
  const all = run('Concat', parts as never, { axis: 0 });
  if ((parts[0] as Known)[SQUARES])
    rememberSquares(all, Float64Array.from(parts.flatMap((part) => [...squaredNorms(part)])));
  return all;
}

/** |a|^2 of each lane, on the host; remembered, since weights, gradients and proofs ask for those of the same states. */
export function squaredNorms(a: Tensor3D & Known): Float64Array {
  a[SQUARES] ??= dots(a, a);
  return a[SQUARES];
}

/** Up to here and down to its inverse, a float32 factor can be squared, or be multiplied with another. */
const MODERATE = 1_073_741_824 * 1_073_741_824; // 2^60
export const isModerate = (factor: number) =>
  factor === 0 || (Math.abs(factor) < MODERATE && Math.abs(factor) > 1 / MODERATE);

const column = (factors: ArrayLike<number>): Tensor3D =>
  tensor3d(Float32Array.from(factors), [factors.length, 1, 1]);

/** a x with one factor a for each lane, of any size: what float32 cannot hold is multiplied in parts. */
export function scaled(x: Tensor3D, factors: ArrayLike<number>): Tensor3D {
  let rest = Array.from(factors);
  let result = x;
  while (!rest.every((factor) => isModerate(factor) || !Number.isFinite(factor))) {
    const part = rest.map((factor) =>
      isModerate(factor) || !Number.isFinite(factor) ? 1 : Math.abs(factor) > 1 ? MODERATE / 2 : 2 / MODERATE,
    );
    result = mul(column(part), result);
    rest = rest.map((factor, lane) => factor / part[lane]!);
  }
  return mul(column(rest), result);
}

/** y + a x with one factor a for each lane, of any size. */
export function plus(y: Tensor3D, factors: ArrayLike<number>, x: Tensor3D): Tensor3D {
  const all = Array.from(factors);
  if (all.every(isModerate)) return addScaled(y, column(all), x);
  return add(y, scaled(x, all));
}

/**
 * The same in the memory of y, whose numbers it changes, where the backend can.
 *
 * @param y whose numbers nobody else has, and of which nothing is remembered.
 * @returns y itself, or another tensor.
 */
export function plusInPlace(y: Tensor3D, factors: ArrayLike<number>, x: Tensor3D): Tensor3D {
  if (!has('AddScaledInPlace') || !Array.from(factors).every(isModerate)) return plus(y, factors, x);
  const a = column(factors);
  run('AddScaledInPlace', { y, a, x }).dispose();
  a.dispose();
  return y;
}

const float64 = new DataView(new ArrayBuffer(8));

/** The largest power of two that is not above a normal number > 0: its exponent without its digits. */
export function powerOfTwo(x: number): number {
  float64.setFloat64(0, x);
  float64.setUint32(0, float64.getUint32(0) & 0x7ff00000);
  float64.setUint32(4, 0);
  return float64.getFloat64(0);
}

/** Between its inverse and this, a norm leaves room in float32 for products of entries much smaller, or of many of them. */
const NEAR_ONE = 1_073_741_824; // 2^30

/** The power of two that brings a norm near 1, from its square: 1 where it is. */
function scaleOf(square: number): number {
  const norm = Math.sqrt(square);
  const isNear = norm < NEAR_ONE && norm > 1 / NEAR_ONE;
  return isNear || norm === 0 || !Number.isFinite(norm) ? 1 : powerOfTwo(norm);
}

/** Whether `balanced` leaves all lanes of a state with these squared norms as they are. */
export const areNearOne = (squares: Float64Array) => squares.every((square) => scaleOf(square) === 1);

/** x as `scale` times a state whose norm is near 1 in every lane where that of x is far from it. */
export function balanced(x: Tensor3D): { readonly state: Tensor3D; readonly scale: Float64Array } {
  const scale = squaredNorms(x).map(scaleOf);
  if (scale.every((factor) => factor === 1)) return { state: x, scale };
  return {
    state: scaled(
      x,
      scale.map((factor) => 1 / factor),
    ),
    scale,
  };
}

/** The values of a tensor that is needed no more. Not through `tf.tidy`, which walks the numbers it returns. */
export function read(tensor: Tensor3D): Float32Array {
  const values = tensor.dataSync<'float32'>();
  tensor.dispose();
  return values;
}
