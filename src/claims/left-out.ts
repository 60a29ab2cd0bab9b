/** Statements of the paper that are no claim of `verify`, with the reason, in the order of the paper. */

interface LeftOut {
  /** Where the paper has it. */
  readonly where: string;
  readonly statement: string;
  /** Why it is not measured; a claim that comes near is named by its id in backquotes. */
  readonly why: string;
}

export const LEFT_OUT: readonly LeftOut[] = [
  {
    where: 'Section 1, related work',
    statement: 'Dynamical isometry is linked to successful training, as it is related to the angle',
    why: 'No number is stated; what the angle owes to the conditioning is in `thm-3.2-bounds` and `proof-5.2-jacobians`.',
  },
  {
    where: 'Section 2, footnote 1',
    statement:
      'The maps T_l admit elementary selections, which covers virtually all functions of interest in deep learning',
    why: 'An assumption, and no number.',
  },
  {
    where: 'Section 3, after Theorem 3.2',
    statement: 'Asymptotic independence of b_v and K_v can be guaranteed in quite general contexts',
    why: 'A theorem of Yang on programs of any form; what follows from it is `thm-3.2-limit`.',
  },
  {
    where: 'Section 4.1',
    statement:
      'Enforcing the properties requires 2 L degrees of freedom, as many as there are free hyper-parameters',
    why: 'A count; that the properties fix every one of them is `prop-5.3-iii-only-if`.',
  },
  {
    where: 'Section 4.2, link with Polyak step-size',
    statement:
      'With this step size gradient descent achieves the optimal rate over convex and Lipschitz functions',
    why: 'A theorem on convex functions, which networks are not.',
  },
  {
    where: 'Section 5.1, ResNets',
    statement: 'When beta = 1, we recover a MLP',
    why: 'By definition, but for the last ReLU: Eq. 12 has W_L f_{L-1} where Eq. 10 has W_L phi(f_{L-1}).',
  },
  {
    where: 'Section 5.1, ResNets',
    statement: 'The same result and proof technique extend to ReLU and other variants of ResNets',
    why: 'A belief on a proof; ReLU networks are measured in `prop-5.4` and `fig-1b`.',
  },
  {
    where: 'Section 5.2, after Table 1',
    statement: 'Values in red are exact, the others are up to a factor in Theta(1)',
    why: 'The colours are not in the text; the constants of the angles are in `prop-5.1`.',
  },
  {
    where: 'Section 5.3, caption of Table 2',
    statement: 'With beta = Theta(L^(-1/2)) and k = d = Theta(1), the scalings coincide with depth muP',
    why: 'The rates of depth muP are those of other papers, and are not stated here.',
  },
  {
    where: 'Section 6.1',
    statement:
      '(S) is necessary for a comparable behaviour of the first step and the next, and related to smoothness',
    why: 'A reason for the property, and no number; the property itself is `section-6.1-s`.',
  },
  {
    where: 'Section 6.2',
    statement: 'The invariance is related to known ones under global rescaling for scale invariant losses',
    why: 'A remark on other papers.',
  },
  {
    where: 'Section 7',
    statement:
      'The formula does not apply to variants of gradient descent, nor inside the blocks of a ResNet',
    why: 'A limit of the theory, which says nothing of what happens there.',
  },
  {
    where: 'Appendix A, proof of Proposition 5.1',
    statement: 'Analogous results have been derived for a variety of activation functions',
    why: 'A remark on other papers.',
  },
];
