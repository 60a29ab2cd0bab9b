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
  /** beta in (0, 1]; 1 for an MLP. */
  readonly branchScale: number;
  readonly sigma: { readonly input: number; readonly hidden: number; readonly output: number };
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
 *     ReLU MLP         |gdot_v|^2 |z_v|^2 = 2 sum_{j<=v} S_j^2,     |bdot_v|^2 |f_v|^2 = 2 sum_{v<=j<L} R_j^2
 *     ReLU, beta = 1   |fdot_v|^2 |b_v|^2 = S_v^2 + 2 sum_{j<v} S_j^2
 *     linear ResNet    |fdot_v|^2 |b_v|^2 = S_v^2 + beta^2 (2 - beta^2) sum_{j<v} S_j^2
 *
 * Derivation, for the first: fdot_v = V D fdot_{v-1} - C_v b_v / |b_v|^2, and given V^T b_v the matrix maps D fdot_{v-1} to
 * its known part along b_v, which makes -S_v b_v / |b_v|^2 of the sum, and to a fresh vector of norm^2 2 |D fdot_{v-1}|^2.
 * The gates are independent of the fresh part and keep half of it. Backward the same holds with f_v = V g_{v-1} for
 * V^T b_v. The angles follow from Thm 2.1 and Prop 6.1: cos = S_v / (|fdot_v| |b_v|), cos = R_v / (|bdot_v| |f_v|).
 */
export function wideStep(network: WideNetwork): WideStep {
  const { architecture, activation, depth: L, width: m, branchScale: beta, sigma } = network;
  const isMlp = architecture === 'mlp';
  const kept = activation === 'relu' ? 1 / 2 : 1; // |phi(f)|^2 / |f|^2
  const layers = Array.from({ length: L - 1 }, (_, i) => i);
  const branch = (isMlp ? 1 : beta ** 2) * sigma.hidden ** 2 * m * kept;
  const gain = Math.sqrt(branch + (isMlp ? 0 : 1 - beta ** 2)); // |f_l| / |f_{l-1}|
  /** Powers of the gain, as products: engines round powers differently. */
  const growth = [1];
  while (growth.length < L) growth.push(growth.at(-1)! * gain);
  const f = layers.map((i) => Math.sqrt(m) * sigma.input * network.inputNorm * growth[i]!);
  const q = f.map((x) => Math.sqrt(kept) * x);
  /** |d loss / d f_v| of a ResNet, |d loss / d g_v| of an MLP; and |b_v| in both. */
  const z = layers.map((i) => Math.sqrt(m) * sigma.output * network.slopeNorm * growth[L - 2 - i]!);
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
  const squaresUpTo = running(upTo.map((S) => S ** 2));
  const factor = activation === 'linear' ? beta ** 2 * (2 - beta ** 2) : beta === 1 ? 2 : Number.NaN;
  const products = layers.map((i) => {
    if (isMlp) return activation === 'relu' ? Math.sqrt(2 * squaresUpTo[i]!) : Number.NaN;
    return Math.sqrt(upTo[i]! ** 2 + factor * (squaresUpTo[i]! - upTo[i]! ** 2));
  });

  const after = running(contributions.slice(1).reverse()).reverse(); // R_v
  const squaresAfter = running(after.map((R) => R ** 2).reverse()).reverse();
  const isKnown = isMlp && activation === 'relu';
  const backwardProducts = squaresAfter.map((sum) => (isKnown ? Math.sqrt(2 * sum) : Number.NaN));

  const rms = (norm: number) => norm / Math.sqrt(m);
  return {
    featureRms: (isMlp ? q : f).map(rms),
    backwardRms: z.map(rms),
    contributions,
    featureSpeedRms: products.map((product, i) => rms(product / z[i]!)),
    backwardFeatureAngle: products.map((product, i) => Math.acos(Math.min(1, upTo[i]! / product))),
    backwardSpeedRms: backwardProducts.map((product, i) => rms(product / f[i]!)),
    featureBackwardAngle: backwardProducts.map((product, i) => Math.acos(Math.min(1, after[i]! / product))),
  };
}

/** Sums of the first one, two, ... numbers. */
function running(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}
