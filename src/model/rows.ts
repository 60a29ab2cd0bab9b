/** The table of a network: one row for each call of a layer, in the order of the forward pass. */

/** What is known of one call, or of one layer of a capture. */
export interface Place {
  readonly name: string;
  /** Without the samples. */
  readonly shape: readonly number[];
  /** Entries of the features, those of all samples. */
  readonly size: number;
  readonly featureNorm: number;
  readonly backwardNorm: number;
  /** |fdot_v|_2 */
  readonly speed: number;
  /** -<b_v, fdot_v> */
  readonly decay: number;
  /** NaN where there is none. */
  readonly angle: number;
  /** C_l = eta_l |G_l|^2 of the weights that are trained here, and not earlier; undefined without any. */
  readonly contribution: number | undefined;
  /** The sum of the contributions of all weights that these features depend on. */
  readonly decayBefore: number;
  /** Whether all paths from these weights to the loss lead through here, so that Thm 2.1 holds. */
  readonly isCut: boolean;
  /** |G_l|^2 */
  readonly squaredGradient: number | undefined;
}

/** One row; columns of `quantities.ts` have their names and units, null is what does not exist there. */
export interface LayerRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly feature_rms: number;
  readonly backward_rms: number;
  readonly contribution: number | null;
  /** Share of the contribution in the loss decay of the network. */
  readonly contribution_share: number | null;
  readonly bfa_rad: number | null;
  readonly sensitivity: number | null;
  readonly feature_speed_rms: number;
  /** Rate of Eq. 8 for the network as it is: 1 / (L |G_l|^2) over the L layers that learn. */
  readonly learning_rate: number | null;
  /** What the present rate is to be multiplied with for Eq. 8: 1 / (L C_l). */
  readonly learning_rate_factor: number | null;
  /** Residual of Thm 2.1; null where the formula does not hold, or nothing before is trained. */
  readonly speed_formula_residual: number | null;
  readonly is_cut: boolean;
}

/** Rows of places; `learning` is L, the number of layers that learn. */
export function layerRows(places: readonly Place[], learning: number): LayerRow[] {
  const total = places.reduce((sum, { contribution }) => sum + (contribution ?? 0), 0);
  return places.map((place) => {
    const rms = (norm: number) => norm / Math.sqrt(place.size);
    const { contribution, squaredGradient, decayBefore, isCut } = place;
    return {
      name: place.name,
      shape: place.shape,
      feature_rms: rms(place.featureNorm),
      backward_rms: rms(place.backwardNorm),
      contribution: contribution ?? null,
      contribution_share: contribution === undefined || total === 0 ? null : contribution / total,
      bfa_rad: Number.isFinite(place.angle) ? place.angle : null,
      sensitivity: decayBefore > 0 ? rms(place.speed) / decayBefore : null,
      feature_speed_rms: rms(place.speed),
      learning_rate: squaredGradient ? 1 / (learning * squaredGradient) : null,
      learning_rate_factor: contribution ? 1 / (learning * contribution) : null,
      speed_formula_residual: isCut && decayBefore > 0 ? Math.abs(place.decay / decayBefore - 1) : null,
      is_cut: isCut && decayBefore > 0,
    };
  });
}

/** The largest residual of Thm 2.1, and where. */
export function worstCut(rows: readonly LayerRow[]) {
  let worst: LayerRow | undefined;
  for (const row of rows) {
    if ((row.speed_formula_residual ?? -1) > (worst?.speed_formula_residual ?? -1)) worst = row;
  }
  return {
    speed_formula_residual: worst?.speed_formula_residual ?? null,
    worst_cut: worst?.name ?? null,
  };
}

/** A layer whose contribution is that many times the mean of all. */
export interface Imbalance {
  readonly name: string;
  readonly times: number;
}

/** Contributions beyond this factor from their mean, up or down, are out of balance. */
const BALANCED = 2;

/** How balanced contributions are (BC): the largest over the smallest, and those far from the mean, farthest first. */
export function balanceOf(rows: readonly LayerRow[]): {
  readonly contribution_balance: number | null;
  readonly out_of_balance: readonly Imbalance[];
  readonly without_gradient: readonly string[];
} {
  const trained = rows.filter((row) => row.contribution !== null);
  const learning = trained.filter((row) => row.contribution! > 0);
  const mean = learning.reduce((sum, row) => sum + row.contribution! / learning.length, 0);
  const most = learning.reduce((most, row) => Math.max(most, row.contribution!), 0);
  const least = learning.reduce((least, row) => Math.min(least, row.contribution!), Infinity);
  const far = ({ times }: Imbalance) => Math.abs(Math.log(times));
  return {
    contribution_balance: learning.length > 0 ? most / least : null,
    out_of_balance: learning
      .map((row) => ({ name: row.name, times: row.contribution! / mean }))
      .filter((each) => far(each) > Math.log(BALANCED))
      .sort((a, b) => far(b) - far(a)),
    without_gradient: trained.filter((row) => row.contribution === 0).map(({ name }) => name),
  };
}
