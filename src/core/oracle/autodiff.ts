/**
 * Automatic differentiation in float64, for tests: reverse mode over dual numbers, so that one sweep back gives the gradient
 * and its derivative along a direction, the product of the Hessian with it. All that is known of derivatives here is those of
 * sums, products, and a few functions of one number.
 */

/** A number on a tape. */
export type Node = number;

/** A function of one number with its first and second derivative. */
type Primitive = readonly [value: number, slope: number, bend: number];

const PRIMITIVES = {
  exp: (x) => [Math.exp(x), Math.exp(x), Math.exp(x)],
  log: (x) => [Math.log(x), 1 / x, -1 / x ** 2],
  inverse: (x) => [1 / x, -1 / x ** 2, 2 / x ** 3],
  /** Of the integral of exp(-x^2), which is summed as a power series. */
  erf: (x) => {
    const density = (2 / Math.sqrt(Math.PI)) * Math.exp(-(x ** 2));
    let [term, sum] = [x, x];
    for (let n = 1; n < 200; n++) {
      term *= (2 * x ** 2) / (2 * n + 1);
      sum += term;
    }
    return [density * sum, density, -2 * x * density];
  },
  positive: (x) => (x > 0 ? [x, 1, 0] : [0, 0, 0]),
} as const satisfies Record<string, (x: number) => Primitive>;

export class Tape {
  private readonly values: number[] = [];
  private readonly tangents: number[] = [];
  /** What each number is made of, with the derivative with respect to it and the derivative of that along the direction. */
  private readonly parts: (readonly [of: Node, slope: number, tangent: number])[][] = [];

  /** A number that the result is differentiated in, with its part of the direction. */
  input(value: number, tangent = 0): Node {
    return this.made(value, tangent, []);
  }

  add(a: Node, b: Node): Node {
    return this.made(this.values[a]! + this.values[b]!, this.tangents[a]! + this.tangents[b]!, [
      [a, 1, 0],
      [b, 1, 0],
    ]);
  }

  times(a: Node, b: Node): Node {
    const [x, y, dx, dy] = [this.values[a]!, this.values[b]!, this.tangents[a]!, this.tangents[b]!];
    return this.made(x * y, x * dy + dx * y, [
      [a, y, dy],
      [b, x, dx],
    ]);
  }

  scaled(a: Node, factor: number): Node {
    return this.made(factor * this.values[a]!, factor * this.tangents[a]!, [[a, factor, 0]]);
  }

  shifted(a: Node, by: number): Node {
    return this.made(this.values[a]! + by, this.tangents[a]!, [[a, 1, 0]]);
  }

  apply(name: keyof typeof PRIMITIVES, a: Node): Node {
    const tangent = this.tangents[a]!;
    const [value, slope, bend] = PRIMITIVES[name](this.values[a]!);
    return this.made(value, slope * tangent, [[a, slope, bend * tangent]]);
  }

  sum(all: readonly Node[]): Node {
    return all.reduce((sum, each) => this.add(sum, each));
  }

  value(of: Node): number {
    return this.values[of]!;
  }

  /** The gradient of a number in all that are on the tape, and the derivative of that along the direction. */
  differentiate(result: Node): { readonly gradient: Float64Array; readonly product: Float64Array } {
    const gradient = new Float64Array(this.values.length);
    const product = new Float64Array(this.values.length);
    gradient[result] = 1;
    for (let node = result; node >= 0; node--) {
      for (const [of, slope, tangent] of this.parts[node]!) {
        gradient[of]! += gradient[node]! * slope;
        product[of]! += product[node]! * slope + gradient[node]! * tangent;
      }
    }
    return { gradient, product };
  }

  private made(value: number, tangent: number, parts: (readonly [Node, number, number])[]): Node {
    this.values.push(value);
    this.tangents.push(tangent);
    this.parts.push(parts);
    return this.values.length - 1;
  }
}
