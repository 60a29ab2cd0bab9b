// Batches that the benches measure: ResNets in which one update is taken, or that are trained.

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Cells and settings for `measureBatch`. */
export function batchOf({ width, depth = 8, count = 2, samples = 1, weights = 'dense' }) {
  const cells = Array.from({ length: count }, (_, i) => ({
    seed: [i, 1, 2, 3],
    depth,
    branchScale: 1 / Math.sqrt(depth),
    sigma: { input: 0.3, hidden: Math.sqrt(2 / width), output: 1 / width },
    learningRate: 'scale-invariant',
    stepSize: 1e-3,
    data: { input: { law: 'normal', scale: 0.3, normalize: 'none' }, target: { law: 'normal' } },
  }));
  const settings = {
    shape: { samples, width, inputWidth: 10, outputWidth: 1 },
    architecture: 'resnet',
    activation: 'relu',
    weights,
    isNormalized: false,
    loss: 'squared',
    train: 'hidden',
    kind: 'update',
    steps: 1,
    layers: 'output',
    // As many as the figures record.
    quantities: ['bfa_rad', 'sensitivity_finite', 'loss', 'loss_change'],
  };
  return { cells, settings };
}

/** The same for many steps in which weights learn in place, on mini-batches, of which the last is measured. */
export function trainingOf({ width, depth, samples, steps }) {
  const { cells, settings } = batchOf({ width, depth, samples, count: 1, weights: 'mutable' });
  const training = { samples: 4 * samples, heldOut: 0, recorded: [steps] };
  return { cells, settings: { ...settings, train: 'all', steps, training, needs: new Set() } };
}
