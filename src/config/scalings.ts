/**
 * The scalings that have a name: initial scales and learning rates by formula, as data.
 *
 * All share sigma_hid, which keeps the size of the features: sqrt(2/m) for ReLU, where Table 1 prints 2/sqrt(m). The tables are for
 * ReLU: their rates stay right for activations that are homogeneous as well, or in branches of scale 1/sqrt(L).
 */

/** A formula for each group of layers, in L, m, d, k, n and beta. */
interface Formulas {
  readonly input: string;
  readonly hidden: string;
  readonly output: string;
}

export interface NamedScaling {
  /** Where the paper has it. */
  readonly where: string;
  /** sigma_1 and sigma_L. */
  readonly sigmaInput: string;
  readonly sigmaOutput: string;
  /** Eq. 8, or formulas. */
  readonly learningRate: 'scale-invariant' | Formulas;
  /** Whether the scales are set by what is measured (section 4.2), from these on. */
  readonly isNormalized?: true;
  /** What differs from the printed row for an activation, and why. */
  readonly corrections?: readonly ((activation: ActivationName) => readonly string[])[];
}

/** Factor of |b|^2 from layer to layer of an MLP at sigma_hid, E phi'(z)^2 / E phi(z)^2; 1 for homogeneous activations. */
export const BACKWARD_FACTOR: Readonly<Partial<Record<ActivationName, number>>> = {
  tanh: 1.178,
  erf: 1.226,
  gelu: 1.072,
};

/** What sigma_hid is here, and that it keeps features of any size only where the activation is homogeneous. */
function hiddenScale(activation: ActivationName): string {
  const name = activation === 'relu' ? 'ReLU' : activation;
  const condition = BACKWARD_FACTOR[activation] === undefined ? '' : ' and features of rms 1';
  return `sigma_hid = ${SIGMA_HIDDEN[activation]} for ${name}${condition}`;
}

/** With 2/sqrt(m) features grow by 4 E phi(z)^2 a layer, squared, unless the activation bends. */
const correctedMlp = (activation: ActivationName): readonly string[] => {
  const growth = { relu: '2^((L-2)/2)', linear: '2^(L-2)', leaky: '2.02^((L-2)/2)' };
  const factor = BACKWARD_FACTOR[activation];
  if (factor === undefined) {
    const by = growth[activation as keyof typeof growth];
    return [`${hiddenScale(activation)}; printed 2/sqrt(m) makes activations grow by ${by}`];
  }
  return [
    `${hiddenScale(activation)}; printed 2/sqrt(m) does not keep them`,
    `no rate by formula balances contributions of a deep MLP of ${activation}: |b_l|^2 changes by ${factor} a layer; Eq. 8 does`,
  ];
};

const correctedBranches = (activation: ActivationName): readonly string[] =>
  activation === 'linear' ? [] : [`${hiddenScale(activation)}; printed 1/sqrt(m) is that of linear branches`];

const correctedRates = (): readonly string[] => [
  'eta_1 and eta_hid have a factor k; without it their contributions fall as 1/k',
];

export const NAMED_SCALINGS = {
  // As the figures were drawn: Eq. 8, and sigma_L alone differs. MF+muP is 1/m, where Table 1 has sqrt(k)/m, which
  // matters in Fig. 2b.
  NTK: {
    where: 'Fig. 2',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: '1/sqrt(m)',
    learningRate: 'scale-invariant',
  },
  'MF+muP': { where: 'Fig. 2', sigmaInput: '1/sqrt(d)', sigmaOutput: '1/m', learningRate: 'scale-invariant' },
  FSC: {
    where: 'Fig. 2',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: 'sqrt(k*L)/m',
    learningRate: 'scale-invariant',
  },
  auto: {
    where: 'section 4.2',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: '1/m',
    learningRate: 'scale-invariant',
    isNormalized: true,
  },
  'FSC (Table 1)': {
    where: 'Table 1, dense',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: 'sqrt(k*L)/m',
    learningRate: { input: 'm/(L*L*d)', hidden: '1/(L*L)', output: 'k/(L*m)' },
    corrections: [correctedMlp],
  },
  'MF+muP (Table 1)': {
    where: 'Table 1, dense',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: 'sqrt(k)/m',
    learningRate: { input: 'm/(L*sqrt(L)*d)', hidden: '1/(L*sqrt(L))', output: 'k/(L*sqrt(L)*m)' },
    corrections: [correctedMlp],
  },
  'NTK (Table 1)': {
    where: 'Table 1, dense',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: '1/sqrt(m)',
    learningRate: { input: 'k/(L*d)', hidden: 'k/(L*m)', output: 'k/(L*m)' },
    corrections: [correctedMlp, correctedRates],
  },
  'FSC (Table 2)': {
    where: 'Table 2, dense',
    sigmaInput: '1/sqrt(d)',
    sigmaOutput: 'sqrt(k)/m',
    learningRate: { input: 'm/(L*d)', hidden: '1/(beta*beta*L)', output: 'k/(L*m)' },
    corrections: [correctedBranches],
  },
  'FSC (Table 1, sparse)': {
    where: 'Table 1, sparse',
    sigmaInput: '1',
    sigmaOutput: 'sqrt(L)/m',
    learningRate: { input: 'm/(L*L)', hidden: '1/(L*L)', output: '1/(L*m)' },
    corrections: [correctedMlp],
  },
  'MF+muP (Table 1, sparse)': {
    where: 'Table 1, sparse',
    sigmaInput: '1',
    sigmaOutput: '1/m',
    learningRate: { input: 'm/(L*sqrt(L))', hidden: '1/(L*sqrt(L))', output: '1/(L*sqrt(L)*m)' },
    corrections: [correctedMlp],
  },
  'NTK (Table 1, sparse)': {
    where: 'Table 1, sparse',
    sigmaInput: '1',
    sigmaOutput: '1/sqrt(m)',
    learningRate: { input: '1/L', hidden: '1/(L*m)', output: '1/(L*m)' },
    corrections: [correctedMlp],
  },
  'FSC (Table 2, sparse)': {
    where: 'Table 2, sparse',
    sigmaInput: '1',
    sigmaOutput: '1/m',
    learningRate: { input: 'm/L', hidden: '1/(beta*beta*L)', output: '1/(L*m)' },
    corrections: [correctedBranches],
  },
} as const satisfies Record<string, NamedScaling>;

export type ScalingName = keyof typeof NAMED_SCALINGS;

export const SCALING_NAMES = Object.keys(NAMED_SCALINGS) as ScalingName[];

/**
 * sigma_hid that keeps the size of features of rms 1, 1/sqrt(m E phi(z)^2) with z ~ N(0, 1), by activation; of any size where
 * phi is homogeneous: relu, linear and leaky.
 */
export const SIGMA_HIDDEN = {
  relu: 'sqrt(2/m)',
  linear: '1/sqrt(m)',
  leaky: 'sqrt(2/(1.01*m))',
  tanh: 'sqrt(1/(0.394294490398*m))',
  erf: 'sqrt(1/(0.46455905439754*m))',
  gelu: 'sqrt(1/(0.4252214825703*m))',
} as const;

export type ActivationName = keyof typeof SIGMA_HIDDEN;

export const ACTIVATION_NAMES = Object.keys(SIGMA_HIDDEN) as ActivationName[];

export const LAYER_GROUPS = ['input', 'hidden', 'output'] as const;

/** A row of Table 1 or 2: sigma and eta of every group of layers by formula. */
export interface TableRow {
  readonly name: ScalingName;
  readonly where: string;
  readonly layers: Readonly<Record<keyof Formulas, { readonly sigma: string; readonly eta: string }>>;
  readonly corrections: readonly string[];
}

/** The rows of Tables 1 and 2 in both settings; other scalings have rates that are measured, and not by formula. */
export function tableRows(activation: ActivationName): TableRow[] {
  return SCALING_NAMES.flatMap((name) => {
    const scaling: NamedScaling = NAMED_SCALINGS[name];
    const { where, sigmaInput, sigmaOutput, learningRate: eta, corrections = [] } = scaling;
    if (eta === 'scale-invariant') return [];
    const layers = {
      input: { sigma: sigmaInput, eta: eta.input },
      hidden: { sigma: SIGMA_HIDDEN[activation], eta: eta.hidden },
      output: { sigma: sigmaOutput, eta: eta.output },
    };
    return [{ name, where, layers, corrections: corrections.flatMap((of) => of(activation)) }];
  });
}
