/** Networks of a user's own. */
export { borrowKernels } from './borrowed-kernels.js';
export { type Capture, inspectCapture } from './capture.js';
export { type DrawOptions, drawModelData, oneHotRows, shownShape } from './data.js';
export { registerFastProducts } from './fast-products.js';
export {
  type Advice,
  type Inspection,
  type InspectOptions,
  inspectModel,
  type ModelData,
} from './inspect.js';
export { MODEL_LOSSES, type ModelLoss } from './loss-names.js';
export { ModelError } from './model-error.js';
export type { LayerRow } from './rows.js';
