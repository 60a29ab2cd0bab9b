/** Every claim that is checked, in the order of the paper. */
import { figure1aCaption, figure1b, finiteAngle, inputContribution } from './angle-captions.js';
import { definition31, outputAnglePrinted, tangentKernel, theorem21Range } from './bfk.js';
import type { AnyClaim } from './claim.js';
import { proposition41 } from './criterion.js';
import { equation4, theorem21 } from './feature-speed.js';
import { footnote5 } from './finite-step.js';
import { equation14Printed, gradientStability, vanishingPrinted } from './gradient-stability.js';
import { jacobianSpectrum } from './jacobians.js';
import { oneSpectrum } from './kernel-spectra.js';
import { lazyTraining } from './lazy.js';
import {
  proposition51,
  proposition53i,
  proposition53ii,
  proposition53iii,
  table1Dense,
  table1NtkPrinted,
  table1SigmaPrinted,
  table1Sparse,
  zeroOutput,
} from './mlp-scalings.js';
import { proposition53OnlyIf, proposition54OnlyIf, table1MuP, table2Sparse } from './necessity.js';
import { crossEntropyPrinted, footnote2, outputSettings } from './output-gradients.js';
import { automatic, normalizedGradients, outputScale, polyak } from './rates.js';
import { figure2bCaption } from './resnet-caption.js';
import { conjecture, conjecturePrinted, proposition52, proposition54 } from './resnets.js';
import { figure2a, figure2b, figure2Caption } from './sensitivities.js';
import { lemma33, lemmaA1, section61Printed, theorem32Bounds, theorem32Limit } from './spectrum.js';
import { proposition61, proposition61Range, proposition62, propositionB1, theorem63 } from './stability.js';
import { twoInputs } from './two-inputs.js';
import { zeroOutputSteps } from './zero-output.js';

export const CLAIMS: readonly AnyClaim[] = [
  lazyTraining,
  outputAnglePrinted,
  theorem21,
  theorem21Range,
  equation4,
  definition31,
  tangentKernel,
  theorem32Bounds,
  theorem32Limit,
  lemma33,
  outputScale,
  proposition41,
  automatic,
  polyak,
  normalizedGradients,
  proposition51,
  footnote2,
  figure1aCaption,
  figure1b,
  proposition52,
  finiteAngle,
  conjecture,
  conjecturePrinted,
  outputSettings,
  crossEntropyPrinted,
  proposition53i,
  proposition53ii,
  proposition53iii,
  proposition53OnlyIf,
  twoInputs,
  table1Dense,
  table1Sparse,
  table1MuP,
  table1NtkPrinted,
  table1SigmaPrinted,
  zeroOutputSteps,
  zeroOutput,
  figure2a,
  figure2Caption,
  figure2b,
  figure2bCaption,
  proposition54,
  proposition54OnlyIf,
  table2Sparse,
  gradientStability,
  proposition61,
  proposition61Range,
  vanishingPrinted,
  equation14Printed,
  footnote5,
  section61Printed,
  proposition62,
  theorem63,
  inputContribution,
  lemmaA1,
  oneSpectrum,
  jacobianSpectrum,
  propositionB1,
];
