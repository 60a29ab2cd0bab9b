/** Singular values of the Jacobian of a deep linear ResNet in the limit of infinite width, then depth. */

/**
 * The ends of the limit of the spectrum of J J^T, at large width and then large depth: those of the free multiplicative Brownian
 * motion at time t = c^2. One factor a + beta V has the variance 2 beta^2 of its squared singular values to first order, hence
 * the S-transform exp(-2 beta^2 z), and the product of L of them S(z) = exp(-2 t z). With chi(z) = z S(z) / (1 + z), the
 * inverse of the moment series, the ends are 1 / chi where chi' = 0, at z (1 + z) = 1 / (2 t).
 */
export function spectrumEnds(t: number): { least: number; largest: number } {
  const end = (sign: number) => {
    const z = (-1 + sign * Math.sqrt(1 + 2 / t)) / 2;
    return ((1 + z) / z) * Math.exp(2 * t * z);
  };
  return { least: end(-1), largest: end(1) };
}
