/** A model, or data for it, that cannot be measured; the message says which layer or input, and why. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
