import type { Architecture } from './architecture.js';

/**
 * A ResNet with two matrices in a branch, the block of current work on scaling depth:
 *
 *     f_1 = W_1 x,   f_l = a f_{l-1} + beta V_l phi(U_l f_{l-1}),   f_L = W_L f_{L-1}
 *
 * with U_l of M rows and V_l of M columns. A layer has one learning rate, and |G_l|^2 is the sum over its matrices.
 */
export const resnet2: Architecture = {
  meaning:
    'f_l = sqrt(1 - beta^2) f_{l-1} + beta V_l phi(U_l f_{l-1}) with features f_l, and U_l of hiddenWidth rows',
  embedding: ['input'],
  block: ['inner', 'phi', 'outer'],
  readout: ['output'],
  hasSkip: true,
};
