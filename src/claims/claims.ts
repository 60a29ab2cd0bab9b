/** Every claim that is checked, in the order of the paper. */

import type { AnyClaim } from './claim.js';
import { proposition41 } from './section-4/criterion.js';
import { automatic, normalizedGradients, outputScale, polyak } from './section-4/rates.js';
import { figure1aCaption, figure1b, finiteAngle, inputContribution } from './section-5/angle-captions.js';
import {
  proposition51,
  proposition53i,
  proposition53ii,
  proposition53iii,
  zeroOutput,
} from './section-5/mlp-scalings.js';
import { proposition53OnlyIf, proposition54OnlyIf, table1MuP, table2Sparse } from './section-5/necessity.js';
import { crossEntropyPrinted, footnote2, outputSettings } from './section-5/output-gradients.js';
import { figure2bCaption } from './section-5/resnet-caption.js';
import { conjecture, conjecturePrinted, proposition52, proposition54 } from './section-5/resnets.js';
import { figure2a, figure2b, figure2Caption } from './section-5/sensitivities.js';
import { table1Dense, table1NtkPrinted, table1SigmaPrinted, table1Sparse } from './section-5/table-1.js';
import { twoInputs } from './section-5/two-inputs.js';
import { zeroOutputSteps } from './section-5/zero-output.js';
import { proposition61, proposition61Range } from './section-6/backward-speed.js';
import { footnote5 } from './section-6/finite-step.js';
import { equation14Printed, gradientStability, vanishingPrinted } from './section-6/gradient-stability.js';
import { proposition62, propositionB1 } from './section-6/invariance.js';
import { proposition62Training } from './section-6/rescaled-training.js';
import { theorem63 } from './section-6/stability.js';
import { theorem21Training } from './sections-1-to-3/along-training.js';
import { definition31, outputAnglePrinted, tangentKernel, theorem21Range } from './sections-1-to-3/bfk.js';
import { lemmaA1, section61Printed } from './sections-1-to-3/cosines-by-layer.js';
import { equation4, theorem21 } from './sections-1-to-3/feature-speed.js';
import { jacobianSpectrum } from './sections-1-to-3/jacobians.js';
import { oneSpectrum } from './sections-1-to-3/kernel-spectra.js';
import { lazyTraining } from './sections-1-to-3/lazy.js';
import { lemma33, theorem32Bounds, theorem32Limit } from './sections-1-to-3/spectrum.js';

export const CLAIMS: readonly AnyClaim[] = [
  lazyTraining,
  outputAnglePrinted,
  theorem21,
  theorem21Training,
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
  proposition62Training,
  theorem63,
  inputContribution,
  lemmaA1,
  oneSpectrum,
  jacobianSpectrum,
  propositionB1,
];
