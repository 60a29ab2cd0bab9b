/** Networks of a user's own. */

export { inspectCapture } from './capture.js';
export { drawModelData, type ModelData, oneHotRows, shownShape } from './data.js';
export { completeBackend } from './derivatives/complete-backend.js';
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
export { fixedBatch, modelSamples, type SampleRequest } from './training/samples.js';
export { type ModelSteps, measureSteps } from './training/steps.js';
