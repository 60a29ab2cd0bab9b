/** A model of a file `model.json`, of TensorFlow.js Layers or of Keras through its converter, with or without weights. */
import { dirname, join } from 'node:path';
import * as core from '@tensorflow/tfjs-core';
import * as tfjsLayers from '@tensorflow/tfjs-layers';
import type { Seed } from '../../core/random.js';
import { rewriteKeras3 } from '../../model/loading/keras3.js';
import { withSeed } from '../../model/loading/seeded-initialisers.js';
import { readJson, readWith } from '../../store/files.js';
import { UserError } from '../../store/user-error.js';
import { withMethods } from './tensor-methods.js';

/** A model, and what is to be said of it. */
export interface LoadedModel {
  readonly model: tfjsLayers.LayersModel;
  readonly notes: readonly string[];
}

/** What an error says, of whoever threw it. */
export const told = (error: unknown): string =>
  error instanceof Error ? error.message.trim() : String(error).slice(0, 200);

export const isLayersModel = (value: unknown): value is tfjsLayers.LayersModel =>
  typeof value === 'object' &&
  value !== null &&
  'layers' in value &&
  'outputs' in value &&
  'predict' in value;

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: object;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: core.io.WeightsManifestEntry[];
  }[];
  /** Of the topology alone, as Keras writes it. */
  readonly class_name?: string;
  readonly model_config?: object;
  readonly node?: unknown;
}

/**
 * Reads a model and its weights.
 *
 * @throws UserError
 */
export async function modelFromJson(path: string, seed: number | Seed): Promise<LoadedModel> {
  const json = readJson(path) as ModelJson | null;
  const refuse = (what: string) => new UserError(`${path}: ${what}`);
  if (typeof json !== 'object' || json === null) throw refuse('expected a model, got no object');
  const topology = json.modelTopology ?? (json.class_name || json.model_config ? json : undefined);
  if (json.format === 'graph-model' || (topology && 'node' in topology)) {
    throw refuse(
      'it is a GraphModel, whose weights are constants and whose layers are gone; ' +
        'convert the Keras model again with --output_format=tfjs_layers_model',
    );
  }
  if (!topology) {
    throw refuse(
      'expected a model.json of TensorFlow.js Layers or of Keras, with modelTopology or class_name',
    );
  }
  const groups = json.weightsManifest ?? [];
  const data = Buffer.concat(
    groups.flatMap(({ paths }) => paths.map((name) => readWith(join(dirname(path), name), (bytes) => bytes))),
  );
  const specs = groups.flatMap(({ weights }) => weights);
  const weights = specs.length > 0 ? core.io.decodeWeights(new Uint8Array(data).buffer, specs) : undefined;
  withMethods(); // the orthogonal initialiser of recurrent layers calls one
  try {
    const model = await withSeed(seed, () =>
      tfjsLayers.loadLayersModel({ load: async () => ({ modelTopology: rewriteKeras3(topology) }) }),
    );
    if (weights) setWeights(path, model, weights);
    const notes = weights ? [] : ['the file has no weights; they are initial ones of this seed'];
    return { model, notes };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refuse(`the model cannot be built: ${told(error)}`);
  }
}

/** Puts the weights of a file in their places, by their names: `kernel` of layer `out` is `out/kernel`, or `model/out/kernel`. */
function setWeights(path: string, model: tfjsLayers.LayersModel, weights: core.NamedTensorMap): void {
  const names = Object.keys(weights);
  const missing: string[] = [];
  for (const { name, owners, variable } of variablesOf(model)) {
    const candidates = names.filter((each) => each === name || each.endsWith(`/${name}`));
    // Of several the one that has most of the models around the layer in its name.
    const places = candidates.map((each) => owners.filter((owner) => each.split('/').includes(owner)).length);
    const found = candidates[places.indexOf(places.reduce((most, count) => Math.max(most, count), 0))];
    if (found === undefined) missing.push(name);
    else {
      const value = weights[found]!;
      if (value.shape.join() !== variable.shape.join()) {
        throw new UserError(
          `${path}: weights ${found} have the shape [${value.shape.join(', ')}], expected [${variable.shape.join(', ')}]`,
        );
      }
      variable.write(value);
    }
  }
  if (missing.length > 0) {
    throw new UserError(
      `${path}: the file has no weights for ${missing.join(', ')}; it has ${names.join(', ')}`,
    );
  }
}

interface Variable {
  /** Without the number that tells a name from the same of another model in this process. */
  readonly name: string;
  /** Names of the models around the layer. */
  readonly owners: readonly string[];
  readonly variable: tfjsLayers.LayerVariable;
}

function variablesOf(model: tfjsLayers.LayersModel, owners: readonly string[] = []): Variable[] {
  const within = [...owners, model.name];
  return model.layers.flatMap((layer) =>
    isLayersModel(layer)
      ? variablesOf(layer, within)
      : layer.weights.map((variable) => ({ name: variable.originalName, owners: within, variable })),
  );
}
