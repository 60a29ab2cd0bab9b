/** Models of a user: a JavaScript module that makes one, or a `model.json` of TensorFlow.js Layers or Keras. */
import { existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { UserError } from '../../store/user-error.js';
import { type LoadedModel, modelFromJson } from './model-json.js';
import { type ModelRequest, modelFromModule } from './model-module.js';

/**
 * Loads a model.
 *
 * @throws UserError
 */
export async function loadModel(path: string, request: ModelRequest): Promise<LoadedModel> {
  if (!existsSync(path)) {
    throw new UserError(
      `${path}: no such file; expected a model.json, or a module (.mjs) that makes a model, such as configs/models/transformer.mjs`,
    );
  }
  const file = statSync(path).isDirectory() ? join(path, 'model.json') : path;
  const extension = extname(file);
  if (/^\.[cm]?[jt]s$/.test(extension)) return modelFromModule(file, request);
  if (extension !== '.json') {
    throw new UserError(
      `${path}: expected a model.json or a JavaScript module (.mjs, .js), got ${extension || 'a file without an extension'}; ` +
        'a Keras model (.keras, .h5) is converted by tensorflowjs_converter --output_format=tfjs_layers_model',
    );
  }
  const given = { depth: request.depth, width: request.width, ...request.parameters };
  const names = Object.entries(given).flatMap(([name, value]) =>
    value === undefined || request.optional?.includes(name) ? [] : [name],
  );
  if (names.length > 0) {
    throw new UserError(`${file}: takes no parameters, it is a model already; leave out ${names.join(', ')}`);
  }
  return modelFromJson(file, request.seed);
}
