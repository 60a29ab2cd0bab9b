/** Networks of a user's own. */
export { borrowKernels } from './borrowed-kernels.js';
export { inspectCapture } from './capture.js';
export { drawModelData, oneHotRows, shownShape } from './data.js';
export { registerFastProducts } from './fast-products.js';
export { registerFilterGradients } from './filter-gradients.js';
export {
  type Advice,
  type Inspection,
  type InspectOptions,
  inspectModel,
  type ModelData,
} from './inspect.js';
export type { ModelLoss } from './loss-names.js';
export { ModelError } from './model-error.js';
export type { LayerRow } from './rows.js';
export { modelSize } from './size.js';
export { type MeasuredSteps, measureSteps } from './steps.js';
export { drawTextData } from './text.js';
