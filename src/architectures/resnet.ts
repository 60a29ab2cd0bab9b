import type { Architecture } from './architecture.js';

/** Eq. 12:  f_1 = W_1 x,   f_l = a f_{l-1} + beta V_l phi(f_{l-1}),   f_L = W_L f_{L-1}. */
export const resnet: Architecture = {
  meaning:
    'Eq. 12, f_l = sqrt(1 - beta^2) f_{l-1} + beta V_l phi(f_{l-1}) with features f_l, at beta = 1 an MLP',
  embedding: ['input'],
  block: ['phi', 'hidden'],
  readout: ['output'],
  hasSkip: true,
};
