/** Backward pass, gradients and feature velocities of a graph, by vector-Jacobian products of the library. */
import { add, engine, mul, type Scalar, scalar, sum, type Tensor, tidy } from '@tensorflow/tfjs-core';

/** f with what it gives, and its derivatives; undefined where f does not depend on x. */
export function derivativesOf(f: () => Tensor, xs: readonly Tensor[]): (Tensor | undefined)[] {
  return engine().gradients(f, [...xs], undefined, true).grads;
}

/** Runs f and disposes of the tensors that it makes; for results that have none, which `tidy` would walk through. */
export function scoped<T>(f: () => T): T {
  engine().startScope();
  try {
    return f();
  } finally {
    engine().endScope();
  }
}

/** <a, b>, a scalar. */
export const inner = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b));

const total = (terms: readonly Tensor[]): Tensor =>
  terms.length === 0 ? scalar(0) : terms.reduce((a, b) => add(a, b));

/**
 * J v of several functions at once: the velocities of `outputs` when `xs` move with the velocities `vs`.
 *
 * By two vector-Jacobian products: h(u) = < d/dx sum_i <f_i(x), u_i>, v > is linear in u, and its derivative by u_i is J_i v.
 *
 * @param outputs computes all f_i.
 * @param zeros u_i = 0, of the shape of f_i each.
 */
export function velocitiesOf(
  outputs: () => readonly Tensor[],
  zeros: readonly Tensor[],
  xs: readonly Tensor[],
  vs: readonly Tensor[],
): (Tensor | undefined)[] {
  return tidy(() => {
    const pulled = () => total(outputs().map((output, i) => inner(output, zeros[i]!)));
    const h = (): Scalar => {
      const pullbacks = derivativesOf(pulled, xs);
      return total(pullbacks.flatMap((each, i) => (each ? [inner(each, vs[i]!)] : []))) as Scalar;
    };
    return derivativesOf(h, zeros);
  });
}
