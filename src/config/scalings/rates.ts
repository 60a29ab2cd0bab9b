/** The learning rates that follow from the gradients, by name; their formulas in numbers are in `core/rates.ts`. */
export const RATES = {
  'scale-invariant': 'eta_l = 1/(L |G_l|^2), taken anew at every step (Eq. 8)',
  held: 'Eq. 8 at the first step, and the same eta_l from there on',
  normalized:
    'steps -eta~_l G_l/|G_l| with eta~_l = 1/(L |G_l|) of the first step (section 4.2): eta_l = eta~_l/|G_l|',
  polyak: 'eta_l = loss/(L |G_l|^2), taken anew at every step (section 4.2)',
} as const satisfies Record<string, string>;

export type RateName = keyof typeof RATES;

export const RATE_NAMES = Object.keys(RATES) as [RateName, ...RateName[]];

export const isRateName = (value: unknown): value is RateName =>
  typeof value === 'string' && Object.hasOwn(RATES, value);
