/** Names of the losses, apart from the tensors, so that a list costs nothing. */
export const MODEL_LOSSES = ['squared', 'linear', 'cross-entropy'] as const;
export type ModelLoss = (typeof MODEL_LOSSES)[number];
