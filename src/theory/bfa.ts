/**
 * The backward-feature angle at initialisation in the limit of infinite width: one sample, hidden layers (and, if asked,
 * the embedding) trained with scale-invariant rates (Eq. 8), velocity. Exact at every depth, layer and branch scale.
 */

/** What the limit depends on. */
export interface LimitNetwork {
  /** `mlp`: the angle of g_v = phi(f_v), at branch scale 1; default `resnet`. */
  readonly architecture?: 'resnet' | 'mlp';
  /** Whether W_1 is trained too; default false. */
  readonly trainsInput?: boolean;
  readonly activation: 'relu' | 'linear';
  /** L >= 3. */
  readonly depth: number;
  /** beta in (0, 1]. */
  readonly branchScale: number;
}

/**
 * theta_v for v = 1 .. L-1 in rad, at index v; NaN where nothing moves: at 0, at 1 unless W_1 is trained, and everywhere at
 * beta = 0.
 *
 * Derivation (ours; the paper has the exponents). Scale b so that |b_l| = 1, which all layers share in the limit, and
 * the velocity so that each layer contributes 1:
 *
 *     z_l = a z_{l-1} + beta V_l D_{l-1} z_{l-1} - b_l,   b_{l-1} = a b_l + beta D_{l-1} t_{l-1},   t_{l-1} = V_l^T b_l
 *
 * with the gates D = phi'(f). Then -<b_l, z_l> = N_l, the number of trained layers up to l (l - 1, or l), and cos theta_l =
 * N_l / |z_l|. Given V_l^T b_l the rest of V_l is fresh, so V_l D z splits into a part along b_l, known through t, and
 * a fresh one that is independent of all gates and of all b. With B_l the part of z_l made of b's and F_l = |fresh|^2,
 *
 *     |z_l|^2 = |B_l|^2 + F_l,     F_l = a^2 F_{l-1} + 2 beta^2 Q_{l-1},     Q_l = |D_l z_l|^2 = |D_l B_l|^2 + F_l / 2
 *
 * B_l is a sum of the independent vectors D_r t_r and of W_L^T (f_L - y), with the coefficients a^|l-r| N_min(l,r), and
 * the gates of two layers are both open with the probability P(|l-r|) = 1/4 + arcsin(a^|l-r|) / (2 pi):
 *
 *     |D_l B_l|^2 = sum_{r=1}^{L-2} 2 beta^2 P(|l-r|) (a^|l-r| N_min(l,r))^2 + (a^(L-1-l) N_l)^2 / 2
 *
 * and |B_l|^2 is the same with P = 1/2 and without the last halving. At beta = 1 this is cos theta = sqrt(3N / (2N^2 + 1));
 * a linear activation has D = 1 and a closed form. The features g = D f of an MLP have velocity D z and backward pass t, of
 * which b = D t: there |D z|^2 = N^2 + F / 2 and |t|^2 = 2, so that tan^2 theta = (2N^2 + 1) / (3N).
 */
export function bfaLimit({
  architecture = 'resnet',
  activation,
  depth,
  branchScale: beta,
  trainsInput = false,
}: LimitNetwork): Float64Array {
  const angles = new Float64Array(depth).fill(Number.NaN);
  if (beta === 0) return angles;
  const trained = (l: number) => (trainsInput ? l : l - 1);
  if (activation === 'linear' || architecture === 'mlp') {
    for (let v = 1; v < depth; v++) {
      const N = trained(v);
      if (N === 0) continue;
      angles[v] =
        activation === 'linear' ? linearAngle(N, beta) : Math.atan(Math.sqrt((2 * N ** 2 + 1) / (3 * N)));
    }
    return angles;
  }

  const a = Math.sqrt(1 - beta ** 2);
  // a^lag as a product: engines differ in the last digit of other powers than squares.
  const decay = new Float64Array(depth).fill(1);
  for (let lag = 1; lag < depth; lag++) decay[lag] = decay[lag - 1]! * a;
  // beta^2 a^(2 lag), and with 2 P(lag).
  const overlap = decay.map((x) => (beta * x) ** 2);
  const gated = overlap.map((x, lag) => x * (1 / 2 + Math.asin(decay[lag]!) / Math.PI));

  let fresh = 0; // F_{l-1}
  let open = 0; // Q_{l-1}
  for (let l = 1; l < depth; l++) {
    const N = trained(l);
    fresh = a ** 2 * fresh + 2 * beta ** 2 * open;
    let backward = N ** 2; // |B_l|^2: the terms r >= l sum to N_l^2
    let gatedBackward = (decay[depth - 1 - l]! * N) ** 2 / 2; // |D_l B_l|^2
    for (let r = 1; r < l; r++) {
      backward += overlap[l - r]! * trained(r) ** 2;
      gatedBackward += gated[l - r]! * trained(r) ** 2;
    }
    for (let r = l; r <= depth - 2; r++) gatedBackward += gated[r - l]! * N ** 2;
    open = gatedBackward + fresh / 2;
    const excess = backward + fresh - N ** 2; // |z|^2 - N^2, so that tan and not cos is formed
    if (N > 0) angles[l] = Math.atan2(Math.sqrt(excess), N);
  }
  return angles;
}

/** Linear ResNet after N trained layers: cos = N / sqrt(N^2 + beta^2 (2 - beta^2) (N-1) N (2N-1) / 6). */
function linearAngle(trained: number, beta: number): number {
  const squares = ((trained - 1) * trained * (2 * trained - 1)) / 6;
  return Math.atan2(Math.sqrt(beta ** 2 * (2 - beta ** 2) * squares), trained);
}

/**
 * phi(c), the output angle of the ReLU ResNet with beta = c / sqrt(L) as L -> inf, in rad: an answer to the paper's
 * conjecture (section 5.1). For small c it is sqrt(2/3) c, for large c cos phi ~ 1 / c.
 *
 * The limit of `bfaLimit`: with P(u) = 1/4 + arcsin(exp(-c^2 u / 2)) / (2 pi), the Volterra equation
 *
 *     G(t) = int_0^t c^2 exp(-c^2 (t-s)) ( 2 s^2 P(t-s) + G(s) ) ds
 *     U = int_0^1 c^2 exp(-c^2 (1-s)) ( s^2 + 2 G(s) ) ds,     cos phi = (1 + 2 U)^(-1/2)
 *
 * Its kernel on G is exponential, so with h(t) the integral over the source alone, G = h + c^2 int_0^t h; and in
 * x = c^2 (t-s) the source is 2 t^2 p_0 - 4 t p_1 / c^2 + 2 p_2 / c^4 with the moments p_k(X) = int_0^X e^-x x^k P dx.
 * All are running integrals over one grid, uniform in sqrt(x), where P is smooth; by the trapezoidal rule, good to 1e-6.
 */
export function conjecturedAngle(c: number): number {
  if (c === 0) return 0;
  const end = c ** 2;
  const intervals = Math.ceil(4000 + 100 * end); // the weight of U has the width 1 in x, 1 / (2 c) in sqrt(x)
  const running = [0, 0, 0, 0, 0]; // p_0, p_1, p_2, int h dx, U
  let previous = [0, 0, 0, 0, 0]; // integrands at the grid point before
  let before = 0;
  const extend = (k: number, integrand: number, dx: number) => {
    running[k]! += ((previous[k]! + integrand) * dx) / 2;
    return integrand;
  };
  for (let i = 0; i <= intervals; i++) {
    const y = (c * i) / intervals;
    const x = y ** 2;
    const t = x / end;
    // d x = 2 y d y, so the rule is applied in y.
    const dy = i === 0 ? 0 : y - before;
    const weight = 2 * y * Math.exp(-x) * (1 / 4 + Math.asin(Math.exp(-x / 2)) / (2 * Math.PI));
    const moments = [1, x, x ** 2].map((factor, k) => extend(k, weight * factor, dy));
    const h = 2 * (t ** 2 * running[0]! - (2 * t * running[1]!) / end + running[2]! / end ** 2);
    const source = extend(3, 2 * y * h, dy);
    const G = h + running[3]!;
    const last = extend(4, 2 * y * Math.exp(x - end) * (t ** 2 + 2 * G), dy);
    previous = [...moments, source, last];
    before = y;
  }
  return Math.atan(Math.sqrt(2 * running[4]!));
}

/**
 * S_{L-1} in the limit of infinite width, for one sample and one output with |f_L - y| = 1:
 * 1 / ( cos(theta_{L-1}) sqrt(m) |b_{L-1}|_2 ) with |b_{L-1}|_2 = sigma_L sqrt(m) (Eq. 4).
 *
 * @param outputAngle theta_{L-1} in rad.
 */
export function sensitivityLimit(outputAngle: number, width: number, sigmaOutput: number): number {
  return 1 / (Math.cos(outputAngle) * width * sigmaOutput);
}
