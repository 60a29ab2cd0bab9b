/** Files of Keras 3 in the form of Keras 2, which the tensor library reads. */
import { ModelError } from '../model-error.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Config = { readonly [key: string]: Json };

const isObject = (value: Json | undefined): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The topology of a model with what Keras 3 writes in another way put as Keras 2 has it: `batch_shape`, data types that are objects,
 * nodes with `args` and `kwargs`, a single input or output that is no list. What is of Keras 2 already stays.
 *
 * @throws ModelError for a setting of a layer that the library does not know, and would leave out silently.
 */
export function rewriteKeras3(topology: object): object {
  return rewrite(topology as Config) as object;
}

function rewrite(value: Json): Json {
  if (Array.isArray(value)) return value.map(rewrite);
  if (!isObject(value)) return value;
  const { class_name: kind, config } = value;
  // The type of a layer that may compute in another precision.
  if (kind === 'DTypePolicy' && isObject(config)) return 'float32';
  const entries = Object.entries(value).map(([key, child]): readonly [string, Json] => {
    if (key === 'inbound_nodes') return [key, (child as readonly Json[]).map(nodeOf)];
    if (key === 'batch_shape' && Array.isArray(child)) return ['batch_input_shape', child];
    if ((key === 'input_layers' || key === 'output_layers') && Array.isArray(child)) {
      return [key, typeof child[0] === 'string' ? [child] : child];
    }
    return [key, rewrite(child)];
  });
  const rewritten = Object.fromEntries(entries);
  if (typeof kind === 'string' && isObject(config)) checkSettings(kind, config);
  if (kind === 'LeakyReLU' && isObject(config) && typeof config.negative_slope === 'number') {
    return { ...rewritten, config: { ...(rewritten.config as Config), alpha: config.negative_slope } };
  }
  return rewritten;
}

/** Tensors that a node takes: [[layer, node, tensor, {}], ...], from `{args, kwargs}`. */
function nodeOf(node: Json): Json {
  if (!isObject(node)) return node;
  const tensors: Json[] = [];
  const collect = (value: Json): void => {
    if (Array.isArray(value)) for (const each of value) collect(each);
    else if (isObject(value)) {
      const { class_name: kind, config } = value;
      if (kind === '__keras_tensor__' && isObject(config)) {
        tensors.push([...(config.keras_history as readonly Json[]), {}]);
      } else Object.values(value).forEach(collect);
    }
  };
  collect(node.args ?? []);
  const before = tensors.length;
  collect(node.kwargs ?? {});
  if (tensors.length > before) {
    throw new ModelError(
      'a layer takes tensors by name (kwargs), which TensorFlow.js Layers has no form for',
    );
  }
  return tensors;
}

/** Settings by class, with the value that the library takes them to have. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  ReLU: { negative_slope: 0, threshold: 0 },
  LayerNormalization: { rms_scaling: false },
  Conv1D: { groups: 1 },
  Conv2D: { groups: 1 },
  Conv3D: { groups: 1 },
};

function checkSettings(kind: string, config: Config): void {
  for (const [key, expected] of Object.entries(SETTINGS[kind] ?? {})) {
    const value = config[key] ?? expected;
    if (value === expected) continue;
    throw new ModelError(
      `layer ${config.name} (${kind}): expected ${key} ${expected}, got ${value}, which TensorFlow.js Layers does not know`,
    );
  }
}
