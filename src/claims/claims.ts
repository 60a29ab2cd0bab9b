/** Every claim that is checked, in the order of the paper. */
import type { AnyClaim } from './claim.js';
import { proposition41 } from './criterion.js';
import { equation4, theorem21 } from './feature-speed.js';
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
import { conjecture, conjecturePrinted, proposition52, proposition54 } from './resnets.js';
import { figure2a, figure2b, figure2Caption } from './sensitivities.js';
import { lemma33, lemmaA1, section61Printed, theorem32Bounds, theorem32Limit } from './spectrum.js';
import { proposition61, proposition61Range, proposition62, propositionB1, theorem63 } from './stability.js';

export const CLAIMS: readonly AnyClaim[] = [
  theorem21,
  equation4,
  theorem32Bounds,
  theorem32Limit,
  lemma33,
  proposition41,
  proposition51,
  proposition52,
  conjecture,
  conjecturePrinted,
  proposition53i,
  proposition53ii,
  proposition53iii,
  table1Dense,
  table1Sparse,
  table1NtkPrinted,
  table1SigmaPrinted,
  zeroOutput,
  figure2a,
  figure2Caption,
  figure2b,
  proposition54,
  proposition61,
  proposition61Range,
  section61Printed,
  proposition62,
  theorem63,
  lemmaA1,
  propositionB1,
];
