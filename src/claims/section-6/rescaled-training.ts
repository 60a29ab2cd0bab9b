/** Proposition 6.2 on the matrices themselves, along a training. */

import type { ActivationName } from '../../activations.js';
import type { RateName } from '../../core/step/rates.js';
import { between, identity } from '../checks.js';
import { defineClaim } from '../claim.js';
import type { Lab, Setup } from '../lab.js';

type Rates = RateName | 'constant';

/** Those with eta_l(t) |G_l(t)|^2 equal before and after, each by its definition. */
const INVARIANT: readonly RateName[] = ['scale-invariant', 'held', 'normalized', 'polyak'];

/**
 * Factors of W_1, of every V_l, and of W_L but for what makes the product of all what it is to be; with the steps after which
 * matrices are looked at.
 *
 * Multiplications by powers of 2 are exact: all that float32 rounds it rounds alike, at every step and with every gate. Others are
 * rounded otherwise, by 1e-7 of the matrix at every step, which moves it by 1e-3 of itself; without gates nothing comes of it that
 * grows.
 */
const KINDS = {
  'powers of 2, ReLU': { activation: 'relu', input: 4, hidden: 0.5, after: [1, 8, 40], bound: 1e-6 },
  '3 and 0.7, linear': { activation: 'linear', input: 3, hidden: 0.7, after: [1, 8, 16], bound: 1e-3 },
} as const satisfies Record<
  string,
  {
    readonly activation: ActivationName;
    readonly input: number;
    readonly hidden: number;
    readonly after: readonly number[];
    readonly bound: number;
  }
>;

type KindName = keyof typeof KINDS;

const [L, m, DRAWS, SAMPLES, BATCH] = [5, 32, 3, 24, 8];
const SIGMA = { input: 1 / Math.sqrt(10), hidden: Math.sqrt(2 / m), output: 1 / Math.sqrt(m) };
/** Of a linear network features would double a layer. */
const GAIN = { relu: 1, linear: Math.SQRT1_2 } as const;

interface Rescaled {
  readonly kind: KindName;
  readonly rates: Rates;
  readonly product: number;
  /** |W~_l(t) / sigma_l - W_l(t)| / |W_l(t) - W_l(first)| of every layer, at the times but the first; by draw. */
  readonly deviations: readonly number[];
}

/** Every matrix of all draws, by the steps that were taken. */
function matricesOf(
  lab: Lab,
  setup: Setup,
  after: readonly number[],
): Map<number, Map<string, Float32Array>> {
  const found = new Map<number, Map<string, Float32Array>>();
  lab.train(
    setup,
    DRAWS,
    { samples: SAMPLES, recorded: [1] },
    {
      stepped: (taken, state) => {
        if (!after.includes(taken)) return;
        const { matrices } = state().network;
        const values = Object.entries(matrices).map(([name, { values }]) => [name, values!] as const);
        found.set(taken, new Map(values));
      },
    },
  );
  return found;
}

function rescaled(lab: Lab, kind: KindName, rates: Rates, product: number): Rescaled {
  const { activation, input, hidden, after } = KINDS[kind];
  const gain = GAIN[activation];
  const sigma = { ...SIGMA, hidden: gain * SIGMA.hidden };
  const factors = { input, hidden, output: product / (input * hidden * hidden * hidden) };
  const base: Setup = {
    activation,
    depth: L,
    width: m,
    outputWidth: 3,
    samples: BATCH,
    loss: 'cross-entropy',
    data: { input: { law: 'normal', scale: 1, normalize: 'none' }, target: { law: 'one-hot' } },
    kind: 'update',
    stepSize: 0.05,
    steps: after.at(-1)! + 1,
    learningRate: rates === 'constant' ? new Array<number>(L + 1).fill(1) : rates,
  };
  const before = matricesOf(lab, { ...base, sigma }, after);
  const rescaledSigma = {
    input: factors.input * sigma.input,
    hidden: factors.hidden * sigma.hidden,
    output: factors.output * sigma.output,
  };
  const now = matricesOf(lab, { ...base, sigma: rescaledSigma }, after);
  const [first, ...later] = after.map((t) => ({ plain: before.get(t)!, other: now.get(t)! }));
  const deviations = later.flatMap(({ plain, other }) =>
    [...plain].flatMap(([name, W]) => {
      const factor = factors[name.split(' ')[0] as keyof typeof factors];
      const [start, changed] = [first!.plain.get(name)!, other.get(name)!];
      return drawsOf(W.length).map(([from, end]) => {
        let [apart, moved] = [0, 0];
        for (let i = from; i < end; i++) {
          apart += (changed[i]! / factor - W[i]!) ** 2;
          moved += (W[i]! - start[i]!) ** 2;
        }
        return Math.sqrt(apart / moved);
      });
    }),
  );
  return { kind, rates, product, deviations };
}

const drawsOf = (length: number) =>
  Array.from({ length: DRAWS }, (_, i) => [(i * length) / DRAWS, ((i + 1) * length) / DRAWS] as const);

export const proposition62Training = defineClaim<Rescaled[], { rates: readonly Rates[]; product: number }>({
  id: 'prop-6.2-training',
  title: 'Invariance of the matrices along training',
  where: 'Proposition 6.2, for all t',
  statement:
    'Where eta_l |G_l|^2 is the same before and after, matrices that are rescaled by factors of product 1 stay so: ' +
    'W~_l(t) = sigma_l W_l(t) at every step, with Eq. 8 taken anew or held, with normalized and with Polyak rates; with constant rates not',
  law: { rates: INVARIANT, product: 1 },
  measure: (lab) =>
    (Object.keys(KINDS) as KindName[]).flatMap((kind) => [
      ...[...INVARIANT, 'constant' as const].map((rates) => rescaled(lab, kind, rates, 1)),
      ...INVARIANT.map((rates) => rescaled(lab, kind, rates, 2)),
    ]),
  judge: (all, { rates, product }) =>
    (Object.keys(KINDS) as KindName[]).flatMap((kind) => {
      const { after, bound } = KINDS[kind];
      const of = (which: Rates, by: number) =>
        all.find((each) => each.kind === kind && each.rates === which && each.product === by)!.deviations;
      const times = after.slice(1).join(' and ');
      return [
        ...rates.map((which) =>
          identity(
            `factors ${kind}: largest |W~/sigma - W| of a layer after ${times} steps, relative to its way, ${which} rates`,
            of(which, product),
            bound,
          ),
        ),
        between('the same with constant rates', Math.max(...of('constant', 1)), 0.01, Infinity),
      ];
    }),
  mutations: {
    'at constant rates': { rates: ['constant'] },
    'factors of product 2': { product: 2 },
  },
});
