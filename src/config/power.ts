/** Up to here a power is a product, exact where it can be; beyond, a logarithm is nearer. */
const MOST_FACTORS = 64;

/**
 * base^exponent, the same on every version of Node: `Math.pow` and `**` are rounded otherwise by Node 24 than by 20.
 *
 * Made of what IEEE 754 fixes (products, quotients, square roots) where twice the exponent is an integer, as in all formulas
 * of the paper; else of `Math.exp` and `Math.log`, whose bits Node 20, 22 and 24 agree on.
 *
 * @returns the power to some 1e-15 of it; NaN where there is none, as (-1)^(1/3).
 */
export function power(base: number, exponent: number): number {
  const whole = Math.floor(Math.abs(exponent));
  if (whole <= MOST_FACTORS && Number.isInteger(2 * exponent)) {
    let product = Number.isInteger(exponent) ? 1 : Math.sqrt(base);
    for (let i = 0; i < whole; i++) product *= base;
    return exponent < 0 ? 1 / product : product;
  }
  const size = Math.exp(exponent * Math.log(Math.abs(base)));
  if (!(base < 0)) return size;
  if (!Number.isInteger(exponent)) return Number.NaN;
  return exponent % 2 === 0 ? size : -size;
}
