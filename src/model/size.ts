/** How large a model is, before anything is measured. */
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Call, graphOf } from './graph.js';

/** Entries; a length that the model leaves open counts as 1. */
const entries = (shape: readonly (number | null)[]) =>
  shape.reduce<number>((size, length) => size * (length ?? 1), 1);

/** Products of a call for a sample: of each matrix with as many vectors as its outputs have. */
function productsOf({ layer, shapes }: Call): number {
  if (layer.getClassName() === 'Embedding') return 0;
  const [shape = []] = shapes;
  const vectors = entries(shape) / (shape.at(-1) ?? 1);
  return layer.weights.reduce((sum, { shape: of }) => sum + (of.length >= 2 ? entries(of) * vectors : 0), 0);
}

/** Entries of weights and of the outputs of all calls, and products in a forward pass, of one sample. */
export function modelSize(model: LayersModel) {
  const { calls } = graphOf(model);
  const layers = new Set(calls.map(({ layer }) => layer));
  return {
    weights: [...layers]
      .flatMap(({ weights }) => weights)
      .reduce((sum, { shape }) => sum + entries(shape), 0),
    calls: calls.length,
    features: calls.flatMap(({ shapes }) => shapes).reduce((sum, shape) => sum + entries(shape), 0),
    products: calls.reduce((sum, call) => sum + productsOf(call), 0),
  };
}
