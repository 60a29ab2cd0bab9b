import type { Architecture } from './architecture.js';

/**
 * Eq. 10:  f_1 = W_1 x,   f_l = V_l phi(f_{l-1}),   f_L = W_L phi(f_{L-1}).  Its features are g_l = phi(f_l), with the
 * backward pass z_l = d loss / d g_l.
 */
export const mlp: Architecture = {
  meaning: 'Eq. 10, with features g_l = phi(f_l), and phi before W_L',
  embedding: ['input', 'phi'],
  block: ['hidden', 'phi'],
  readout: ['output'],
  hasSkip: false,
};
