/** Networks of a user's own. */

export { inspectCapture } from './capture.js';
export { drawModelData, type ModelData, oneHotRows, shownShape } from './data.js';
export { borrowKernels } from './derivatives/borrowed-kernels.js';
export { registerFastProducts } from './derivatives/fast-products.js';
export { registerFilterGradients } from './derivatives/filter-gradients.js';
export {
  type Advice,
  type Inspection,
  type InspectOptions,
  inspectModel,
} from './inspect.js';
export type { ModelLoss } from './loss-names.js';
export { ModelError } from './model-error.js';
export type { LayerRow } from './rows.js';
export { modelSize } from './size.js';
export { measureSteps } from './steps.js';
export { drawTextData } from './text.js';
