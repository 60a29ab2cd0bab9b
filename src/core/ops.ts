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
  type Tensor3D,
  tensor3d,
} from '@tensorflow/tfjs-core';

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

/** The same numbers in another shape. */
const reshape = (x: Tensor3D, shape: [number, number, number]) => run('Reshape', { x }, { shape });

/** a^T of each lane. */
export const transpose = (x: Tensor3D) => run('Transpose', { x }, { perm: [0, 2, 1] });

/** <a, b> of each lane, [lanes, n, m] both, on the host: numbers of a lane live there, in float64. */
export function dots(a: Tensor3D, b: Tensor3D): Float32Array {
  const [lanes, n, m] = a.shape;
  const flat = (x: Tensor3D) => (n === 1 ? x : reshape(x, [lanes, 1, n * m]));
  return read(innerProducts(flat(a), flat(b)));
}

const norms = new WeakMap<Tensor3D, Float32Array>();

/** |a|^2 of each lane, on the host; remembered, since weights and gradients ask for those of the same states. */
export function squaredNorms(a: Tensor3D): Float32Array {
  const known = norms.get(a) ?? dots(a, a);
  norms.set(a, known);
  return known;
}

/** The values of a tensor that is needed no more. Not through `tf.tidy`, which walks the numbers it returns. */
export function read(tensor: Tensor3D): Float32Array {
  const values = tensor.dataSync<'float32'>();
  tensor.dispose();
  return values;
}
