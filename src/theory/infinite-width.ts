/**
 * What one gradient step of a random network is in the limit of infinite width, for one sample and any scales and rates:
 * norms, contributions, speeds and angles of every layer, exact at every depth.
 */

export interface WideNetwork {
  readonly architecture: 'resnet' | 'mlp';
  readonly activation: 'relu' | 'linear';
  /** L >= 3. */
  readonly depth: number;
  readonly width: number;
  /** m_1 .. m_{L-1} of an MLP, where they differ. */
  readonly widths?: readonly number[] | undefined;
  /** beta in (0, 1]; 1 for an MLP. */
  readonly branchScale: number;
  readonly sigma: {
    readonly input: number;
    readonly hidden: number;
    readonly output: number;
    /** Of V_2 .. V_{L-1}, where widths differ. */
    readonly hiddenLayers?: readonly number[] | undefined;
  };
  /** |x|_2 and |b_L|_2. */
  readonly inputNorm: number;
  readonly slopeNorm: number;
  /** Eq. 8, or eta_l at index l = 1 .. L. */
  readonly learningRate: 'scale-invariant' | readonly number[];
  /** Whether W_1 and W_L learn too. */
  readonly trainsAll: boolean;
}

/** Of the features f_v of a ResNet, or g_v = phi(f_v) of an MLP; v = 1 .. L-1 at index v - 1, C_l = 1 .. L at index l - 1. */
export interface WideStep {
  readonly featureRms: number[];
  readonly backwardRms: number[];
  /** C_l. */
  readonly contributions: number[];
  /** |fdot_v|_rms; NaN where no closed form is known: ReLU branches with beta < 1. */
  readonly featureSpeedRms: number[];
  /** theta_v in rad, NaN as the speed is. */
  readonly backwardFeatureAngle: number[];
  /** |bdot_v|_rms of b_v at f_v, and |b_v|_rms there, of a ReLU MLP with a linear loss; NaN otherwise. */
  readonly backwardSpeedRms: number[];
  /** theta~_v in rad, NaN as the backward speed is. */
  readonly featureBackwardAngle: number[];
}

/**
 * One step in the limit. With S_v = sum_{l<=v} C_l and R_v = sum_{l>v} C_l (ours; the paper has the exponents):
 *
 *     ReLU MLP         |gdot_v|^2 |z_v|^2 = 2 sum_{j<=v} S_j^2 m_v/m_j,   |bdot_v|^2 |f_v|^2 = 2 sum_{v<=j<L} R_j^2 m_v/m_j
 *     ReLU, beta = 1   |fdot_v|^2 |b_v|^2 = S_v^2 + 2 sum_{j<v} S_j^2
 *     linear ResNet    |fdot_v|^2 |b_v|^2 = S_v^2 + beta^2 (2 - beta^2) sum_{j<v} S_j^2
 *
 * Derivation, for the first: fdot_v = V D fdot_{v-1} - C_v b_v / |b_v|^2, and given V^T b_v the matrix maps D fdot_{v-1} to
 * its known part along b_v, which makes -S_v b_v / |b_v|^2 of the sum, and to a fresh vector of norm^2 2 |D fdot_{v-1}|^2, times
 * m_v / m_{v-1} where widths differ, while |b_v| does not hang on them: what earlier layers have moved weighs more in wider layers, and
 * turns the velocity away from b. With widths that grow as v^a and contributions as v^p it is, for a < 2 p + 3,
 *
 *     cos(theta_v)^2 -> (2 p + 3 - a) / (2 v)     one width and p = 0: Prop 5.1;  one rate for all, p = a: (a + 3) / (2 v)
 *
 * The gates are independent of the fresh part and keep half of it. Backward the same holds with f_v = V g_{v-1} for
 * V^T b_v. The angles follow from Thm 2.1 and Prop 6.1: cos = S_v / (|fdot_v| |b_v|), cos = R_v / (|bdot_v| |f_v|).
 */
export function wideStep(network: WideNetwork): WideStep {
  const { architecture, activation, depth: L, width: m, branchScale: beta, sigma } = network;
  const isMlp = architecture === 'mlp';
  const kept = activation === 'relu' ? 1 / 2 : 1; // |phi(f)|^2 / |f|^2
  const layers = Array.from({ length: L - 1 }, (_, i) => i);
  const widths = network.widths ?? layers.map(() => m);
  /** |f_l|_rms / |f_{l-1}|_rms, and |z_{l-1}|_2 / |z_l|_2, for l = 2 .. L-1. */
  const gains = layers.slice(1).map((i) => {
    const scale = sigma.hiddenLayers?.[i - 1] ?? sigma.hidden;
    const branch = (isMlp ? 1 : beta ** 2) * scale ** 2 * widths[i - 1]! * kept;
    return Math.sqrt(branch + (isMlp ? 0 : 1 - beta ** 2));
  });
  const [growth, growthBack] = [products(gains), products(gains.toReversed())];
  const f = layers.map((i) => Math.sqrt(widths[i]!) * sigma.input * network.inputNorm * growth[i]!);
  const q = f.map((x) => Math.sqrt(kept) * x);
  /** |d loss / d f_v| of a ResNet, |d loss / d g_v| of an MLP; and |b_v| in both. */
  const z = layers.map((i) => Math.sqrt(m) * sigma.output * network.slopeNorm * growthBack[L - 2 - i]!);
  const b = isMlp ? z.map((x) => Math.sqrt(kept) * x) : z;

  const last = isMlp ? q[L - 2]! : f[L - 2]!;
  const gradients = [
    b[0]! * network.inputNorm,
    ...layers.slice(1).map((i) => (isMlp ? 1 : beta) * b[i]! * q[i - 1]!),
    network.slopeNorm * last,
  ];
  const contributions = gradients.map((norm, i) => {
    if (!network.trainsAll && (i === 0 || i === L - 1)) return 0;
    return network.learningRate === 'scale-invariant' ? 1 / L : network.learningRate[i + 1]! * norm ** 2;
  });

  const upTo = running(contributions.slice(0, L - 1)); // S_v
  const squaresUpTo = carried(
    upTo.map((S) => S ** 2),
    widths,
  );
  const factor = activation === 'linear' ? beta ** 2 * (2 - beta ** 2) : beta === 1 ? 2 : Number.NaN;
  const speedProducts = layers.map((i) => {
    if (isMlp) return Math.sqrt(squaresUpTo[i]! / kept);
    return Math.sqrt(upTo[i]! ** 2 + factor * (squaresUpTo[i]! - upTo[i]! ** 2));
  });

  const after = running(contributions.slice(1).reverse()).reverse(); // R_v
  const squaresAfter = carried(after.map((R) => R ** 2).reverse(), widths.toReversed()).reverse();
  const isKnown = isMlp && activation === 'relu';
  const backwardProducts = squaresAfter.map((sum) => (isKnown ? Math.sqrt(2 * sum) : Number.NaN));

  const rms = (norm: number, i: number) => norm / Math.sqrt(widths[i]!);
  return {
    featureRms: (isMlp ? q : f).map(rms),
    backwardRms: z.map(rms),
    contributions,
    featureSpeedRms: speedProducts.map((product, i) => rms(product / z[i]!, i)),
    backwardFeatureAngle: speedProducts.map((product, i) => Math.acos(Math.min(1, upTo[i]! / product))),
    backwardSpeedRms: backwardProducts.map((product, i) => rms(product / f[i]!, i)),
    featureBackwardAngle: backwardProducts.map((product, i) => Math.acos(Math.min(1, after[i]! / product))),
  };
}

/** Products of the first none, one, two, ... factors; engines round powers differently. */
function products(factors: readonly number[]): number[] {
  const all = [1];
  for (const factor of factors) all.push(all.at(-1)! * factor);
  return all;
}

/** sum_{j<=v} x_j m_v / m_j for every v. */
function carried(values: readonly number[], widths: readonly number[]): number[] {
  let sum = 0;
  return values.map((value, v) => {
    sum = sum * (v === 0 ? 1 : widths[v]! / widths[v - 1]!) + value;
    return sum;
  });
}

/** Sums of the first one, two, ... numbers. */
function running(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
