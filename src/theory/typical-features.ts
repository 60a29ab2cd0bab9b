/**
 * The size of the features of a random ReLU MLP of finite width, one sample, at initialisation.
 *
 * Given the layer before, the entries of f_l are iid N(0, sigma_l^2 |g_{l-1}|^2), so that with iid standard normal h_i
 *
 *     |g_l|_rms^2 = sigma_l^2 |g_{l-1}|_2^2  (1/m_l) sum_i relu(h_i)^2
 *
 * and log |g_v|_rms^2 is a sum of independent terms, one a layer. With 2 relu(h)^2 of mean 1 and variance 5, and sigma_l =
 * sqrt(2/m_{l-1}), the mean of X = |g_v|_rms^2 does not change from layer to layer, and its spread grows:
 *
 *     E X^2 / (E X)^2 = prod_l (1 + 5/m_l),    E log (X / E X) = -(5/2) sum_l 1/m_l,    Var log X = 5 sum_l 1/m_l
 *
 * the last two to first order in 1/m_l. Networks are near log-normal, and a typical one shrinks: as exp(-5 v / (4 m)) at one
 * width, as v^(-5 / (4 c)) at m_l = c l, and to a limit at m_l = c l^2, where the sum converges. Of all widths with one sum the
 * sum of their inverses is the least, and a typical network the largest, where they are equal.
 */

/** E log |relu(h)|_rms^2 of m numbers, given that not all are closed: a sum over the open ones, of which there are K ~ Bin(m, 1/2). */
function meanLog(m: number): number {
  // E log chi^2_K = log 2 + psi(K/2), and psi(x + 1) = psi(x) + 1/x.
  const psi = [Number.NaN, -EULER - 2 * Math.LN2, -EULER];
  for (let K = 3; K <= m; K++) psi[K] = psi[K - 2]! + 2 / (K - 2);
  let [mean, open] = [0, 0];
  // Relative to the likeliest K; 12 standard deviations from there nothing is left.
  const middle = Math.max(1, Math.round(m / 2));
  const reach = 6 * Math.sqrt(m) + 1;
  for (const [sign, first] of [
    [1, middle],
    [-1, middle - 1],
  ] as const) {
    let weight = sign === 1 ? 1 : middle / (m - middle + 1);
    for (let K = first; K >= 1 && K <= m && Math.abs(K - middle) <= reach; K += sign) {
      mean += weight * psi[K]!;
      open += weight;
      weight *= sign === 1 ? (m - K) / (K + 1) : K / (m - K + 1);
    }
  }
  return Math.log(2 / m) + mean / open;
}

const EULER = 0.577_215_664_901_532_9;

/** Means are the same for all networks, and widths repeat. */
const known = new Map<number, number>();

/**
 * exp E log |g_v|_rms for v = 1 .. L-1, at index v: the geometric mean over networks whose features are not all closed.
 *
 * @param widths m_1 .. m_{L-1}.
 * @param sigma of W_1, and of V_2 .. V_{L-1}.
 * @param inputNorm |x|_2.
 */
export function typicalFeatures(
  widths: readonly number[],
  sigma: { readonly input: number; readonly hidden: readonly number[] },
  inputNorm: number,
): Float64Array {
  const typical = new Float64Array(widths.length + 1).fill(Number.NaN);
  let taken = inputNorm;
  widths.forEach((m, i) => {
    const log = known.get(m) ?? meanLog(m);
    known.set(m, log);
    typical[i + 1] = (i === 0 ? sigma.input : sigma.hidden[i - 1]!) * taken * Math.exp(log / 2);
    taken = Math.sqrt(m) * typical[i + 1]!;
  });
  return typical;
}
