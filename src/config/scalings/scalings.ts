/**
 * The scalings that have a name: initial scales and learning rates by formula, as data.
 *
 * All share sigma_hid, which keeps the size of the features: sqrt(2/m) for ReLU, where Table 1 prints 2/sqrt(m). The tables are for
 * ReLU: their rates stay right for activations that are homogeneous as well, or in branches of scale 1/sqrt(L).
 */
import { type ActivationName, activationEntry, isHomogeneous } from '../../activations.js';

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

/** What sigma_hid is here, and that it keeps features of any size only where the activation is homogeneous. */
function hiddenScale(activation: ActivationName): string {
  const { sigmaHidden, title } = activationEntry(activation);
  const condition = isHomogeneous(activation) ? '' : ' and features of rms 1';
  return `sigma_hid = ${sigmaHidden} for ${title ?? activation}${condition}`;
}

/** With 2/sqrt(m) features grow by 4 E phi(z)^2 a layer, squared, unless the activation bends. */
const correctedMlp = (activation: ActivationName): readonly string[] => {
  const { growth, backwardFactor } = activationEntry(activation);
  if (growth !== undefined) {
    return [`${hiddenScale(activation)}; printed 2/sqrt(m) makes activations grow by ${growth}`];
  }
  return [
    `${hiddenScale(activation)}; printed 2/sqrt(m) does not keep them`,
    `no rate by formula balances contributions of a deep MLP of ${activation}: |b_l|^2 changes by ${backwardFactor} a layer; Eq. 8 does`,
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
      hidden: { sigma: activationEntry(activation).sigmaHidden, eta: eta.hidden },
      output: { sigma: sigmaOutput, eta: eta.output },
    };
    return [{ name, where, layers, corrections: corrections.flatMap((of) => of(activation)) }];
  });
}
